import { type Dim, staticSize } from "../ir/dim.js";
import { type Attribute, isList, type Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { staticShape, type TensorType } from "../ir/type.js";
import { mul } from "./arithmetic.js";
import { literal } from "./build.js";
import { dotGeneral } from "./contraction.js";
import { cast } from "./conversion.js";
import type { ConvolutionAttributes } from "./convolution.js";
import { byPhases } from "./convolution_phases.js";
import { numericDType } from "./precision.js";
import { sum } from "./reduction.js";
import { pad } from "./structure.js";
import { broadcastInDim, reshapeTo, reverse, slice, transpose, transposeTo } from "./views.js";
import { holesOf } from "./window_reading.js";
import { windows } from "./windows.js";

/**
 * A convolution is a contraction of sliding windows with the weights. Windows are an index map, so that the contraction reads the
 * input where it lies; only zeros around and within it are written out, once: they would cost a comparison in each step otherwise.
 */
export function expandConvolution(lhs: Value, rhs: Value, attributes: ConvolutionAttributes, type: TensorType): Value {
  const { reversal, feature_groups, batch_groups } = attributes;
  const weight = reversal.length === 0 ? rhs : reverse(rhs, { axes: [...reversal].sort((a, b) => a - b) });
  const holes = attributes.lhs_dilation.map(() => 1);
  const forward = { ...attributes, reversal: [] };
  const phases = byPhases(lhs, weight, forward, type, (low, high) =>
    padded(lhs, { ...forward, low, high, lhs_dilation: holes }),
  );
  if (phases !== undefined) return phases;
  const input = padded(lhs, attributes);
  if (batch_groups > 1) return byBatches(input, weight, attributes, type);
  if (feature_groups > 1) return byFeatures(input, weight, attributes, type);
  const count = attributes.strides.length;
  const slid = slide(input, 1, weight, attributes);
  return dotGeneral(slid, weight, {
    lhs_batch: [],
    rhs_batch: [],
    lhs_contract: [...range(count, count + 2), count + 1],
    rhs_contract: range(count + 1),
  });
}

function padded(lhs: Value, { low, high, lhs_dilation }: ConvolutionAttributes): Value {
  if (![...low, ...high].some((size) => size !== 0) && lhs_dilation.every((dilation) => dilation === 1)) return lhs;
  const { permutation } = lhs.node.attributes;
  if (lhs.node.op === transpose.opName && isAxes(permutation)) {
    // Before the transpose, so that rows stay in memory as they are, and a gradient shares what the convolution has padded.
    const back = <T>(list: readonly T[]): readonly T[] =>
      permutation.map((_, axis) => list[permutation.indexOf(axis)] as T);
    return transposeTo(
      withZeros(
        lhs.node.inputs[0] as Value,
        back([0, ...low, 0]),
        back([0, ...high, 0]),
        back([1, ...lhs_dilation, 1]),
      ),
      permutation,
    );
  }
  return withZeros(lhs, [0, ...low, 0], [0, ...high, 0], [1, ...lhs_dilation, 1]);
}

function isAxes(attribute: Attribute | undefined): attribute is readonly number[] {
  return attribute !== undefined && isList(attribute) && attribute.every((axis) => typeof axis === "number");
}

/** Holes and padding are written out; what negative padding cuts is left where it is. */
function withZeros(x: Value, low: readonly Dim[], high: readonly Dim[], dilation: readonly number[]): Value {
  const sizes = (list: readonly Dim[]): readonly number[] => list.map(staticSize);
  const added = [low, high].map((list) => sizes(list).map((size) => Math.max(0, size))) as [number[], number[]];
  const isSame = added.flat().every((size) => size === 0) && dilation.every((step) => step === 1);
  const zero = literal(numericDType(x.type.dtype), [], [x.type.dtype === "i64" ? 0n : 0]);
  const wide = isSame ? x : pad(x, zero, { low: added[0], high: added[1], interior: holesOf(x, dilation) });
  const start = sizes(low).map((size) => Math.max(0, -size));
  const end = sizes(high).map((size) => Math.max(0, -size));
  if ([...start, ...end].every((size) => size === 0)) return wide;
  const limit = staticShape(wide.type).map((size, axis) => size - (end[axis] as number));
  return slice(wide, { start, limit, strides: start.map(() => 1) });
}

/** The windows of the spatial axes, which start at axis `first`. */
function slide(input: Value, first: number, weight: Value, { strides, rhs_dilation }: ConvolutionAttributes): Value {
  const size = staticShape(weight.type).slice(0, strides.length);
  return windows(input, { axes: range(strides.length, first), size, strides, dilation: rhs_dilation });
}

/** [n, spatial..., (g, in)] with [window..., in, (g, out)]. */
function byFeatures(input: Value, weight: Value, attributes: ConvolutionAttributes, type: TensorType): Value {
  const groups = attributes.feature_groups;
  const count = attributes.strides.length;
  const [taken, made] = staticShape(weight.type).slice(-2) as [number, number];
  const out = made / groups;
  const window = staticShape(weight.type).slice(0, count);
  if (taken === 1 && out === 1) return channelByChannel(input, weight, attributes, type);
  const apart = reshapeTo(input, [...staticShape(input.type).slice(0, -1), groups, taken]);
  const slid = slide(apart, 1, weight, attributes);
  const product = dotGeneral(slid, reshapeTo(weight, [...window, taken, groups, out]), {
    lhs_batch: [count + 1],
    rhs_batch: [count + 1],
    lhs_contract: [...range(count, count + 3), count + 2],
    rhs_contract: range(count + 1),
  });
  // [g, n, spatial..., out]
  return reshapeTo(transposeTo(product, [...range(count + 1, 1), 0, count + 2]), type.shape);
}

/** One channel in, one out: nothing to contract, so the channels run along the lanes. */
function channelByChannel(input: Value, weight: Value, attributes: ConvolutionAttributes, type: TensorType): Value {
  const count = attributes.strides.length;
  const window = staticShape(weight.type).slice(0, count);
  const half = type.dtype === "f16" || type.dtype === "bf16";
  const wide = (x: Value): Value => (half ? cast(x, { to: "f32" }) : x);
  const slid = slide(input, 1, weight, attributes);
  const flat = reshapeTo(weight, [...window, elementCount(staticShape(weight.type)) / elementCount(window)]);
  const spread = broadcastInDim(flat, { shape: slid.type.shape, axes: [...range(count, count + 2), count + 1] });
  const total = sum(mul(wide(slid), wide(spread)), { axes: range(count, count + 2) });
  return half ? cast(total, { to: type.dtype }) : total;
}

/** [(g, n), spatial..., in] with [window..., in, (g, out)]. */
function byBatches(input: Value, weight: Value, attributes: ConvolutionAttributes, type: TensorType): Value {
  const groups = attributes.batch_groups;
  const count = attributes.strides.length;
  const shape = staticShape(input.type);
  const [taken, made] = staticShape(weight.type).slice(-2) as [number, number];
  const window = staticShape(weight.type).slice(0, count);
  if (made === groups && shape[0] === groups) return imageByImage(input, weight, attributes, type);
  const apart = reshapeTo(input, [groups, (shape[0] ?? 1) / groups, ...shape.slice(1)]);
  const slid = slide(apart, 2, weight, attributes);
  const product = dotGeneral(slid, reshapeTo(weight, [...window, taken, groups, made / groups]), {
    lhs_batch: [0],
    rhs_batch: [count + 1],
    lhs_contract: [...range(count, count + 3), count + 2],
    rhs_contract: range(count + 1),
  });
  // [g, n, spatial..., out]
  return reshapeTo(transposeTo(product, [...range(count + 1, 1), 0, count + 2]), type.shape);
}

/** One image and one output channel a group, as in the gradient of a depthwise window: the groups run along the lanes. */
function imageByImage(input: Value, weight: Value, attributes: ConvolutionAttributes, type: TensorType): Value {
  const count = attributes.strides.length;
  const half = type.dtype === "f16" || type.dtype === "bf16";
  const wide = (x: Value): Value => (half ? cast(x, { to: "f32" }) : x);
  // [spatial..., in, group] -> [positions..., in, group, window...]
  const slid = slide(transposeTo(input, [...range(count + 1, 1), 0]), 0, weight, attributes);
  const spread = broadcastInDim(weight, {
    shape: slid.type.shape,
    axes: [...range(count, count + 2), count, count + 1],
  });
  const total = sum(mul(wide(slid), wide(spread)), { axes: [count, ...range(count, count + 2)] });
  return reshapeTo(half ? cast(total, { to: type.dtype }) : total, type.shape);
}

function range(count: number, from = 0): readonly number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}
