import { type Node, topologicalOrder, type Value } from "../ir/node.js";
import { definedOp } from "./define.js";
import { dependents, type ScanParts } from "./region_parts.js";

/** Arithmetic that costs less than a load and a store for each iteration would. */
const cheap: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "mul",
  "neg",
  "abs",
  "maximum",
  "minimum",
  "select",
  "cast",
  "not",
  "and",
  "or",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
]);

/**
 * The values of one forward iteration that the backward loop is to be given. It needs every forward value that an expression with
 * a cotangent in it reads. Of those it computes again what is a view, or cheap arithmetic on one value that is kept anyway (1 - y
 * of y); captures, elements and constants it has. With `checkpoint` only the carries are kept, and all else is computed again.
 */
export function residualsOf(
  gradients: readonly Value[],
  cotangents: readonly Value[],
  parts: ScanParts,
  checkpoint: boolean,
): readonly Value[] {
  const backward = dependents(gradients, cotangents);
  const carries = new Set(parts.carries);
  const available = new Set([parts.index, ...parts.captures, ...parts.elements]);
  const residuals = new Set<Value>();
  const seen = new Set<Value>();
  const stack: Value[] = [];
  for (const value of gradients) if (!backward.has(value.node)) stack.push(value);
  for (const node of topologicalOrder(gradients)) {
    if (!backward.has(node)) continue;
    for (const input of node.inputs) if (!backward.has(input.node)) stack.push(input);
  }
  const isMoving = movingNodes(stack, parts);
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (carries.has(value)) residuals.add(value);
    if (carries.has(value) || available.has(value)) continue;
    const { node } = value;
    const again = checkpoint || isAgain(node, isMoving);
    if (again) stack.push(...node.inputs);
    else residuals.add(value);
  }
  // In the order of the graph, so that equal programs are equal.
  const order = new Map(topologicalOrder([...residuals]).map((node, i) => [node, i]));
  return [...residuals].sort((a, b) => (order.get(a.node) ?? 0) - (order.get(b.node) ?? 0) || a.index - b.index);
}

function isAgain(node: Node, isMoving: (value: Value) => boolean): boolean {
  if (node.inputs.length === 0) return true;
  const { kernel } = definedOp(node.op);
  if (kernel.kind === "view") return true;
  return isCheap(node) && basesOf(node, isMoving).size <= 1;
}

function isCheap(node: Node): boolean {
  return definedOp(node.op).kernel.kind === "elementwise" && cheap.has(node.op);
}

/** What changes from iteration to iteration and is not cheap itself, below a node by cheap arithmetic: s alone for s (1 - s). */
function basesOf(node: Node, isMoving: (value: Value) => boolean): ReadonlySet<Value> {
  const bases = new Set<Value>();
  const seen = new Set<Value>();
  const stack = node.inputs.filter(isMoving);
  for (let value = stack.pop(); value !== undefined && bases.size < 2; value = stack.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (isCheap(value.node)) stack.push(...value.node.inputs.filter(isMoving));
    else bases.add(value);
  }
  return bases;
}

/** What changes from iteration to iteration. */
function movingNodes(roots: readonly Value[], parts: ScanParts): (value: Value) => boolean {
  const nodes = dependents(roots, [parts.index, ...parts.elements, ...parts.carries]);
  return (value) => nodes.has(value.node);
}
