/** Operands for the generated tests that many ops share. */
import type { Fill, Sample } from "./define.js";

export const uniform = (low: number, high: number): Fill => ({ kind: "uniform", low, high });
export const wholeNumbers = (low: number, high: number): Fill => ({ kind: "integers", low, high });
export const values = (...list: readonly number[]): Fill => ({ kind: "values", values: list });
export const specials: Fill = { kind: "specials" };
export const wellConditioned: Fill = { kind: "matrices", property: "well_conditioned" };
export const positiveDefinite: Fill = { kind: "matrices", property: "positive_definite" };

/** Every rank from 0 to 5, and axes of size 0 and 1. */
export const shapes: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [7],
  [3, 4],
  [2, 0, 3],
  [2, 3, 2],
  [1, 2, 1, 3],
  [2, 1, 2, 1, 2],
];

/** One square matrix, none, and stacks of them at every rank up to 5. */
export const squareShapes: readonly (readonly number[])[] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [0, 0],
  [2, 4, 4],
  [0, 3, 3],
  [1, 2, 2, 2],
  [2, 1, 2, 2, 2],
];

/** Every shape with numbers from `fill`, and the special values. */
export function unarySamples(fill: Fill): readonly Sample<Record<never, never>>[] {
  return [
    ...shapes.map((shape) => ({ inputs: [{ shape, fill }] })),
    { inputs: [{ shape: [40], fill: specials }], differentiable: false },
  ];
}

export function binarySamples(left: Fill, right: Fill = left): readonly Sample<Record<never, never>>[] {
  return [
    ...shapes.map((shape) => ({
      inputs: [
        { shape, fill: left },
        { shape, fill: right },
      ],
    })),
    specialPairs,
  ];
}

const specialPairs: Sample<Record<never, never>> = {
  inputs: [
    { shape: [40, 40], fill: specials },
    { shape: [40, 40], fill: { kind: "specials", transposed: true } },
  ],
  differentiable: false,
};
