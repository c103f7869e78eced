import type { DType } from "../../../compiler/ir/dtype.js";
import { abs, add, div, maximum, minimum, mul, neg, pow, sub } from "../../../compiler/ops/arithmetic.js";
import { constantLike } from "../../../compiler/ops/build.js";
import { eq, ge, isFinite as isFiniteOp, le, ne } from "../../../compiler/ops/comparison.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { and, or, xor } from "../../../compiler/ops/logic.js";
import { input } from "../ir/support.js";
import { declines, exact, type Row } from "./rows.js";

const x = input("x", "f32", [40]);
const y = input("y", "f32", [40]);
const n = input("n", "i32", [40]);
const m = input("m", "i32", [40]);
const wide = input("wide", "i64", [40]);
const bytes = input("bytes", "u8", [40]);
const half = input("half", "f16", [40]);
const truth = input("truth", "bool", [40]);
const c = (value: number) => constantLike(x, value);
const k = (value: number) => constantLike(n, value);

const casts = (from: DType, via: DType, to: DType) => cast(cast(input("from", from, [40]), { to: via }), { to });

export const arithmeticRows: readonly Row[] = [
  exact("add-constant-right", add(c(2), x), add(x, c(2))),
  declines("add-constant-right", add(x, y)),
  declines("add-constant-right", add(c(1), c(2))),
  exact("mul-constant-right", mul(c(2), x), mul(x, c(2))),
  exact("maximum-constant-right", maximum(c(2), x)),
  exact("minimum-constant-right", minimum(c(2), x)),
  exact("eq-constant-right", eq(c(1), x)),
  exact("ne-constant-right", ne(c(1), x)),
  exact("and-constant-right", and(k(6), n)),
  exact("or-constant-right", or(k(6), n)),
  exact("xor-constant-right", xor(k(6), n)),

  exact("add-negative-zero", add(x, c(-0)), x),
  declines("add-negative-zero", add(x, c(0))),
  exact("add-zero", add(k(0), n), n),
  declines("add-zero", add(x, c(0))),
  exact("sub-zero", sub(x, c(0)), x),
  exact("sub-zero", sub(wide, constantLike(wide, 0)), wide),
  declines("sub-zero", sub(x, c(-0))),
  exact("negative-zero-sub", sub(c(-0), x), neg(x)),
  exact("zero-sub", sub(k(0), n), neg(n)),
  declines("zero-sub", sub(c(0), x)),
  exact("sub-self", sub(n, n)),
  declines("sub-self", sub(x, x)),
  exact("add-neg", add(x, neg(y)), sub(x, y)),
  exact("add-neg", add(neg(x), y), sub(y, x)),
  exact("sub-neg", sub(x, neg(y)), add(x, y)),
  exact("neg-sub", neg(sub(n, m)), sub(m, n)),
  declines("neg-sub", neg(sub(x, y))),
  exact("add-add-constant", add(add(bytes, constantLike(bytes, 200)), constantLike(bytes, 100))),
  declines("add-add-constant", add(add(x, c(2)), c(3))),

  exact("mul-one", mul(x, c(1)), x),
  exact("mul-one", mul(constantLike(wide, 1), wide), wide),
  declines("mul-one", mul(x, c(1.0000001))),
  exact("mul-minus-one", mul(x, c(-1)), neg(x)),
  exact("mul-zero", mul(n, k(0)), k(0)),
  declines("mul-zero", mul(x, c(0))),
  exact("mul-neg-neg", mul(neg(x), neg(y)), mul(x, y)),
  exact("mul-neg-constant", mul(neg(x), c(3))),
  exact("mul-neg-constant", mul(neg(bytes), constantLike(bytes, 3))),
  exact("neg-mul-constant", neg(mul(x, c(3)))),
  exact("mul-mul-constant", mul(mul(n, k(70000)), k(70000))),
  declines("mul-mul-constant", mul(mul(x, c(3)), c(3))),
  exact("div-one", div(x, c(1)), x),
  exact("div-minus-one", div(x, c(-1)), neg(x)),
  exact("div-neg-neg", div(neg(x), neg(y)), div(x, y)),
  exact("div-power-of-two", div(x, c(256)), mul(x, c(1 / 256))),
  exact("div-power-of-two", div(x, c(-0.25)), mul(x, c(-4))),
  exact("div-power-of-two", div(half, constantLike(half, 1024))),
  declines("div-power-of-two", div(x, c(255))),
  declines("div-power-of-two", div(half, constantLike(half, 2 ** -24))),
  declines("div-power-of-two", div(x, c(0))),

  exact("pow-zero", pow(x, c(0)), c(1)),
  exact("pow-zero", pow(x, c(-0)), c(1)),
  exact("pow-zero", pow(wide, constantLike(wide, 0))),
  exact("pow-one", pow(x, c(1)), x),
  exact("pow-two", pow(x, c(2)), mul(x, x)),
  exact("pow-two", pow(bytes, constantLike(bytes, 2))),
  { ...exact("pow-three", pow(x, c(3))), tolerance: { relative: 3e-7, signedZeros: true } },
  exact("pow-three", pow(n, k(3))),
  { ...exact("pow-four", pow(x, c(4))), tolerance: { relative: 3e-7, signedZeros: true } },
  exact("pow-four", pow(wide, constantLike(wide, 4))),
  exact("pow-minus-one", pow(x, c(-1)), div(c(1), x)),
  declines("pow-minus-one", pow(n, k(-1))),

  exact("neg-neg", neg(neg(x)), x),
  exact("abs-neg", abs(neg(x)), abs(x)),
  exact("abs-neg", abs(neg(n)), abs(n)),
  exact("abs-abs", abs(abs(x)), abs(x)),

  exact("maximum-self", maximum(x, x), x),
  exact("minimum-self", minimum(x, x), x),
  exact("maximum-again", maximum(x, maximum(y, x)), maximum(y, x)),
  exact("minimum-again", minimum(minimum(x, y), y), minimum(x, y)),
  exact("maximum-maximum-constant", maximum(maximum(x, c(1)), c(2))),
  exact("minimum-minimum-constant", minimum(minimum(n, k(1)), k(2))),
  exact("eq-maximum", eq(x, maximum(x, y)), ge(x, y)),
  exact("eq-maximum", eq(maximum(y, x), x), ge(x, y)),
  exact("eq-minimum", eq(x, minimum(x, y)), le(x, y)),

  exact("cast-identity", cast(x, { to: "f32" }), x),
  exact("cast-cast", casts("f16", "f32", "f16"), cast(input("from", "f16", [40]), { to: "f16" })),
  exact("cast-cast", casts("f32", "f64", "i32")),
  exact("cast-cast", casts("f32", "f64", "bf16")),
  exact("cast-cast", casts("i32", "i64", "u8")),
  exact("cast-cast", casts("u8", "f32", "i32")),
  exact("cast-cast", casts("bool", "f32", "i64")),
  exact("cast-cast", casts("u8", "bf16", "bool")),
  declines("cast-cast", casts("u8", "f32", "i8")),
  declines("cast-cast", casts("i32", "f64", "u8")),
  declines("cast-cast", casts("f32", "i32", "f32")),
  declines("cast-cast", casts("f64", "f32", "f64")),
  declines("cast-cast", casts("i64", "f64", "i64")),
  exact("is-finite-cast", isFiniteOp(cast(half, { to: "f32" })), isFiniteOp(half)),
  declines("is-finite-cast", isFiniteOp(cast(x, { to: "f16" }))),
  declines("and-constant-right", and(truth, truth)),
];
