/** What the tests that are generated from the op table give an op, and the operands that many ops share. */
import type { DType } from "../ir/dtype.js";
import type { Region, Value } from "../ir/node.js";
import { type Draw, drawShape } from "./draw.js";
import type { AttributeSchema, AttributesOf } from "./operands.js";

/** Random or fixed contents of one sample operand. */
export type Fill =
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "integers"; readonly low: number; readonly high: number }
  | { readonly kind: "values"; readonly values: readonly number[] }
  /**
   * Numbers around 0, in random order, no two nearer to each other or to 0 than a step of a grid less what chance moves them:
   * nothing ties. `offset` moves the grid by that part of a step; two operands with 0.2 and 0.7 have nothing in common either.
   */
  | { readonly kind: "apart"; readonly offset: number }
  /**
   * NaN, infinities, zeros of both signs, subnormals, the largest and smallest magnitudes; integers get their extremes. They
   * repeat along the last axis, or along the first when transposed: two square operands meet in all pairs. `first`: how many of them
   * are left out at the start.
   */
  | { readonly kind: "specials"; readonly transposed?: boolean; readonly first?: number }
  /**
   * Matrices in the last two axes: square and far from singular, or symmetric and positive definite, or with singular values apart
   * from each other and from 0, or symmetric with such eigenvalues.
   */
  | { readonly kind: "matrices"; readonly property: MatrixProperty };

export type MatrixProperty =
  | "well_conditioned"
  | "positive_definite"
  | "distinct_singular_values"
  | "distinct_eigenvalues";

export interface Sample<A extends AttributeSchema = AttributeSchema> {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly fill: Fill; readonly dtype?: DType }[];
  readonly attributes?: AttributesOf<A>;
  /** The bodies of an op that has some, on operands of these types. */
  readonly regions?: (inputs: readonly Value[]) => readonly Region[];
  /** False where a numeric gradient is not defined or too badly conditioned (ties, kinks, specials). */
  readonly differentiable?: boolean;
}

export interface Samples<A extends AttributeSchema = AttributeSchema> {
  /** Cases with names: those that have been wrong, special values, sizes that go through the tiles of kernels. */
  readonly fixed: readonly Sample<A>[];
  /** Any operands and attributes that the op allows: shapes of all its ranks up to 5, sizes 0, 1 and a few. */
  readonly random: (draw: Draw) => Sample<A>;
}

export const uniform = (low: number, high: number): Fill => ({ kind: "uniform", low, high });
export const wholeNumbers = (low: number, high: number): Fill => ({ kind: "integers", low, high });
export const values = (...list: readonly number[]): Fill => ({ kind: "values", values: list });
/** See the kind of fill. */
export const apart = (offset = 0.2): Fill => ({ kind: "apart", offset });
export const specials: Fill = { kind: "specials" };
export const wellConditioned: Fill = { kind: "matrices", property: "well_conditioned" };
export const positiveDefinite: Fill = { kind: "matrices", property: "positive_definite" };
export const distinctSingularValues: Fill = { kind: "matrices", property: "distinct_singular_values" };
export const distinctEigenvalues: Fill = { kind: "matrices", property: "distinct_eigenvalues" };

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

type Plain = Record<never, never>;

/** Every shape with numbers from `fill`, and the special values. */
export function unarySamples(fill: Fill): Samples<Plain> {
  return {
    fixed: [
      ...shapes.map((shape) => ({ inputs: [{ shape, fill }] })),
      { inputs: [{ shape: [40], fill: specials }], differentiable: false },
    ],
    random: elementwise(fill),
  };
}

export function binarySamples(left: Fill, right: Fill = left): Samples<Plain> {
  return {
    fixed: [
      ...shapes.map((shape) => ({
        inputs: [
          { shape, fill: left },
          { shape, fill: right },
        ],
      })),
      specialPairs,
    ],
    random: elementwise(left, right),
  };
}

/** Operands of one shape, which may be any. */
export function elementwise(...fills: readonly Fill[]): (draw: Draw) => Sample<Plain> {
  return (draw) => {
    const shape = drawShape(draw);
    return { inputs: fills.map((fill) => ({ shape, fill })) };
  };
}

/** The same with more cases. */
export function withFixed<A extends AttributeSchema>(samples: Samples<A>, ...more: readonly Sample<A>[]): Samples<A> {
  return { ...samples, fixed: [...samples.fixed, ...more] };
}

const specialPairs: Sample<Plain> = {
  inputs: [
    { shape: [40, 40], fill: specials },
    { shape: [40, 40], fill: { kind: "specials", transposed: true } },
  ],
  differentiable: false,
};
