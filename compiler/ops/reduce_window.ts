import { type Dim, staticSize } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { neg } from "./arithmetic.js";
import { zerosLike } from "./build.js";
import { defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { emptyLike, isFloatName, wrap } from "./evaluate.js";
import { OpError } from "./op_error.js";
import { type AttributesOf, numbers, operand } from "./operands.js";
import type { ReferenceData } from "./precision.js";
import { reduceWindowSamples } from "./reduce_window_samples.js";
import { max, min, sum } from "./reduction.js";
import { checkCount } from "./rules.js";
import { selectAndScatter } from "./select_window.js";
import { slice } from "./views.js";
import { forEachWindow, padFor, slideWindows } from "./window_reading.js";
import { transposedPadding, type WindowAxis, windowPositions } from "./window_rules.js";

export type ReduceWindowSchema = {
  readonly combiner: "string";
  readonly window: "ints";
  readonly strides: "ints";
  readonly low: "dims";
  readonly high: "dims";
  readonly base_dilation: "ints";
  readonly window_dilation: "ints";
};
export type ReduceWindowAttributes = AttributesOf<ReduceWindowSchema>;

export const reduceWindow: UnaryOp<ReduceWindowSchema> = defineOp({
  name: "reduce_window",
  doc:
    "The sum, max or min (`combiner`) over a window of x that slides along every axis by `strides`. x gets holes (elements " +
    "`base_dilation` apart) and is padded by `low` and `high`, all with what the combiner ignores: 0, or the least or greatest number. " +
    "The window's elements stand `window_dilation` apart. max and min propagate NaN; their gradient goes to the first of equal elements " +
    "in row-major order. Integers wrap; f16 and bf16 are added in f32.",
  stablehlo: "reduce_window",
  inputs: [operand("x", numbers)],
  attributes: {
    combiner: "string",
    window: "ints",
    strides: "ints",
    low: "dims",
    high: "dims",
    base_dilation: "ints",
    window_dilation: "ints",
  },
  infer: ([x], attributes) => {
    const type = x as TensorType;
    combinerOf(attributes.combiner);
    for (const name of ["window", "strides", "low", "high", "base_dilation", "window_dilation"] as const)
      checkCount("reduce_window", name, attributes[name].length, type.shape.length);
    return tensorType(
      type.dtype,
      axesOf(type.shape, attributes).map((axis) => windowPositions("reduce_window", axis)),
    );
  },
  vjp: ({ inputs: [x], attributes, y, dy }) => {
    if (x.type.shape.some((dim) => dim === 0)) return [zerosLike(x)];
    return [attributes.combiner === "sum" ? pullBackSum(x, attributes, y, dy) : pullBackExtreme(x, attributes, dy)];
  },
  kernel: { kind: "composite" },
  expand: ({ inputs: [x], attributes, type }) => {
    const { combiner, window, strides, window_dilation } = attributes;
    const filler = combiner === "sum" ? "zero" : combiner === "max" ? "least" : "greatest";
    const input = padFor(x, attributes.low, attributes.high, attributes.base_dilation, filler);
    const slid = slideWindows(input, { window, strides, dilation: window_dilation });
    const rank = type.shape.length;
    const axes = slid.type.shape.slice(rank).map((_, i) => rank + i);
    if (axes.length === 0) return slid;
    return combiner === "sum" ? sum(slid, { axes }) : combiner === "max" ? max(slid, { axes }) : min(slid, { axes });
  },
  reference: ({ inputs: [x], attributes, outputs: [y] }) => [
    evaluateReduceWindow(x as ReferenceTensor, attributes, y?.shape ?? []),
  ],
  samples: reduceWindowSamples,
});

type WindowCombiner = "sum" | "max" | "min";

function combinerOf(name: string): WindowCombiner {
  if (name === "sum" || name === "max" || name === "min") return name;
  throw new OpError("G031", `reduce_window combines by sum, max or min, not by \`${name}\``);
}

function axesOf(shape: readonly Dim[], attributes: ReduceWindowAttributes): readonly WindowAxis[] {
  return shape.map((size, i) => ({
    label: `axis ${i}`,
    size,
    window: attributes.window[i] as number,
    stride: attributes.strides[i] as number,
    low: attributes.low[i] as Dim,
    high: attributes.high[i] as Dim,
    baseDilation: attributes.base_dilation[i] as number,
    windowDilation: attributes.window_dilation[i] as number,
  }));
}

/** The same window over dy, whose elements stand as far apart as the window moved. */
function pullBackSum(x: Value, attributes: ReduceWindowAttributes, y: Value, dy: Value): Value {
  const padding = axesOf(x.type.shape, attributes).map((axis, i) => transposedPadding(axis, y.type.shape[i] as Dim));
  return reduceWindow(dy, {
    ...attributes,
    strides: attributes.base_dilation,
    base_dilation: attributes.strides,
    low: padding.map(({ low }) => low),
    high: padding.map(({ high }) => high),
  });
}

function pullBackExtreme(x: Value, attributes: ReduceWindowAttributes, dy: Value): Value {
  const { combiner, window, strides, low, high, base_dilation, window_dilation } = attributes;
  const zeros = x.type.shape.map(() => 0);
  const holes = base_dilation.some((dilation) => dilation > 1);
  const spread = holes ? padFor(x, zeros, zeros, base_dilation, combiner === "max" ? "least" : "greatest") : x;
  const ordered = combiner === "max" ? spread : neg(spread);
  const dspread = selectAndScatter(ordered, dy, { window, strides, low, high, dilation: window_dilation });
  if (!holes) return dspread;
  return slice(dspread, { start: zeros, limit: dspread.type.shape, strides: base_dilation });
}

function evaluateReduceWindow(
  x: ReferenceTensor,
  attributes: ReduceWindowAttributes,
  shape: readonly number[],
): ReferenceData {
  const { combiner, window, strides, low, base_dilation, window_dilation } = attributes;
  const result = emptyLike(x.data, elementCount(shape));
  const combine = combining(x, combinerOf(combiner));
  const geometry = {
    window,
    strides,
    low: low.map(staticSize),
    baseDilation: base_dilation,
    dilation: window_dilation,
  };
  forEachWindow(x.shape, shape, geometry, (position, elements) => {
    result[position] = combine(elements) as never;
  });
  return result;
}

function combining(x: ReferenceTensor, combiner: WindowCombiner): (elements: readonly number[]) => number | bigint {
  const { data, dtype } = x;
  if (data instanceof BigInt64Array) {
    return (elements) => {
      const values = elements.map((at) => data[at] as bigint);
      if (combiner === "sum") return values.reduce((a, b) => wrap(a + b), 0n);
      if (combiner === "max") return values.reduce((a, b) => (a > b ? a : b), -(2n ** 63n));
      return values.reduce((a, b) => (a < b ? a : b), 2n ** 63n - 1n);
    };
  }
  const [least, greatest] = rangeOf(dtype);
  return (elements) => {
    const values = elements.map((at) => data[at] as number);
    if (combiner === "sum") return values.reduce((a, b) => a + b, 0);
    return combiner === "max"
      ? values.reduce((a, b) => Math.max(a, b), least)
      : values.reduce((a, b) => Math.min(a, b), greatest);
  };
}

function rangeOf(dtype: string): readonly [number, number] {
  if (isFloatName(dtype)) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (dtype === "u8") return [0, 255];
  const bits = dtype === "i8" ? 7 : 31;
  return [-(2 ** bits), 2 ** bits - 1];
}
