/** Operands for the generated tests of what selects in windows. */
import { drawShape } from "./draw.js";
import { apart, type Sample, type Samples, uniform, wholeNumbers } from "./samples.js";
import type { Selection, SelectionAttributes } from "./select_window.js";
import { type DrawnWindow, drawWindows, positionsOf } from "./window_samples.js";

/** `shapes`: of the operands, for x of a shape and so many positions. */
export function selectionSamples(
  shapes: (shape: readonly number[], positions: readonly number[]) => readonly (readonly number[])[],
): Samples<Selection> {
  const of = (
    shape: readonly number[],
    positions: readonly number[],
    attributes: Partial<SelectionAttributes> & { readonly window: readonly number[] },
  ): Sample<Selection> => {
    const each = (value: number): readonly number[] => shape.map(() => value);
    return {
      inputs: shapes(shape, positions).map((size) => ({ shape: size, fill: uniform(-4, 4) })),
      attributes: { strides: each(1), low: each(0), high: each(0), dilation: each(1), ...attributes },
    };
  };
  const ties = of([2, 6], [2, 3], { window: [1, 2], strides: [1, 2] });
  const fixed = [
    of([1], [1], { window: [1] }),
    of([5], [4], { window: [2] }),
    of([6], [3], { window: [2], strides: [2] }),
    of([7], [3], { window: [2], strides: [2], low: [-1] }),
    of([5], [3], { window: [3], strides: [2], low: [1], high: [1] }),
    of([7], [3], { window: [2], strides: [2], dilation: [3], high: [1] }),
    of([2, 5, 4, 3], [2, 2, 2, 3], { window: [1, 2, 2, 1], strides: [1, 2, 2, 1] }),
    of([1, 4, 5, 2], [1, 3, 2, 2], { window: [1, 2, 3, 1], strides: [1, 1, 2, 1] }),
    of([2, 5], [2, 5], { window: [1, 1] }),
    of([5], [3], { window: [1], strides: [2] }),
    of([0, 4], [0, 2], { window: [1, 2], strides: [1, 2] }),
    of([0], [1], { window: [2], low: [2] }),
    of([], [], { window: [] }),
    of([2, 4, 1], [2, 2, 1], { window: [1, 2, 1], strides: [1, 2, 1] }),
    of([1, 3, 2, 1, 4], [1, 2, 1, 1, 2], { window: [1, 2, 1, 1, 2], strides: [1, 1, 2, 1, 2] }),
    {
      ...ties,
      inputs: ties.inputs.map((input) => ({ ...input, fill: wholeNumbers(0, 1) })),
      differentiable: false,
    },
  ];
  return {
    fixed,
    random: (draw) => {
      const shape = drawShape(draw);
      const slid = drawWindows(draw, shape, { pad: true, dilate: false });
      const positions = shape.map((size, axis) => positionsOf(size, slid[axis] as DrawnWindow));
      const sample = of(shape, positions, {
        window: slid.map(({ window }) => window),
        strides: slid.map(({ stride }) => stride),
        low: slid.map(({ low }) => low),
        high: slid.map(({ high }) => high),
        dilation: slid.map(({ windowDilation }) => windowDilation),
      });
      return { ...sample, inputs: sample.inputs.map((input, i) => (i === 0 ? { ...input, fill: apart() } : input)) };
    },
  };
}
