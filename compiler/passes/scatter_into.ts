import { type Computation, rootsOf } from "../ir/graph.js";
import { type Node, topologicalOrder, type Value } from "../ir/node.js";
import { rewrite } from "../ir/rewrite.js";
import { add, mul, neg, sub } from "../ops/arithmetic.js";
import { broadcastScalar } from "../ops/build.js";
import { reapply } from "../ops/define.js";
import { scatter } from "../ops/indexing.js";
import { broadcastInDim } from "../ops/views.js";
import type { Pass } from "./rule.js";
import { inputOf, intsOf, sameNumber, scalarOf, splatOf } from "./values.js";

/**
 * `w - rate * g`, where g is a gradient that was scattered into zeros (of an embedding table), becomes a scatter into w of the few
 * rows that change: an update in place, instead of three passes over the whole table. Only where nothing else reads g.
 *
 * What it gives up: where a factor is not finite, elements that no update reaches would become NaN (0 * inf) and now stay; -0
 * stays -0 (where + 0 makes it 0); and updates that share a place are added to the old element one by one. Halves are left alone:
 * they round each of these sums.
 */
export const scatterInto: Pass = {
  name: "scatter-into",
  doc: "Sums with what was scattered into zeros scatter into the other summand.",
  run: (computation, fired) => {
    const order = topologicalOrder(rootsOf(computation));
    if (!order.some((node) => node.op === scatter.opName)) return computation;
    const readers = countReaders(computation, order);
    const isOnlyRead = (value: Value): boolean => readers.get(value) === 1;
    return rewrite(computation, {
      rebuild: (node, inputs) => reapply(node, inputs),
      step: ({ outputs: [value] }) => {
        const result = value === undefined ? undefined : scattered(value, isOnlyRead);
        if (result === undefined) return undefined;
        fired?.("scatter-into");
        return [result];
      },
    });
  },
};

function countReaders(computation: Computation, order: readonly Node[]): ReadonlyMap<Value, number> {
  const readers = new Map<Value, number>();
  const read = (value: Value): void => {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  };
  for (const node of order) node.inputs.forEach(read);
  rootsOf(computation).forEach(read);
  return readers;
}

/** The same value as a scatter into zeros or into the other summand; undefined where it is none. */
function scattered(value: Value, isOnlyRead: (value: Value) => boolean): Value | undefined {
  const { node } = value;
  if (value.type.dtype === "f16" || value.type.dtype === "bf16") return undefined;
  const isSparse = (input: Value): boolean => isOnlyRead(input) && isScatteredIntoZeros(input, isOnlyRead);
  const same = (updates: Value): Value => updates;
  const [x, y] = node.inputs;
  if (x === undefined) return undefined;
  switch (node.op) {
    case neg.opName:
      return isSparse(x) ? rescattered(x, undefined, (updates) => neg(updates)) : undefined;
    case mul.opName: {
      if (y === undefined) return undefined;
      const [sparse, factor] = isSparse(x) ? [x, repeatedScalar(y)] : isSparse(y) ? [y, repeatedScalar(x)] : [];
      if (sparse === undefined || factor === undefined) return undefined;
      return rescattered(sparse, undefined, (updates) => mul(updates, broadcastScalar(factor, updates.type.shape)));
    }
    case add.opName:
      if (y === undefined) return undefined;
      if (isSparse(y)) return rescattered(y, x, same);
      return isSparse(x) ? rescattered(x, y, same) : undefined;
    case sub.opName:
      return y !== undefined && isSparse(y) ? rescattered(y, x, (updates) => neg(updates)) : undefined;
    default:
      return undefined;
  }
}

/** Longer chains are left alone: each step along one looks at all of it. */
const longestChain = 16;

/** Into zeros, or into what was scattered into zeros for this alone. */
function isScatteredIntoZeros(value: Value, isOnlyRead: (value: Value) => boolean, links = longestChain): boolean {
  if (value.node.op !== scatter.opName || value.node.attributes["combiner"] !== "add") return false;
  const base = inputOf(value);
  const number = splatOf(base);
  if (number !== undefined) return sameNumber(number, 0);
  return links > 1 && isOnlyRead(base) && isScatteredIntoZeros(base, isOnlyRead, links - 1);
}

/** The same updates, changed, into `base` instead of zeros (undefined keeps them). */
function rescattered(like: Value, base: Value | undefined, change: (updates: Value) => Value): Value {
  const own = inputOf(like);
  const into = splatOf(own) === undefined ? rescattered(own, base, change) : (base ?? own);
  const updates = change(inputOf(like, 1));
  return scatter(into, updates, like.node.inputs.slice(2), { axes: intsOf(like, "axes"), combiner: "add" });
}

/** The scalar that a value repeats in every element, whether it is known or not. */
function repeatedScalar(value: Value): Value | undefined {
  if (value.type.shape.length === 0) return value;
  const constant = scalarOf(value);
  if (constant !== undefined) return constant;
  const isRepeated = value.node.op === broadcastInDim.opName && inputOf(value).type.shape.length === 0;
  return isRepeated ? inputOf(value) : undefined;
}
