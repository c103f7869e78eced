/** How ops that slide a window over all axes read their operand: as graphs for kernels, and element by element for the reference. */
import type { Dim } from "../ir/dim.js";
import { isFloat } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { literal } from "./build.js";
import { stridesOf } from "./evaluate.js";
import { numericDType } from "./precision.js";
import { pad } from "./structure.js";
import { windows } from "./windows.js";

/** What a reduction ignores. */
export type Filler = "zero" | "least" | "greatest";

export function padFor(
  x: Value,
  low: readonly Dim[],
  high: readonly Dim[],
  dilation: readonly number[],
  filler: Filler,
): Value {
  if (![...low, ...high].some((size) => size !== 0) && dilation.every((step) => step === 1)) return x;
  const dtype = numericDType(x.type.dtype);
  return pad(x, literal(dtype, [], [fillerOf(dtype, filler)]), {
    low,
    high,
    interior: holesOf(x, dilation),
  });
}

/** Between no elements there are no holes: an empty axis is as long as its padding. */
export function holesOf(x: Value, dilation: readonly number[]): readonly number[] {
  return dilation.map((step, axis) => (x.type.shape[axis] === 0 ? 0 : step - 1));
}

function fillerOf(dtype: ReturnType<typeof numericDType>, filler: Filler): number | bigint {
  if (filler === "zero") return dtype === "i64" ? 0n : 0;
  const least = filler === "least";
  if (isFloat(dtype)) return least ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  switch (dtype) {
    case "i64":
      return least ? -(2n ** 63n) : 2n ** 63n - 1n;
    case "i8":
      return least ? -128 : 127;
    case "u8":
      return least ? 0 : 255;
    default:
      return least ? -(2 ** 31) : 2 ** 31 - 1;
  }
}

export interface Sliding {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly dilation: readonly number[];
}

/** Axes along which there is anything to slide; along the others a window of one element takes each in turn. */
export function slidingAxes({ window, strides }: Pick<Sliding, "window" | "strides">): readonly number[] {
  return window.flatMap((size, axis) => (size === 1 && strides[axis] === 1 ? [] : [axis]));
}

/** The windows along the sliding axes: [positions..., window...]. */
export function slideWindows(x: Value, sliding: Sliding): Value {
  const axes = slidingAxes(sliding);
  if (axes.length === 0) return x;
  const of = (list: readonly number[]): readonly number[] => axes.map((axis) => list[axis] as number);
  return windows(x, { axes, size: of(sliding.window), strides: of(sliding.strides), dilation: of(sliding.dilation) });
}

export interface WindowGeometry extends Sliding {
  readonly low: readonly number[];
  readonly baseDilation: readonly number[];
}

/**
 * Visits each position in row-major order with the elements of x (row-major places) that its window covers, in row-major order of
 * the window. Padding and holes are left out.
 */
export function forEachWindow(
  shape: readonly number[],
  positions: readonly number[],
  { window, strides, dilation, low, baseDilation }: WindowGeometry,
  visit: (position: number, elements: readonly number[]) => void,
): void {
  const own = stridesOf(shape);
  const steps = stridesOf(positions);
  const along = shape.map((size, axis) =>
    Array.from({ length: positions[axis] as number }, (_, position) =>
      Array.from({ length: window[axis] as number }, (_, k) => {
        const place = position * (strides[axis] as number) + k * (dilation[axis] as number) - (low[axis] as number);
        const at = place / (baseDilation[axis] as number);
        return place >= 0 && Number.isInteger(at) && at < size ? [at * (own[axis] as number)] : [];
      }).flat(),
    ),
  );
  for (let position = 0; position < elementCount(positions); position++) {
    let elements: readonly number[] = [0];
    along.forEach((list, axis) => {
      const here = list[Math.floor(position / (steps[axis] as number)) % (positions[axis] as number)] ?? [];
      elements = elements.flatMap((from) => here.map((more) => from + more));
    });
    visit(position, elements);
  }
}
