import type { Node, Value } from "../ir/node.js";
import { semanticsOf } from "./semantics.js";
import { countOf, inputOf } from "./views.js";

/** Readers of each value, looking through views: a view is no reader itself, its readers are. */
export function countReaders(order: readonly Node[], targets: readonly Value[]): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  const add = (value: Value, more: number): void => {
    counts.set(value, Math.min(1000, (counts.get(value) ?? 0) + more));
  };
  for (const value of targets) add(value, 1);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    const isView = semanticsOf(node).kind === "view";
    const times = isView ? (counts.get(node.outputs[0] as Value) ?? 0) : 1;
    // `x * x` reads x at one place: once.
    for (const input of new Set(node.inputs)) add(input, times);
  }
  return counts;
}

/** Values that some reader sees broadcast to more elements, directly or through other views. */
export function findBroadcast(order: readonly Node[]): ReadonlySet<Value> {
  const found = new Set<Value>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as Node;
    if (semanticsOf(node).kind !== "view") continue;
    const operand = inputOf(node, 0);
    const result = node.outputs[0] as Value;
    if (found.has(result) || countOf(result) > countOf(operand)) found.add(operand);
  }
  return found;
}
