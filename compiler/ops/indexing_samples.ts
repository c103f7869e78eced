/** Operands for the generated tests of gather, scatter and the dynamic slices. */
import type { Fill, Sample } from "./define.js";
import { uniform, values, wholeNumbers } from "./samples.js";

const numbers = uniform(-4, 4);

type GatherSample = Sample<{ readonly axes: "ints" }>;
type ScatterSample = Sample<{ readonly axes: "ints"; readonly combiner: "string" }>;

interface Places {
  readonly shape: readonly number[];
  readonly points: readonly number[];
  readonly axes: readonly number[];
  readonly dtype?: "i64" | "i32" | "u8";
}

/** Shapes and axes of both ops: ranks 0 to 5, sizes 0 and 1, one axis, several, and all, in any order. */
const places: readonly Places[] = [
  { shape: [5], points: [], axes: [0] },
  { shape: [5], points: [7], axes: [0] },
  { shape: [5], points: [0], axes: [0] },
  { shape: [1], points: [3], axes: [0] },
  { shape: [3, 0], points: [2], axes: [0] },
  { shape: [0, 3], points: [0], axes: [0] },
  { shape: [4, 3], points: [6], axes: [0], dtype: "i32" },
  { shape: [4, 3], points: [2, 2], axes: [1], dtype: "u8" },
  { shape: [4, 3], points: [5], axes: [1, 0] },
  { shape: [3, 4, 2], points: [3, 1], axes: [1] },
  { shape: [3, 2, 3], points: [4], axes: [0, 2] },
  { shape: [2, 3, 1, 2], points: [3], axes: [1] },
  { shape: [2, 1, 3, 2, 2], points: [3], axes: [4, 2] },
  { shape: [6, 21], points: [9], axes: [0] },
];

function indicesOf({ shape, points, axes, dtype = "i64" }: Places) {
  return axes.map((axis) => ({
    shape: points,
    fill: wholeNumbers(0, Math.max(0, (shape[axis] ?? 1) - 1)),
    dtype,
  }));
}

function updatesOf({ shape, points, axes }: Places): readonly number[] {
  return [...points, ...shape.filter((_, axis) => !axes.includes(axis))];
}

export const gatherSamples: readonly GatherSample[] = places.map((place) => ({
  inputs: [{ shape: place.shape, fill: numbers }, ...indicesOf(place)],
  attributes: { axes: place.axes },
}));

function scattered(place: Places, combiner: string, fill: Fill = numbers): ScatterSample {
  return {
    inputs: [{ shape: place.shape, fill }, { shape: updatesOf(place), fill }, ...indicesOf(place)],
    attributes: { axes: place.axes, combiner },
  };
}

/** Several updates at one place, and ties among them. */
const crowded: Places = { shape: [3, 2], points: [8], axes: [0] };

export const scatterSamples: readonly ScatterSample[] = [
  ...places.map((place, i) => scattered(place, ["add", "set"][i % 2] ?? "add")),
  ...(["set", "add", "mul", "max", "min"] as const).map((combiner) =>
    scattered(crowded, combiner, combiner === "mul" ? uniform(0.5, 2) : numbers),
  ),
  scattered({ shape: [2, 3], points: [4], axes: [1, 0] }, "max"),
  { ...scattered(crowded, "mul", values(2, 0, 3, -1, 0.5, 0, 0)), differentiable: false },
  { ...scattered(crowded, "max", values(1, 2, 1, 2, 0)), differentiable: false },
];
