/** The gradient of slices of one tensor (the gates of an LSTM, queries, keys and values of one product) is a sum of pads. */
import { isFloat } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { add } from "../ops/arithmetic.js";
import { constantLike, fill } from "../ops/build.js";
import { concatenate, pad } from "../ops/structure.js";
import type { Opaque } from "./pattern.js";
import { node } from "./pattern.js";
import { type Rule, rule } from "./rule.js";
import { dimsOf, inputOf, intOf, intsOf, splatOf, staticSizes } from "./values.js";

/** A tensor that is 0 but for parts that lie one after another along an axis. */
interface Parts {
  readonly axis: number;
  readonly list: readonly Part[];
}

interface Part {
  readonly start: number;
  readonly size: number;
  readonly value: Value;
}

/** So that a sum of thousands of slices takes no time in the square of them, and no kernel has that many loops. */
const mostParts = 32;

/**
 * The sum of tensors that are 0 wherever the other is not is their parts put together: each element is written once, instead of all of each
 * tensor and then their sum. A part x becomes x + 0, which is what the sum makes of it: 0 of -0.
 */
export const addDisjointPads: Rule = rule("add-disjoint-pads", node("y", add), ({ y }, opaque) => {
  const [left, right] = [partsOf(inputOf(y, 0), opaque), partsOf(inputOf(y, 1), opaque)];
  const sizes = staticSizes(y.type.shape);
  if (left === undefined || right === undefined || sizes === undefined || left.axis !== right.axis) return undefined;
  const { axis } = left;
  const list = [...left.list, ...right.list].sort((a, b) => a.start - b.start);
  const ends = list.map(({ start, size }) => start + size);
  if (list.length > mostParts || list.some(({ start }, i) => start < (ends[i - 1] ?? 0))) return undefined;
  const zeros = (from: number, to: number): readonly Value[] =>
    from === to ? [] : [fill({ ...y.type, shape: sizes.map((size, i) => (i === axis ? to - from : size)) }, 0)];
  return concatenate(
    [
      ...list.flatMap(({ start, value }, i) => [...zeros(ends[i - 1] ?? 0, start), withZero(value)]),
      ...zeros(ends.at(-1) ?? 0, sizes[axis] ?? 0),
    ],
    { axis },
  );
});

function partsOf(value: Value, opaque: Opaque): Parts | undefined {
  if (opaque(value)) return undefined;
  if (value.node.op === pad.opName) return partOfPad(value, opaque);
  if (value.node.op !== concatenate.opName) return undefined;
  const axis = intOf(value, "axis");
  let start = 0;
  const list: Part[] = [];
  for (const piece of value.node.inputs) {
    const size = piece.type.shape[axis];
    if (typeof size !== "number") return undefined;
    if (!isZero(piece, opaque)) list.push({ start, size, value: piece });
    start += size;
  }
  // One without zeros leaves no room for another.
  return list.length < value.node.inputs.length ? { axis, list } : undefined;
}

/** A pad by zeros before and after, along one axis. */
function partOfPad(value: Value, opaque: Opaque): Parts | undefined {
  const low = staticSizes(dimsOf(value, "low"));
  const high = staticSizes(dimsOf(value, "high"));
  const operand = inputOf(value);
  if (low === undefined || high === undefined || !isZero(inputOf(value, 1), opaque)) return undefined;
  const padded = low.flatMap((count, axis) => (count !== 0 || high[axis] !== 0 ? [axis] : []));
  const [axis, ...others] = padded;
  if (axis === undefined || others.length > 0 || intsOf(value, "interior").some((count) => count !== 0))
    return undefined;
  const [start, size] = [low[axis] ?? 0, operand.type.shape[axis]];
  if (start < 0 || (high[axis] ?? 0) < 0 || typeof size !== "number") return undefined;
  return { axis, list: [{ start, size, value: operand }] };
}

function isZero(value: Value, opaque: Opaque): boolean {
  const number = splatOf(value, opaque);
  return number === 0n || Object.is(number, 0);
}

/** x + 0; of what is such a sum already, itself. */
function withZero(value: Value): Value {
  if (!isFloat(value.type.dtype)) return value;
  const isSum = value.node.op === add.opName && value.node.inputs.some((input) => Object.is(splatOf(input), 0));
  return isSum ? value : add(value, constantLike(value, 0));
}
