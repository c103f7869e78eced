/** The gradient of `prod`, from products only, so that zeros among the elements and second derivatives are right. */
import type { Dim } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { tensorType } from "../ir/type.js";
import { mul } from "./arithmetic.js";
import { broadcastAlong, fill, onesLike, zerosLike } from "./build.js";
import { eq } from "./comparison.js";
import { select } from "./logic.js";
import { prod } from "./reduction.js";
import { concatenate, iota, pad } from "./structure.js";
import { broadcastInDim, reshapeTo, slice } from "./views.js";

/** The cotangent of x, where y = prod(x, axes) has the cotangent dy. The quotient y / x would be NaN at zeros. */
export function pullBackProduct(x: Value, axes: readonly number[], dy: Value): Value {
  if (x.type.shape.some((dim) => dim === 0)) return zerosLike(x);
  // One axis at a time, each kept with size 1: partial[i] is the product over axes[i], axes[i + 1], ...
  const steps: { readonly axis: number; readonly input: Value }[] = [];
  let partial = x;
  for (const axis of [...axes].reverse()) {
    steps.push({ axis, input: partial });
    partial = reshapeTo(prod(partial, { axes: [axis] }), withSize(partial.type.shape, axis, 1));
  }
  let cotangent = reshapeTo(dy, partial.type.shape);
  for (const { axis, input } of steps.reverse()) {
    cotangent =
      typeof input.type.shape[axis] === "number" ? byHalves(input, axis, cotangent) : byMask(input, axis, cotangent);
  }
  return cotangent;
}

/** A tree of products of neighbours' halves, and the way back down it: about 6 log2(n) ops of n elements in all. */
function byHalves(x: Value, axis: number, dy: Value): Value {
  const levels: { readonly low: Value; readonly high: Value; readonly size: number }[] = [];
  let current = x;
  for (let size = sizeOf(current, axis); size > 1; size = sizeOf(current, axis)) {
    const half = (size + 1) >> 1;
    const even = size === 2 * half ? current : padEnd(current, axis);
    const low = range(even, axis, 0, half);
    const high = range(even, axis, half, 2 * half);
    levels.push({ low, high, size });
    current = mul(low, high);
  }
  let cotangent = dy;
  for (const { low, high, size } of levels.reverse()) {
    const both = concatenate([mul(cotangent, high), mul(cotangent, low)], { axis });
    cotangent = range(both, axis, 0, size);
  }
  return cotangent;
}

/** For a size that is not known yet: an n x n table whose diagonal is 1 and whose rows are x; n^2 elements. */
function byMask(x: Value, axis: number, dy: Value): Value {
  const shape = x.type.shape;
  const size = shape[axis] as Dim;
  const table = [...shape.slice(0, axis), size, ...shape.slice(axis)];
  const rows = broadcastInDim(x, { shape: table, axes: shape.map((_, i) => (i < axis ? i : i + 1)) });
  const diagonal = eq(iota({ dtype: "i64", shape: table, axis }), iota({ dtype: "i64", shape: table, axis: axis + 1 }));
  const others = prod(select(diagonal, onesLike(rows), rows), { axes: [axis + 1] });
  const flat = reshapeTo(
    dy,
    shape.filter((_, i) => i !== axis),
  );
  return mul(broadcastAlong(flat, shape, [axis]), others);
}

function padEnd(x: Value, axis: number): Value {
  const zeros = x.type.shape.map(() => 0);
  const one = fill(tensorType(x.type.dtype), 1);
  return pad(x, one, { low: zeros, high: zeros.map((_, i) => (i === axis ? 1 : 0)), interior: zeros });
}

function range(x: Value, axis: number, start: number, limit: number): Value {
  const shape = x.type.shape;
  if (start === 0 && shape[axis] === limit) return x;
  return slice(x, {
    start: shape.map((_, i) => (i === axis ? start : 0)),
    limit: shape.map((dim, i) => (i === axis ? limit : dim)),
    strides: shape.map(() => 1),
  });
}

function withSize(shape: readonly Dim[], axis: number, size: Dim): readonly Dim[] {
  return shape.map((dim, i) => (i === axis ? size : dim));
}

function sizeOf(x: Value, axis: number): number {
  const size = x.type.shape[axis];
  return typeof size === "number" ? size : 0;
}
