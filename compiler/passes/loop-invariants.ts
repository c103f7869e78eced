import { isInteger } from "../ir/dtype.js";
import { type Node, newRegionParameters, topologicalOrder, type Value } from "../ir/node.js";
import { standFor } from "../ir/stand_ins.js";
import { dependents, type Rebuilt, substitute } from "../ops/region_parts.js";
import { opNamed } from "../ops/table.js";

export interface Invariant {
  /** The value in the body, what computes it outside, and the parameter that takes its place. */
  readonly inside: Value;
  readonly value: Value;
  readonly parameter: Value;
}

/**
 * Values of a loop's body that no iteration changes, the largest ones, as values of the block around. Views stay (they cost nothing
 * where they are read), and so does what can fail: a loop that is not entered must not fail.
 */
export function invariantsOf(
  results: readonly Value[],
  moving: readonly Value[],
  outside: ReadonlyMap<Value, Value>,
  rebuilt: Rebuilt,
): readonly Invariant[] {
  const varying = dependents(results, moving);
  const fixed = fixedNodes(results, varying);
  const found = new Set<Value>();
  const consider = (value: Value): void => {
    if (varying.has(value.node)) return;
    const stack = [value];
    for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
      const { node } = one;
      if (node.inputs.length === 0) continue;
      const { kernel } = opNamed(node.op);
      if (!fixed.has(node) || kernel.kind === "view") stack.push(...node.inputs);
      else if (readsOutside(node, outside)) found.add(one);
    }
  };
  for (const result of results) consider(result);
  for (const node of topologicalOrder(results)) if (varying.has(node)) node.inputs.forEach(consider);
  return [...found].map((inside) => ({
    inside,
    value: substitute([inside], outside, rebuilt)[0] as Value,
    parameter: parameterFor(inside),
  }));
}

/** A parameter that a loop is given in place of what it computed itself. */
export function parameterFor(inside: Value): Value {
  const [parameter] = newRegionParameters([inside.type]) as readonly [Value];
  standFor(parameter, inside);
  return parameter;
}

/** Nodes that no iteration changes and that cannot fail, nor what is below them. */
function fixedNodes(results: readonly Value[], varying: ReadonlySet<Node>): ReadonlySet<Node> {
  const fixed = new Set<Node>();
  for (const node of topologicalOrder(results)) {
    if (varying.has(node) || mayFail(node)) continue;
    if (node.inputs.every((input) => fixed.has(input.node))) fixed.add(node);
  }
  return fixed;
}

function mayFail(node: Node): boolean {
  const { kernel } = opNamed(node.op);
  if (node.regions.length > 0 || kernel.kind === "pseudo") return true;
  if ((kernel.kind === "routine" && kernel.along !== true) || kernel.kind === "check") return true;
  if (kernel.kind === "dynamic_view" || kernel.kind === "dynamic_store") return true;
  const [x] = node.inputs;
  return (node.op === "floor_div" || node.op === "mod") && x !== undefined && isInteger(x.type.dtype);
}

/** Whether it is computed from something of outside, and not from constants alone. */
function readsOutside(node: Node, outside: ReadonlyMap<Value, Value>): boolean {
  return topologicalOrder(node.outputs).some((below) => below.outputs.some((output) => outside.has(output)));
}
