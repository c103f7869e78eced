/** Reading and writing at positions that are known only at run time. */
import { type Dim, productOfDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { div, mul } from "./arithmetic.js";
import { fill, onesLike, zerosLike } from "./build.js";
import { failIndex } from "./checks.js";
import { eq, ne } from "./comparison.js";
import { cast } from "./conversion.js";
import { type CallableOp, defineOp, type ReferenceTensor } from "./define.js";
import { emptyLike, forEachElement, stridesOf } from "./evaluate.js";
import {
  checkCombiner,
  checkIndexedAxes,
  checkUpdates,
  type ScatterCombiner,
  scatterCombiner,
} from "./indexing_rules.js";
import { gatherSamples, scatterSamples } from "./indexing_samples.js";
import { and, select } from "./logic.js";
import { anyDType, integers, type Operand, operand, variadicOperand } from "./operands.js";
import { numericDType, roundNumber } from "./precision.js";
import { iota } from "./structure.js";
import { broadcastInDim, reshapeTo } from "./views.js";

type Single = Operand & { readonly variadic: false };
type Many = Operand & { readonly variadic: true };
type Axes = { readonly axes: "ints" };
type Scattering = { readonly axes: "ints"; readonly combiner: "string" };

/**
 * One index tensor for each indexed axis, instead of StableHLO's dimension numbers: batch axes are indices that count (`iota`),
 * which kernels turn into plain loops, and the other arrangements are transposes, which cost nothing.
 */
export const gather: CallableOp<readonly [Single, Many], Axes> = defineOp({
  name: "gather",
  doc:
    "The elements of x at run-time positions: `indices` has one tensor for each of `axes`, all of one shape. The result has that " +
    "shape, followed by the other axes of x. An index outside its axis fails the run (G086); negative ones are outside.",
  stablehlo: "gather",
  inputs: [operand("x", anyDType), variadicOperand("indices", integers, "I")],
  attributes: { axes: "ints" },
  infer: ([x, ...indices], { axes }) => {
    const points = checkIndexedAxes("gather", x as TensorType, indices, axes, 1);
    return tensorType((x as TensorType).dtype, [...points, ...slicedAxes(x as TensorType, axes)]);
  },
  vjp: ({ inputs: [x, indices], attributes: { axes }, dy }) => {
    // Many elements may come from one place: halves would stop growing, so they are added in single precision.
    const isHalf = x.type.dtype === "f16" || x.type.dtype === "bf16";
    const wide = isHalf ? cast(dy, { to: "f32" }) : dy;
    const sum = scatter(zerosLike(wide, x.type.shape), wide, indices, { axes, combiner: "add" });
    return [isHalf ? cast(sum, { to: x.type.dtype }) : sum, indices.map(() => undefined)];
  },
  kernel: { kind: "dynamic_view" },
  reference: ({ inputs: [x, ...indices], attributes: { axes }, outputs: [y] }) => {
    const { data, shape } = x as ReferenceTensor;
    const result = emptyLike(data, elementCount(y?.shape ?? []));
    if (result.length === 0) return [result];
    const walk = pointsOf(shape, indices, axes);
    let to = 0;
    walk.forEachPoint((base) => {
      forEachElement(walk.slice, (_, at) => {
        result[to++] = data[base + at] as never;
      });
    });
    return [result];
  },
  samples: gatherSamples,
});

export const scatter: CallableOp<readonly [Single, Single, Many], Scattering> = defineOp({
  name: "scatter",
  doc:
    "x with `updates` combined into it at run-time positions, given as in `gather`: `combiner` is set, add, mul, max or min (on bools " +
    "add and max are `or`, mul and min `and`). Updates are taken in row-major order: of several at one place the last one is set. An " +
    "index outside its axis fails the run (G086). Equal extremes share the gradient in equal parts.",
  stablehlo: "scatter",
  inputs: [operand("x", anyDType), operand("updates", anyDType), variadicOperand("indices", integers, "I")],
  attributes: { axes: "ints", combiner: "string" },
  infer: ([x, updates, ...indices], { axes, combiner }) => {
    const type = x as TensorType;
    const points = checkIndexedAxes("scatter", type, indices, axes, 2);
    checkUpdates(type, updates as TensorType, [...points, ...slicedAxes(type, axes)]);
    checkCombiner(combiner);
    return type;
  },
  vjp: ({ inputs: [x, updates, indices], attributes: { axes, combiner }, y, dy }) => {
    const [dx, dupdates] = pullBackScatter({ x, updates, indices, axes, y, dy }, scatterCombiner(combiner));
    return [dx, dupdates, indices.map(() => undefined)];
  },
  kernel: { kind: "dynamic_store" },
  reference: ({ inputs: [x, updates, ...indices], attributes: { axes, combiner } }) => {
    const { dtype, data, shape } = x as ReferenceTensor;
    const given = (updates as ReferenceTensor).data;
    const result = data.slice();
    const combine = combineReference(numericDType(dtype), scatterCombiner(combiner));
    const walk = pointsOf(shape, indices, axes);
    let from = 0;
    walk.forEachPoint((base) => {
      forEachElement(walk.slice, (_, at) => {
        result[base + at] = combine(result[base + at] as number | bigint, given[from++] as number | bigint) as never;
      });
    });
    return [result];
  },
  samples: scatterSamples,
});

function slicedAxes(x: TensorType, axes: readonly number[]): readonly Dim[] {
  return x.shape.filter((_, axis) => !axes.includes(axis));
}

interface Scattered {
  readonly x: Value;
  readonly updates: Value;
  readonly indices: readonly Value[];
  readonly axes: readonly number[];
  readonly y: Value;
  readonly dy: Value;
}

/** The cotangents of x and of the updates. */
function pullBackScatter(call: Scattered, combiner: ScatterCombiner): readonly [Value, Value] {
  const { x, updates, indices, axes, y, dy } = call;
  const read = (from: Value): Value => gather(from, indices, { axes });
  const zeros = zerosLike(updates);
  switch (combiner) {
    case "add":
      return [dy, read(dy)];
    case "set":
      return [
        scatter(dy, zeros, indices, { axes, combiner: "set" }),
        select(lastAtItsPlace(x, updates, indices, axes), read(dy), zeros),
      ];
    case "mul":
      return pullBackProducts(call);
    case "max":
    case "min": {
      // Equal extremes share the gradient in equal parts, the old element among them.
      const [kept, taken] = [eq(x, y), eq(updates, read(y))];
      const one = (flags: Value): Value => cast(flags, { to: x.type.dtype });
      const share = div(dy, scatter(one(kept), one(taken), indices, { axes, combiner: "add" }));
      return [select(kept, share, zerosLike(x)), select(taken, read(share), zeros)];
    }
  }
}

/** Where an update is the one that stays: the last at its place. All elements of a slice go the same way. */
function lastAtItsPlace(x: Value, updates: Value, indices: readonly Value[], axes: readonly number[]): Value {
  const [points] = indices.map((index) => index.type.shape) as [readonly Dim[]];
  const table = axes.map((axis) => x.type.shape[axis] as Dim);
  const count = productOfDims(points);
  const numbers = reshapeTo(iota({ dtype: "i64", shape: [count], axis: 0 }), points);
  const all = { axes: axes.map((_, i) => i) };
  const winners = scatter(fill(tensorType("i64", table), 0), numbers, indices, { ...all, combiner: "set" });
  const isLast = eq(gather(winners, indices, all), numbers);
  return broadcastInDim(isLast, { shape: updates.type.shape, axes: points.map((_, axis) => axis) });
}

/**
 * d(x u1 u2 ...) without a division by zero: where one factor is zero, it alone has a gradient, the product of the others. (Second
 * derivatives in two factors that are both zero come out as 0.)
 */
function pullBackProducts({ x, updates, indices, axes, dy }: Scattered): readonly [Value, Value] {
  const read = (from: Value): Value => gather(from, indices, { axes });
  const isZero = eq(updates, zerosLike(updates));
  const factors = select(isZero, onesLike(updates), updates);
  const product = scatter(x, factors, indices, { axes, combiner: "mul" });
  const counted = fill(tensorType("i32", x.type.shape), 0);
  const zeros = read(scatter(counted, cast(isZero, { to: "i32" }), indices, { axes, combiner: "add" }));
  const others = read(mul(dy, product));
  const onlyZero = and(isZero, eq(zeros, onesLike(zeros)));
  const has = ne(zeros, zerosLike(zeros));
  const dupdates = select(has, select(onlyZero, others, zerosLike(updates)), div(others, factors));
  return [scatter(dy, updates, indices, { axes, combiner: "mul" }), dupdates];
}

function combineReference(
  dtype: ReturnType<typeof numericDType>,
  combiner: ScatterCombiner,
): (old: number | bigint, update: number | bigint) => number | bigint {
  if (combiner === "set") return (_, update) => update;
  if (dtype === "i64") {
    const exact = {
      add: (a: bigint, b: bigint) => a + b,
      mul: (a: bigint, b: bigint) => a * b,
      max: maxOf,
      min: minOf,
    };
    return (old, update) => BigInt.asIntN(64, exact[combiner](old as bigint, update as bigint));
  }
  const isFloat = dtype.startsWith("f") || dtype === "bf16";
  const plain = {
    add: (a: number, b: number) => a + b,
    mul: isFloat ? times : Math.imul,
    max: Math.max,
    min: Math.min,
  };
  // Each result is rounded, as it is where it is stored.
  return (old, update) => roundNumber(dtype, plain[combiner](old as number, update as number));
}

const times = (a: number, b: number): number => a * b;
const maxOf = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The places that index tensors name in flat data: the start of each slice, in row-major order of the index tensors. */
function pointsOf(
  shape: readonly number[],
  indices: readonly (ReferenceTensor | undefined)[],
  axes: readonly number[],
) {
  const strides = stridesOf(shape);
  const rest = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const slice = {
    shape: rest.map((axis) => shape[axis] as number),
    offset: 0,
    strides: rest.map((axis) => strides[axis] as number),
  };
  const forEachPoint = (visit: (base: number) => void): void => {
    const count = indices[0]?.data.length ?? 0;
    const bases = new Float64Array(count);
    axes.forEach((axis, i) => {
      const size = shape[axis] as number;
      indices[i]?.data.forEach((index: number | bigint, point: number) => {
        if (index < 0 || index >= size) failIndex(index, size);
        bases[point] = (bases[point] as number) + Number(index) * (strides[axis] as number);
      });
    });
    bases.forEach(visit);
  };
  return { slice, forEachPoint };
}
