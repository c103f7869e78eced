/** Shape rules of the ops that read and write at run-time positions. All throw OpError with both sides in the message. */
import { InternalError } from "../ir/diagnostic.js";
import type { Dim } from "../ir/dim.js";
import { shapeEquals, shapeText, type TensorType, typeText } from "../ir/type.js";
import { OpError } from "./op_error.js";
import { checkAxes, sameShape } from "./rules.js";

export const scatterCombiners = ["set", "add", "mul", "max", "min"] as const;
export type ScatterCombiner = (typeof scatterCombiners)[number];

export function scatterCombiner(name: string): ScatterCombiner {
  const found = scatterCombiners.find((combiner) => combiner === name);
  if (found === undefined) throw new InternalError(`scatter has no combiner ${name}`);
  return found;
}

/** That the combiner exists. On bools, add and max are `or`, mul and min are `and`. G031. */
export function checkCombiner(name: string): void {
  if ((scatterCombiners as readonly string[]).includes(name)) return;
  throw new OpError("G031", `scatter combines by ${scatterCombiners.join(", ")}, not by \`${name}\``);
}

/** One index tensor an axis, all of one shape, which is the result. `first` is the position of the first of them. */
export function checkIndexedAxes(
  name: string,
  x: TensorType,
  indices: readonly TensorType[],
  axes: readonly number[],
  first: number,
): readonly Dim[] {
  const [points] = indices;
  if (points === undefined) throw new OpError("G030", `${name} needs at least one index tensor`);
  if (axes.length !== indices.length) {
    throw new OpError(
      "G025",
      `${name} takes one index tensor for each of \`axes\`: ${indices.length} for ${axes.length}`,
    );
  }
  checkAxes(name, "axes", axes, x.shape.length, 0);
  // The places of operands are those of the whole application.
  sameShape(name, [...new Array<TensorType>(first).fill(points), ...indices], first);
  return points.shape;
}

/** What is scattered has the shape that a gather would give. G020. */
export function checkUpdates(x: TensorType, updates: TensorType, expected: readonly Dim[]): void {
  if (shapeEquals(updates.shape, expected)) return;
  throw new OpError(
    "G020",
    `scatter into ${typeText(x)} needs updates of shape ${shapeText(expected)}, not ${typeText(updates)}`,
    { operand: 1, hint: "the shape of the indices, followed by the axes that are not indexed" },
  );
}
