import { type Dim, isSymbolic } from "../compiler/ir/dim.js";
import { isFloat } from "../compiler/ir/dtype.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { type TensorType, typeText } from "../compiler/ir/type.js";
import { imageAxes } from "../runtime/events/observer.js";
import { UsageError } from "./failure.js";
import { mostLines, type PlotRequest } from "./plot_option.js";

/** A result and what is known of it before it is there: sizes may be dims that no feed has bound yet. */
export interface PlotPart {
  readonly name: string;
  readonly type: TensorType;
}

/** The side of a picture of all images, in pixels. */
const longestSide = 8192;
/** Small pictures are enlarged to about this side, by a whole factor: single pixels stay sharp. */
const shownSide = 640;
/** White pixels between two images. */
const imageGap = 3;
/** Charts of more elements are no longer drawn within seconds. */
const mostElements = 10_000_000;

/** The results that a chart is drawn of. Throws UsageError for names that are not among them, or are strings. */
export function partsOf(
  request: PlotRequest,
  results: ReadonlyMap<string, TensorType | "string">,
): readonly PlotPart[] {
  return request.names.map((name): PlotPart => {
    const type = results.get(name);
    if (type === undefined) {
      const nearest = nearestName(name, [...results.keys()]);
      const hint =
        nearest === undefined
          ? `the results are ${[...results.keys()].join(", ")}; --fetch computes others`
          : `did you mean \`${nearest}\`?`;
      throw new UsageError(`--plot ${request.kind}: \`${name}\` is no result of this run: ${hint}`);
    }
    if (type === "string") {
      throw new UsageError(`--plot ${request.kind}: \`${name}\` is a string, and charts are drawn of numbers`);
    }
    return { name, type };
  });
}

/** Throws UsageError where these results do not fit the kind of chart, as far as their sizes are known. */
export function requirePlottable(request: PlotRequest, parts: readonly PlotPart[]): void {
  for (const part of parts) {
    if (part.type.shape.includes(0)) throw misfit(request, part, "has no elements to draw", "feed at least one row");
    const elements = part.type.shape.reduce<number>((product, size) => product * (isSymbolic(size) ? 1 : size), 1);
    if (request.kind !== "images" && elements > mostElements) {
      throw misfit(
        request,
        part,
        `charts take at most ${mostElements.toLocaleString("en")} elements`,
        "feed fewer rows",
      );
    }
  }
  switch (request.kind) {
    case "confusion":
      for (const part of parts) requireClasses(request, part);
      requireSameLength(request, parts);
      return;
    case "images":
      for (const part of parts) requireImages(request, part);
      return;
    case "line":
      requireLines(request, parts);
      return;
    case "scatter":
      requirePoints(request, parts);
      return;
  }
}

/** What a scatter plot is drawn of: columns of one matrix or two vectors, and what colours them. */
export function scatterParts(parts: readonly PlotPart[]): {
  readonly points: readonly PlotPart[];
  readonly colour: PlotPart | undefined;
} {
  const [first, second, third] = parts;
  if (first === undefined) return { points: [], colour: undefined };
  if (parts.length === 1 || (parts.length === 2 && isPairs(first.type)))
    return { points: [first], colour: parts.length === 1 ? undefined : second };
  return { points: parts.slice(0, 2), colour: third };
}

/** The axes that are not 1: a row or column of numbers is a vector. */
export function longAxes(type: TensorType): readonly Dim[] {
  return type.shape.filter((size) => size !== 1);
}

function isPairs({ shape }: TensorType): boolean {
  return shape.length === 2 && shape[1] === 2;
}

function requireClasses(request: PlotRequest, part: PlotPart): void {
  const needs = "a class for each element is needed, integers or bools [N]";
  if (isFloat(part.type.dtype)) {
    const mend =
      part.type.shape.length > 1
        ? `add \`classes = argmax(${part.name}, axis=-1)\` to the graph, and draw that`
        : `add \`classes = cast(${part.name}, to=i32)\` to the graph, or compare it with a threshold, and draw that`;
    throw misfit(request, part, needs, mend);
  }
  requireVector(request, part, needs);
}

function requireVector(request: PlotRequest, part: PlotPart, needs: string): void {
  const { shape } = part.type;
  if (shape.length === 0) throw misfit(request, part, needs, "a single number is no chart: `run` prints it");
  if (isTooLong(part.type, 1)) {
    const places = shape.map((size, axis) => (axis === 0 || size === 1 ? ":" : "0")).join(", ");
    throw misfit(
      request,
      part,
      needs,
      `add a part to the graph, such as \`part = ${part.name}[${places}]\`, and draw that`,
    );
  }
}

/** More axes than `most` are not 1. One that is not bound yet may turn out to be 1. */
function isTooLong(type: TensorType, most: number): boolean {
  const long = longAxes(type);
  return (long.some(isSymbolic) ? long.filter((size) => !isSymbolic(size)) : long).length > most;
}

function requireImages(request: PlotRequest, part: PlotPart): void {
  const { shape } = part.type;
  const needs =
    "images are [height, width], batches of them [N, height, width] or [N, height, width, channels] with 1 or 3 channels";
  const reshaped = `add \`images = reshape(${part.name}, [N, height, width])\` with your sizes to the graph, and draw that`;
  const last = shape.at(-1);
  if (shape.length < 2 || shape.length > 4) throw misfit(request, part, needs, reshaped);
  if (shape.length === 4 && last !== undefined && !isSymbolic(last) && last !== 1 && last !== 3) {
    throw misfit(
      request,
      part,
      needs,
      `add a part to the graph, such as \`part = ${part.name}[:, :, :, 0]\`, and draw that`,
    );
  }
  const sizes = shape.filter((size) => !isSymbolic(size)).map(Number);
  const axes = sizes.length < shape.length ? undefined : imageAxes({ shape: sizes });
  if (axes === undefined) return;
  const { width, height } = gridOf(axes);
  if (Math.max(width, height) > longestSide) {
    const limit = `a grid of them is ${width} by ${height} pixels, and ${longestSide} are the most of a side`;
    throw misfit(request, part, limit, "feed fewer rows");
  }
}

/** All images of a batch in about a square: how many stand in a row, how often each pixel is drawn in each direction, and all sizes. */
export function gridOf({ images, height, width }: { images: number; height: number; width: number }): {
  readonly columns: number;
  readonly factor: number;
  readonly gap: number;
  readonly width: number;
  readonly height: number;
} {
  const columns = Math.ceil(Math.sqrt(images));
  const rows = Math.ceil(images / columns);
  const factor = Math.max(1, Math.floor(shownSide / Math.max(columns * width, rows * height)));
  return {
    columns,
    factor,
    gap: imageGap,
    width: columns * (width * factor + imageGap) - imageGap,
    height: rows * (height * factor + imageGap) - imageGap,
  };
}

function requireLines(request: PlotRequest, parts: readonly PlotPart[]): void {
  const needs = "a line is drawn of numbers in a row, [N], and lines of the columns of a matrix, [N, K]";
  for (const part of parts) {
    const { shape } = part.type;
    if (shape.length === 0) throw misfit(request, part, needs, "a single number is no chart: `run` prints it");
    if (isTooLong(part.type, 2)) {
      const places = shape.map((size, axis) => (axis >= shape.length - 2 || size === 1 ? ":" : "0")).join(", ");
      throw misfit(
        request,
        part,
        needs,
        `add a part to the graph, such as \`part = ${part.name}[${places}]\`, and draw that`,
      );
    }
  }
  const counted = parts.map((part) => ({ part, lines: linesOf(part.type) }));
  const total = counted.reduce((sum, { lines }) => sum + (lines ?? 1), 0);
  const widest = counted.find(({ lines }) => (lines ?? 1) > 1);
  if (total <= mostLines || widest === undefined) return;
  const own = widest.lines === total ? "" : `, and with the others ${total}`;
  const limit = `its columns are ${widest.lines} lines${own}, and ${mostLines} are the most that can be told apart`;
  const turned = Number(widest.part.type.shape.at(0)) <= mostLines ? `, or its transpose` : "";
  const mend = `add a part to the graph, such as \`part = ${widest.part.name}[:, 0:${Math.min(mostLines, 10)}]\`${turned}, and draw that`;
  throw misfit(request, widest.part, limit, mend);
}

/** Undefined while an axis is not known that could be 1 and then would not count. */
function linesOf(type: TensorType): number | undefined {
  const long = longAxes(type);
  if (long.length < 2) return 1;
  return long.some(isSymbolic) ? undefined : Number(long[1]);
}

function requirePoints(request: PlotRequest, parts: readonly PlotPart[]): void {
  const { points, colour } = scatterParts(parts);
  const needs = "points are two vectors, [N] and [N], or the two columns of [N, 2]";
  const [first] = points;
  if (points.length === 1 && first !== undefined) {
    const { shape } = first.type;
    const last = shape.at(-1);
    if (shape.length !== 2 || (last !== undefined && !isSymbolic(last) && last !== 2)) {
      const two =
        shape.length === 1
          ? "name a second result for the other axis"
          : `add \`points = ${first.name}[:, 0:2]\` to the graph, and draw that`;
      throw misfit(
        request,
        first,
        needs,
        shape.length < 1 || shape.length > 2 ? "name what has a row of two numbers for each point" : two,
      );
    }
  } else for (const part of points) requireVector(request, part, needs);
  if (colour !== undefined) requireVector(request, colour, "one number for each point colours them, [N]");
  requireSameLength(request, colour === undefined ? points : [...points, colour]);
}

/** Where both are known: the rows of pairs, the elements of vectors. */
function requireSameLength(request: PlotRequest, parts: readonly PlotPart[]): void {
  const counted = parts.map(({ name, type }, i) => {
    const isPair = request.kind === "scatter" && i === 0 && parts.length < 3 && isPairs(type);
    const long = isPair ? type.shape.slice(0, 1) : longAxes(type);
    const length =
      long.length === 0 ? 1 : long.length === 1 && long[0] !== undefined && !isSymbolic(long[0]) ? long[0] : undefined;
    return { name, type, length };
  });
  const [first] = counted;
  const other = counted.find(
    ({ length }) => length !== undefined && first?.length !== undefined && length !== first.length,
  );
  if (first === undefined || other === undefined) return;
  throw new UsageError(
    `--plot ${request.kind}: \`${first.name}\` is ${typeText(first.type)} and \`${other.name}\` is ${typeText(other.type)}: ` +
      "they belong together element by element, so one must have as many as the other",
  );
}

function misfit({ kind }: PlotRequest, { name, type }: PlotPart, needs: string, mend: string): UsageError {
  return new UsageError(`--plot ${kind}: \`${name}\` is ${typeText(type)}, and ${needs}: ${mend}`);
}
