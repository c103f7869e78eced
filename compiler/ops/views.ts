import {
  addDims,
  type Dim,
  dimEquals,
  dimText,
  floorDivideDims,
  multiplyDims,
  productOfDims,
  staticSize,
  subtractDims,
} from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { shapeEquals, shapeText, type TensorType, tensorType, typeText } from "../ir/type.js";
import { zerosLike } from "./build.js";
import { defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { readTransposed, readView, stridesOf } from "./evaluate.js";
import { OpError } from "./op_error.js";
import { anyDType, operand } from "./operands.js";
import { sum } from "./reduction.js";
import { checkAxes, checkCount, checkSizes, knownDifference } from "./rules.js";
import { pad } from "./structure.js";
import { broadcastSamples, reshapeSamples, reverseSamples, sliceSamples, transposeSamples } from "./view_samples.js";

export const broadcastInDim: UnaryOp<{ readonly shape: "dims"; readonly axes: "ints" }> = defineOp({
  name: "broadcast_in_dim",
  doc: "Repeats x to `shape`: axis i of x becomes axis `axes[i]` of the result, with the same size or, where x has size 1, any.",
  stablehlo: "broadcast_in_dim",
  inputs: [operand("x", anyDType)],
  attributes: { shape: "dims", axes: "ints" },
  infer: ([x], { shape, axes }) => {
    const type = x as TensorType;
    checkCount("broadcast_in_dim", "axes", axes.length, type.shape.length);
    checkAxes("broadcast_in_dim", "axes", axes, shape.length, 0);
    checkSizes(undefined, shape);
    axes.forEach((to, from) => {
      const before = type.shape[from] as Dim;
      const after = shape[to] as Dim;
      if (dimEquals(before, 1) || dimEquals(before, after)) return;
      throw new OpError(
        "G020",
        `${typeText(type)} does not broadcast to ${shapeText(shape)}: axis ${from} has ${dimText(before)} elements, not ${dimText(after)}`,
        { operand: 0, hint: "only an axis of size 1 is repeated" },
      );
    });
    return tensorType(type.dtype, shape);
  },
  vjp: ({ inputs: [x], attributes: { shape, axes }, dy }) => {
    const from = x.type.shape;
    const repeated = shape.flatMap((dim, axis) => {
      const origin = axes.indexOf(axis);
      return origin >= 0 && dimEquals(from[origin] as Dim, dim) ? [] : [axis];
    });
    const summed = repeated.length === 0 ? dy : sum(dy, { axes: repeated });
    // What is left are the axes of x in the order of the result, without the repeated ones.
    const kept = axes.filter((axis) => !repeated.includes(axis));
    const ascending = [...kept].sort((a, b) => a - b);
    const ordered = transposeTo(
      summed,
      kept.map((axis) => ascending.indexOf(axis)),
    );
    return [reshapeTo(ordered, from)];
  },
  kernel: { kind: "view" },
  reference: ({ inputs: [x], attributes: { axes }, outputs: [y] }) => {
    const { data, shape } = x as ReferenceTensor;
    const target = y?.shape ?? [];
    const own = stridesOf(shape);
    const strides = target.map((_, axis) => {
      const from = axes.indexOf(axis);
      return from < 0 || shape[from] === 1 ? 0 : (own[from] as number);
    });
    return [readView(data, { shape: target, offset: 0, strides })];
  },
  samples: broadcastSamples,
});

export const reshape: UnaryOp<{ readonly shape: "dims" }> = defineOp({
  name: "reshape",
  doc: "The same elements in row-major order with another shape of as many elements.",
  stablehlo: "reshape",
  inputs: [operand("x", anyDType)],
  attributes: { shape: "dims" },
  infer: ([x], { shape }) => {
    const type = x as TensorType;
    checkSizes("reshape", shape);
    const before = productOfDims(type.shape);
    const after = productOfDims(shape);
    // Sizes that the declared dims leave open are compared again when the dims are bound.
    const difference = knownDifference(before, after);
    if (difference !== undefined && difference !== 0) {
      throw new OpError(
        "G027",
        `reshape of ${typeText(type)} to ${shapeText(shape)}: ${dimText(before)} elements do not fit ${dimText(after)}`,
        { operand: 0 },
      );
    }
    return tensorType(type.dtype, shape);
  },
  vjp: ({ inputs: [x], dy }) => [reshapeTo(dy, x.type.shape)],
  kernel: { kind: "view" },
  reference: ({ inputs: [x] }) => [(x as ReferenceTensor).data.slice()],
  samples: reshapeSamples,
});

export const transpose: UnaryOp<{ readonly permutation: "ints" }> = defineOp({
  name: "transpose",
  doc: "The axes in another order: axis i of the result is axis `permutation[i]` of x.",
  stablehlo: "transpose",
  inputs: [operand("x", anyDType)],
  attributes: { permutation: "ints" },
  infer: ([x], { permutation }) => {
    const type = x as TensorType;
    checkCount("transpose", "permutation", permutation.length, type.shape.length);
    checkAxes("transpose", "permutation", permutation, type.shape.length, 0);
    return tensorType(
      type.dtype,
      permutation.map((axis) => type.shape[axis] as Dim),
    );
  },
  vjp: ({ attributes: { permutation }, dy }) => [transposeTo(dy, inversePermutation(permutation))],
  kernel: { kind: "view" },
  reference: ({ inputs: [x], attributes: { permutation } }) => {
    const { data, shape } = x as ReferenceTensor;
    return [readTransposed(data, shape, permutation)];
  },
  samples: transposeSamples,
});

export const slice: UnaryOp<{ readonly start: "dims"; readonly limit: "dims"; readonly strides: "ints" }> = defineOp({
  name: "slice",
  doc: "The elements from `start` up to but not including `limit`, each `strides`-th, along every axis.",
  stablehlo: "slice",
  inputs: [operand("x", anyDType)],
  attributes: { start: "dims", limit: "dims", strides: "ints" },
  infer: ([x], { start, limit, strides }) => {
    const type = x as TensorType;
    checkCount("slice", "start", start.length, type.shape.length);
    checkCount("slice", "limit", limit.length, type.shape.length);
    checkCount("slice", "strides", strides.length, type.shape.length);
    const shape = type.shape.map((size, axis) =>
      slicedSize(type, axis, size, start[axis] as Dim, limit[axis] as Dim, strides[axis] as number),
    );
    return tensorType(type.dtype, shape);
  },
  vjp: ({ inputs: [x], attributes: { start, strides }, y, dy }) => {
    // The gradient goes back to where the elements came from: padding, with strides - 1 zeros between neighbours.
    const high = x.type.shape.map((size, axis) => {
      const spread = addDims(multiplyDims(subtractDims(y.type.shape[axis] as Dim, 1), strides[axis] as number), 1);
      return subtractDims(subtractDims(size, start[axis] as Dim), spread);
    });
    const zero = zerosLike(x, []);
    return [pad(dy, zero, { low: start, high, interior: strides.map((stride) => stride - 1) })];
  },
  kernel: { kind: "view" },
  reference: ({ inputs: [x], attributes: { start, strides }, outputs: [y] }) => {
    const { data, shape } = x as ReferenceTensor;
    const own = stridesOf(shape);
    const offset = own.reduce((at, stride, axis) => at + stride * staticSize(start[axis] as Dim), 0);
    return [
      readView(data, {
        shape: y?.shape ?? [],
        offset,
        strides: own.map((stride, axis) => stride * (strides[axis] as number)),
      }),
    ];
  },
  samples: sliceSamples,
});

export const reverse: UnaryOp<{ readonly axes: "ints" }> = defineOp({
  name: "reverse",
  doc: "The elements in the opposite order along each of `axes`.",
  stablehlo: "reverse",
  inputs: [operand("x", anyDType)],
  attributes: { axes: "ints" },
  infer: ([x], { axes }) => {
    const type = x as TensorType;
    checkAxes("reverse", "axes", axes, type.shape.length, 0);
    return type;
  },
  vjp: ({ attributes: { axes }, dy }) => [reverse(dy, { axes })],
  kernel: { kind: "view" },
  reference: ({ inputs: [x], attributes: { axes } }) => {
    const { data, shape } = x as ReferenceTensor;
    const own = stridesOf(shape);
    const last = axes.reduce((at, axis) => at + (own[axis] as number) * ((shape[axis] as number) - 1), 0);
    return [
      readView(data, {
        shape,
        offset: last,
        strides: own.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
      }),
    ];
  },
  samples: reverseSamples,
});

/** `reshape` unless the shape is that of x already. */
export function reshapeTo(x: Value, shape: readonly Dim[]): Value {
  return shapeEquals(x.type.shape, shape) ? x : reshape(x, { shape });
}

/** `transpose` unless the order stays. */
export function transposeTo(x: Value, permutation: readonly number[]): Value {
  return permutation.every((axis, i) => axis === i) ? x : transpose(x, { permutation });
}

export function inversePermutation(permutation: readonly number[]): readonly number[] {
  return permutation.map((_, axis) => permutation.indexOf(axis));
}

function slicedSize(type: TensorType, axis: number, size: Dim, start: Dim, limit: Dim, stride: number): Dim {
  if (stride < 1)
    throw new OpError("G026", `slice needs a stride of at least 1 along axis ${axis}, not ${stride}`, { operand: 0 });
  const order = knownDifference(limit, start);
  const rest = knownDifference(size, limit);
  if (
    (typeof start === "number" && start < 0) ||
    (order !== undefined && order < 0) ||
    (rest !== undefined && rest < 0)
  ) {
    throw new OpError(
      "G026",
      `the slice ${dimText(start)}:${dimText(limit)} is not within axis ${axis} of ${typeText(type)}, which has ${dimText(size)} elements`,
      { operand: 0 },
    );
  }
  const span = subtractDims(limit, start);
  return stride === 1 ? span : floorDivideDims(addDims(span, stride - 1), stride);
}
