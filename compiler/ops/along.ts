/** What the ops that walk along one axis share: their shape rule, and the rows that their evaluators see. */
import { elementCount } from "../ir/tensor.js";
import type { TensorType } from "../ir/type.js";
import type { ReferenceTensor, Sample } from "./define.js";
import { checkAxis, sameShape } from "./rules.js";
import { specials, uniform } from "./samples.js";

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

export function rowSamples<A extends Sample["attributes"]>(
  attributes: (axis: number, number: number) => A,
  fill: Sample["inputs"][number]["fill"] = uniform(-4, 4),
  operands = 1,
) {
  const rows = rowShapes.map(([shape, axis], number) => ({
    inputs: Array.from({ length: operands }, () => ({ shape, fill })),
    attributes: attributes(axis, number),
  }));
  const special = {
    inputs: Array.from({ length: operands }, () => ({ shape: [40], fill: specials })),
    attributes: attributes(0, 0),
    differentiable: false,
  };
  return [...rows, special];
}
