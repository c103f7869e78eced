/** Operands for the generated tests of the linear algebra: matrices, and stacks of them of every rank up to 5. */
import { type Draw, drawFlag, drawSizes } from "./draw.js";
import type { TriangularAttributes } from "./linear_algebra.js";
import {
  distinctEigenvalues,
  distinctSingularValues,
  type Fill,
  positiveDefinite,
  type Sample,
  type Samples,
  uniform,
  wellConditioned,
} from "./samples.js";

type Plain = Record<never, never>;

/** One square matrix, none, and stacks of them. */
const squareShapes: readonly (readonly number[])[] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [0, 0],
  [2, 4, 4],
  [0, 3, 3],
  [1, 2, 2, 2],
  [2, 1, 2, 2, 2],
];

function matrices(shape: readonly number[], fill: Fill): Sample<Plain> {
  return { inputs: [{ shape, fill }] };
}

function drawBatch(draw: Draw): readonly number[] {
  return drawSizes(draw, draw.integer(0, 3), 6);
}

function drawSquares(fill: Fill): (draw: Draw) => Sample<Plain> {
  return (draw) => {
    const n = draw.integer(0, 5);
    return matrices([...drawBatch(draw), n, n], fill);
  };
}

function drawRectangles(fill: Fill): (draw: Draw) => Sample<Plain> {
  return (draw) => matrices([...drawBatch(draw), draw.integer(0, 5), draw.integer(0, 5)], fill);
}

export const choleskySamples: Samples<Plain> = {
  fixed: [...squareShapes, [17, 17]].map((shape) => matrices(shape, positiveDefinite)),
  random: drawSquares(positiveDefinite),
};

export const qrSamples: Samples<Plain> = {
  fixed: [
    [1, 1],
    [3, 3],
    [0, 0],
    [2, 4, 4],
    [1, 2, 2, 2],
    [2, 1, 2, 2, 2],
    [4, 2],
    [5, 1],
    [2, 3, 2],
    [2, 4],
    [1, 3],
    [2, 2, 3],
    [3, 0],
    [0, 3],
    [17, 9],
  ].map((shape) => matrices(shape, wellConditioned)),
  random: drawRectangles(wellConditioned),
};

export const svdSamples: Samples<Plain> = {
  fixed: [
    ...[
      [1, 1],
      [2, 2],
      [3, 3],
      [0, 0],
      [3, 0],
      [0, 3],
      [4, 2],
      [2, 4],
      [5, 1],
      [1, 3],
      [2, 3, 2],
      [1, 2, 2, 2],
      [2, 1, 2, 2, 3],
    ].map((shape) => matrices(shape, uniform(-2, 2))),
    // Twenty and more vectors, whose values lie near each other: compared on the back ends, too steep for differences.
    { ...matrices([19, 7], uniform(-2, 2)), differentiable: false },
    { ...matrices([7, 19], uniform(-2, 2)), differentiable: false },
  ],
  random: drawRectangles(distinctSingularValues),
};

export const eighSamples: Samples<Plain> = {
  fixed: [
    ...squareShapes.map((shape) => matrices(shape, uniform(-2, 2))),
    { ...matrices([11, 11], positiveDefinite), differentiable: false },
  ],
  random: drawSquares(distinctEigenvalues),
};

export const determinantSamples: Samples<Plain> = {
  fixed: [
    ...squareShapes.map((shape) => matrices(shape, wellConditioned)),
    { ...matrices([17, 17], uniform(-0.5, 0.5)), differentiable: false },
  ],
  random: drawSquares(wellConditioned),
};

function system(batch: readonly number[], n: number, k: number): Sample<Plain> {
  return {
    inputs: [
      { shape: [...batch, n, n], fill: wellConditioned },
      { shape: [...batch, n, k], fill: uniform(-2, 2) },
    ],
  };
}

function drawSystem(draw: Draw): Sample<Plain> {
  return system(drawBatch(draw), draw.integer(0, 5), draw.integer(0, 4));
}

export const solveSamples: Samples<Plain> = {
  fixed: [
    system([], 1, 1),
    system([], 3, 2),
    system([], 0, 2),
    system([], 2, 0),
    system([2], 3, 1),
    system([2, 1], 2, 1),
    system([2, 1, 2], 2, 2),
    system([], 17, 3),
  ],
  random: drawSystem,
};

export const triangularSamples: Samples<TriangularAttributes> = {
  fixed: [false, true].flatMap((lower) =>
    [false, true].flatMap((transpose) =>
      [false, true].flatMap((unit_diagonal) =>
        solveSamples.fixed.map(({ inputs }) => ({ inputs, attributes: { lower, transpose, unit_diagonal } })),
      ),
    ),
  ),
  random: (draw) => {
    const attributes = { lower: drawFlag(draw), transpose: drawFlag(draw), unit_diagonal: drawFlag(draw) };
    return { ...drawSystem(draw), attributes };
  },
};
