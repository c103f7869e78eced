/** Operands for the generated tests of gather, scatter and the dynamic slices. */
import { type DType, integerDTypes } from "../ir/dtype.js";
import { axesOf, type Draw, drawOne, drawOrder, drawShape, drawSizes } from "./draw.js";
import { scatterCombiners } from "./indexing_rules.js";
import { apart, type Fill, type Sample, type Samples, uniform, values, wholeNumbers } from "./samples.js";

const numbers = uniform(-4, 4);

type GatherSample = Sample<{ readonly axes: "ints" }>;
type ScatterSample = Sample<{ readonly axes: "ints"; readonly combiner: "string" }>;

interface Places {
  readonly shape: readonly number[];
  readonly points: readonly number[];
  readonly axes: readonly number[];
  readonly dtype?: DType;
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

/** One axis or several of 1 to 5, in any order, with 0 to 2 axes of points, none where there is no place. */
function drawPlaces(draw: Draw): Places {
  const shape = drawShape(draw, 1);
  const axes = drawOrder(draw, axesOf(shape)).slice(0, draw.integer(1, Math.min(3, shape.length)));
  const points = drawSizes(draw, draw.integer(0, 2), 8);
  const isEmpty = axes.some((axis) => shape[axis] === 0) && !points.includes(0);
  return { shape, points: isEmpty ? [0, ...points.slice(1)] : points, axes, dtype: drawOne(draw, integerDTypes) };
}

export const gatherSamples: Samples<{ readonly axes: "ints" }> = {
  fixed: places.map(gathered),
  random: (draw) => gathered(drawPlaces(draw)),
};

function gathered(place: Places): GatherSample {
  return {
    inputs: [{ shape: place.shape, fill: numbers }, ...indicesOf(place)],
    attributes: { axes: place.axes },
  };
}

function scattered(place: Places, combiner: string, fill: Fill = numbers, updates: Fill = fill): ScatterSample {
  return {
    inputs: [{ shape: place.shape, fill }, { shape: updatesOf(place), fill: updates }, ...indicesOf(place)],
    attributes: { axes: place.axes, combiner },
  };
}

/** Several updates at one place, and ties among them. */
const crowded: Places = { shape: [3, 2], points: [8], axes: [0] };

const fixed: readonly ScatterSample[] = [
  ...places.map((place, i) => scattered(place, ["add", "set"][i % 2] ?? "add")),
  ...(["set", "add", "mul", "max", "min"] as const).map((combiner) =>
    scattered(crowded, combiner, combiner === "mul" ? uniform(0.5, 2) : numbers),
  ),
  scattered({ shape: [2, 3], points: [4], axes: [1, 0] }, "max"),
  { ...scattered(crowded, "mul", values(2, 0, 3, -1, 0.5, 0, 0)), differentiable: false },
  { ...scattered(crowded, "max", values(1, 2, 1, 2, 0)), differentiable: false },
];

export const scatterSamples: Samples<{ readonly axes: "ints"; readonly combiner: "string" }> = {
  fixed,
  random: (draw) => {
    const combiner = drawOne(draw, scatterCombiners);
    const place = drawPlaces(draw);
    return combiner === "mul"
      ? scattered(place, combiner, uniform(0.5, 2))
      : scattered(place, combiner, apart(0.2), apart(0.7));
  },
};
