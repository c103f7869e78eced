import { isFloat } from "../../ir/dtype.js";
import type { Node, Value } from "../../ir/node.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { zerosLike } from "../../ops/build.js";
import { inversePermutation, transposeTo } from "../../ops/views.js";
import { apply } from "./watch.js";

/** Comparisons beyond which it takes less to send what is sorted to the processor, which sorts in n log n, and back. */
const mostComparisons = 2 ** 18;

/** Whether a device sorts: an `argsort` compares each element of a row with each other, all at once. */
export function isSortedByCounting({ op, inputs: [x], attributes }: Node): boolean {
  if (op !== "argsort" || x === undefined) return false;
  const shape = staticShape(x.type);
  return elementCount(shape) * (shape[Number(attributes["axis"])] ?? 1) <= mostComparisons;
}

/**
 * An `argsort` by counting: how many elements of its row come before an element is its place, and at each place stands the element that
 * has it.
 */
export function sortedByCounting({ attributes }: Node, x: Value): Value {
  const rank = x.type.shape.length;
  const axis = Number(attributes["axis"]);
  const permutation = [...x.type.shape.keys()].filter((at) => at !== axis).concat(axis);
  const rows = transposeTo(x, permutation);
  const size = rows.type.shape[rank - 1] ?? 1;
  const shape = [...rows.type.shape, size];
  const leading = [...Array(rank - 1).keys()];
  // Of each pair, by its last two axes: the element in question, and the other one of its row.
  const own = apply("broadcast_in_dim", [rows], { shape, axes: [...leading, rank - 1] });
  const other = apply("broadcast_in_dim", [rows], { shape, axes: [...leading, rank] });
  const at = (along: number): Value => apply("iota", [], { dtype: "i32", shape, axis: along });
  const isSooner = apply("lt", [at(rank), at(rank - 1)]);
  const isAhead = apply(attributes["descending"] === true ? "gt" : "lt", [other, own]);
  const before = isFloat(x.type.dtype)
    ? beforeOf(own, other, isAhead, isSooner)
    : either(isAhead, both(apply("eq", [other, own]), isSooner));
  const places = apply("sum", [apply("cast", [before], { to: "i32" })], { axes: [rank] });
  const placed = apply("broadcast_in_dim", [places], { shape, axes: [...leading, rank] });
  const found = apply("cast", [apply("eq", [placed, at(rank - 1)])], { to: "f32" });
  return transposeTo(apply("argmax", [found], { axis: rank }), inversePermutation(permutation));
}

/** NaN is last either way, and compares with nothing, as devices may have it or not. */
function beforeOf(own: Value, other: Value, isAhead: Value, isSooner: Value): Value {
  const [isOwn, isOther] = [isNumber(own), isNumber(other)];
  const isEqual = either(both(both(isOwn, isOther), apply("eq", [other, own])), not(either(isOwn, isOther)));
  const isLess = both(isOther, either(not(isOwn), isAhead));
  return either(isLess, both(isEqual, isSooner));
}

/** NaN is neither above nor below 0. */
function isNumber(x: Value): Value {
  const zero = zerosLike(x);
  return either(apply("le", [x, zero]), apply("gt", [x, zero]));
}

function either(a: Value, b: Value): Value {
  return apply("or", [a, b]);
}

function both(a: Value, b: Value): Value {
  return apply("and", [a, b]);
}

function not(a: Value): Value {
  return apply("not", [a]);
}
