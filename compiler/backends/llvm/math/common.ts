import { InternalError } from "../../../ir/diagnostic.js";
import type { Builder } from "../builder.js";
import { withElement } from "../types.js";
import type { Value } from "../value.js";

/** What differs between the two precisions. */
export interface FloatFormat {
  readonly element: "f32" | "f64";
  readonly integer: "i32" | "i64";
  readonly fractionBits: number;
  readonly exponentBias: number;
  /** 1.5 x 2^fractionBits: adding it leaves the nearest integer in the low bits of the sum. */
  readonly roundingShift: number;
  readonly leastNormal: number;
  /** Below it, f(x) = x for functions with f(x) = x + O(x^2) or O(x^3), to half a unit. */
  readonly tiny: number;
}

const f32Format: FloatFormat = {
  element: "f32",
  integer: "i32",
  fractionBits: 23,
  exponentBias: 127,
  roundingShift: 1.5 * 2 ** 23,
  leastNormal: 2 ** -126,
  tiny: 2 ** -25,
};

const f64Format: FloatFormat = {
  element: "f64",
  integer: "i64",
  fractionBits: 52,
  exponentBias: 1023,
  roundingShift: 1.5 * 2 ** 52,
  leastNormal: 2 ** -1022,
  tiny: 2 ** -54,
};

export function formatOf(x: Value): FloatFormat {
  if (x.type.element === "f32") return f32Format;
  if (x.type.element === "f64") return f64Format;
  throw new InternalError(`${x.type.text} is not of floats`);
}

/** c0 + c1 x + c2 x^2 + ..., by Horner's scheme. */
export function polynomial(b: Builder, x: Value, coefficients: readonly number[]): Value {
  let sum: Value | undefined;
  for (const coefficient of [...coefficients].reverse()) {
    const c = b.constant(x.type, coefficient);
    sum = sum === undefined ? c : b.fma(sum, x, c);
  }
  if (sum === undefined) throw new InternalError("a polynomial without coefficients");
  return sum;
}

/** An integer constant of the lanes and the width of a float. */
export function integerLike(b: Builder, x: Value, value: number | bigint): Value {
  return b.constant(withElement(x.type, formatOf(x).integer), value);
}

/** x, but a subnormal as the zero of its sign: an addition is what flushes. */
export function flushed(b: Builder, x: Value): Value {
  return b.add(x, b.copySign(b.constant(x.type, 0), x));
}

/** `inside` unless |x| is so small that the function is x itself. Keeps the sign of zeros too. */
export function unlessTiny(b: Builder, x: Value, inside: Value): Value {
  const isTiny = b.compare("lt", b.abs(x), b.constant(x.type, formatOf(x).tiny));
  return b.select(isTiny, flushed(b, x), inside);
}

/** A number as an unevaluated sum, the second part at most half a unit of the first. */
export interface DoubleWord {
  readonly high: Value;
  readonly low: Value;
}

/** a + b exactly (Knuth). */
export function twoSum(b: Builder, x: Value, y: Value): DoubleWord {
  const high = b.add(x, y);
  const yPart = b.sub(high, x);
  const xPart = b.sub(high, yPart);
  return { high, low: b.add(b.sub(x, xPart), b.sub(y, yPart)) };
}

/** x + y exactly, where |x| >= |y| (Dekker). */
export function fastTwoSum(b: Builder, x: Value, y: Value): DoubleWord {
  const high = b.add(x, y);
  return { high, low: b.sub(y, b.sub(high, x)) };
}

/** x y exactly: by the fused operation, or by halves of 26 bits (Veltkamp, Dekker) where there is none. f64 only. */
export function twoProduct(b: Builder, x: Value, y: Value): DoubleWord {
  const high = b.mul(x, y);
  if (b.target.fma) return { high, low: b.fma(x, y, b.neg(high)) };
  const split = (v: Value): DoubleWord => {
    const scaled = b.mul(v, b.constant(v.type, 2 ** 27 + 1));
    const upper = b.sub(scaled, b.sub(scaled, v));
    return { high: upper, low: b.sub(v, upper) };
  };
  const [p, q] = [split(x), split(y)];
  const first = b.sub(b.mul(p.high, q.high), high);
  const crossed = b.add(b.add(first, b.mul(p.high, q.low)), b.mul(p.low, q.high));
  return { high, low: b.add(crossed, b.mul(p.low, q.low)) };
}
