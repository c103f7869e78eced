import type { Node, Value } from "./node.js";

/** What a parameter that a pass or differentiation made stands for: that value, or its gradient. */
export interface StandIn {
  readonly of: Value;
  readonly role: "same" | "gradient";
}

/** Parameters are nodes of their own and never interned, so that what each stands for is one thing. */
const standIns = new WeakMap<Node, StandIn>();

/** Takes down what a parameter stands for, for whoever names it. */
export function standFor(parameter: Value, of: Value, role: StandIn["role"] = "same"): void {
  if (parameter.node !== of.node) standIns.set(parameter.node, { of, role });
}

/** Undefined for a parameter that the text made. */
export function standInOf(parameter: Node): StandIn | undefined {
  return standIns.get(parameter);
}
