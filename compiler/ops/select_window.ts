/** The gradient of a maximum over windows, and the gradient of that: each window's element at the place of its first maximum. */
import { addDims, type Dim, multiplyDims, staticSize, subtractDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { shapeEquals, staticShape, type TensorType, tensorType, typeText } from "../ir/type.js";
import { add, mul } from "./arithmetic.js";
import { broadcastAlong, fill, literal, zerosLike } from "./build.js";
import { eq, ne } from "./comparison.js";
import { type BinaryOp, defineOp, type ReferenceTensor } from "./define.js";
import { or, select } from "./logic.js";
import { OpError } from "./op_error.js";
import { type AttributesOf, floats, operand } from "./operands.js";
import { max, min, sum } from "./reduction.js";
import { checkCount } from "./rules.js";
import { selectionSamples } from "./select_window_samples.js";
import { iota, pad } from "./structure.js";
import { broadcastInDim, reshapeTo } from "./views.js";
import { forEachWindow, padFor, slideWindows, slidingAxes } from "./window_reading.js";
import { transposedPadding, type WindowAxis, windowPositions } from "./window_rules.js";

export type Selection = {
  readonly window: "ints";
  readonly strides: "ints";
  readonly low: "dims";
  readonly high: "dims";
  readonly dilation: "ints";
};
export type SelectionAttributes = AttributesOf<Selection>;
const schema = { window: "ints", strides: "ints", low: "dims", high: "dims", dilation: "ints" } as const;

const selects =
  "the first of the largest elements in row-major order (NaN is the largest) of each window of x, as in `reduce_window`; padding counts " +
  "as minus infinity";

export const selectAndScatter: BinaryOp<Selection> = defineOp({
  name: "select_and_scatter",
  doc: `Zeros of x's shape, with each element of \`source\` added at the place of ${selects}. The gradient of a maximum over windows.`,
  stablehlo: "select_and_scatter",
  inputs: [operand("x", floats), operand("source", floats)],
  attributes: schema,
  infer: ([x, source], attributes) => {
    const type = x as TensorType;
    const positions = positionsOf("select_and_scatter", type.shape, attributes);
    if (!shapeEquals((source as TensorType).shape, positions)) {
      throw new OpError(
        "G020",
        `select_and_scatter has one element of \`source\` a window: ${typeText(tensorType(type.dtype, positions))}, not ${typeText(source as TensorType)}`,
        { operand: 1, against: 0 },
      );
    }
    return type;
  },
  // Which element is the largest does not change with small changes of x.
  vjp: ({ inputs: [x], attributes, dy }) => [undefined, selectAndGather(x, dy, attributes)],
  kernel: { kind: "composite" },
  expand: ({ inputs: [x, source], attributes }) => expandScatter(x, source, attributes),
  reference: ({ inputs, attributes }) => {
    const [x, source] = inputs as readonly [ReferenceTensor, ReferenceTensor];
    const result = new Float64Array(x.data.length);
    forEachFirst(x, source.shape, attributes, (position, at) => {
      if (at !== undefined) result[at] = (result[at] as number) + (source.data[position] as number);
    });
    return [result];
  },
  samples: selectionSamples((shape, positions) => [shape, positions]),
});

export const selectAndGather: BinaryOp<Selection> = defineOp({
  name: "select_and_gather",
  doc: `The element of \`values\` (of x's shape) at the place of ${selects}; 0 where that is padding.`,
  inputs: [operand("x", floats), operand("values", floats)],
  attributes: schema,
  infer: ([x, values], attributes) => {
    const type = x as TensorType;
    if (!shapeEquals((values as TensorType).shape, type.shape)) {
      throw new OpError(
        "G020",
        `select_and_gather takes \`values\` of the shape of x: ${typeText(type)}, not ${typeText(values as TensorType)}`,
        { operand: 1, against: 0 },
      );
    }
    return tensorType(type.dtype, positionsOf("select_and_gather", type.shape, attributes));
  },
  vjp: ({ inputs: [x], attributes, dy }) => [undefined, selectAndScatter(x, dy, attributes)],
  kernel: { kind: "composite" },
  expand: ({ inputs: [x, values], attributes }) => expandGather(x, values, attributes),
  reference: ({ inputs, attributes, outputs: [y] }) => {
    const [x, values] = inputs as readonly [ReferenceTensor, ReferenceTensor];
    const result = new Float64Array(elementCount(y?.shape ?? []));
    forEachFirst(x, y?.shape ?? [], attributes, (position, at) => {
      result[position] = at === undefined ? 0 : (values.data[at] as number);
    });
    return [result];
  },
  samples: selectionSamples((shape) => [shape, shape]),
});

function axesOf(
  shape: readonly Dim[],
  { window, strides, low, high, dilation }: SelectionAttributes,
): readonly WindowAxis[] {
  return shape.map((size, i) => ({
    label: `axis ${i}`,
    size,
    window: window[i] as number,
    stride: strides[i] as number,
    low: low[i] as Dim,
    high: high[i] as Dim,
    baseDilation: 1,
    windowDilation: dilation[i] as number,
  }));
}

function positionsOf(op: string, shape: readonly Dim[], attributes: SelectionAttributes): readonly Dim[] {
  for (const name of ["window", "strides", "low", "high", "dilation"] as const)
    checkCount(op, name, attributes[name].length, shape.length);
  return axesOf(shape, attributes).map((axis) => windowPositions(op, axis));
}

/** The place of the first maximum of each window; undefined where it is padding. */
function forEachFirst(
  x: ReferenceTensor,
  positions: readonly number[],
  { window, strides, low, high, dilation }: SelectionAttributes,
  visit: (position: number, at: number | undefined) => void,
): void {
  const lows = low.map(staticSize);
  const highs = high.map(staticSize);
  const shape = x.shape.map(
    (size, axis) => size + Math.max(0, lows[axis] as number) + Math.max(0, highs[axis] as number),
  );
  // Padded with minus infinity, so that padding takes part in the order; `origin` tells where an element came from.
  const padded = new Float64Array(elementCount(shape)).fill(Number.NEGATIVE_INFINITY);
  const origin = new Array<number | undefined>(padded.length).fill(undefined);
  const steps = strideList(shape);
  const own = strideList(x.shape);
  for (let at = 0; at < x.data.length; at++) {
    const to = x.shape.reduce(
      (sum, size, axis) =>
        sum +
        ((Math.floor(at / (own[axis] as number)) % size) + Math.max(0, lows[axis] as number)) * (steps[axis] as number),
      0,
    );
    padded[to] = x.data[at] as number;
    origin[to] = at;
  }
  const geometry = {
    window,
    strides,
    dilation,
    low: lows.map((size) => Math.min(0, size)),
    baseDilation: window.map(() => 1),
  };
  forEachWindow(shape, positions, geometry, (position, elements) => {
    let best = elements[0] as number;
    for (const at of elements) {
      const leader = padded[best] as number;
      if (Number.isNaN(leader)) break;
      if (Number.isNaN(padded[at]) || (padded[at] as number) > leader) best = at;
    }
    visit(position, origin[best]);
  });
}

function strideList(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** For each position the number of its window's element, in row-major order, that is the first maximum: i32. */
function firstMaximum(x: Value, attributes: SelectionAttributes): { readonly first: Value; readonly numbers: Value } {
  const { window, strides, low, high, dilation } = attributes;
  const rank = x.type.shape.length;
  const padded = padFor(
    x,
    low,
    high,
    dilation.map(() => 1),
    "least",
  );
  const slid = slideWindows(padded, { window, strides, dilation });
  const shape = slid.type.shape;
  const inside = shape.slice(rank).map((_, i) => rank + i);
  const numbers = numbered(shape, inside);
  if (inside.length === 0) return { first: numbers, numbers };
  const greatest = broadcastAlong(max(slid, { axes: inside }), shape, inside);
  const largest = or(eq(slid, greatest), ne(slid, slid));
  // More than any number in the window, and no more: devices hold integers up to 2^24 exactly.
  const none = fill(tensorType("i32", shape), elementCount(window));
  return { first: min(select(largest, numbers, none), { axes: inside }), numbers };
}

/** The row-major number within some axes, as i32. */
function numbered(shape: readonly Dim[], axes: readonly number[]): Value {
  let step = 1;
  let total = fill(tensorType("i32", shape), 0);
  for (const axis of [...axes].reverse()) {
    const along = iota({ dtype: "i32", shape, axis });
    const scaled = step === 1 ? along : mul(along, fill(along.type, step));
    total = step === 1 ? scaled : add(scaled, total);
    step *= staticSize(shape[axis] as Dim);
  }
  return total;
}

function expandGather(x: Value, values: Value, attributes: SelectionAttributes): Value {
  const { window, strides, low, high, dilation } = attributes;
  const { first, numbers } = firstMaximum(x, attributes);
  const slid = slideWindows(
    padFor(
      values,
      low,
      high,
      dilation.map(() => 1),
      "zero",
    ),
    { window, strides, dilation },
  );
  const rank = x.type.shape.length;
  const shape = slid.type.shape;
  const inside = shape.slice(rank).map((_, i) => rank + i);
  if (inside.length === 0) return slid;
  const chosen = eq(broadcastAlong(first, shape, inside), numbers);
  return sum(select(chosen, slid, zerosLike(slid)), { axes: inside });
}

function expandScatter(x: Value, source: Value, attributes: SelectionAttributes): Value {
  // Windows over padding alone select none of no elements.
  if (x.type.shape.includes(0)) return zerosLike(x);
  const { window, strides, dilation } = attributes;
  const { first } = firstMaximum(x, attributes);
  const axes = slidingAxes(attributes);
  const tiles = axes.every((axis) => window[axis] === strides[axis] && dilation[axis] === 1);
  return tiles ? scatterTiles(x, source, first, attributes) : scatterOverlapping(x, source, first, attributes);
}

/** Windows that lie side by side: each element of x belongs to one, so its gradient is that window's or 0. */
function scatterTiles(x: Value, source: Value, first: Value, attributes: SelectionAttributes): Value {
  const { window, low } = attributes;
  const axes = slidingAxes(attributes);
  const positions = staticShape(source.type);
  // [positions, window] for each sliding axis, the others between them: row-major order is that of x.
  const shape = positions.flatMap((size, axis) => (axes.includes(axis) ? [size, window[axis] as number] : [size]));
  const place = positions.map((_, axis) => axis + axes.filter((other) => other < axis).length);
  const inside = axes.map((axis) => (place[axis] as number) + 1);
  const spread = (value: Value): Value => broadcastInDim(value, { shape, axes: place });
  const chosen = eq(spread(first), numbered(shape, inside));
  const tiles = select(chosen, spread(source), fill(tensorType(source.type.dtype, shape), 0));
  const covered = positions.map((size, axis) => size * (axes.includes(axis) ? (window[axis] as number) : 1));
  const joined = reshapeTo(tiles, covered);
  const before = low.map((size) => multiplyDims(-1, size));
  const after = x.type.shape.map((size, axis) => subtractDims(addDims(size, low[axis] as Dim), covered[axis] as Dim));
  return padFor(
    joined,
    before,
    after,
    covered.map(() => 1),
    "zero",
  );
}

/** Each element of x meets, for every place in a window, the position whose window holds it there. */
function scatterOverlapping(x: Value, source: Value, first: Value, attributes: SelectionAttributes): Value {
  const { window, strides, dilation } = attributes;
  const padding = axesOf(x.type.shape, attributes).map((axis, i) =>
    transposedPadding(axis, source.type.shape[i] as Dim),
  );
  const low = padding.map((axis) => axis.low);
  const high = padding.map((axis) => axis.high);
  const back = { window, strides: strides.map(() => 1), dilation };
  const spread = slideWindows(padFor(source, low, high, strides, "zero"), back);
  const interior = strides.map((step) => step - 1);
  const chosen = slideWindows(pad(first, literal("i32", [], [-1]), { low, high, interior }), back);
  const rank = x.type.shape.length;
  const shape = spread.type.shape;
  const inside = shape.slice(rank).map((_, i) => rank + i);
  // The first of the back-sliding window is the last of the forward one.
  const last = elementCount(window) - 1;
  const forward = add(
    mul(numbered(shape, inside), fill(tensorType("i32", shape), -1)),
    fill(tensorType("i32", shape), last),
  );
  return sum(select(eq(chosen, forward), spread, zerosLike(spread)), { axes: inside });
}
