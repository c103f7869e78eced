import { addDims, type Dim, dimEquals, multiplyDims, staticSize, subtractDims } from "../ir/dim.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { fill, zerosLike } from "./build.js";
import { type BinaryOp, defineOp, type ReferenceTensor, type SourceOp, type VariadicOp } from "./define.js";
import { emptyLike, forEachElement, readView, stridesOf, writeView } from "./evaluate.js";
import { select } from "./logic.js";
import { OpError } from "./op_error.js";
import { anyDType, numbers, operand, variadicOperand } from "./operands.js";
import { numericDType } from "./precision.js";
import { sum } from "./reduction.js";
import { checkAxis, checkCount, checkSizes } from "./rules.js";
import { concatenateSamples, iotaSamples, padSamples } from "./structure_samples.js";
import { slice } from "./views.js";

export const concatenate: VariadicOp<{ readonly axis: "int" }> = defineOp({
  name: "concatenate",
  doc: "The operands one after another along an axis; their other sizes are equal.",
  stablehlo: "concatenate",
  inputs: [variadicOperand("xs", anyDType)],
  attributes: { axis: "int" },
  infer: (types, { axis }) => {
    const [first] = types;
    if (first === undefined) throw new OpError("G030", "concatenate needs at least one tensor");
    checkAxis("concatenate", "axis", axis, first.shape.length, 0);
    types.forEach((type, position) => {
      const fits =
        type.shape.length === first.shape.length &&
        type.shape.every((dim, i) => i === axis || dimEquals(dim, first.shape[i] as Dim));
      if (fits) return;
      throw new OpError(
        "G020",
        `concatenate of ${typeText(first)} and ${typeText(type)} along axis ${axis}: the other axes differ`,
        {
          operand: position,
          against: 0,
        },
      );
    });
    const total = types.reduce<Dim>((length, type) => addDims(length, type.shape[axis] as Dim), 0);
    return tensorType(
      first.dtype,
      first.shape.map((dim, i) => (i === axis ? total : dim)),
    );
  },
  vjp: ({ inputs: [xs], attributes: { axis }, dy }) => {
    let from: Dim = 0;
    const pieces = xs.map((x) => {
      const to = addDims(from, x.type.shape[axis] as Dim);
      const start = x.type.shape.map((_, i) => (i === axis ? from : 0));
      const limit = x.type.shape.map((dim, i) => (i === axis ? to : dim));
      from = to;
      return slice(dy, { start, limit, strides: start.map(() => 1) });
    });
    return [pieces];
  },
  kernel: { kind: "concatenate" },
  reference: ({ inputs, attributes: { axis }, outputs: [y] }) => {
    const shape = y?.shape ?? [];
    const strides = stridesOf(shape);
    const result = emptyLike((inputs[0] as ReferenceTensor).data, elementCount(shape));
    let offset = 0;
    for (const x of inputs) {
      writeView(result, { shape: x.shape, offset, strides }, x.data);
      offset += (x.shape[axis] as number) * (strides[axis] as number);
    }
    return [result];
  },
  samples: concatenateSamples,
});

export type Padding = { readonly low: "dims"; readonly high: "dims"; readonly interior: "ints" };

export const pad: BinaryOp<Padding> = defineOp({
  name: "pad",
  doc:
    "x with `low` copies of the scalar value before it, `high` after it and `interior` between neighbours, along each axis. A " +
    "negative low or high cuts elements away instead. An axis of n elements gets low + high + n + (n - 1) * interior (at least 0).",
  stablehlo: "pad",
  inputs: [operand("x", anyDType), operand("value", anyDType)],
  attributes: { low: "dims", high: "dims", interior: "ints" },
  infer: ([x, value], { low, high, interior }) => {
    const type = x as TensorType;
    if ((value as TensorType).shape.length > 0) {
      throw new OpError("G025", `pad fills with a scalar, not with ${typeText(value as TensorType)}`, { operand: 1 });
    }
    checkCount("pad", "low", low.length, type.shape.length);
    checkCount("pad", "high", high.length, type.shape.length);
    checkCount("pad", "interior", interior.length, type.shape.length);
    const shape = type.shape.map((size, axis) => {
      const between = interior[axis] as number;
      if (between < 0)
        throw new OpError("G026", `pad needs an \`interior\` of at least 0 along axis ${axis}, not ${between}`);
      return paddedSize(size, low[axis] as Dim, high[axis] as Dim, between);
    });
    checkSizes(`pad of ${typeText(type)}`, shape);
    return tensorType(type.dtype, shape);
  },
  vjp: ({ inputs: [x, value], attributes: { low, high, interior }, dy }) => {
    const shape = x.type.shape;
    const truth = fill(tensorType("bool"), 1);
    const padding = pad(fill(tensorType("bool", shape), 0), truth, { low, high, interior });
    const dvalue = sum(select(padding, dy, zerosLike(dy)), { axes: shape.map((_, axis) => axis) });
    if (shape.some((dim) => dim === 0)) return [zerosLike(x), dvalue];
    // Undo the ends (elements that were cut away get 0), then take each (interior + 1)-th.
    const uncut = pad(dy, zerosLike(dy, value.type.shape), {
      low: low.map((dim) => multiplyDims(-1, dim)),
      high: high.map((dim) => multiplyDims(-1, dim)),
      interior: interior.map(() => 0),
    });
    const dx = slice(uncut, {
      start: shape.map(() => 0),
      limit: uncut.type.shape,
      strides: interior.map((between) => between + 1),
    });
    return [dx, dvalue];
  },
  kernel: { kind: "pad" },
  reference: ({ inputs: [x, value], attributes: { low, interior }, outputs: [y] }) => {
    const source = x as ReferenceTensor;
    const shape = y?.shape ?? [];
    const result = emptyLike(source.data, elementCount(shape)).fill((value as ReferenceTensor).data[0] as never);
    const own = stridesOf(source.shape);
    const target = stridesOf(shape);
    // Along each axis, the elements first <= i < last land at low + i * step inside the result; negative padding drops others.
    let from = 0;
    let to = 0;
    const steps: number[] = [];
    const box = source.shape.map((size, axis) => {
      const step = (interior[axis] as number) + 1;
      const start = staticSize(low[axis] as Dim);
      const first = Math.max(0, Math.ceil(-start / step));
      const last = Math.min(size, Math.ceil(((shape[axis] as number) - start) / step));
      from += first * (own[axis] as number);
      to += (start + first * step) * (target[axis] as number);
      steps.push(step * (target[axis] as number));
      return Math.max(0, last - first);
    });
    writeView(
      result,
      { shape: box, offset: to, strides: steps },
      readView(source.data, { shape: box, offset: from, strides: own }),
    );
    return [result];
  },
  samples: padSamples,
});

export const iota: SourceOp<{ readonly dtype: "dtype"; readonly shape: "dims"; readonly axis: "int" }> = defineOp({
  name: "iota",
  doc: "0, 1, 2, ... along one axis, the same along all others.",
  stablehlo: "iota",
  inputs: [],
  attributes: { dtype: "dtype", shape: "dims", axis: "int" },
  infer: (_, { dtype, shape, axis }) => {
    if (!numbers.includes(dtype)) throw new OpError("G024", `iota counts in numbers, not in ${dtype}`);
    checkSizes("iota", shape);
    checkAxis("iota", "axis", axis, shape.length);
    return tensorType(dtype, shape);
  },
  vjp: () => [],
  kernel: { kind: "generator" },
  reference: ({ attributes: { dtype, axis }, outputs: [y] }) => {
    const shape = y?.shape ?? [];
    const result =
      numericDType(dtype) === "i64" ? new BigInt64Array(elementCount(shape)) : new Float64Array(elementCount(shape));
    const view = { shape, offset: 0, strides: shape.map((_, i) => (i === axis ? 1 : 0)) };
    forEachElement(view, (position, count) => {
      result[position] = (result instanceof BigInt64Array ? BigInt(count) : count) as never;
    });
    return [result];
  },
  samples: iotaSamples,
});

/** n + (n - 1) * interior + low + high: a polynomial, so that it holds for symbolic sizes; never below 0 for an empty axis. */
function paddedSize(size: Dim, low: Dim, high: Dim, interior: number): Dim {
  const spread = addDims(size, multiplyDims(subtractDims(size, 1), interior));
  const total = addDims(spread, addDims(low, high));
  return size === 0 && typeof total === "number" ? Math.max(0, total) : total;
}
