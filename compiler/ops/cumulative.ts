/** Running sums, products and extremes along an axis, and the linear recurrence that the gradients of products are. */
import type { Dim } from "../ir/dim.js";
import { subtractDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { alongAxis, forEachRow, rowSamples } from "./along.js";
import { mul } from "./arithmetic.js";
import { fill, zerosLike } from "./build.js";
import { checkIndex } from "./checks.js";
import { eq, gt, lt, ne } from "./comparison.js";
import { type BinaryOp, defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { emptyLike, isFloatName, wrap } from "./evaluate.js";
import { scatter } from "./indexing.js";
import { or, select } from "./logic.js";
import { type AttributesOf, floats, numbers, operand } from "./operands.js";
import { apart, uniform, values, withFixed } from "./samples.js";
import { concatenate, iota } from "./structure.js";
import { slice } from "./views.js";

type Running = { readonly axis: "int"; readonly reverse: "bool"; readonly exclusive: "bool" };
type Extreme = { readonly axis: "int"; readonly reverse: "bool" };
const running = { axis: "int", reverse: "bool", exclusive: "bool" } as const;
const wide =
  "f32 and narrower floats are carried in f64 and rounded at each place, so that the error does not grow along the axis";
const way = "`reverse` goes from the last element to the first, `exclusive` leaves each element out of its own result";

export const cumsum: UnaryOp<Running> = defineOp({
  name: "cumsum",
  doc: `The sum of all elements up to each one along an axis; ${way}. Integers wrap; ${wide}.`,
  stablehlo: "chlo.scan (add)",
  inputs: [operand("x", numbers)],
  attributes: running,
  infer: (types, { axis }) => alongAxis("cumsum", types, axis),
  vjp: ({ attributes: { axis, reverse, exclusive }, dy }) => [cumsum(dy, { axis, reverse: !reverse, exclusive })],
  kernel: { kind: "routine", routine: "cumsum", along: true },
  reference: runningEvaluator({ start: 0, float: (a, b) => a + b, i64: (a, b) => a + b }),
  samples: rowSamples<Running>((axis, reverse, exclusive) => ({ axis, reverse, exclusive })),
});

export const cumprod: UnaryOp<Running> = defineOp({
  name: "cumprod",
  doc: `The product of all elements up to each one along an axis; ${way}. Integers wrap; ${wide}. The gradient is right at zeros too.`,
  inputs: [operand("x", numbers)],
  attributes: running,
  infer: (types, { axis }) => alongAxis("cumprod", types, axis),
  vjp: ({ inputs: [x], attributes: { axis, reverse, exclusive }, dy }) => {
    // An exclusive product is an inclusive one, moved by one place.
    const inclusive = exclusive ? moved(dy, axis, !reverse, zerosLike(dy)) : dy;
    const before = cumprod(x, { axis, reverse, exclusive: true });
    // What later results make of x_j beside the product before it: g_j = dy_j + x_(j+1) g_(j+1).
    const factors = moved(x, axis, !reverse, zerosLike(x));
    return [mul(before, linearRecurrence(factors, inclusive, { axis, reverse: !reverse }))];
  },
  kernel: { kind: "routine", routine: "cumprod", along: true },
  reference: runningEvaluator({ start: 1, float: (a, b) => a * b, integer: Math.imul, i64: (a, b) => a * b }),
  samples: withFixed(
    rowSamples<Running>((axis, reverse, exclusive) => ({ axis, reverse, exclusive }), uniform(0.5, 1.5)),
    ...[false, true].map((exclusive) => ({
      inputs: [{ shape: [6], fill: values(2, 0, 3, -1, 0, 0.5) }],
      attributes: { axis: 0, reverse: false, exclusive },
    })),
  ),
});

export const linearRecurrence: BinaryOp<Extreme> = defineOp({
  name: "linear_recurrence",
  doc: `y with y_i = a_i * y_(i-1) + b_i along an axis, where y before the first place is 0; \`reverse\` starts at the last. ${wide[0]?.toUpperCase()}${wide.slice(1)}.`,
  inputs: [operand("a", floats), operand("b", floats)],
  attributes: { axis: "int", reverse: "bool" },
  infer: (types, { axis }) => alongAxis("linear_recurrence", types, axis),
  vjp: ({ inputs: [a], attributes: { axis, reverse }, y, dy }) => {
    const factors = moved(a, axis, !reverse, zerosLike(a));
    const db = linearRecurrence(factors, dy, { axis, reverse: !reverse });
    return [mul(db, moved(y, axis, reverse, zerosLike(y))), db];
  },
  kernel: { kind: "routine", routine: "linear_recurrence", along: true },
  reference: ({ inputs, attributes: { axis, reverse } }) => {
    const [a, b] = inputs as readonly [ReferenceTensor, ReferenceTensor];
    const result = new Float64Array(b.data.length);
    forEachRow(b, axis, (places) => {
      let state = 0;
      for (const place of reverse ? [...places].reverse() : places) {
        state = Number(a.data[place]) * state + Number(b.data[place]);
        result[place] = state;
      }
    });
    return [result];
  },
  samples: rowSamples<Extreme>((axis, reverse) => ({ axis, reverse }), uniform(-1, 1), 2),
});

export const cummax: UnaryOp<Extreme> = defineOp({
  name: "cummax",
  doc: "The largest of all elements up to each one along an axis, NaN from the first NaN on; `reverse` starts at the last. The gradient goes to the first of equal ones.",
  inputs: [operand("x", numbers)],
  attributes: { axis: "int", reverse: "bool" },
  infer: (types, { axis }) => alongAxis("cummax", types, axis),
  vjp: ({ inputs: [x], attributes, y, dy }) => [pullBackExtreme(x, y, dy, attributes, gt)],
  kernel: { kind: "routine", routine: "cummax", along: true },
  reference: runningEvaluator({ start: undefined, float: Math.max, i64: (a, b) => (a > b ? a : b) }),
  samples: rowSamples<Extreme>((axis, reverse) => ({ axis, reverse }), apart()),
});

export const cummin: UnaryOp<Extreme> = defineOp({
  name: "cummin",
  doc: "The smallest of all elements up to each one along an axis, NaN from the first NaN on; `reverse` starts at the last. The gradient goes to the first of equal ones.",
  inputs: [operand("x", numbers)],
  attributes: { axis: "int", reverse: "bool" },
  infer: (types, { axis }) => alongAxis("cummin", types, axis),
  vjp: ({ inputs: [x], attributes, y, dy }) => [pullBackExtreme(x, y, dy, attributes, lt)],
  kernel: { kind: "routine", routine: "cummin", along: true },
  reference: runningEvaluator({ start: undefined, float: Math.min, i64: (a, b) => (a < b ? a : b) }),
  samples: rowSamples<Extreme>((axis, reverse) => ({ axis, reverse }), apart()),
});

/** Each element's neighbour before it (after it, in reverse); `edge` has what stands at the end. */
function moved(x: Value, axis: number, reverse: boolean, edge: Value): Value {
  const { shape } = x.type;
  const size = shape[axis] as Dim;
  if (size === 0) return x;
  const last = subtractDims(size, 1);
  const cut = (of: Value, from: Dim, to: Dim): Value =>
    slice(of, {
      start: shape.map((_, i) => (i === axis ? from : 0)),
      limit: shape.map((dim, i) => (i === axis ? to : dim)),
      strides: shape.map(() => 1),
    });
  const one = cut(edge, 0, 1);
  return reverse ? concatenate([cut(x, 1, size), one], { axis }) : concatenate([one, cut(x, 0, last)], { axis });
}

/** Each cotangent goes to the place where the running extreme was first met. */
function pullBackExtreme(
  x: Value,
  y: Value,
  dy: Value,
  { axis, reverse }: AttributesOf<Extreme>,
  beats: typeof gt,
): Value {
  const { shape } = x.type;
  if (shape.includes(0)) return zerosLike(x);
  // A new extreme: what beats the one before it, a first NaN, and the first element.
  const before = moved(y, axis, reverse, zerosLike(y));
  const place = iota({ dtype: "i64", shape, axis });
  const size = shape[axis] as Dim;
  const firstPlace = reverse ? moved(place, axis, true, place) : place;
  const atStart = reverse ? lt(firstPlace, place) : eq(place, fill(place.type, 0));
  const alone = size === 1 ? eq(place, place) : atStart;
  const record = or(alone, or(beats(x, before), ne(x, x)));
  // Where there is no new one the last one stands: the places of new ones grow in the direction of the walk.
  const none = reverse ? fill(place.type, 2n ** 62n) : fill(place.type, -1);
  const marked = select(record, place, none);
  const origin = reverse ? cummin(marked, { axis, reverse }) : cummax(marked, { axis, reverse });
  const checked = checkIndex(origin, { size: [size] });
  const places = shape.map((_, i) => (i === axis ? checked : iota({ dtype: "i64", shape, axis: i })));
  return scatter(zerosLike(x), dy, places, { axes: shape.map((_, i) => i), combiner: "add" });
}

interface Step {
  /** Undefined: the first element. */
  readonly start: number | undefined;
  readonly float: (a: number, b: number) => number;
  readonly integer?: (a: number, b: number) => number;
  readonly i64: (a: bigint, b: bigint) => bigint;
}

function runningEvaluator({ start, float, integer = float, i64 }: Step) {
  return (call: {
    readonly inputs: readonly ReferenceTensor[];
    readonly attributes: { readonly axis: number; readonly reverse: boolean; readonly exclusive?: boolean };
  }) => {
    const [x] = call.inputs as readonly [ReferenceTensor];
    const { axis, reverse, exclusive = false } = call.attributes;
    const result = emptyLike(x.data, x.data.length);
    const combine = isFloatName(x.dtype) ? float : integer;
    const next = (a: number | bigint, b: number | bigint): number | bigint =>
      typeof a === "bigint" ? wrap(i64(a, BigInt(b))) : combine(a, Number(b));
    forEachRow(x, axis, (places) => {
      let state: number | bigint | undefined =
        start === undefined ? undefined : x.dtype === "i64" ? BigInt(start) : start;
      for (const place of reverse ? [...places].reverse() : places) {
        const element = x.data[place] as number | bigint;
        const combined = state === undefined ? element : next(state, element);
        result[place] = (exclusive ? (state ?? element) : combined) as never;
        state = combined;
      }
    });
    return [result];
  };
}
