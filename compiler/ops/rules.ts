/** Shape rules that several ops share. All throw OpError with both sides in the message. */
import { type Dim, dimEquals, dimText, subtractDims } from "../ir/dim.js";
import { shapeEquals, shapeText, type TensorType, tensorType, typeText } from "../ir/type.js";
import { OpError } from "./op_error.js";

/** a - b where it is known whatever the declared dims are bound to; otherwise undefined. */
export function knownDifference(a: Dim, b: Dim): number | undefined {
  const difference = subtractDims(a, b);
  return typeof difference === "number" ? difference : undefined;
}

/** The one type of all operands; G020 when two shapes differ (dtypes have been compared by their groups). */
export function sameShape(name: string, types: readonly TensorType[], first = 0): TensorType {
  const expected = types[first] as TensorType;
  types.forEach((type, position) => {
    if (position < first || shapeEquals(type.shape, expected.shape)) return;
    throw new OpError("G020", `${name} of ${typeText(expected)} and ${typeText(type)}: the shapes differ`, {
      operand: position,
      against: first,
      hint: unequalHint(expected.shape, type.shape),
    });
  });
  return expected;
}

function unequalHint(expected: readonly Dim[], actual: readonly Dim[]): string {
  if (expected.length !== actual.length) return `the ranks are ${expected.length} and ${actual.length}`;
  const axis = expected.findIndex((dim, i) => !dimEquals(dim, actual[i] as Dim));
  return `axis ${axis} is ${dimText(expected[axis] as Dim)} on one side and ${dimText(actual[axis] as Dim)} on the other`;
}

/** Checks that each axis is one of `rank` axes (counted from 0) and named once. G025. */
export function checkAxes(name: string, label: string, axes: readonly number[], rank: number, operand?: number): void {
  const seen = new Set<number>();
  for (const axis of axes) {
    checkAxis(name, label, axis, rank, operand);
    if (seen.has(axis))
      throw new OpError("G025", `${name} names the axis ${axis} twice in \`${label}\``, places(operand));
    seen.add(axis);
  }
}

export function checkAxis(name: string, label: string, axis: number, rank: number, operand?: number): void {
  if (axis >= 0 && axis < rank) return;
  const range = rank === 0 ? "a scalar has no axes" : `the axes are 0 to ${rank - 1}`;
  throw new OpError("G025", `${name} has no axis ${axis} in \`${label}\`: ${range}`, places(operand));
}

/** Checks that an attribute with one entry an axis has as many as the operand has axes. G025. */
export function checkCount(name: string, label: string, count: number, rank: number): void {
  if (count === rank) return;
  throw new OpError(
    "G025",
    `${name} of a tensor with ${rank} axes needs ${rank} numbers in \`${label}\`, not ${count}`,
  );
}

/** Refuses a shape with a size below 0. G027. `what` gives the shape; an op that several functions of the language become, none. */
export function checkSizes(what: string | undefined, shape: readonly Dim[]): void {
  const axis = shape.findIndex((dim) => typeof dim === "number" && dim < 0);
  if (axis < 0) return;
  const gives = what === undefined ? `the shape is ${shapeText(shape)}` : `${what} gives ${shapeText(shape)}`;
  throw new OpError("G027", `${gives}: axis ${axis} has a negative size`);
}

/** The type without `axes`. */
export function withoutAxes(type: TensorType, axes: readonly number[]): TensorType {
  return tensorType(
    type.dtype,
    type.shape.filter((_, axis) => !axes.includes(axis)),
  );
}

function places(operand: number | undefined): { readonly operand?: number } {
  return operand === undefined ? {} : { operand };
}
