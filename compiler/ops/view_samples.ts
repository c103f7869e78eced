/** Operands for the generated tests of the views. */
import { axesOf, type Draw, drawFlag, drawOne, drawOrder, drawShape, drawSizes, drawSome } from "./draw.js";
import { type Sample, type Samples, uniform } from "./samples.js";

const anything = uniform(-4, 4);

export const broadcastSamples: Samples<{ readonly shape: "dims"; readonly axes: "ints" }> = {
  fixed: [
    broadcast([], [], []),
    broadcast([], [4], []),
    broadcast([3], [2, 3], [1]),
    broadcast([3, 1], [3, 5], [0, 1]),
    broadcast([2, 3], [3, 4, 2], [2, 0]),
    broadcast([1], [0], [0]),
    broadcast([0], [2, 0], [1]),
    broadcast([1, 2, 1], [3, 2, 4], [0, 1, 2]),
    broadcast([2, 2], [2, 1, 2, 1, 3], [0, 2]),
    broadcast([2, 1, 2, 1], [2, 3, 2, 1], [0, 1, 2, 3]),
    broadcast([1, 2, 1, 1, 2], [1, 2, 0, 3, 2], [0, 1, 2, 3, 4]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    const axes = drawSome(draw, drawOrder(draw, axesOf(shape)));
    const from = axes.map((axis) => (drawFlag(draw) ? 1 : (shape[axis] as number)));
    return broadcast(from, shape, axes);
  },
};

export const reshapeSamples: Samples<{ readonly shape: "dims" }> = {
  fixed: [
    reshaped([], [1, 1]),
    reshaped([1], []),
    reshaped([6], [2, 3]),
    reshaped([2, 3, 2], [4, 3]),
    reshaped([0, 3], [5, 0]),
    reshaped([2, 1, 3, 2], [4, 3]),
    reshaped([2, 1, 2, 1, 2], [8]),
  ],
  random: (draw) => {
    const factors = drawSizes(draw, draw.integer(0, 5));
    return reshaped(drawGroups(draw, factors), drawGroups(draw, factors));
  },
};

/** A shape of at most five axes with as many elements: the factors, neighbours multiplied or not, with ones between them. */
function drawGroups(draw: Draw, factors: readonly number[]): readonly number[] {
  const shape: number[] = [];
  for (const factor of factors) {
    const last = shape.pop();
    if (last === undefined) shape.push(factor);
    else if (drawFlag(draw)) shape.push(last * factor);
    else shape.push(last, factor);
  }
  // What has no elements is any shape with a 0, and one element is a scalar, too.
  if (factors.includes(0) && drawFlag(draw)) return drawOrder(draw, [0, ...drawSizes(draw, draw.integer(0, 4))]);
  if (shape.every((size) => size === 1) && drawFlag(draw)) return [];
  while (shape.length < 5 && drawFlag(draw)) shape.splice(draw.integer(0, shape.length), 0, 1);
  return shape;
}

export const transposeSamples: Samples<{ readonly permutation: "ints" }> = {
  fixed: [
    transposed([], []),
    transposed([3], [0]),
    transposed([2, 3], [1, 0]),
    transposed([0, 2], [1, 0]),
    transposed([2, 3, 4], [2, 0, 1]),
    transposed([2, 1, 0, 3], [3, 1, 0, 2]),
    transposed([2, 1, 3, 2], [1, 3, 2, 0]),
    transposed([2, 1, 3, 2, 1], [4, 2, 0, 3, 1]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    return transposed(shape, drawOrder(draw, axesOf(shape)));
  },
};

export const sliceSamples: Samples<{ readonly start: "dims"; readonly limit: "dims"; readonly strides: "ints" }> = {
  fixed: [
    sliced([], [], [], []),
    sliced([5], [1], [4], [1]),
    sliced([5], [0], [5], [2]),
    sliced([5], [2], [2], [1]),
    sliced([5], [1], [1], [3]),
    sliced([0], [0], [0], [1]),
    sliced([4, 6], [1, 1], [4, 6], [2, 3]),
    sliced([2, 3, 2], [0, 2, 1], [2, 3, 2], [1, 1, 1]),
    sliced([3, 1, 4, 2], [1, 0, 0, 2], [3, 1, 4, 2], [1, 1, 3, 1]),
    sliced([3, 1, 4, 2], [1, 0, 0, 1], [3, 1, 4, 2], [2, 1, 3, 1]),
    sliced([2, 1, 2, 1, 3], [0, 0, 1, 0, 0], [2, 1, 2, 1, 3], [1, 1, 1, 1, 2]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    const start = shape.map((size) => draw.integer(0, size));
    const limit = shape.map((size, axis) => size - draw.integer(0, size - (start[axis] as number)));
    return sliced(
      shape,
      start,
      limit,
      shape.map(() => drawOne(draw, [1, 1, 2, 3, 7])),
    );
  },
};

export const reverseSamples: Samples<{ readonly axes: "ints" }> = {
  fixed: [
    reversed([], []),
    reversed([4], [0]),
    reversed([0], [0]),
    reversed([1, 3], [0, 1]),
    reversed([2, 3, 4], [2, 0]),
    reversed([2, 3, 1, 2], [1, 3]),
    reversed([2, 1, 2, 1, 3], [0, 4]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    return reversed(shape, drawSome(draw, drawOrder(draw, axesOf(shape))));
  },
};

function broadcast(
  from: readonly number[],
  shape: readonly number[],
  axes: readonly number[],
): Sample<{ readonly shape: "dims"; readonly axes: "ints" }> {
  return { inputs: [{ shape: from, fill: anything }], attributes: { shape, axes } };
}

function reshaped(from: readonly number[], shape: readonly number[]): Sample<{ readonly shape: "dims" }> {
  return { inputs: [{ shape: from, fill: anything }], attributes: { shape } };
}

function transposed(
  shape: readonly number[],
  permutation: readonly number[],
): Sample<{ readonly permutation: "ints" }> {
  return { inputs: [{ shape, fill: anything }], attributes: { permutation } };
}

function sliced(
  shape: readonly number[],
  start: readonly number[],
  limit: readonly number[],
  strides: readonly number[],
): Sample<{ readonly start: "dims"; readonly limit: "dims"; readonly strides: "ints" }> {
  return { inputs: [{ shape, fill: anything }], attributes: { start, limit, strides } };
}

function reversed(shape: readonly number[], axes: readonly number[]): Sample<{ readonly axes: "ints" }> {
  return { inputs: [{ shape, fill: anything }], attributes: { axes } };
}
