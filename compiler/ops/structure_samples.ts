/** Operands for the generated tests of concatenate, pad and iota. */
import { floatDTypes, integerDTypes } from "../ir/dtype.js";
import { drawAxis, drawOne, drawShape } from "./draw.js";
import { type Sample, type Samples, uniform } from "./samples.js";
import type { Padding } from "./structure.js";

const numbers = [...floatDTypes, ...integerDTypes];
const anything = uniform(-4, 4);

export const concatenateSamples: Samples<{ readonly axis: "int" }> = {
  fixed: [
    joined(0, [3]),
    joined(0, [2], [0], [3]),
    joined(0, [1, 2], [3, 2]),
    joined(1, [2, 2], [2, 1], [2, 3]),
    joined(1, [0, 1], [0, 2]),
    joined(2, [2, 1, 2], [2, 1, 1]),
    joined(0, [1, 2, 1, 2], [0, 2, 1, 2], [2, 2, 1, 2]),
    joined(3, [1, 2, 1, 2, 2], [1, 2, 1, 1, 2]),
  ],
  random: (draw) => {
    const shape = drawShape(draw, 1);
    const axis = drawAxis(draw, shape);
    const others = Array.from({ length: draw.integer(0, 3) }, () => {
      const size = drawOne(draw, [1, 2, 0, 3]);
      return shape.map((own, i) => (i === axis ? size : own));
    });
    return joined(axis, shape, ...others);
  },
};

export const padSamples: Samples<Padding> = {
  fixed: [
    padded([], [], [], []),
    padded([3], [1], [2], [0]),
    padded([3], [0], [0], [2]),
    padded([0], [2], [1], [0]),
    padded([4], [-1], [-1], [0]),
    padded([4], [-2], [3], [1]),
    padded([2, 3], [1, 0], [0, -1], [0, 1]),
    padded([2, 1, 2], [0, 1, 1], [1, 1, 0], [1, 0, 2]),
    padded([1, 3, 0, 2], [0, -1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 2]),
    padded([1, 2, 1, 2, 1], [0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 3, 0, 0]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    const interior = shape.map(() => drawOne(draw, [0, 0, 1, 2]));
    const ends = [0, 1, -1, 2, -2, 3];
    const low = shape.map(() => drawOne(draw, ends));
    // No more is cut away than there is.
    const high = shape.map((size, axis) => {
      const rest = size + Math.max(0, size - 1) * (interior[axis] as number) + (low[axis] as number);
      return Math.max(-rest, drawOne(draw, ends));
    });
    return padded(shape, low, high, interior);
  },
};

export const iotaSamples: Samples<{ readonly dtype: "dtype"; readonly shape: "dims"; readonly axis: "int" }> = {
  fixed: numbers.flatMap((dtype) => [
    { inputs: [], attributes: { dtype, shape: [5], axis: 0 } },
    { inputs: [], attributes: { dtype, shape: [2, 0, 3], axis: 2 } },
    { inputs: [], attributes: { dtype, shape: [2, 3, 1, 2], axis: 1 } },
    { inputs: [], attributes: { dtype, shape: [300], axis: 0 } },
  ]),
  random: (draw) => {
    const shape = drawShape(draw, 1);
    return { inputs: [], attributes: { dtype: drawOne(draw, numbers), shape, axis: drawAxis(draw, shape) } };
  },
};

function joined(axis: number, ...list: readonly (readonly number[])[]): Sample<{ readonly axis: "int" }> {
  return { inputs: list.map((shape) => ({ shape, fill: anything })), attributes: { axis } };
}

function padded(
  shape: readonly number[],
  low: readonly number[],
  high: readonly number[],
  interior: readonly number[],
): Sample<Padding> {
  return {
    inputs: [
      { shape, fill: anything },
      { shape: [], fill: anything },
    ],
    attributes: { low, high, interior },
  };
}
