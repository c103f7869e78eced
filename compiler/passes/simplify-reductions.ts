/**
 * Rules on reductions and contractions. The order in which a sum is formed is not specified, nor which zero a sum of zeros is
 * (over one element -0 the reference gives 0, a reshape -0), so that a sum may be split, merged or dropped.
 */
import { type Dim, dimEquals } from "../ir/dim.js";
import type { NumericDType } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { mul, neg } from "../ops/arithmetic.js";
import { broadcastScalar, constantLike } from "../ops/build.js";
import { dotGeneral } from "../ops/contraction.js";
import { roundNumber } from "../ops/precision.js";
import { all, any, max, min, prod, sum } from "../ops/reduction.js";
import { opNamed } from "../ops/table.js";
import { broadcastInDim, reshapeTo, transpose, transposeTo } from "../ops/views.js";
import { as, is, node, some } from "./pattern.js";
import { type Rule, rule, ruleForAny } from "./rule.js";
import { inputOf, intsOf, isIncreasing, otherAxes, scalarLike, scalarOf, staticSizes } from "./values.js";

const x = some("x");

const reductions = [sum, prod, max, min, all, any] as const;
type Reduction = (typeof reductions)[number];

function rulesOf(op: Reduction): readonly Rule[] {
  return [
    rule(`${op.opName}-nothing`, as("y", is(op, x)), (b) => (intsOf(b.y, "axes").length === 0 ? b.x : undefined)),
    rule(`${op.opName}-unit-axes`, as("y", is(op, x)), (b) => {
      const axes = intsOf(b.y, "axes");
      const unit = axes.filter((axis) => b.x.type.shape[axis] === 1);
      if (unit.length === 0) return undefined;
      const kept = otherAxes(b.x.type.shape.length, unit);
      const squeezed = reshapeTo(
        b.x,
        kept.map((axis) => b.x.type.shape[axis] as Dim),
      );
      return reduceOver(
        op,
        squeezed,
        axes.filter((axis) => !unit.includes(axis)).map((axis) => kept.indexOf(axis)),
      );
    }),
    rule(`${op.opName}-${op.opName}`, as("y", is(op, as("inner", is(op, x)))), (b) => {
      const first = intsOf(b.inner, "axes");
      const kept = otherAxes(b.x.type.shape.length, first);
      return op(b.x, {
        axes: [...first, ...intsOf(b.y, "axes").map((axis) => kept[axis] as number)].sort((p, q) => p - q),
      });
    }),
    rule(`${op.opName}-transpose`, as("y", is(op, as("inner", is(transpose, x)))), (b) => {
      const permutation = intsOf(b.inner, "permutation");
      const axes = intsOf(b.y, "axes").map((axis) => permutation[axis] as number);
      const kept = otherAxes(permutation.length, intsOf(b.y, "axes")).map((axis) => permutation[axis] as number);
      const ascending = [...kept].sort((p, q) => p - q);
      return transposeTo(
        op(b.x, { axes: axes.sort((p, q) => p - q) }),
        kept.map((axis) => ascending.indexOf(axis)),
      );
    }),
    rule(`${op.opName}-broadcast`, as("y", is(op, node("inner", broadcastInDim))), (b) =>
      reduceBroadcast(op, b.y, b.inner),
    ),
  ];
}

function reduceOver(op: Reduction, operand: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? operand : op(operand, { axes });
}

/** The copies along a repeated axis are equal: n of them sum to n times one, and are as large as one. */
function reduceBroadcast(op: Reduction, y: Value, inner: Value): Value | undefined {
  if (op === prod) return undefined;
  const shape = inner.type.shape;
  const mapped = intsOf(inner, "axes");
  const axes = intsOf(y, "axes");
  const operand = inputOf(inner);
  const repeated = axes.filter((axis) => !mapped.includes(axis));
  const sizes = staticSizes(repeated.map((axis) => shape[axis] as Dim));
  const count = sizes?.reduce((product, size) => product * size, 1);
  // Over no copies at all a reduction gives its start value, whatever the operand.
  if (repeated.length === 0 || count === undefined || count === 0) return undefined;
  if (!mapped.every((to, from) => dimEquals(shape[to] as Dim, operand.type.shape[from] as Dim))) return undefined;
  const kept = otherAxes(shape.length, repeated);
  const once = broadcastInDim(operand, {
    shape: kept.map((axis) => shape[axis] as Dim),
    axes: mapped.map((axis) => kept.indexOf(axis)),
  });
  const rest = axes.filter((axis) => !repeated.includes(axis)).map((axis) => kept.indexOf(axis));
  if (op !== sum) return reduceOver(op, once, rest);
  const dtype = y.type.dtype as NumericDType;
  if (dtype !== "i64" && roundNumber(dtype, count) !== count) return undefined;
  const one = reduceOver(sum, once, rest);
  return mul(one, constantLike(one, count));
}

const negatives: readonly Rule[] = [
  // Rounding does not depend on the sign.
  rule("sum-neg", as("y", is(sum, is(neg, x))), (b) => neg(sum(b.x, { axes: intsOf(b.y, "axes") }))),
];

interface ContractionAxes {
  readonly lhs_batch: readonly number[];
  readonly rhs_batch: readonly number[];
  readonly lhs_contract: readonly number[];
  readonly rhs_contract: readonly number[];
}

function contractionOf(y: Value): ContractionAxes {
  return {
    lhs_batch: intsOf(y, "lhs_batch"),
    rhs_batch: intsOf(y, "rhs_batch"),
    lhs_contract: intsOf(y, "lhs_contract"),
    rhs_contract: intsOf(y, "rhs_contract"),
  };
}

const contractions: readonly Rule[] = [
  // Batch and contracted axes are named by number; the free ones must keep their order.
  rule("dot-transpose-left", as("y", is(dotGeneral, as("t", is(transpose, x)), some("rhs"))), (b) => {
    const axes = contractionOf(b.y);
    const moved = movedAxes(b.t, axes.lhs_batch, axes.lhs_contract);
    return moved === undefined
      ? undefined
      : dotGeneral(b.x, b.rhs, { ...axes, lhs_batch: moved.batch, lhs_contract: moved.contract });
  }),
  rule("dot-transpose-right", as("y", is(dotGeneral, some("lhs"), as("t", is(transpose, x)))), (b) => {
    const axes = contractionOf(b.y);
    const moved = movedAxes(b.t, axes.rhs_batch, axes.rhs_contract);
    return moved === undefined
      ? undefined
      : dotGeneral(b.lhs, b.x, { ...axes, rhs_batch: moved.batch, rhs_contract: moved.contract });
  }),
  // (a b)^T is b^T a^T: the operands change places instead of the elements of the result.
  rule("transpose-dot", as("t", is(transpose, as("y", is(dotGeneral, some("lhs"), some("rhs"))))), (b) => {
    const axes = contractionOf(b.y);
    const batch = axes.lhs_batch.length;
    const left = b.lhs.type.shape.length - batch - axes.lhs_contract.length;
    const rank = b.y.type.shape.length;
    if (left === 0 || left === rank - batch) return undefined;
    const all = otherAxes(rank, []);
    const swapped = [...all.slice(0, batch), ...all.slice(batch + left), ...all.slice(batch, batch + left)];
    if (!intsOf(b.t, "permutation").every((axis, i) => axis === swapped[i])) return undefined;
    return dotGeneral(b.rhs, b.lhs, {
      lhs_batch: axes.rhs_batch,
      rhs_batch: axes.lhs_batch,
      lhs_contract: axes.rhs_contract,
      rhs_contract: axes.lhs_contract,
    });
  }),
];

function movedAxes(
  transposed: Value,
  batch: readonly number[],
  contract: readonly number[],
): { readonly batch: readonly number[]; readonly contract: readonly number[] } | undefined {
  const permutation = intsOf(transposed, "permutation");
  const origin = (axis: number): number => permutation[axis] as number;
  const free = otherAxes(permutation.length, [...batch, ...contract]).map(origin);
  return isIncreasing(free) ? { batch: batch.map(origin), contract: contract.map(origin) } : undefined;
}

/** An element-wise op on operands that all repeat along the same axes is computed once for each element that is repeated. */
const sinking: readonly Rule[] = [
  ruleForAny("elementwise-of-broadcasts", (y) => {
    if (opNamed(y.node.op).kernel.kind !== "elementwise") return undefined;
    const repeated = y.node.inputs.filter((input) => scalarOf(input) === undefined);
    const [first] = repeated;
    if (
      first === undefined ||
      !repeated.every((input) => input.node.op === "broadcast_in_dim" && sameSource(input, first))
    ) {
      return undefined;
    }
    const source = inputOf(first);
    const inputs = y.node.inputs.map((input) => {
      const scalar = scalarOf(input);
      return scalar === undefined ? inputOf(input) : scalarLike(scalar, source);
    });
    const [once] = opNamed(y.node.op).apply(inputs, y.node.attributes);
    return once === undefined ? undefined : repeatLike(once, first);
  }),
];

function sameSource(a: Value, b: Value): boolean {
  const [left, right] = [inputOf(a).type.shape, inputOf(b).type.shape];
  const [axes, others] = [intsOf(a, "axes"), intsOf(b, "axes")];
  return (
    axes.length === others.length &&
    axes.every((axis, i) => axis === others[i] && dimEquals(left[i] as Dim, right[i] as Dim))
  );
}

function repeatLike(operand: Value, like: Value): Value {
  const shape = like.type.shape;
  return operand.type.shape.length === 0
    ? broadcastScalar(operand, shape)
    : broadcastInDim(operand, { shape, axes: intsOf(like, "axes") });
}

export const reductionRules: readonly Rule[] = [
  ...reductions.flatMap(rulesOf),
  ...negatives,
  ...contractions,
  ...sinking,
];
