import type { Builder } from "../builder.js";
import { intrinsicSuffix, withElement, withLanes } from "../types.js";
import type { Value } from "../value.js";
import { fastTwoSum, formatOf, polynomial, twoSum, unlessTiny } from "./common.js";
import { reduceLarge } from "./reduction.js";

/** pi/2 in parts of 33 bits, whose products with numbers of 20 bits are exact, each with the rest after it. */
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21] as const;
const halfPiRest = [6.077100506506192e-11, 2.0222662487959506e-21, 8.4784276603689e-32] as const;

/** Up to here the multiple of pi/2 has less than 20 bits. */
const largeFrom = 2 ** 20;

/** sin on |x| <= pi/4: (sin x - x) / x^3; cos there: (cos x - 1 + x^2/2) / x^4. In x^2 (Cephes; FreeBSD msun). */
const sineCoefficients = {
  f32: [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4],
  f64: [
    -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-6, -2.5050760253406863e-8,
    1.58969099521155e-10,
  ],
} as const;
const cosineCoefficients = {
  f32: [0.04166664568298827, -0.001388731625493765, 2.443315711809948e-5],
  f64: [
    0.0416666666666666, -0.001388888888887411, 2.480158728947673e-5, -2.7557314351390663e-7, 2.087572321298175e-9,
    -1.1359647557788195e-11,
  ],
} as const;

/** x = quadrant pi/2 + r, |r| <= pi/4, r in two words (the second 0 for f32). */
export interface Reduced {
  /** The quadrant in its low bits, as integers of the format's width. */
  readonly quadrant: Value;
  readonly high: Value;
  readonly low: Value | undefined;
}

/** sin (or cos) of quadrant pi/2 + r. */
export function fromQuadrant(b: Builder, which: "sin" | "cos", reduced: Reduced): Value {
  const { quadrant } = reduced;
  const constant = (value: number): Value => b.constant(quadrant.type, value);
  const turned = which === "sin" ? quadrant : b.add(quadrant, constant(1));
  const useCosine = b.compare("ne", b.and(turned, constant(1)), constant(0));
  const isNegative = b.compare("ne", b.and(turned, constant(2)), constant(0));
  const value = b.select(useCosine, cosineNearZero(b, reduced), sineNearZero(b, reduced));
  return b.select(isNegative, b.neg(value), value);
}

function sineNearZero(b: Builder, { high, low }: Reduced): Value {
  const square = b.mul(high, high);
  const [first, ...rest] = sineCoefficients[formatOf(high).element];
  const cube = b.mul(square, high);
  if (low === undefined) return b.fma(cube, polynomial(b, square, [first, ...rest]), high);
  const series = polynomial(b, square, rest);
  const half = b.constant(high.type, 0.5);
  // high - ((z (low/2 - z high R) - low) - z high c0), as in msun's __kernel_sin
  const inner = b.sub(b.mul(square, b.sub(b.mul(half, low), b.mul(cube, series))), low);
  return b.sub(high, b.sub(inner, b.mul(cube, b.constant(high.type, first))));
}

function cosineNearZero(b: Builder, { high, low }: Reduced): Value {
  const one = b.constant(high.type, 1);
  const square = b.mul(high, high);
  const half = b.mul(square, b.constant(high.type, 0.5));
  const series = b.mul(b.mul(square, square), polynomial(b, square, cosineCoefficients[formatOf(high).element]));
  const leading = b.sub(one, half);
  // What 1 - z/2 lost in rounding comes back, so that the sum is as good as one rounding.
  const lost = b.sub(b.sub(one, leading), half);
  const small = low === undefined ? series : b.sub(series, b.mul(high, low));
  return b.add(leading, b.add(lost, small));
}

/** Cody and Waite's reduction for |x| < 2^20. */
function reduceSmall(b: Builder, x: Value): Reduced {
  return x.type.element === "f32" ? reduceSingle(b, x) : reduceDouble(b, x);
}

function nearestMultiple(b: Builder, x: Value): { readonly n: Value; readonly bits: Value } {
  const shift = b.constant(x.type, formatOf(x).roundingShift);
  const shifted = b.fma(x, b.constant(x.type, 2 / Math.PI), shift);
  return { n: b.sub(shifted, shift), bits: b.bitsOf(shifted) };
}

/** f32 reduces in f64, where one part of pi/2 and its rest leave no error that an f32 could show. */
function reduceSingle(b: Builder, x: Value): Reduced {
  const wide = b.resizeFloat(x, "f64");
  const { n, bits } = nearestMultiple(b, wide);
  const upper = b.fma(n, b.constant(wide.type, -halfPi[0]), wide);
  const r = b.fma(n, b.constant(wide.type, -halfPiRest[0]), upper);
  return { quadrant: b.resizeInteger(bits, "i32"), high: b.resizeFloat(r, "f32"), low: undefined };
}

/** Each product n x part is exact; the differences' rounding errors are kept. Good to 2^-130 |n|. */
function reduceDouble(b: Builder, x: Value): Reduced {
  const { n, bits } = nearestMultiple(b, x);
  const part = (value: number): Value => b.mul(n, b.constant(x.type, -value));
  const first = b.add(x, part(halfPi[0]));
  const second = twoSum(b, first, part(halfPi[1]));
  const third = twoSum(b, second.high, part(halfPi[2]));
  const rest = b.add(b.add(second.low, third.low), part(halfPiRest[2]));
  const { high, low } = fastTwoSum(b, third.high, rest);
  return { quadrant: bits, high, low };
}

function isLargeFinite(b: Builder, x: Value): Value {
  const magnitude = b.abs(x);
  const isLarge = b.compare("ge", magnitude, b.constant(x.type, largeFrom));
  return b.and(isLarge, b.compare("lt", magnitude, b.constant(x.type, Number.POSITIVE_INFINITY)));
}

/**
 * For large |x|, which are rare, each lane by itself goes through the exact reduction in integers, in f64 for either
 * precision.
 */
function withLargeArguments(b: Builder, which: "sin" | "cos", x: Value, small: Value): Value {
  const slow = b.module.defineOnce(
    {
      name: `math.${which}.large`,
      parameters: [{ type: withLanes(withElement(x.type, "f64"), 1) }],
      result: withLanes(withElement(x.type, "f64"), 1),
      linkage: "internal",
      inline: "never",
    },
    (body, [argument]) => {
      if (argument !== undefined) body.return(fromQuadrant(body, which, reduceLarge(body, argument)));
    },
  );
  const { element } = formatOf(x);
  const lanes = b.module.defineOnce(
    {
      name: `math.${which}.large.lanes.${intrinsicSuffix(x.type)}`,
      parameters: [{ type: x.type }, { type: x.type }],
      result: x.type,
      linkage: "internal",
      inline: "never",
    },
    (body, [all, known]) => {
      if (all === undefined || known === undefined) return;
      const [result] = body.loop(
        0,
        all.type.lanes,
        1,
        (lane, [sofar]) => {
          const value = body.extractLane(all, lane);
          const state = sofar ?? known;
          return body.ifElse(
            isLargeFinite(body, value),
            () => {
              const exact = body.callValue(slow, [body.resizeFloat(value, "f64")]);
              return [body.insertLane(state, body.resizeFloat(exact, element), lane)];
            },
            () => [state],
          );
        },
        [known],
      );
      body.return(result);
    },
  );
  const [result] = b.ifElse(
    b.anyLane(isLargeFinite(b, x)),
    () => [b.callValue(lanes, [x, small])],
    () => [small],
  );
  return result ?? small;
}

export function sin(b: Builder, x: Value): Value {
  const small = fromQuadrant(b, "sin", reduceSmall(b, x));
  return withLargeArguments(b, "sin", x, unlessTiny(b, x, small));
}

export function cos(b: Builder, x: Value): Value {
  return withLargeArguments(b, "cos", x, fromQuadrant(b, "cos", reduceSmall(b, x)));
}
