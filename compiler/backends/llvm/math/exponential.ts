import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { fastTwoSum, formatOf, integerLike, polynomial, unlessTiny } from "./common.js";

interface ExponentialTable {
  /** ln 2 in two parts: n times the first is exact for every exponent n. */
  readonly ln2High: number;
  readonly ln2Low: number;
  /** (e^r - 1 - r) / r^2 on |r| <= ln(2)/2: minimax, relative to e^r (errors 2^-34 and 2^-58). */
  readonly coefficients: readonly number[];
  /** The greatest x whose exponential is finite, and the least whose exponential is a normal number. */
  readonly greatest: number;
  readonly least: number;
  /** Below it e^x - 1 rounds to -1. */
  readonly minusOne: number;
}

const tables: Readonly<Record<"f32" | "f64", ExponentialTable>> = {
  f32: {
    ln2High: 0.693359375,
    ln2Low: -0.00021219444005469057,
    coefficients: [
      0.5000000078086956, 0.1666666686111826, 0.04166626931002588, 0.008333264265174008, 0.0013946119130448542,
      0.00019918433048561368,
    ],
    greatest: 88.72283172607422,
    least: -87.33654022216797,
    minusOne: -18,
  },
  f64: {
    ln2High: 0.6931471803691238,
    ln2Low: 1.9082149292705877e-10,
    coefficients: [
      0.5000000000000013, 0.166666666666667, 0.04166666666651494, 0.008333333333307123, 0.0013888888947154563,
      0.0001984126991756424, 2.4801489787245882e-5, 2.75572161359608e-6, 2.7631339257254873e-7, 2.5117914145925393e-8,
    ],
    greatest: 709.782712893384,
    least: -708.396418532264,
    minusOne: -40,
  },
};

interface Reduction {
  readonly n: Value;
  /** n shifted into the exponent of a float's pattern. */
  readonly shiftedBits: Value;
  /** x - n ln 2, and what its rounding lost. */
  readonly r: Value;
  readonly lost: Value;
}

/** x = n ln 2 + r with |r| <= ln(2)/2 (Cody and Waite 1980). No conversion to integers: those of a NaN are undefined. */
function reduce(b: Builder, x: Value): Reduction {
  const format = formatOf(x);
  const table = tables[format.element];
  const shift = b.constant(x.type, format.roundingShift);
  const shifted = b.fma(x, b.constant(x.type, Math.LOG2E), shift);
  const n = b.sub(shifted, shift);
  const upper = b.fma(n, b.constant(x.type, -table.ln2High), x);
  const correction = b.mul(n, b.constant(x.type, table.ln2Low));
  const r = b.sub(upper, correction);
  const shiftedBits = b.shiftLeft(b.bitsOf(shifted), integerLike(b, x, format.fractionBits));
  return { n, shiftedBits, r, lost: b.sub(b.sub(upper, r), correction) };
}

/** e^r - 1 - r. */
function tail(b: Builder, r: Value): Value {
  return b.mul(b.mul(r, r), polynomial(b, r, tables[formatOf(r).element].coefficients));
}

/** e^x for x between `least` and `greatest`; anything for others. */
export function expInRange(b: Builder, x: Value): Value {
  const reduction = reduce(b, x);
  return scaledExponential(b, reduction, reduction.r, tail(b, reduction.r));
}

/** e^(x + low), as `expInRange`; `low` is less than the last place of x. What the reduction lost is put back too. */
export function expOfSum(b: Builder, x: Value, low: Value): Value {
  const reduction = reduce(b, x);
  const { r, lost } = reduction;
  // x's last place may be far above that of r: the sum is made before the series, which its size would show in.
  const sum = fastTwoSum(b, r, b.add(lost, low));
  return scaledExponential(b, reduction, sum.high, b.add(tail(b, sum.high), sum.low));
}

function scaledExponential(b: Builder, { n, shiftedBits }: Reduction, r: Value, rest: Value): Value {
  const mantissa = b.add(b.constant(r.type, 1), b.add(r, rest));
  if (b.canScaleByPower(r.type)) return b.scaleByPower(mantissa, n);
  return b.bitcast(b.add(b.bitsOf(mantissa), shiftedBits), r.type.element);
}

/** Replaces results of arguments out of range: infinity above, zero below, and a NaN stays. */
export function expOutOfRange(b: Builder, x: Value, inside: Value): Value {
  const table = tables[formatOf(x).element];
  const isNotAbove = b.compare("le", x, b.constant(x.type, table.greatest));
  const isNotBelow = b.compare("ge", x, b.constant(x.type, table.least));
  const infinityOrNaN = b.add(x, b.constant(x.type, Number.POSITIVE_INFINITY));
  return b.select(isNotAbove, b.select(isNotBelow, inside, b.constant(x.type, 0)), infinityOrNaN);
}

export function exp(b: Builder, x: Value): Value {
  const { greatest } = tables[formatOf(x).element];
  return b.canScaleByPower(x.type)
    ? expOfNegative(b, b.min(x, b.constant(x.type, Math.ceil(greatest) + 1)))
    : expOutOfRange(b, x, expInRange(b, x));
}

/** e^x for x <= 0, and a little above the greatest x whose exponential is finite. */
function expOfNegative(b: Builder, x: Value): Value {
  if (!b.canScaleByPower(x.type)) return exp(b, x);
  // From far enough below, whatever is scaled becomes 0; the reduction of much larger numbers would have no meaning.
  const { least } = tables[formatOf(x).element];
  return expInRange(b, b.max(x, b.constant(x.type, Math.floor(least) - 60)));
}

/**
 * e^x - 1 = 2^n ((e^r - 1 - r) + r) + (2^n - 1), summed from the largest part, with the part of r that rounding lost. Half
 * of it is computed, since 2^n overflows just before the function does.
 */
export function expm1(b: Builder, x: Value): Value {
  const format = formatOf(x);
  const table = tables[format.element];
  const bounded = b.max(x, b.constant(x.type, table.minusOne));
  const { shiftedBits, r, lost } = reduce(b, bounded);
  const halfBits = integerLike(b, x, BigInt(format.exponentBias - 1) << BigInt(format.fractionBits));
  const halfScale = b.bitcast(b.add(shiftedBits, halfBits), x.type.element);
  const upper = b.fma(halfScale, r, b.sub(halfScale, b.constant(x.type, 0.5)));
  const half = b.fma(halfScale, b.add(tail(b, r), lost), upper);
  const inside = b.add(half, half);
  const isNotAbove = b.compare("le", x, b.constant(x.type, table.greatest));
  const infinityOrNaN = b.add(x, b.constant(x.type, Number.POSITIVE_INFINITY));
  return unlessTiny(b, x, b.select(isNotAbove, inside, infinityOrNaN));
}

/**
 * 1 / (1 + e^-x), from e^-|x| <= 1, so that nothing overflows and small results keep their precision. The rounding of the
 * divisor is put back to first order: q / (1 + lost / divisor) = q - q (lost / divisor).
 */
export function sigmoid(b: Builder, x: Value): Value {
  const one = b.constant(x.type, 1);
  const decay = expOfNegative(b, b.neg(b.abs(x)));
  const divisor = fastTwoSum(b, one, decay);
  const isNegative = b.compare("lt", x, b.constant(x.type, 0));
  const quotient = b.div(b.select(isNegative, decay, one), divisor.high);
  const reciprocal = b.select(isNegative, b.sub(one, quotient), quotient);
  return b.sub(quotient, b.mul(quotient, b.mul(divisor.low, reciprocal)));
}

/** tanh's odd part (tanh x - x) / x^3 on |x| < 0.625, as numerator and denominator in x^2 (Cephes, S. Moshier). */
const tanhSmall = {
  f32: {
    numerator: [-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3],
    denominator: [1],
  },
  f64: {
    numerator: [-1614.6876844170845, -99.28772310019185, -0.9643991794250523],
    denominator: [4844.063053251255, 2235.4883906010045, 112.81167849163293, 1],
  },
} as const;

/** By its odd series for small |x|, else 1 - 2 / (e^2|x| + 1). */
export function tanh(b: Builder, x: Value): Value {
  const { element } = formatOf(x);
  const one = b.constant(x.type, 1);
  const magnitude = b.abs(x);
  const square = b.mul(x, x);
  const { numerator, denominator } = tanhSmall[element];
  const top = polynomial(b, square, numerator);
  const ratio = denominator.length === 1 ? top : b.div(top, polynomial(b, square, denominator));
  const small = b.fma(b.mul(magnitude, square), ratio, magnitude);
  // Beyond it the result is 1, and e^2x stays within the range that needs no care.
  const limit = b.constant(x.type, element === "f32" ? 10 : 20);
  const bounded = b.min(magnitude, limit);
  const growth = expInRange(b, b.add(bounded, bounded));
  const large = b.sub(one, b.div(b.constant(x.type, 2), b.add(growth, one)));
  const isSmall = b.compare("lt", magnitude, b.constant(x.type, 0.625));
  const positive = b.select(isSmall, small, large);
  // Bits that are added to a NaN's may make a number of it.
  return b.copySign(b.canScaleByPower(x.type) ? positive : b.select(b.isNaN(x), x, positive), x);
}
