/** The steps of a random graph that read and write at positions known only at run time. */
import { isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { broadcastScalar, literal } from "../../compiler/ops/build.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import type { Choices } from "./choices.js";

interface Pool {
  readonly values: readonly Value[];
  readonly exact: ReadonlySet<Value>;
  /** Positions may lie outside, as far as their dtype goes. */
  readonly outside: boolean;
  readonly tooLarge: number;
}

interface Made {
  readonly value: Value;
  readonly exact: boolean;
}

interface Places {
  readonly axes: readonly number[];
  readonly indices: readonly Value[];
}

const shapeOf = (value: Value): readonly number[] => staticShape(value.type);
const dtypeOf = (value: Value): NumericDType => numericDType(value.type.dtype);
const apply = (op: string, inputs: readonly Value[], attributes = {}): Value =>
  opNamed(op).apply(inputs, attributes)[0] as Value;
const filled = (like: Value, value: number): Value =>
  broadcastScalar(literal(dtypeOf(like), [], [value]), like.type.shape);
/** Integers brought into [0, size), or wherever they lie. */
function inside(choices: Choices, value: Value, size: number, { outside }: Pool): Value {
  if (!outside) return apply("mod", [value, filled(value, size)]);
  const most = { i64: 2 ** 61, i32: 2 ** 30, i8: 64, u8: 128 }[dtypeOf(value) as "i64" | "i32" | "i8" | "u8"];
  switch (choices.below(4)) {
    case 0:
      return apply("mul", [value, filled(value, most)]);
    case 1:
      return apply("cast", [apply("wrap_index", [value], { size: [size] })], { to: dtypeOf(value) });
    default:
      return value;
  }
}

/** A gather, a scatter, or a dynamic slice that is read or written; all are exact where their operands are. */
export function atRunTimePositions(choices: Choices, x: Value, pool: Pool): Made | undefined {
  switch (choices.below(4)) {
    case 0:
      return gathered(choices, x, pool);
    case 1:
    case 2:
      return scattered(choices, x, pool);
    default:
      return box(choices, x, pool);
  }
}

/** Indices inside the axes, one tensor for each: of integers that are there, or along all axes of which all but one count. */
function placesIn(choices: Choices, shape: readonly number[], pool: Pool): Places | undefined {
  const { values, exact } = pool;
  if (shape.length === 0 || (shape.includes(0) && !pool.outside)) return undefined;
  const all = shape.map((_, axis) => axis);
  if (choices.below(3) === 0) {
    const [turned, step] = [choices.below(shape.length), choices.below(5)];
    const counts = all.map((axis) => apply("iota", [], { dtype: "i64", shape, axis }));
    const sum = counts.reduce((a, b) => apply("add", [a, b]));
    const other = apply("add", [sum, filled(sum, step)]);
    return {
      axes: all,
      indices: counts.map((count, axis) => (axis === turned ? inside(choices, other, shape[axis] ?? 1, pool) : count)),
    };
  }
  const chosen = choices.flags(all);
  const axes =
    chosen.length === 0 ? [choices.below(shape.length)] : choices.below(2) === 0 ? chosen : [...chosen].reverse();
  const integers = values.filter(
    (value) => isInteger(dtypeOf(value)) && exact.has(value) && elementCount(shapeOf(value)) <= 100,
  );
  const from = integers.length === 0 ? literal("i32", [3], [2, 0, 5]) : choices.of(integers);
  return {
    axes,
    indices: axes.map((axis, i) => {
      const moved = i === 0 ? from : apply("add", [from, filled(from, i)]);
      return inside(choices, moved, shape[axis] ?? 1, pool);
    }),
  };
}

function gathered(choices: Choices, x: Value, pool: Pool): Made | undefined {
  const places = placesIn(choices, shapeOf(x), pool);
  if (places === undefined) return undefined;
  const value = apply("gather", [x, ...places.indices], { axes: places.axes });
  return fits(value, pool) ? { value, exact: pool.exact.has(x) } : undefined;
}

/** What is put there is often what was there, at other places. */
function scattered(choices: Choices, x: Value, pool: Pool): Made | undefined {
  const places = placesIn(choices, shapeOf(x), pool);
  if (places === undefined) return undefined;
  const own = apply("gather", [x, ...places.indices], { axes: places.axes });
  if (!fits(own, pool)) return undefined;
  const updates = ofType(choices, own, pool);
  const combiner = choices.of(["add", "set", "max", "min", "mul"]);
  const value = apply("scatter", [x, updates, ...places.indices], { axes: places.axes, combiner });
  return { value, exact: pool.exact.has(x) && (updates === own || pool.exact.has(updates)) };
}

function box(choices: Choices, x: Value, pool: Pool): Made | undefined {
  const shape = shapeOf(x);
  const integers = pool.values.filter((value) => isInteger(dtypeOf(value)) && pool.exact.has(value));
  const from = integers.length === 0 ? literal("i64", [], [5]) : choices.of(integers);
  const start = apply("sum", [from], { axes: shapeOf(from).map((_, axis) => axis) });
  const sizes = shape.map((size) => Math.max(0, size - choices.below(4)));
  const starts = shape.map((size, axis) => inside(choices, start, size - (sizes[axis] ?? 0) + 1, pool));
  const own = apply("dynamic_slice", [x, ...starts], { sizes });
  if (choices.below(2) === 0) return { value: own, exact: pool.exact.has(x) };
  const updates = ofType(choices, own, pool);
  const value = apply("dynamic_update_slice", [x, updates, ...starts]);
  return { value, exact: pool.exact.has(x) && (updates === own || pool.exact.has(updates)) };
}

function ofType(choices: Choices, like: Value, { values }: Pool): Value {
  const alike = values.filter(
    (value) => dtypeOf(value) === dtypeOf(like) && shapeOf(value).join() === shapeOf(like).join(),
  );
  return choices.of([like, ...alike]);
}

function fits(value: Value, { tooLarge }: Pool): boolean {
  return elementCount(shapeOf(value)) <= tooLarge && value.type.shape.length <= 5;
}
