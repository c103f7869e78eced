/** Small expressions that gradients, passes and the front end build from ops. Shapes may be symbolic in all of them. */
import type { Dim } from "../ir/dim.js";
import type { NumericDType } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { ge, gt } from "./comparison.js";
import { dotGeneral } from "./contraction.js";
import { select } from "./logic.js";
import { numericDType, tensorOf } from "./precision.js";
import { constant } from "./sources.js";
import { iota } from "./structure.js";
import { broadcastInDim, transpose } from "./views.js";

/** A constant with the given elements in row-major order; floats are rounded, integers wrapped. */
export function literal(dtype: NumericDType, shape: readonly number[], values: ArrayLike<number | bigint>): Value {
  return constant({ value: tensorOf(dtype, shape, values) });
}

/** One number in every element: a scalar constant, broadcast. */
export function fill(type: TensorType, value: number | bigint): Value {
  return broadcastScalar(literal(numericDType(type.dtype), [], [value]), type.shape);
}

/** A scalar edge repeated to a shape. */
export function broadcastScalar(scalar: Value, shape: readonly Dim[]): Value {
  return shape.length === 0 ? scalar : broadcastInDim(scalar, { shape, axes: [] });
}

/** A constant of the dtype and shape of another edge. */
export function constantLike(like: Value, value: number | bigint): Value {
  return fill(like.type, value);
}

export function zerosLike(like: Value, shape: readonly Dim[] = like.type.shape): Value {
  return fill(tensorType(like.type.dtype, shape), 0);
}

export function onesLike(like: Value): Value {
  return constantLike(like, 1);
}

/** Repeats a reduced tensor along `axes` of the shape that it was reduced from. */
export function broadcastAlong(reduced: Value, shape: readonly Dim[], axes: readonly number[]): Value {
  return broadcastInDim(reduced, { shape, axes: shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis])) });
}

/** Swaps the last two axes. */
export function matrixTranspose(x: Value): Value {
  const rank = x.type.shape.length;
  const permutation = x.type.shape.map((_, axis) =>
    axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
  );
  return transpose(x, { permutation });
}

/** The matrix product over the last two axes; the leading axes are equal batch axes. */
export function matmul(x: Value, y: Value): Value {
  const rank = x.type.shape.length;
  const batch = x.type.shape.slice(0, rank - 2).map((_, axis) => axis);
  return dotGeneral(x, y, { lhs_batch: batch, rhs_batch: batch, lhs_contract: [rank - 1], rhs_contract: [rank - 2] });
}

/** Keeps the triangle of the last two axes, with the diagonal or strictly below or above it; zeros elsewhere. */
export function triangle(x: Value, part: "lower" | "upper" | "strictly_lower" | "strictly_upper"): Value {
  const shape = x.type.shape;
  const row = iota({ dtype: "i64", shape, axis: shape.length - 2 });
  const column = iota({ dtype: "i64", shape, axis: shape.length - 1 });
  const compare = part.startsWith("strictly") ? gt : ge;
  const kept = part.endsWith("lower") ? compare(row, column) : compare(column, row);
  return select(kept, x, zerosLike(x));
}
