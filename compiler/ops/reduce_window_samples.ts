import { drawOne, drawShape } from "./draw.js";
import type { ReduceWindowAttributes, ReduceWindowSchema } from "./reduce_window.js";
import { apart, type Sample, type Samples, specials, uniform, wholeNumbers } from "./samples.js";
import { type DrawnWindow, drawWindows, holdsElements } from "./window_samples.js";

/** Every attribute, for each combiner; the maxima also on ties and special values. */
const fixed: readonly Sample<ReduceWindowSchema>[] = [
  ...(["sum", "max", "min"] as const).flatMap((combiner) => [
    reduced([], { combiner, window: [] }),
    reduced([5], { combiner, window: [2] }),
    reduced([7], { combiner, window: [3], strides: [2] }),
    reduced([6], { combiner, window: [2], low: [1], high: [2], strides: [3] }),
    reduced([6], { combiner, window: [3], low: [-1], high: [1], window_dilation: [2] }),
    reduced([3], { combiner, window: [4], base_dilation: [3] }),
    reduced([1], { combiner, window: [1] }),
    reduced([4], { combiner, window: [1], strides: [3] }),
    reduced([2, 4, 6, 3], { combiner, window: [1, 2, 2, 1], strides: [1, 2, 2, 1] }),
    reduced([2, 5, 4, 2], {
      combiner,
      window: [1, 3, 2, 1],
      strides: [1, 2, 1, 1],
      low: [0, 1, 0, 0],
      high: [0, 1, 1, 0],
    }),
    reduced([0, 4], { combiner, window: [1, 2] }),
    { ...reduced([0], { combiner, window: [2], high: [2], base_dilation: [3] }), differentiable: combiner === "sum" },
    reduced([2, 4, 1], { combiner, window: [1, 2, 1], strides: [1, 3, 1] }),
    reduced([1, 3, 2, 1, 4], { combiner, window: [1, 2, 1, 1, 2], strides: [1, 1, 2, 1, 2] }),
    { ...reduced([3, 19, 40], { combiner, window: [1, 3, 1] }), differentiable: false },
  ]),
  ...(["max", "min"] as const).flatMap((combiner): readonly Sample<ReduceWindowSchema>[] => {
    const row = reduced([40], { combiner, window: [2] });
    return [specials, wholeNumbers(-1, 1)].map((fill) => ({
      ...row,
      inputs: row.inputs.map((input) => ({ ...input, fill })),
      differentiable: false,
    }));
  }),
];

export const reduceWindowSamples: Samples<ReduceWindowSchema> = {
  fixed,
  random: (draw) => {
    const combiner = drawOne(draw, ["sum", "max", "min"]);
    const shape = drawShape(draw);
    const slid = drawWindows(draw, shape, { pad: true, dilate: true });
    const sample = reduced(shape, {
      combiner,
      window: slid.map(({ window }) => window),
      strides: slid.map(({ stride }) => stride),
      low: slid.map(({ low }) => low),
      high: slid.map(({ high }) => high),
      base_dilation: slid.map(({ baseDilation }) => baseDilation),
      window_dilation: slid.map(({ windowDilation }) => windowDilation),
    });
    return {
      ...sample,
      inputs: [{ shape, fill: apart() }],
      differentiable: combiner === "sum" || shape.every((size, axis) => holdsElements(size, slid[axis] as DrawnWindow)),
    };
  },
};

function reduced(
  shape: readonly number[],
  attributes: Partial<ReduceWindowAttributes> & { readonly combiner: string; readonly window: readonly number[] },
): Sample<ReduceWindowSchema> {
  const each = (value: number): readonly number[] => shape.map(() => value);
  return {
    inputs: [{ shape, fill: uniform(-4, 4) }],
    attributes: {
      strides: each(1),
      low: each(0),
      high: each(0),
      base_dilation: each(1),
      window_dilation: each(1),
      ...attributes,
    },
  };
}
