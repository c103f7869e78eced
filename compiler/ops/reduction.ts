import type { Dim } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { div } from "./arithmetic.js";
import { broadcastAlong, zerosLike } from "./build.js";
import { eq } from "./comparison.js";
import { cast } from "./conversion.js";
import { defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { emptyLike, isFloatName, readTransposed, wrap } from "./evaluate.js";
import { select } from "./logic.js";
import { OpError } from "./op_error.js";
import { type AttributesOf, bools, numbers, operand } from "./operands.js";
import { pullBackProduct } from "./product.js";
import { positionSamples, reduceSamples } from "./reduction_samples.js";
import { checkAxes, checkAxis, withoutAxes } from "./rules.js";
import { apart, uniform, values, wholeNumbers, withFixed } from "./samples.js";

type Axes = { readonly axes: "ints" };
type Axis = { readonly axis: "int" };

export const sum: UnaryOp<Axes> = defineOp({
  name: "sum",
  doc: "The sum over `axes`, which are removed from the shape; 0 over none. Integers wrap; f16 and bf16 are added in f32.",
  stablehlo: "reduce (add)",
  inputs: [operand("x", numbers)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("sum", types, axes),
  vjp: ({ inputs: [x], attributes: { axes }, dy }) => [broadcastAlong(dy, x.type.shape, axes)],
  kernel: { kind: "reduce", combiner: "sum" },
  reference: reduceEvaluator({ start: 0, float: (a, b) => a + b, i64: (a, b) => a + b }),
  samples: reduceSamples(uniform(-4, 4), true),
});

export const prod: UnaryOp<Axes> = defineOp({
  name: "prod",
  doc: "The product over `axes`, which are removed from the shape; 1 over none. Integers wrap. The gradient is right at zeros too.",
  stablehlo: "reduce (multiply)",
  inputs: [operand("x", numbers)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("prod", types, axes),
  vjp: ({ inputs: [x], attributes: { axes }, dy }) => [pullBackProduct(x, axes, dy)],
  kernel: { kind: "reduce", combiner: "product" },
  reference: reduceEvaluator({ start: 1, float: (a, b) => a * b, integer: Math.imul, i64: (a, b) => a * b }),
  samples: withFixed(
    reduceSamples(uniform(0.5, 2), true),
    { inputs: [{ shape: [5], fill: values(2, 0, 3, -1, 0.5) }], attributes: { axes: [0] } },
    { inputs: [{ shape: [4], fill: values(2, 0, 0, 5) }], attributes: { axes: [0] } },
  ),
});

export const max: UnaryOp<Axes> = defineOp({
  name: "max",
  doc:
    "The largest element over `axes`, which are removed from the shape; NaN when there is one; minus infinity, or the least " +
    "integer, over none. Equal largest elements share the gradient in equal parts.",
  stablehlo: "reduce (maximum)",
  inputs: [operand("x", numbers)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("max", types, axes),
  vjp: extremeGradient,
  kernel: { kind: "reduce", combiner: "max" },
  reference: reduceEvaluator({ start: "least", float: Math.max, i64: (a, b) => (a > b ? a : b) }),
  samples: reduceSamples(apart(), false),
});

export const min: UnaryOp<Axes> = defineOp({
  name: "min",
  doc:
    "The smallest element over `axes`, which are removed from the shape; NaN when there is one; infinity, or the greatest " +
    "integer, over none. Equal smallest elements share the gradient in equal parts.",
  stablehlo: "reduce (minimum)",
  inputs: [operand("x", numbers)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("min", types, axes),
  vjp: extremeGradient,
  kernel: { kind: "reduce", combiner: "min" },
  reference: reduceEvaluator({ start: "greatest", float: Math.min, i64: (a, b) => (a < b ? a : b) }),
  samples: reduceSamples(apart(), false),
});

export const all: UnaryOp<Axes> = defineOp({
  name: "all",
  doc: "Whether all elements over `axes` hold; true over none.",
  stablehlo: "reduce (and)",
  inputs: [operand("x", bools)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("all", types, axes),
  vjp: "bools have no gradient",
  kernel: { kind: "reduce", combiner: "and" },
  reference: reduceEvaluator({ start: 1, float: (a, b) => a & b }),
  samples: reduceSamples(wholeNumbers(0, 1), false),
});

export const any: UnaryOp<Axes> = defineOp({
  name: "any",
  doc: "Whether one or more elements over `axes` hold; false over none.",
  stablehlo: "reduce (or)",
  inputs: [operand("x", bools)],
  attributes: { axes: "ints" },
  infer: (types, { axes }) => reduced("any", types, axes),
  vjp: "bools have no gradient",
  kernel: { kind: "reduce", combiner: "or" },
  reference: reduceEvaluator({ start: 0, float: (a, b) => a | b }),
  samples: reduceSamples(wholeNumbers(0, 1), false),
});

export const argmax: UnaryOp<Axis> = defineOp({
  name: "argmax",
  doc: "The position (i64) of the largest element along an axis, which is removed; the first of equal ones; NaN is the largest. No gradient.",
  inputs: [operand("x", numbers)],
  attributes: { axis: "int" },
  infer: (types, { axis }) => position("argmax", types, axis),
  vjp: "argmax is piecewise constant",
  kernel: { kind: "arg_reduce", direction: "max" },
  reference: positionEvaluator((candidate, best) => candidate > best),
  samples: positionSamples(),
});

export const argmin: UnaryOp<Axis> = defineOp({
  name: "argmin",
  doc: "The position (i64) of the smallest element along an axis, which is removed; the first of equal ones; NaN is the smallest. No gradient.",
  inputs: [operand("x", numbers)],
  attributes: { axis: "int" },
  infer: (types, { axis }) => position("argmin", types, axis),
  vjp: "argmin is piecewise constant",
  kernel: { kind: "arg_reduce", direction: "min" },
  reference: positionEvaluator((candidate, best) => candidate < best),
  samples: positionSamples(),
});

function reduced(name: string, types: readonly TensorType[], axes: readonly number[]): TensorType {
  const type = types[0] as TensorType;
  checkAxes(name, "axes", axes, type.shape.length, 0);
  if (axes.some((axis, i) => i > 0 && axis < (axes[i - 1] as number))) {
    throw new OpError("G025", `${name} takes \`axes\` in ascending order, not [${axes.join(", ")}]`);
  }
  return withoutAxes(type, axes);
}

function position(name: string, types: readonly TensorType[], axis: number): TensorType {
  const type = types[0] as TensorType;
  checkAxis(name, "axis", axis, type.shape.length, 0);
  if (type.shape[axis] === 0) {
    const title = name === "argmax" ? "maximum" : "minimum";
    throw new OpError("G025", `an empty axis has no ${title}: axis ${axis} of ${typeText(type)}`, { operand: 0 });
  }
  return tensorType("i64", withoutAxes(type, [axis]).shape);
}

/** The elements that equal the result share dy in equal parts (as JAX does it). */
function extremeGradient({
  inputs: [x],
  attributes: { axes },
  y,
  dy,
}: {
  readonly inputs: readonly [Value];
  readonly attributes: AttributesOf<Axes>;
  readonly y: Value;
  readonly dy: Value;
}): readonly [Value] {
  const shape: readonly Dim[] = x.type.shape;
  const extreme = eq(x, broadcastAlong(y, shape, axes));
  const count = sum(cast(extreme, { to: x.type.dtype }), { axes });
  return [select(extreme, broadcastAlong(div(dy, count), shape, axes), zerosLike(x))];
}

interface Reduction {
  readonly start: number | "least" | "greatest";
  readonly float: (a: number, b: number) => number;
  readonly integer?: (a: number, b: number) => number;
  readonly i64?: (a: bigint, b: bigint) => bigint;
}

type ReduceCall = { readonly inputs: readonly ReferenceTensor[]; readonly attributes: AttributesOf<Axes> };

/** The reduced axes are made the last ones; then each run of elements is combined from the left. */
function reduceEvaluator({ start, float, integer = float, i64 }: Reduction) {
  return ({ inputs: [x], attributes: { axes } }: ReduceCall) => {
    const { dtype, shape, data } = x as ReferenceTensor;
    const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
    const rows = elementCount(kept.map((axis) => shape[axis] as number));
    const length = elementCount(axes.map((axis) => shape[axis] as number));
    const packed = readTransposed(data, shape, [...kept, ...axes]);
    const result = emptyLike(data, rows);
    if (packed instanceof BigInt64Array && result instanceof BigInt64Array && i64 !== undefined) {
      for (let row = 0; row < rows; row++) {
        let combined = startI64(start);
        for (let i = 0; i < length; i++) combined = wrap(i64(combined, packed[row * length + i] as bigint));
        result[row] = combined;
      }
      return [result];
    }
    const combine = isFloatName(dtype) ? float : integer;
    for (let row = 0; row < rows; row++) {
      let combined = startNumber(start, dtype);
      for (let i = 0; i < length; i++) combined = combine(combined, packed[row * length + i] as number);
      result[row] = combined as never;
    }
    return [result];
  };
}

function startI64(start: Reduction["start"]): bigint {
  if (start === "least") return -(2n ** 63n);
  return start === "greatest" ? 2n ** 63n - 1n : BigInt(start);
}

function startNumber(start: Reduction["start"], dtype: string): number {
  if (typeof start === "number") return start;
  const range = integerRanges.get(dtype) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return range[start === "least" ? 0 : 1];
}

const integerRanges: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["i32", [-(2 ** 31), 2 ** 31 - 1]],
  ["i8", [-128, 127]],
  ["u8", [0, 255]],
]);

type PositionCall = { readonly inputs: readonly ReferenceTensor[]; readonly attributes: AttributesOf<Axis> };

function positionEvaluator(beats: (candidate: number | bigint, best: number | bigint) => boolean) {
  return ({ inputs: [x], attributes: { axis } }: PositionCall) => {
    const { shape, data } = x as ReferenceTensor;
    const kept = shape.flatMap((_, i) => (i === axis ? [] : [i]));
    const packed = readTransposed(data, shape, [...kept, axis]);
    const length = shape[axis] as number;
    const result = new BigInt64Array(elementCount(kept.map((i) => shape[i] as number)));
    for (let row = 0; row < result.length; row++) {
      let best = 0;
      for (let i = 1; i < length; i++) {
        const leader = packed[row * length + best] as number | bigint;
        if (Number.isNaN(leader)) break;
        const candidate = packed[row * length + i] as number | bigint;
        if (Number.isNaN(candidate) || beats(candidate, leader)) best = i;
      }
      result[row] = BigInt(best);
    }
    return [result];
  };
}
