import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { type DoubleWord, fastTwoSum, polynomial, twoProduct, twoSum } from "./common.js";
import { exp, expOfSum, expOutOfRange } from "./exponential.js";
import { decompose, logInRange } from "./logarithm.js";

/**
 * x^y with the special values of C99. f32 goes through f64's logarithm and exponential. f64 needs a logarithm good to
 * about 2^-68, since the exponent of the result multiplies its error by up to 745: it is computed in two words.
 */
export function pow(b: Builder, x: Value, y: Value): Value {
  if (x.type.element === "f64") return powDouble(b, x, y, preciseMagnitude);
  const wide = powDouble(b, b.resizeFloat(x, "f64"), b.resizeFloat(y, "f64"), plainMagnitude);
  return b.resizeFloat(wide, "f32");
}

type Magnitude = (b: Builder, base: Value, exponent: Value) => Value;

/** base^exponent for a positive normal base and a bounded exponent. */
const plainMagnitude: Magnitude = (b, base, exponent) => exp(b, b.mul(exponent, logInRange(b, base)));

const preciseMagnitude: Magnitude = (b, base, exponent) => {
  const { high, low } = preciseLog(b, base);
  const product = twoProduct(b, exponent, high);
  const rest = b.fma(exponent, low, product.low);
  const sum = fastTwoSum(b, product.high, rest);
  return expOutOfRange(b, sum.high, expOfSum(b, sum.high, sum.low));
};

function powDouble(b: Builder, x: Value, y: Value, magnitudeOf: Magnitude): Value {
  const constant = (value: number): Value => b.constant(x.type, value);
  const [zero, one, infinity] = [constant(0), constant(1), constant(Number.POSITIVE_INFINITY)];
  const base = b.abs(x);
  const isZero = b.compare("lt", base, constant(2 ** -1022));
  const isInfinite = b.compare("eq", base, infinity);
  // Larger exponents overflow or vanish alike, as every base but 1 is at least 2^-53 from it.
  const bound = 2 ** 80;
  const bounded = b.max(b.min(y, constant(bound)), constant(-bound));
  const inside = magnitudeOf(b, b.select(b.or(isZero, isInfinite), one, base), bounded);
  const isDown = b.compare("lt", y, zero);
  const atZero = b.select(isDown, infinity, zero);
  const atInfinity = b.select(isDown, zero, infinity);
  const magnitude = b.select(isZero, atZero, b.select(isInfinite, atInfinity, inside));

  const isInteger = b.compare("eq", b.truncate(y), y);
  const half = b.mul(y, constant(0.5));
  const isOdd = b.and(isInteger, b.compare("ne", b.truncate(half), half));
  const signed = b.select(isOdd, b.copySign(magnitude, x), magnitude);
  const isUndefined = b.and(b.and(b.compare("lt", x, zero), b.not(isZero)), b.and(b.not(isInteger), b.not(isInfinite)));
  const isOne = b.or(b.compare("eq", x, one), b.compare("eq", y, zero));
  const isNaN = b.or(b.isNaN(x), b.isNaN(y));
  const orNaN = b.select(b.or(isUndefined, isNaN), constant(Number.NaN), signed);
  return b.select(isOne, one, orNaN);
}

/** (2 artanh(s) / s - 2 - 2 s^2 / 3) / s^4 in powers of s^2: minimax on the mantissa's range, 2^-73 relative to 2. */
const tailCoefficients = [
  0.3999999999999998, 0.2857142857144522, 0.2222222221751048, 0.18181818873507755, 0.1538455665285952,
  0.13336325822520753, 0.1167464769575045, 0.11990437629669477,
] as const;

/** 2/3 in two words. */
const twoThirds = { high: 2 / 3, low: 3.700743415417185e-17 } as const;
const ln2 = { high: 0.6931471803691238, low: 1.9082149292705877e-10 } as const;

/** log x in two words, for positive normal finite x: with s = (m - 1) / (m + 1), log m = s (2 + 2 s^2/3 + s^4 T(s^2)). */
function preciseLog(b: Builder, x: Value): DoubleWord {
  const constant = (value: number): Value => b.constant(x.type, value);
  const { exponent, mantissa } = decompose(b, x);
  const f = b.sub(mantissa, constant(1));
  const divisor = fastTwoSum(b, constant(2), f);
  const s = quotient(b, f, divisor);
  const square = twoProduct(b, s.high, s.high);
  const squareLow = b.fma(b.add(s.high, s.high), s.low, square.low);
  const third = twoProduct(b, square.high, constant(twoThirds.high));
  const thirdLow = b.fma(square.high, constant(twoThirds.low), b.fma(squareLow, constant(twoThirds.high), third.low));
  const tail = b.mul(b.mul(square.high, square.high), polynomial(b, square.high, tailCoefficients));
  const factor = fastTwoSum(b, constant(2), third.high);
  const factorLow = b.add(factor.low, b.add(thirdLow, tail));
  const product = twoProduct(b, s.high, factor.high);
  const productLow = b.fma(s.high, factorLow, b.fma(s.low, factor.high, product.low));
  const sum = twoSum(b, b.mul(exponent, constant(ln2.high)), product.high);
  const sumLow = b.add(b.fma(exponent, constant(ln2.low), productLow), sum.low);
  return fastTwoSum(b, sum.high, sumLow);
}

/** f / (divisor.high + divisor.low) in two words. */
function quotient(b: Builder, f: Value, divisor: DoubleWord): DoubleWord {
  const high = b.div(f, divisor.high);
  const back = twoProduct(b, high, divisor.high);
  const missing = b.sub(b.sub(b.sub(f, back.high), back.low), b.mul(high, divisor.low));
  return { high, low: b.div(missing, divisor.high) };
}
