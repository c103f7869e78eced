import type { DType } from "../../../compiler/ir/dtype.js";
import { add, mul, neg } from "../../../compiler/ops/arithmetic.js";
import { constantLike } from "../../../compiler/ops/build.js";
import { dotGeneral } from "../../../compiler/ops/contraction.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { exp } from "../../../compiler/ops/exponential.js";
import { all, any, max, min, prod, sum } from "../../../compiler/ops/reduction.js";
import { broadcastInDim, transpose } from "../../../compiler/ops/views.js";
import { input } from "../ir/support.js";
import { close, declines, exact, type Row, upToZeros } from "./rows.js";
import { tame } from "./support.js";

const operand = (dtype: DType) => (op: { readonly opName: string }, shape: readonly number[]) =>
  input(`${op.opName}-${shape.join("-")}`, op.opName === "all" || op.opName === "any" ? "bool" : dtype, shape);
const floats = operand("f32");

/** What holds for every reduction; sums are compared up to rounding and zeros, the others exactly. */
const common: readonly Row[] = [sum, prod, max, min, all, any].flatMap((op) => {
  const name = op.opName;
  const rounds = op === sum || op === prod;
  const merged = (rule: string, before: Row["before"]) => (rounds ? close(rule, before, tame) : exact(rule, before));
  return [
    upToZeros(`${name}-nothing`, op(floats(op, [3, 4]), { axes: [] })),
    upToZeros(`${name}-unit-axes`, op(floats(op, [3, 1, 4]), { axes: [1] })),
    merged(`${name}-unit-axes`, op(floats(op, [3, 1, 4]), { axes: [0, 1] })),
    declines(`${name}-unit-axes`, op(floats(op, [3, 1, 4]), { axes: [0] })),
    merged(`${name}-${name}`, op(op(floats(op, [3, 4, 5]), { axes: [1] }), { axes: [1] })),
    merged(`${name}-${name}`, op(op(floats(op, [3, 4, 5]), { axes: [0, 2] }), { axes: [0] })),
    merged(`${name}-transpose`, op(transpose(floats(op, [3, 4, 5]), { permutation: [2, 0, 1] }), { axes: [0] })),
    merged(`${name}-transpose`, op(transpose(floats(op, [3, 4, 5]), { permutation: [2, 1, 0] }), { axes: [1] })),
  ];
});

const vector = input("vector", "f32", [4]);
const many = input("many", "i32", [4]);
const repeated = (value: typeof vector) => broadcastInDim(value, { shape: [3, 4, 5], axes: [1] });

const broadcasts: readonly Row[] = [
  close(
    "sum-broadcast",
    sum(repeated(vector), { axes: [0, 2] }),
    tame,
    mul(vectorOf(vector), constantLike(vector, 15)),
  ),
  close("sum-broadcast", sum(repeated(vector), { axes: [0, 1, 2] }), tame),
  exact("sum-broadcast", sum(repeated(many), { axes: [0, 1] })),
  declines("sum-broadcast", sum(repeated(vector), { axes: [1] })),
  declines("sum-broadcast", sum(broadcastInDim(vector, { shape: [0, 4], axes: [1] }), { axes: [0] })),
  declines(
    "sum-broadcast",
    sum(broadcastInDim(input("h", "f16", [2]), { shape: [2049, 2], axes: [1] }), { axes: [0] }),
  ),
  exact("max-broadcast", max(repeated(vector), { axes: [0] })),
  exact("max-broadcast", max(repeated(vector), { axes: [0, 1] })),
  declines("max-broadcast", max(broadcastInDim(vector, { shape: [0, 4], axes: [1] }), { axes: [0] })),
  exact("min-broadcast", min(repeated(vector), { axes: [2] })),
  exact("all-broadcast", all(repeated(input("flag", "bool", [4])), { axes: [0, 2] })),
  exact("any-broadcast", any(repeated(input("flag", "bool", [4])), { axes: [0] })),
  declines("prod-broadcast", prod(repeated(vector), { axes: [0] })),
];

/** After the copies are gone a broadcast to the same shape is left for the view rules. */
function vectorOf(value: typeof vector): typeof vector {
  return broadcastInDim(value, { shape: [4], axes: [0] });
}

const negatives: readonly Row[] = [
  close("sum-neg", sum(neg(input("x", "f32", [3, 4])), { axes: [1] }), tame),
  exact("sum-neg", sum(neg(input("x", "i64", [3, 4])), { axes: [0, 1] })),
];

const a = input("a", "f32", [3, 4]);
const b = input("b", "f32", [5, 4]);
const stack = input("stack", "f32", [4, 2, 3]);
const none = { lhs_batch: [], rhs_batch: [] };

const contractions: readonly Row[] = [
  exact(
    "dot-transpose-left",
    dotGeneral(transpose(a, { permutation: [1, 0] }), b, { ...none, lhs_contract: [0], rhs_contract: [1] }),
    dotGeneral(a, b, { ...none, lhs_contract: [1], rhs_contract: [1] }),
  ),
  exact(
    "dot-transpose-left",
    dotGeneral(transpose(stack, { permutation: [1, 2, 0] }), input("s", "f32", [2, 4, 5]), {
      lhs_batch: [0],
      rhs_batch: [0],
      lhs_contract: [2],
      rhs_contract: [1],
    }),
  ),
  declines(
    "dot-transpose-left",
    dotGeneral(transpose(stack, { permutation: [2, 1, 0] }), b, { ...none, lhs_contract: [2], rhs_contract: [1] }),
  ),
  exact(
    "dot-transpose-right",
    dotGeneral(a, transpose(b, { permutation: [1, 0] }), { ...none, lhs_contract: [1], rhs_contract: [0] }),
    dotGeneral(a, b, { ...none, lhs_contract: [1], rhs_contract: [1] }),
  ),
  close(
    "transpose-dot",
    transpose(dotGeneral(a, b, { ...none, lhs_contract: [1], rhs_contract: [1] }), { permutation: [1, 0] }),
    tame,
    dotGeneral(b, a, { ...none, lhs_contract: [1], rhs_contract: [1] }),
  ),
  close(
    "transpose-dot",
    transpose(
      dotGeneral(stack, input("s", "f32", [5, 4, 3]), {
        lhs_batch: [0],
        rhs_batch: [1],
        lhs_contract: [2],
        rhs_contract: [2],
      }),
      { permutation: [0, 2, 1] },
    ),
    tame,
  ),
  declines(
    "transpose-dot",
    transpose(dotGeneral(a, input("v", "f32", [4]), { ...none, lhs_contract: [1], rhs_contract: [0] }), {
      permutation: [0],
    }),
  ),
];

const scalar = input("scalar", "f32");
const wideScalar = broadcastInDim(scalar, { shape: [3, 4], axes: [] });

const sinking: readonly Row[] = [
  exact("elementwise-of-broadcasts", exp(wideScalar), broadcastInDim(exp(scalar), { shape: [3, 4], axes: [] })),
  exact("elementwise-of-broadcasts", add(repeated(vector), repeated(input("other", "f32", [4])))),
  exact("elementwise-of-broadcasts", mul(repeated(vector), constantLike(repeated(vector), 3))),
  exact("elementwise-of-broadcasts", cast(repeated(vector), { to: "i32" })),
  declines(
    "elementwise-of-broadcasts",
    add(wideScalar, broadcastInDim(input("row", "f32", [4]), { shape: [3, 4], axes: [1] })),
  ),
];

export const reductionRows: readonly Row[] = [...common, ...broadcasts, ...negatives, ...contractions, ...sinking];
