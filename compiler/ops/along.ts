/** What the ops that walk along one axis share: their shape rule, and the rows that their evaluators see. */
import { elementCount } from "../ir/tensor.js";
import type { TensorType } from "../ir/type.js";
import type { ReferenceTensor } from "./define.js";
import { drawAxis, drawFlag, drawShape } from "./draw.js";
import type { AttributeSchema, AttributesOf } from "./operands.js";
import { checkAxis, sameShape } from "./rules.js";
import { type Fill, type Sample, type Samples, specials, uniform } from "./samples.js";

export function alongAxis(name: string, types: readonly TensorType[], axis: number): TensorType {
  const type = sameShape(name, types);
  checkAxis(name, "axis", axis, type.shape.length, 0);
  return type;
}

/** Calls `visit` with the places of each row along the axis, in order. */
export function forEachRow(
  { shape }: Pick<ReferenceTensor, "shape">,
  axis: number,
  visit: (places: readonly number[]) => void,
): void {
  const length = shape[axis] as number;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  for (let i = 0; i < outer * inner; i++) {
    const first = Math.floor(i / inner) * length * inner + (i % inner);
    visit(Array.from({ length }, (_, k) => first + k * inner));
  }
}

/** Shapes of every rank from 1 to 5, long and short rows, next to each other in memory or not. */
export const rowShapes: readonly (readonly [readonly number[], number])[] = [
  [[1], 0],
  [[9], 0],
  [[0], 0],
  [[3, 4], 0],
  [[3, 4], 1],
  [[0, 3], 1],
  [[3, 0], 1],
  [[2, 3, 4], 1],
  [[2, 1, 2, 3], 1],
  [[2, 1, 2, 1, 3], 4],
  [[5, 37], 0],
];

/** `operands` of one shape, with an axis to walk along; `attributes` makes those of the op from it and from two choices. */
export function rowSamples<A extends AttributeSchema>(
  attributes: (axis: number, first: boolean, second: boolean) => AttributesOf<A>,
  fill: Fill = uniform(-4, 4),
  operands = 1,
): Samples<A> {
  const along = (shape: readonly number[], axis: number, first: boolean, second: boolean, of: Fill): Sample<A> => ({
    inputs: Array.from({ length: operands }, () => ({ shape, fill: of })),
    attributes: attributes(axis, first, second),
  });
  return {
    fixed: [
      ...rowShapes.map(([shape, axis], number) => along(shape, axis, number % 2 === 1, number % 3 === 2, fill)),
      { ...along([40], 0, false, false, specials), differentiable: false },
    ],
    random: (draw) => {
      const shape = drawShape(draw, 1);
      return along(shape, drawAxis(draw, shape), drawFlag(draw), drawFlag(draw), fill);
    },
  };
}
