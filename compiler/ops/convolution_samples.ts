import type { ConvolutionAttributes, ConvolutionSchema } from "./convolution.js";
import { axesOf, type Draw, drawFlag, drawOne, drawSizes, drawSome } from "./draw.js";
import { type Sample, type Samples, uniform } from "./samples.js";
import { drawWindow } from "./window_samples.js";

/** Each attribute by itself and with others; 1, 2 and 3 spatial axes; empty batches and channels; sizes that go through register tiles. */
const fixed: readonly Sample<ConvolutionSchema>[] = [
  convolved([1, 3, 1], [2, 1, 1], {}),
  convolved([2, 5, 2], [3, 2, 3], {}),
  convolved([2, 5, 2], [2, 2, 3], { strides: [2], low: [1], high: [2] }),
  convolved([1, 6, 2], [2, 2, 2], { rhs_dilation: [3], low: [-1], high: [2] }),
  convolved([1, 3, 2], [3, 2, 2], { lhs_dilation: [2], low: [2], high: [-1] }),
  convolved([1, 5, 2], [3, 2, 2], { reversal: [0], strides: [2] }),
  convolved([2, 4, 4], [2, 2, 6], { feature_groups: 2 }),
  convolved([2, 4, 3], [3, 1, 3], { feature_groups: 3, low: [1], high: [1] }),
  convolved([2, 4, 2], [2, 1, 6], { feature_groups: 2, strides: [2] }),
  convolved([4, 4, 2], [2, 2, 6], { batch_groups: 2 }),
  convolved([3, 4, 2], [2, 2, 3], { batch_groups: 3, low: [1], high: [0] }),
  convolved([2, 4, 5, 3], [3, 2, 3, 4], {}),
  convolved([1, 5, 4, 2], [2, 3, 2, 2], {
    strides: [2, 1],
    low: [1, 0],
    high: [0, 2],
    lhs_dilation: [1, 2],
    rhs_dilation: [2, 1],
    reversal: [1],
  }),
  convolved([1, 2, 3, 2, 2], [2, 2, 2, 2, 3], { low: [0, 1, 0], high: [1, 0, 0], strides: [1, 2, 1] }),
  convolved([2, 4], [4, 3], {}),
  convolved([0, 3, 2], [2, 2, 3], {}),
  convolved([2, 3, 0], [2, 0, 3], {}),
  convolved([1, 0, 2], [2, 2, 3], { low: [1], high: [2] }),
  convolved([1, 0, 2], [1, 2, 3], { low: [0], high: [1], lhs_dilation: [2] }),
  { ...convolved([2, 7, 9, 5], [3, 3, 5, 19], { low: [1, 1], high: [1, 1] }), differentiable: false },
  { ...convolved([3, 9, 19, 6], [3, 2, 6, 17], { strides: [2, 1], rhs_dilation: [1, 2] }), differentiable: false },
];

export const convolutionSamples: Samples<ConvolutionSchema> = { fixed, random: drawConvolution };

/** 0 to 3 spatial axes; groups of neither kind or of one. */
function drawConvolution(draw: Draw): Sample<ConvolutionSchema> {
  const spatial = drawSizes(draw, draw.integer(0, 3), 40);
  const slid = spatial.map((size) => drawWindow(draw, size, { pad: true, dilate: true }));
  const groups = drawOne(draw, [1, 1, 2, 3]);
  const ofFeatures = drawFlag(draw);
  const [batch, taken, made] = drawSizes(draw, 3, 12) as readonly [number, number, number];
  const lhs = [ofFeatures ? batch : batch * groups, ...spatial, ofFeatures ? taken * groups : taken];
  return convolved(lhs, [...slid.map(({ window }) => window), taken, made * groups], {
    strides: slid.map(({ stride }) => stride),
    low: slid.map(({ low }) => low),
    high: slid.map(({ high }) => high),
    lhs_dilation: slid.map(({ baseDilation }) => baseDilation),
    rhs_dilation: slid.map(({ windowDilation }) => windowDilation),
    reversal: drawSome(draw, axesOf(spatial)),
    feature_groups: ofFeatures ? groups : 1,
    batch_groups: ofFeatures ? 1 : groups,
  });
}

function convolved(
  lhs: readonly number[],
  rhs: readonly number[],
  attributes: Partial<ConvolutionAttributes>,
): Sample<ConvolutionSchema> {
  const each = (value: number): readonly number[] => lhs.slice(2).map(() => value);
  const fill = uniform(-2, 2);
  return {
    inputs: [
      { shape: lhs, fill },
      { shape: rhs, fill },
    ],
    attributes: {
      strides: each(1),
      low: each(0),
      high: each(0),
      lhs_dilation: each(1),
      rhs_dilation: each(1),
      reversal: [],
      feature_groups: 1,
      batch_groups: 1,
      ...attributes,
    },
  };
}
