import { addDims, type Dim, dimText, floorDivideDims, multiplyDims, subtractDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { zerosLike } from "./build.js";
import { expandConvolution } from "./convolution_expansion.js";
import { evaluateConvolution } from "./convolution_reference.js";
import { convolutionSamples } from "./convolution_samples.js";
import { type BinaryOp, defineOp } from "./define.js";
import { OpError } from "./op_error.js";
import { type AttributesOf, numbers, operand } from "./operands.js";
import { checkAxes, knownDifference } from "./rules.js";
import { reshapeTo, reverse, transposeTo } from "./views.js";
import { dilatedSize, transposedPadding, type WindowAxis, windowPositions } from "./window_rules.js";

export type ConvolutionSchema = {
  readonly strides: "ints";
  readonly low: "dims";
  readonly high: "dims";
  readonly lhs_dilation: "ints";
  readonly rhs_dilation: "ints";
  readonly reversal: "ints";
  readonly feature_groups: "int";
  readonly batch_groups: "int";
};
export type ConvolutionAttributes = AttributesOf<ConvolutionSchema>;

/** The layouts are fixed, since transposes cost nothing: [N, spatial..., C], [window..., C / groups, O], [N, spatial..., O]. */
export const convolution: BinaryOp<ConvolutionSchema> = defineOp({
  name: "convolution",
  doc:
    "Slides the window rhs [window..., in / feature_groups, out] over lhs [batch, spatial..., in] and sums the products over the window " +
    "and the channels: [batch / batch_groups, spatial..., out]. Along each spatial axis lhs gets holes (elements `lhs_dilation` apart) " +
    "and is padded by `low` and `high` (cut where negative) with zeros; the window's elements stand `rhs_dilation` apart, reversed along " +
    "the spatial axes in `reversal`, and move by `strides`. Feature groups pair a part of the input channels with a part of the output " +
    "channels; batch groups a part of the batch. Integers wrap; f16 and bf16 are summed in f32.",
  stablehlo: "convolution",
  inputs: [operand("lhs", numbers), operand("rhs", numbers)],
  attributes: {
    strides: "ints",
    low: "dims",
    high: "dims",
    lhs_dilation: "ints",
    rhs_dilation: "ints",
    reversal: "ints",
    feature_groups: "int",
    batch_groups: "int",
  },
  infer: ([lhs, rhs], attributes) => {
    const x = lhs as TensorType;
    const w = rhs as TensorType;
    checkRanks(x, w, attributes);
    const spatial = spatialAxes(x.shape, w.shape, attributes).map((axis) => windowPositions("convolution", axis));
    checkGroups(x, w, attributes);
    const batch = floorDivideDims(x.shape[0] as Dim, attributes.batch_groups);
    return tensorType(x.dtype, [batch, ...spatial, w.shape.at(-1) as Dim]);
  },
  vjp: ({ inputs: [lhs, rhs], attributes, y, dy }) => {
    // Without elements there is nothing to slide over; what the padding adds is zeros.
    if ([lhs, rhs].some(({ type }) => type.shape.some((dim) => dim === 0))) return [zerosLike(lhs), zerosLike(rhs)];
    return [pullBackInput(lhs, rhs, attributes, y, dy), pullBackWeight(lhs, rhs, attributes, y, dy)];
  },
  kernel: { kind: "composite" },
  expand: ({ inputs: [lhs, rhs], attributes, type }) => expandConvolution(lhs, rhs, attributes, type),
  reference: ({ inputs, attributes, outputs }) => [evaluateConvolution(inputs, attributes, outputs[0]?.shape ?? [])],
  samples: convolutionSamples,
});

function spatialAxes(
  lhs: readonly Dim[],
  rhs: readonly Dim[],
  attributes: ConvolutionAttributes,
): readonly WindowAxis[] {
  return attributes.strides.map((stride, i) => ({
    label: `spatial axis ${i}`,
    size: lhs[i + 1] as Dim,
    window: rhs[i] as Dim,
    stride,
    low: attributes.low[i] as Dim,
    high: attributes.high[i] as Dim,
    baseDilation: attributes.lhs_dilation[i] as number,
    windowDilation: attributes.rhs_dilation[i] as number,
  }));
}

function checkRanks(x: TensorType, w: TensorType, attributes: ConvolutionAttributes): void {
  const rank = x.shape.length;
  if (rank < 2) {
    throw new OpError("G025", `convolution takes [batch, spatial..., channels], not ${typeText(x)}`, { operand: 0 });
  }
  if (w.shape.length !== rank) {
    const sizes = `${rank - 2} spatial ${rank === 3 ? "axis" : "axes"}`;
    throw new OpError(
      "G025",
      `convolution over ${typeText(x)} takes weights [window..., in, out] with ${sizes}, not ${typeText(w)}`,
      { operand: 1, against: 0 },
    );
  }
  for (const name of ["strides", "low", "high", "lhs_dilation", "rhs_dilation"] as const) {
    const { length } = attributes[name];
    if (length === rank - 2) continue;
    throw new OpError(
      "G025",
      `convolution over ${rank - 2} spatial axes needs as many numbers in \`${name}\`, not ${length}`,
    );
  }
  checkAxes("convolution", "reversal", attributes.reversal, rank - 2);
}

function checkGroups(x: TensorType, w: TensorType, { feature_groups, batch_groups }: ConvolutionAttributes): void {
  for (const [label, groups] of [
    ["feature_groups", feature_groups],
    ["batch_groups", batch_groups],
  ] as const) {
    if (groups < 1) throw new OpError("G131", `convolution needs \`${label}\` of at least 1, not ${groups}`);
  }
  if (feature_groups > 1 && batch_groups > 1)
    throw new OpError("G131", "convolution has groups of features or groups of the batch, not both");
  const channels = x.shape.at(-1) as Dim;
  const taken = w.shape.at(-2) as Dim;
  const made = w.shape.at(-1) as Dim;
  const groups = feature_groups === 1 ? "" : ` in ${feature_groups} groups`;
  if (knownDifference(channels, multiplyDims(taken, feature_groups)) !== 0) {
    throw new OpError(
      "G131",
      `the ${dimText(channels)} channels of ${typeText(x)} do not fit the weights ${typeText(w)}, which take ${dimText(taken)}${groups}`,
      { operand: 0, against: 1, hint: "weights are [window..., in / groups, out], x is [batch, spatial..., in]" },
    );
  }
  const divides = (size: Dim, parts: number): boolean => typeof size !== "number" || size % parts === 0;
  if (!divides(made, feature_groups) || !divides(made, batch_groups)) {
    throw new OpError(
      "G131",
      `the ${dimText(made)} output channels of ${typeText(w)} are no multiple of ${Math.max(feature_groups, batch_groups)} groups`,
      { operand: 1 },
    );
  }
  if (!divides(x.shape[0] as Dim, batch_groups))
    throw new OpError("G131", `the batch of ${typeText(x)} is no multiple of ${batch_groups} groups`, { operand: 0 });
}

/** dy slides the transposed window, reversed, back over the input. Batch groups become feature groups. */
function pullBackInput(lhs: Value, rhs: Value, attributes: ConvolutionAttributes, y: Value, dy: Value): Value {
  const { strides, lhs_dilation, rhs_dilation, reversal, feature_groups: features, batch_groups: batches } = attributes;
  const axes = spatialAxes(lhs.type.shape, rhs.type.shape, attributes);
  const padding = axes.map((axis, i) => transposedPadding(axis, y.type.shape[i + 1] as Dim));
  const window = rhs.type.shape.slice(0, -2);
  const count = window.length;
  const [taken, made] = rhs.type.shape.slice(-2) as [Dim, Dim];
  const groups = features * batches;
  // [window..., in, (group, out)] -> [window..., out, (group, in)]
  const split = reshapeTo(rhs, [...window, taken, groups, floorDivideDims(made, groups)]);
  const swapped = transposeTo(split, [...window.map((_, i) => i), count + 2, count + 1, count]);
  const weight = reshapeTo(swapped, [...window, floorDivideDims(made, groups), multiplyDims(taken, groups)]);
  const result = convolution(dy, weight, {
    strides: lhs_dilation,
    low: padding.map(({ low }) => low),
    high: padding.map(({ high }) => high),
    lhs_dilation: strides,
    rhs_dilation,
    reversal: window.flatMap((_, i) => (reversal.includes(i) ? [] : [i])),
    feature_groups: groups,
    batch_groups: 1,
  });
  if (batches === 1) return result;
  // [n, spatial..., (group, in)] -> [(group, n), spatial..., in]
  const shape = result.type.shape;
  const apart = reshapeTo(result, [...shape.slice(0, -1), batches, taken]);
  const order = [count + 1, ...Array.from({ length: count + 1 }, (_, i) => i), count + 2];
  return reshapeTo(transposeTo(apart, order), lhs.type.shape);
}

/** dy is the window that slides over the input, with the batch as channels; steps and gaps change places. */
function pullBackWeight(lhs: Value, rhs: Value, attributes: ConvolutionAttributes, y: Value, dy: Value): Value {
  const { strides, low, lhs_dilation, rhs_dilation, reversal, feature_groups, batch_groups } = attributes;
  const count = strides.length;
  const spatial = Array.from({ length: count }, (_, i) => i + 1);
  const axes = spatialAxes(lhs.type.shape, rhs.type.shape, attributes);
  const high = axes.map((axis, i) => {
    const reach = dilatedSize(axis.window, axis.windowDilation);
    const spread = dilatedSize(y.type.shape[i + 1] as Dim, axis.stride);
    const padded = addDims(dilatedSize(axis.size, axis.baseDilation), axis.low);
    return subtractDims(addDims(subtractDims(reach, 1), spread), padded);
  });
  const channelsFirst = [count + 1, ...spatial, 0];
  const result = convolution(transposeTo(lhs, channelsFirst), transposeTo(dy, [...spatial, 0, count + 1]), {
    strides: rhs_dilation,
    low,
    high,
    lhs_dilation,
    rhs_dilation: strides,
    reversal: [],
    feature_groups: batch_groups,
    batch_groups: feature_groups,
  });
  const weight = transposeTo(result, [...spatial, 0, count + 1]);
  return reversal.length === 0 ? weight : reverse(weight, { axes: [...reversal].sort((a, b) => a - b) });
}
