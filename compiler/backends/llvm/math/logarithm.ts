import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { type FloatFormat, formatOf, integerLike, polynomial, unlessTiny } from "./common.js";

interface LogarithmTable {
  /** The bit pattern of the square root of a half: mantissas are taken from there to twice it. */
  readonly rootOfHalf: bigint;
  readonly ln2High: number;
  readonly ln2Low: number;
  /** ((log(1+s) - log(1-s)) - 2s) / s in powers of s^2, from the first (FreeBSD msun, after Remes). */
  readonly coefficients: readonly number[];
}

const tables: Readonly<Record<"f32" | "f64", LogarithmTable>> = {
  f32: {
    rootOfHalf: 0x3f3504f3n,
    ln2High: 6.9313812256e-1,
    ln2Low: 9.0580006145e-6,
    coefficients: [0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841],
  },
  f64: {
    rootOfHalf: 0x3fe6a09e667f3bcdn,
    ln2High: 0.6931471803691238,
    ln2Low: 1.9082149292705877e-10,
    coefficients: [
      0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
      0.15313837699209373, 0.1479819860510897,
    ],
  },
};

export interface Decomposition {
  /** x = 2^exponent x mantissa, the mantissa between sqrt(1/2) and sqrt(2). */
  readonly exponent: Value;
  readonly mantissa: Value;
}

/** For positive normal finite x; anything for others. */
export function decompose(b: Builder, x: Value): Decomposition {
  const format = formatOf(x);
  const bits = b.bitsOf(x);
  const width = integerLike(b, x, format.fractionBits);
  // The bias keeps the difference positive, since vectors of 64-bit integers have no signed shift before AVX-512.
  const bias = BigInt(format.exponentBias) << BigInt(format.fractionBits);
  const raised = b.add(bits, integerLike(b, x, bias - tables[format.element].rootOfHalf));
  const biased = b.shiftRight(raised, width);
  const number = b.sub(biased, integerLike(b, x, format.exponentBias));
  const mantissa = b.bitcast(b.sub(bits, b.shiftLeft(number, width)), format.element);
  return { exponent: smallIntegerToFloat(b, x, format, number), mantissa };
}

/** An integer of less than the fraction's bits: added to the pattern of the rounding shift, it is there as a float. */
function smallIntegerToFloat(b: Builder, x: Value, format: FloatFormat, number: Value): Value {
  const shift = b.constant(x.type, format.roundingShift);
  return b.sub(b.bitcast(b.add(number, b.bitsOf(shift)), format.element), shift);
}

/** log(2^exponent (1 + f)) + correction, with f between sqrt(1/2) - 1 and sqrt(2) - 1. */
function logOfParts(b: Builder, exponent: Value, f: Value, correction?: Value): Value {
  const table = tables[formatOf(f).element];
  const constant = (value: number): Value => b.constant(f.type, value);
  const s = b.div(f, b.add(f, constant(2)));
  const square = b.mul(s, s);
  const series = b.mul(square, polynomial(b, square, table.coefficients));
  const halfSquare = b.mul(b.mul(f, constant(0.5)), f);
  const low = b.mul(exponent, constant(table.ln2Low));
  const lower = b.fma(s, b.add(halfSquare, series), correction === undefined ? low : b.add(low, correction));
  const high = b.mul(exponent, constant(table.ln2High));
  return b.sub(high, b.sub(b.sub(halfSquare, lower), f));
}

/** For positive normal finite x; anything for others. */
export function logInRange(b: Builder, x: Value): Value {
  const { exponent, mantissa } = decompose(b, x);
  return logOfParts(b, exponent, b.sub(mantissa, b.constant(x.type, 1)));
}

/** Puts in the results for x (or 1 + x, in `argument`) of zero, below zero, infinite or NaN. */
function logOutOfRange(b: Builder, argument: Value, inside: Value): Value {
  const { leastNormal } = formatOf(argument);
  const constant = (value: number): Value => b.constant(argument.type, value);
  const isFinite = b.compare("lt", argument, constant(Number.POSITIVE_INFINITY));
  const isTooSmall = b.compare("lt", argument, constant(leastNormal));
  const isZero = b.compare("gt", argument, constant(-leastNormal));
  const atEdge = b.select(isZero, constant(Number.NEGATIVE_INFINITY), constant(Number.NaN));
  return b.select(isTooSmall, atEdge, b.select(isFinite, inside, argument));
}

/** Natural logarithm: -infinity of zeros, NaN below. */
export function log(b: Builder, x: Value): Value {
  return logOutOfRange(b, x, logInRange(b, x));
}

/** log(1 + x): the logarithm of the rounded sum, plus what the rounding lost divided by the sum. */
export function log1p(b: Builder, x: Value): Value {
  const one = b.constant(x.type, 1);
  const sum = b.add(x, one);
  const isLarge = b.compare("gt", x, one);
  const lost = b.select(isLarge, b.sub(one, b.sub(sum, x)), b.sub(x, b.sub(sum, one)));
  const { exponent, mantissa } = decompose(b, sum);
  const inside = logOfParts(b, exponent, b.sub(mantissa, one), b.div(lost, sum));
  return unlessTiny(b, x, logOutOfRange(b, sum, inside));
}
