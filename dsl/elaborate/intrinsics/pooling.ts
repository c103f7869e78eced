import { compareDims } from "../../../compiler/ir/condition.js";
import { addDims, type Dim, subtractDims } from "../../../compiler/ir/dim.js";
import type { Value } from "../../../compiler/ir/node.js";
import { tensorType } from "../../../compiler/ir/type.js";
import { fill } from "../../../compiler/ops/build.js";
import { OpError } from "../../../compiler/ops/op_error.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { dilatedSize, windowHint, windowMisfit, windowPositions } from "../../../compiler/ops/window_rules.js";
import { unifyDTypes } from "../broadcast.js";
import { demand } from "../constraints.js";
import { declarationNotes } from "../dim_bounds.js";
import type { Arguments, Intrinsic, IntrinsicParameter } from "../intrinsic.js";
import { type Meaning, tensor } from "../meaning.js";
import { originNote, refusal } from "../state.js";
import {
  dilationParameter,
  type Padding,
  paddingOf,
  paddingParameter,
  perAxis,
  type Sliding,
  spatialAxesOf,
  stridesParameter,
} from "./window_arguments.js";

const x: IntrinsicParameter = { name: "x", kind: "tensor" };
const window: IntrinsicParameter = { name: "window", kind: "axes", doc: "Its sizes: an int, or one for each axis." };
const ceilMode: IntrinsicParameter = {
  name: "ceil_mode",
  kind: "bool",
  default: "false",
  doc: "Whether a last window that reaches beyond the end counts, if it starts before it.",
};
const ownStrides: IntrinsicParameter = { ...stridesParameter, default: "the window" };

interface Pool {
  readonly value: Value;
  readonly slidings: readonly Sliding[];
  readonly padding: Padding;
  /** What `ceil_mode` adds to the end. */
  readonly beyond: readonly Dim[];
}

function poolOf(call: Arguments, axes: readonly number[], value: Value, strided: boolean): Pool {
  const sizes = perAxis(call, "window", axes.length, 1);
  const strides = call.has("strides") || !strided ? perAxis(call, "strides", axes.length, 1) : sizes;
  const dilation = perAxis(call, "dilation", axes.length, 1);
  const slidings = axes.map((axis, i) => ({
    axis,
    size: value.type.shape[axis] as Dim,
    window: sizes[i] as number,
    stride: strides[i] as number,
    dilation: dilation[i] as number,
  }));
  const padding = paddingOf(call, slidings);
  const beyond = call.bool("ceil_mode", false)
    ? slidings.map((sliding, i) => reachBeyond(call, sliding, padding.low[i] as Dim, padding.high[i] as Dim))
    : slidings.map(() => 0);
  slidings.forEach((sliding, i) => {
    const low = padding.low[i] as Dim;
    requireFit(call, value, sliding, low, addDims(padding.high[i] as Dim, beyond[i] as Dim));
  });
  return { value, slidings, padding, beyond };
}

/** What the op would say, by the name that was called. */
function requireFit(call: Arguments, value: Value, sliding: Sliding, low: Dim, high: Dim): void {
  const { axis, dilation: windowDilation } = sliding;
  const place = { ...sliding, label: `axis ${axis}`, low, high, baseDilation: 1, windowDilation };
  const name = `\`${call.name}\``;
  const notes = [originNote(call.env, value, call.spanOf("x"))];
  try {
    windowPositions(name, place);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    throw refusal(call.env, error.code, call.spanOf("x"), error.message, { hint: error.hint, notes });
  }
  const extent = dilatedSize(sliding.window, windowDilation);
  if (extent === 1) return;
  const room = addDims(sliding.size, addDims(low, high));
  demand(call.env, compareDims(extent, "at_most", room), (dims) =>
    refusal(call.env, "G130", call.spanOf("x"), windowMisfit(name, place), {
      hint: windowHint,
      notes: [...notes, ...declarationNotes(call.env, dims)],
    }),
  );
}

function reachBeyond(call: Arguments, { size, window: extent, stride, dilation }: Sliding, low: Dim, high: Dim): Dim {
  const reach = dilatedSize(extent, dilation);
  const room = subtractDims(addDims(size, addDims(low, high)), reach);
  if (typeof room !== "number" || typeof size !== "number" || typeof low !== "number") {
    throw refusal(call.env, "G130", call.spanOf("ceil_mode"), "`ceil_mode` needs sizes that are numbers");
  }
  if (stride < 1 || room < 0) return 0;
  const rest = room % stride;
  const positions = Math.floor(room / stride) + (rest === 0 ? 1 : 2);
  return rest === 0 || (positions - 1) * stride >= size + low ? 0 : stride - rest;
}

/** `reduce_window` along the pool's axes. */
function reduced(
  call: Arguments,
  combiner: string,
  value: Value,
  pool: Pool,
  padding: Padding,
  beyond = pool.beyond,
): Value {
  const full = (list: readonly Dim[], fallback: number): readonly Dim[] =>
    value.type.shape.map((_, axis) => list[pool.slidings.findIndex((sliding) => sliding.axis === axis)] ?? fallback);
  const of = (pick: (sliding: Sliding) => Dim): readonly Dim[] => full(pool.slidings.map(pick), 1);
  const attributes = {
    combiner,
    window: of((sliding) => sliding.window),
    strides: of((sliding) => sliding.stride),
    low: full(padding.low, 0),
    high: full(
      padding.high.map((size, i) => addDims(size, beyond[i] as Dim)),
      0,
    ),
    base_dilation: value.type.shape.map(() => 1),
    window_dilation: of((sliding) => sliding.dilation),
  };
  return call.apply("reduce_window", [value], attributes, call.site("x"));
}

function maxPool(call: Arguments): Meaning {
  const value = call.tensor("x");
  const pool = poolOf(call, spatialAxesOf(call, value), value, true);
  return tensor(reduced(call, "max", value, pool, pool.padding));
}

function averagePool(call: Arguments): Meaning {
  const value = call.tensor("x");
  const pool = poolOf(call, spatialAxesOf(call, value), value, true);
  const total = reduced(call, "sum", value, pool, pool.padding);
  const counts = countsOf(call, value, pool, call.bool("count_include_pad", false));
  const shape = total.type.shape;
  const spread = call.apply(
    "broadcast_in_dim",
    [counts],
    { shape, axes: shape.map((_, axis) => axis) },
    call.site("x"),
  );
  return tensor(call.apply("div", [total, spread], {}, call.site("x")));
}

/** How many elements each window holds, [1, positions..., 1]: what lies beyond the padding never counts. */
function countsOf(call: Arguments, { type }: Value, pool: Pool, withPadding: boolean): Value {
  const along = (list: readonly Dim[], fallback: number): readonly Dim[] =>
    type.shape.map((_, axis) => list[pool.slidings.findIndex((sliding) => sliding.axis === axis)] ?? fallback);
  const sizes = along(
    pool.slidings.map(({ size }) => size),
    1,
  );
  if (!withPadding) return reduced(call, "sum", fill(tensorType(type.dtype, sizes), 1), pool, pool.padding);
  const { low, high } = pool.padding;
  const around = [along(low, 0), along(high, 0)] as const;
  const padded = sizes.map((size, axis) => addDims(size, addDims(around[0][axis] as Dim, around[1][axis] as Dim)));
  const none = pool.slidings.map(() => 0);
  return reduced(call, "sum", fill(tensorType(type.dtype, padded), 1), pool, { low: none, high: none });
}

/** (sum of |x|^p)^(1/p). Where the sum is 0 the root has no slope, and the gradient is 0. */
function lpPool(call: Arguments): Meaning {
  const value = call.tensor("x");
  const site = call.site("x");
  const apply = (op: string, ...inputs: readonly Value[]): Value => call.apply(op, inputs, {}, site);
  const p = exponentOf(call);
  const pool = poolOf(call, spatialAxesOf(call, value), value, true);
  const magnitude = apply("abs", value);
  const terms =
    p === 1 ? magnitude : p === 2 ? apply("mul", value, value) : apply("pow", magnitude, filled(magnitude, p));
  const total = reduced(call, "sum", terms, pool, pool.padding);
  if (p === 1) return tensor(total);
  const isZero = apply("eq", total, filled(total, 0));
  const safe = apply("select", isZero, filled(total, 1), total);
  const root = p === 2 ? apply("sqrt", safe) : apply("pow", safe, filled(safe, 1 / p));
  return tensor(apply("select", isZero, filled(total, 0), root));
}

function exponentOf(call: Arguments): number {
  if (!call.has("p")) return 2;
  const { meaning } = call.item("p");
  const p = meaning.kind === "float" ? meaning.value : call.integer("p");
  if (p >= 1 || (call.env.state.generic && Number.isNaN(p))) return p;
  throw refusal(call.env, "G130", call.spanOf("p"), `\`lp_pool\` needs a \`p\` of at least 1, not ${p}`);
}

function filled(like: Value, value: number): Value {
  return fill(like.type, value);
}

function slidingReduction(call: Arguments): Meaning {
  const value = call.tensor("x");
  const { meaning } = call.item("combiner");
  if (call.has("combiner") && meaning.kind !== "string") throw call.wrong("combiner", '"sum", "max" or "min"');
  const pool = poolOf(call, call.axesInOrder("axis", value), value, false);
  return tensor(reduced(call, meaning.kind === "string" ? meaning.value : "sum", value, pool, pool.padding));
}

function slidingWindows(call: Arguments): Meaning {
  const value = call.tensor("x");
  const axes = call.axesInOrder("axis", value);
  const attributes = {
    axes,
    size: perAxis(call, "window", axes.length, 1),
    strides: perAxis(call, "strides", axes.length, 1),
    dilation: perAxis(call, "dilation", axes.length, 1),
  };
  return tensor(call.apply("windows", [value], attributes, call.site("x")));
}

function selection(name: "select_and_scatter" | "select_and_gather", second: string): Intrinsic {
  return {
    name,
    doc: opNamed(name).doc,
    parameters: [x, { name: second, kind: "tensor" }, window, ownStrides, paddingParameter, dilationParameter],
    result: "y",
    build: (call) => {
      const site = call.site("x", second);
      const [value, other] = unifyDTypes(call.env, [call.item("x"), call.item(second)], site) as readonly [
        Value,
        Value,
      ];
      const pool = poolOf(call, spatialAxesOf(call, value), value, true);
      const { padding } = pool;
      const full = (list: readonly Dim[], fallback: number): readonly Dim[] =>
        value.type.shape.map(
          (_, axis) => list[pool.slidings.findIndex((sliding) => sliding.axis === axis)] ?? fallback,
        );
      const of = (pick: (sliding: Sliding) => Dim): readonly Dim[] => full(pool.slidings.map(pick), 1);
      const attributes = {
        window: of((sliding) => sliding.window),
        strides: of((sliding) => sliding.stride),
        low: full(padding.low, 0),
        high: full(padding.high, 0),
        dilation: of((sliding) => sliding.dilation),
      };
      return tensor(call.apply(name, [value, other], attributes, site));
    },
  };
}

const pooling = [window, ownStrides, paddingParameter, dilationParameter, ceilMode];
const axis: IntrinsicParameter = { name: "axis", kind: "axes", default: "all axes" };

export const pools: readonly Intrinsic[] = [
  {
    name: "max_pool",
    doc:
      "The largest element of each window over the spatial axes of x [batch, spatial..., channels]; padding is left out. The gradient goes " +
      "to the first of equal elements in row-major order.",
    parameters: [x, ...pooling],
    result: "y",
    build: maxPool,
  },
  {
    name: "average_pool",
    doc:
      "The mean of each window over the spatial axes of x [batch, spatial..., channels]: of the elements of x in it, or, with " +
      "`count_include_pad`, also of the zeros of the padding.",
    parameters: [x, ...pooling, { name: "count_include_pad", kind: "bool", default: "false" }],
    result: "y",
    build: averagePool,
  },
  {
    name: "lp_pool",
    doc: "The p-norm, (sum of |x|^p)^(1/p), of each window over the spatial axes of x [batch, spatial..., channels].",
    parameters: [x, ...pooling, { name: "p", kind: "float", default: "2" }],
    result: "y",
    build: lpPool,
  },
  {
    name: "reduce_window",
    doc: "The sum, max or min (`combiner`) of a window that slides over axes of x; padding is what the combiner ignores. max and min propagate NaN; their gradient goes to the first of equal elements.",
    parameters: [
      x,
      window,
      { name: "combiner", kind: "string", default: '"sum"', strings: ["sum", "max", "min"] },
      axis,
      stridesParameter,
      paddingParameter,
      dilationParameter,
      ceilMode,
    ],
    result: "y",
    build: slidingReduction,
  },
  {
    name: "windows",
    doc: opNamed("windows").doc,
    parameters: [x, window, axis, stridesParameter, dilationParameter],
    result: "y",
    build: slidingWindows,
  },
  selection("select_and_scatter", "source"),
  selection("select_and_gather", "values"),
];
