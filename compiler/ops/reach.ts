/** Which edges a gradient reaches, and what stops it. Used before and after `gradients` is expanded; no recursion. */
import { isFloat } from "../ir/dtype.js";
import { type Node, topologicalOrder, type Value } from "../ir/node.js";
import { opNamed } from "./table.js";

/** Whether a cotangent of the node's outputs goes on to its input at `position`. */
export function passesGradient(node: Node, position: number): boolean {
  const input = node.inputs[position];
  return input !== undefined && isFloat(input.type.dtype) && cutReason(node) === undefined;
}

/** Why no gradient passes a node at all; undefined where it passes to its float inputs. */
export function cutReason(node: Node): string | undefined {
  // Its meaning is built of the ops below y, so a gradient passes it wherever it passes those.
  if (node.op === "gradients") return undefined;
  const { cut } = opNamed(node.op);
  if (cut !== undefined) return cut;
  const results = node.outputs.map((output) => output.type.dtype);
  return results.some(isFloat) ? undefined : `its result is ${results.join(", ")}, and only floats have gradients`;
}

/**
 * Every edge that a gradient from `y` reaches, `y` included. A `gradients` that is not expanded yet counts as reaching all that
 * its y reaches; the expansion may find fewer (the gradient of `w * x` in `x` does not depend on `x`).
 */
export function reachedByGradient(y: Value): ReadonlySet<Value> {
  const reached = new Set<Value>();
  if (!isFloat(y.type.dtype)) return reached;
  reached.add(y);
  const stack: Value[] = [y];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const { node } = value;
    node.inputs.forEach((input, position) => {
      if (reached.has(input) || !passesGradient(node, position)) return;
      reached.add(input);
      stack.push(input);
    });
  }
  return reached;
}

/** An op that stops the gradient, and why. */
export interface Cut {
  readonly node: Node;
  readonly reason: string;
}

/**
 * The ops that stop gradients on the ways from `y` down to `x`: each depends on `x` through a float operand, is itself reached,
 * and passes nothing on. Empty where `y` does not depend on `x` at all.
 */
export function cutsBetween(y: Value, x: Value): readonly Cut[] {
  const dependent = dependents(y, x);
  if (!dependent.has(y)) return [];
  const cuts: Cut[] = [];
  const seen = new Set<Node>([y.node]);
  const stack: Node[] = [y.node];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const below = node.inputs.filter((input) => dependent.has(input));
    const reason = cutReason(node);
    if (reason !== undefined && below.some((input) => isFloat(input.type.dtype))) cuts.push({ node, reason });
    for (const input of below) {
      // The way on through integers and bools leads to the op that made them, such as argmax or a comparison.
      const passes = reason === undefined || !isFloat(input.type.dtype);
      if (!passes || seen.has(input.node)) continue;
      seen.add(input.node);
      stack.push(input.node);
    }
  }
  return cuts;
}

/** The edges at or below `y` that are computed from `x`, whatever is in between. */
function dependents(y: Value, x: Value): ReadonlySet<Value> {
  const found = new Set<Value>([x]);
  for (const node of topologicalOrder([y])) {
    if (node.inputs.some((input) => found.has(input))) for (const output of node.outputs) found.add(output);
  }
  return found;
}
