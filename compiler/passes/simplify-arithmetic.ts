/**
 * Rules on numbers. On floats only what IEEE 754 gives for every operand, NaN, infinities and zeros of both signs included:
 * x * 0 -> 0 and x - x -> 0 are wrong for NaN, and x + 0 -> x for -0. Subnormals count as zeros. Integers wrap, so for them the
 * laws of a ring hold.
 */
import { isFloat, isInteger, type NumericDType } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { abs, add, div, maximum, minimum, mul, neg, pow, sub } from "../ops/arithmetic.js";
import { constantLike } from "../ops/build.js";
import { eq, ge, isFinite as isFiniteOp, le, ne } from "../ops/comparison.js";
import { cast } from "../ops/conversion.js";
import type { BinaryOp } from "../ops/define.js";
import { and, or, xor } from "../ops/logic.js";
import { roundNumber } from "../ops/precision.js";
import { as, constant, either, is, number, some } from "./pattern.js";
import { type Rule, rule } from "./rule.js";
import { splatOf } from "./values.js";

const x = some("x");
const y = some("y");
const c = constant("c");

const float = (value: Value): boolean => isFloat(value.type.dtype);
const integer = (value: Value): boolean => isInteger(value.type.dtype);

/** Constants stand on the right, so that the other rules look for them on one side only. */
const commutative: readonly BinaryOp[] = [add, mul, maximum, minimum, eq, ne, and, or, xor];
const order: readonly Rule[] = commutative.map((op) =>
  rule(`${op.opName}-constant-right`, is(op, c, y), (b) => (splatOf(b.y) === undefined ? op(b.y, b.c) : undefined)),
);

const sums: readonly Rule[] = [
  // x + -0 is x, also for x = -0; x + 0 would make it 0.
  rule("add-negative-zero", either(add, x, number(-0)), (b) => b.x),
  rule(
    "add-zero",
    either(add, x, number(0)),
    (b) => b.x,
    (b) => integer(b.x),
  ),
  // -0 - 0 is -0, so this one holds for floats too.
  rule("sub-zero", is(sub, x, number(0)), (b) => b.x),
  rule("negative-zero-sub", is(sub, number(-0), x), (b) => neg(b.x)),
  rule(
    "zero-sub",
    is(sub, number(0), x),
    (b) => neg(b.x),
    (b) => integer(b.x),
  ),
  rule(
    "sub-self",
    is(sub, x, x),
    (b) => constantLike(b.x, 0),
    (b) => integer(b.x),
  ),
  // Subtraction is addition of the negative, in IEEE 754 by definition.
  rule("add-neg", either(add, x, is(neg, y)), (b) => sub(b.x, b.y)),
  rule("sub-neg", is(sub, x, is(neg, y)), (b) => add(b.x, b.y)),
  // For floats x - x is 0 and its negative -0.
  rule(
    "neg-sub",
    is(neg, is(sub, x, y)),
    (b) => sub(b.y, b.x),
    (b) => integer(b.x),
  ),
  rule(
    "add-add-constant",
    is(add, is(add, x, as("d", constant("d"))), c),
    (b) => add(b.x, add(b.d, b.c)),
    (b) => integer(b.x),
  ),
];

const products: readonly Rule[] = [
  rule("mul-one", either(mul, x, number(1)), (b) => b.x),
  rule("mul-minus-one", either(mul, x, number(-1)), (b) => neg(b.x)),
  rule(
    "mul-zero",
    either(mul, x, number(0)),
    (b) => constantLike(b.x, 0),
    (b) => integer(b.x),
  ),
  // The sign of a product is apart from its magnitude.
  rule("mul-neg-neg", is(mul, is(neg, x), is(neg, y)), (b) => mul(b.x, b.y)),
  rule("mul-neg-constant", either(mul, is(neg, x), c), (b) => mul(b.x, neg(b.c))),
  rule("neg-mul-constant", is(neg, either(mul, x, c)), (b) => mul(b.x, neg(b.c))),
  rule(
    "mul-mul-constant",
    is(mul, is(mul, x, constant("d")), c),
    (b) => mul(b.x, mul(b.d, b.c)),
    (b) => integer(b.x),
  ),
  rule("div-one", is(div, x, number(1)), (b) => b.x),
  rule("div-minus-one", is(div, x, number(-1)), (b) => neg(b.x)),
  rule("div-neg-neg", is(div, is(neg, x), is(neg, y)), (b) => div(b.x, b.y)),
  // Both round the same exact quotient where 1/c is a power of two that the dtype has as a normal number.
  rule("div-power-of-two", is(div, x, c), (b) => {
    const divisor = splatOf(b.c);
    if (typeof divisor !== "number" || !isPowerOfTwo(divisor)) return undefined;
    const inverse = 1 / divisor;
    const kept = roundNumber(b.c.type.dtype as NumericDType, inverse) === inverse && Math.abs(inverse) >= 2 ** -14;
    return kept ? mul(b.x, constantLike(b.x, inverse)) : undefined;
  }),
];

/** Whether |x| is 2 to a whole power of moderate size. */
function isPowerOfTwo(number: number): boolean {
  const exponent = Math.log2(Math.abs(number));
  return Number.isInteger(exponent) && 2 ** exponent === Math.abs(number);
}

const powers: readonly Rule[] = [
  // 1 even for NaN, as IEEE 754 has it.
  rule(
    "pow-zero",
    is(pow, x, c),
    (b) => constantLike(b.x, 1),
    (b) => Number(splatOf(b.c)) === 0,
  ),
  rule("pow-one", is(pow, x, number(1)), (b) => b.x),
  // One to three roundings, of products that overflow or vanish only where the power does.
  rule("pow-two", is(pow, x, number(2)), (b) => mul(b.x, b.x)),
  rule("pow-three", is(pow, x, number(3)), (b) => mul(mul(b.x, b.x), b.x)),
  rule("pow-four", is(pow, x, number(4)), (b) => mul(mul(b.x, b.x), mul(b.x, b.x))),
  // -2 is left alone: x * x may overflow where x ** -2 does not vanish yet.
  rule(
    "pow-minus-one",
    is(pow, x, number(-1)),
    (b) => div(constantLike(b.x, 1), b.x),
    (b) => float(b.x),
  ),
];

const signs: readonly Rule[] = [
  rule("neg-neg", is(neg, is(neg, x)), (b) => b.x),
  rule("abs-neg", is(abs, is(neg, x)), (b) => abs(b.x)),
  rule("abs-abs", is(abs, is(abs, x)), (b) => abs(b.x)),
];

const extremes: readonly Rule[] = [maximum, minimum].flatMap((op) => [
  rule(`${op.opName}-self`, is(op, x, x), (b) => b.x),
  rule(`${op.opName}-again`, either(op, x, as("inner", either(op, x, y))), (b) => b.inner),
  rule(`${op.opName}-${op.opName}-constant`, is(op, is(op, x, constant("d")), c), (b) => op(b.x, op(b.d, b.c))),
]);

/** What the gradients of maximum and minimum ask: which operand was taken. False for NaN on both sides. */
const taken: readonly Rule[] = [
  rule("eq-maximum", either(eq, x, either(maximum, x, y)), (b) => ge(b.x, b.y)),
  rule("eq-minimum", either(eq, x, either(minimum, x, y)), (b) => le(b.x, b.y)),
];

/** The dtypes that hold every number of each dtype. */
const wider: ReadonlyMap<string, readonly string[]> = new Map([
  ["f32", ["f64"]],
  ["f16", ["f32", "f64"]],
  ["bf16", ["f32", "f64"]],
  ["i32", ["i64", "f64"]],
  ["i8", ["i32", "i64", "f16", "bf16", "f32", "f64"]],
  ["u8", ["i32", "i64", "f16", "bf16", "f32", "f64"]],
  ["bool", ["u8", "i8", "i32", "i64", "f16", "bf16", "f32", "f64"]],
]);

const casts: readonly Rule[] = [
  rule("cast-identity", as("y", is(cast, x)), (b) => (b.x.type.dtype === b.y.type.dtype ? b.x : undefined)),
  // A cast that loses nothing needs no stop on the way, unless integers would saturate that wrapped before.
  rule("cast-cast", as("y", is(cast, as("inner", is(cast, x)))), (b) => {
    const [from, via, to] = [b.x, b.inner, b.y].map((value) => value.type.dtype);
    if (from === undefined || via === undefined || to === undefined || !(wider.get(from)?.includes(via) ?? false))
      return undefined;
    const changesRule = !isFloat(from) && isFloat(via) && !isFloat(to) && to !== "bool" && !fits(from, to);
    return changesRule ? undefined : cast(b.x, { to });
  }),
  // Widening keeps finite numbers finite and the others as they are.
  rule(
    "is-finite-cast",
    is(isFiniteOp, as("inner", is(cast, x))),
    (b) => isFiniteOp(b.x),
    (b) => float(b.x) && (wider.get(b.x.type.dtype)?.includes(b.inner.type.dtype) ?? false),
  ),
];

function fits(from: string, to: string): boolean {
  return from === to || (wider.get(from)?.includes(to) ?? false);
}

export const arithmeticRules: readonly Rule[] = [
  ...order,
  ...sums,
  ...products,
  ...powers,
  ...signs,
  ...extremes,
  ...taken,
  ...casts,
];
