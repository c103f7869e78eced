/** Operands for the generated tests of the reductions. */
import { axesOf, drawAxis, drawShape, drawSome } from "./draw.js";
import { type Fill, type Sample, type Samples, specials, uniform, wholeNumbers } from "./samples.js";

type Axes = { readonly axes: "ints" };
type Axis = { readonly axis: "int" };

/** Of no elements there is a sum and a product, and their gradients are empty; the extremes are infinite. */
export function reduceSamples(fill: Fill, ofNothing: boolean): Samples<Axes> {
  const over = (shape: readonly number[], axes: readonly number[]): Sample<Axes> => ({
    inputs: [{ shape, fill }],
    attributes: { axes },
  });
  const fixed = [
    over([], []),
    over([5], [0]),
    over([5], []),
    over([1], [0]),
    over([3, 4], [0]),
    over([3, 4], [1]),
    over([3, 4], [0, 1]),
    over([2, 3, 4], [0, 2]),
    over([2, 1, 3, 2], [1, 3]),
    over([2, 1, 2, 1, 3], [0, 1, 4]),
    over([33, 17], [1]),
    { ...over([0], [0]), differentiable: ofNothing },
    { ...over([2, 0], [1]), differentiable: ofNothing },
    over([0, 3], [1]),
    { inputs: [{ shape: [40], fill: specials }], attributes: { axes: [0] }, differentiable: false },
  ];
  return {
    fixed,
    random: (draw) => {
      const shape = drawShape(draw);
      const axes = drawSome(draw, axesOf(shape));
      const isEmpty = shape.some((size, axis) => size === 0 && axes.includes(axis));
      return { ...over(shape, axes), differentiable: ofNothing || !isEmpty };
    },
  };
}

/** Along an axis that has elements. */
export function positionSamples(): Samples<Axis> {
  const along = (shape: readonly number[], axis: number): Sample<Axis> => ({
    inputs: [{ shape, fill: uniform(-100, 100) }],
    attributes: { axis },
  });
  const fixed = [
    along([1], 0),
    along([9], 0),
    along([3, 4], 0),
    along([3, 4], 1),
    along([0, 3], 1),
    along([2, 3, 4], 1),
    along([2, 1, 3, 2], 2),
    along([2, 1, 2, 1, 3], 4),
    { inputs: [{ shape: [6], fill: wholeNumbers(0, 2) }], attributes: { axis: 0 } },
    { inputs: [{ shape: [40], fill: specials }], attributes: { axis: 0 } },
  ];
  return {
    fixed,
    random: (draw) => {
      const shape = drawShape(draw, 1);
      const axis = drawAxis(draw, shape);
      return along(
        shape.map((size, i) => (i === axis ? Math.max(1, size) : size)),
        axis,
      );
    },
  };
}
