/** The types of a node's outputs, for the operators that stand inside graphs of several nodes. */
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import {
  broadcastShape,
  flattened,
  padsOf,
  partsOf,
  rangeCount,
  reshapedTo,
  sizesBetween,
  splitInto,
} from "./rules/shape.js";
import { fromStart, range, type View } from "./view.js";

export interface Type {
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
}

type Infer = (n: View) => readonly Type[];

const one = (dtype: NumericDType, shape: readonly number[]): readonly Type[] => [{ dtype, shape }];
const same: Infer = (n) => one(n.dtype(), n.shape());
const together = (n: View) =>
  range(n.count)
    .map((i) => n.shape(i))
    .reduce(broadcastShape);
const joined: Infer = (n) => one(n.dtype(), together(n));
const compared: Infer = (n) => one("bool", together(n));

const reduced: Infer = (n) => {
  const given = n.numbersOr(1, "axes") ?? [];
  if (given.length === 0 && n.flag("noop_with_empty_axes")) return same(n);
  const axes = (given.length === 0 ? range(n.rank()) : given).map((axis) => fromStart(axis, n.rank()));
  const keep = n.flag("keepdims", 1);
  return one(
    n.dtype(),
    n.shape().flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size])),
  );
};

/** New axes of size 1 at their places in the result. */
function unsqueezed(n: View): readonly number[] {
  const given = n.numbersOr(1, "axes") ?? [];
  const rank = n.rank() + given.length;
  const axes = given.map((axis) => fromStart(axis, rank));
  const sizes = [...n.shape()];
  return range(rank).map((axis) => (axes.includes(axis) ? 1 : (sizes.shift() ?? 1)));
}

function squeezed(n: View): readonly number[] {
  const axes = n.numbersOr(1, "axes")?.map((axis) => fromStart(axis, n.rank()));
  return n.shape().filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)));
}

function product(n: View): readonly number[] {
  const [a, b] = [n.shape(0), n.shape(1)];
  const rows = a.length === 1 ? [] : a.slice(-2, -1);
  const columns = b.length === 1 ? [] : b.slice(-1);
  return [...broadcastShape(a.slice(0, -2), b.slice(0, -2)), ...rows, ...columns];
}

function joinedAlong(n: View): readonly number[] {
  const axis = n.axis(0);
  const total = range(n.count).reduce((sum, i) => sum + (n.shape(i)[axis] ?? 0), 0);
  return n.shape().map((size, i) => (i === axis ? total : size));
}

function lossShape(n: View): readonly number[] {
  return n.text("reduction", "mean") === "none" ? n.shape(1) : [];
}

const sames = [
  ...["Abs", "Elu", "Erf", "Exp", "HardSigmoid", "Identity", "Log", "LogSoftmax", "Neg", "Not", "Reciprocal"],
  ...["Sigmoid", "Softmax", "Sqrt", "Swish", "Tanh"],
];
const joins = ["Add", "Div", "Max", "Min", "Mod", "Mul", "Pow", "Sub", "Sum"];
const comparisons = ["And", "Equal", "Greater", "Less", "Or"];
const reductions = ["ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"];

const table = new Map<string, Infer>([
  ...sames.map((op) => [op, same] as const),
  ...joins.map((op) => [op, joined] as const),
  ...comparisons.map((op) => [op, compared] as const),
  ...reductions.map((op) => [op, reduced] as const),
  ["Cast", (n) => one(n.dtypeAttribute("to") ?? n.dtype(), n.shape())],
  ["CastLike", (n) => one(n.dtype(1), n.shape())],
  ["Where", (n) => one(n.dtype(1), together(n))],
  ["Concat", (n) => one(n.dtype(), joinedAlong(n))],
  ["ConstantOfShape", (n) => one(n.tensor("value")?.dtype ?? "f32", n.numbers(0))],
  ["Expand", (n) => one(n.dtype(), broadcastShape(n.shape(), n.numbers(1)))],
  ["Flatten", (n) => one(n.dtype(), flattened(n))],
  [
    "Gather",
    (n) => one(n.dtype(), [...n.shape().slice(0, n.axis(0)), ...n.shape(1), ...n.shape().slice(n.axis(0) + 1)]),
  ],
  ["GatherElements", (n) => one(n.dtype(), n.shape(1))],
  ["MatMul", (n) => one(n.dtype(), product(n))],
  ["NegativeLogLikelihoodLoss", (n) => one(n.dtype(), lossShape(n))],
  [
    "Pad",
    (n) => {
      const { low, high } = padsOf(n);
      return one(
        n.dtype(),
        n.shape().map((size, i) => size + (low[i] ?? 0) + (high[i] ?? 0)),
      );
    },
  ],
  ["Range", (n) => one(n.dtype(), [rangeCount(n)])],
  ["Reshape", (n) => one(n.dtype(), reshapedTo(n))],
  [
    "Shape",
    (n) => {
      const [start, end] = sizesBetween(n);
      return one("i64", [end - start]);
    },
  ],
  ["Size", () => one("i64", [])],
  [
    "Slice",
    (n) =>
      one(
        n.dtype(),
        partsOf(n).map(({ count }) => count),
      ),
  ],
  [
    "Split",
    (n) =>
      splitInto(n).map((size) => ({
        dtype: n.dtype(),
        shape: n.shape().map((old, i) => (i === n.axis(0) ? size : old)),
      })),
  ],
  ["Squeeze", (n) => one(n.dtype(), squeezed(n))],
  [
    "Transpose",
    (n) =>
      one(
        n.dtype(),
        (n.ints("perm") ?? range(n.rank()).toReversed()).map((axis) => n.shape()[axis] ?? 0),
      ),
  ],
  ["Unsqueeze", (n) => one(n.dtype(), unsqueezed(n))],
]);

/** Undefined where no row says what the operator gives. */
export function typesOf(n: View): readonly Type[] | undefined {
  return table.get(n.op)?.(n);
}
