import { type Computation, rootsOf } from "../ir/graph.js";
import { type Node, nodesBelow, type Value } from "../ir/node.js";
import { rewrite } from "../ir/rewrite.js";
import { le } from "../ops/comparison.js";
import { reapply } from "../ops/define.js";
import { select } from "../ops/logic.js";
import { splatOf } from "./splats.js";

/**
 * The gradient of a relu asks whether x <= 0, and relu(x) <= 0 says the same (also of NaN and -0). Asked so, x itself is needed
 * nowhere but in the relu, and a contraction that makes it writes one tensor instead of two.
 */
export function masksFromResults(computation: Computation): Computation {
  const order = nodesBelow(rootsOf(computation));
  const rectified = rectifiedBy(order);
  if (rectified.size === 0) return computation;
  return rewrite(computation, {
    rebuild: (node, inputs, inner) => reapply(node, inputs, inner),
    step: (node) => {
      const inputs = node.inputs.map((input) => {
        const result = rectified.get(input);
        return result === undefined || result.node === node ? input : le(result, input.node.inputs[1] as Value);
      });
      return inputs.some((input, i) => input !== node.inputs[i]) ? reapply(node, inputs) : undefined;
    },
  });
}

/** Masks `x <= 0` with the `select(x <= 0, 0, x)` that they stand for, where other nodes read the mask, and no others read x. */
function rectifiedBy(order: readonly Node[]): ReadonlyMap<Value, Value> {
  const readers = new Map<Value, Set<Node>>();
  for (const node of order) {
    for (const input of node.inputs) {
      const known = readers.get(input) ?? new Set();
      readers.set(input, known.add(node));
    }
  }
  const isZero = (value: Value | undefined): boolean => value !== undefined && Number(splatOf(under(value))) === 0;
  const found = new Map<Value, Value>();
  for (const node of order) {
    if (node.op !== select.opName) continue;
    const [mask, zero, x] = node.inputs;
    if (mask === undefined || x === undefined || mask.node.op !== le.opName || mask.node.inputs[0] !== x) continue;
    if (!isZero(zero) || !isZero(mask.node.inputs[1])) continue;
    if ((readers.get(x)?.size ?? 0) > 2 || (readers.get(mask)?.size ?? 0) < 2) continue;
    found.set(mask, node.outputs[0] as Value);
  }
  return found;
}

/** What a view repeats. */
function under(value: Value): Value {
  return value.node.op === "broadcast_in_dim" ? under(value.node.inputs[0] as Value) : value;
}
