import type { Value } from "../ir/node.js";
import { constantLike, zerosLike } from "./build.js";
import { eq } from "./comparison.js";
import { type BinaryOp, defineOp, ReferenceFailure, type UnaryOp } from "./define.js";
import { drawOne, drawOrder } from "./draw.js";
import { binaryEvaluator, unaryEvaluator, wrap } from "./evaluate.js";
import { log } from "./exponential.js";
import { select } from "./logic.js";
import { floats, numbers, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import {
  apart,
  binarySamples,
  elementwise,
  type Samples,
  shapes,
  specials,
  unarySamples,
  uniform,
  values,
  wholeNumbers,
  withFixed,
} from "./samples.js";

export const neg: UnaryOp = defineOp({
  name: "neg",
  doc: "The negative of each element. Integers wrap: the least one is its own negative.",
  stablehlo: "negate",
  inputs: [operand("x", numbers)],
  attributes: {},
  infer: (types) => sameShape("neg", types),
  vjp: ({ dy }) => [neg(dy)],
  kernel: { kind: "elementwise", scalar: "neg" },
  reference: unaryEvaluator({ number: (x) => -x, i64: (x) => -x }),
  samples: unarySamples(uniform(-4, 4)),
});

export const abs: UnaryOp = defineOp({
  name: "abs",
  doc: "The magnitude of each element. Integers wrap: the least one stays as it is. The gradient at 0 is 0.",
  stablehlo: "abs",
  inputs: [operand("x", numbers)],
  attributes: {},
  infer: (types) => sameShape("abs", types),
  vjp: ({ inputs: [x], dy }) => [mul(dy, sign(x))],
  kernel: { kind: "elementwise", scalar: "abs" },
  reference: unaryEvaluator({ number: Math.abs, i64: (x) => (x < 0n ? -x : x) }),
  samples: unarySamples(apart()),
});

export const sign: UnaryOp = defineOp({
  name: "sign",
  doc: "-1, 0 or 1 by the sign of each element. A zero keeps its sign; NaN gives NaN. No gradient.",
  stablehlo: "sign",
  inputs: [operand("x", numbers)],
  attributes: {},
  infer: (types) => sameShape("sign", types),
  vjp: "sign is piecewise constant",
  kernel: { kind: "elementwise", scalar: "sign" },
  reference: unaryEvaluator({ number: Math.sign, i64: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n) }),
  samples: unarySamples(uniform(-4, 4)),
});

export const add: BinaryOp = defineOp({
  name: "add",
  doc: "x + y, element by element. Integers wrap.",
  stablehlo: "add",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("add", types),
  vjp: ({ dy }) => [dy, dy],
  kernel: { kind: "elementwise", scalar: "add" },
  reference: binaryEvaluator({ float: (x, y) => x + y, i64: (x, y) => x + y }),
  samples: binarySamples(uniform(-4, 4)),
});

export const sub: BinaryOp = defineOp({
  name: "sub",
  doc: "x - y, element by element. Integers wrap.",
  stablehlo: "subtract",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("sub", types),
  vjp: ({ dy }) => [dy, neg(dy)],
  kernel: { kind: "elementwise", scalar: "sub" },
  reference: binaryEvaluator({ float: (x, y) => x - y, i64: (x, y) => x - y }),
  samples: binarySamples(uniform(-4, 4)),
});

export const mul: BinaryOp = defineOp({
  name: "mul",
  doc: "x * y, element by element. Integers wrap.",
  stablehlo: "multiply",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("mul", types),
  vjp: ({ inputs: [x, y], dy }) => [mul(dy, y), mul(dy, x)],
  kernel: { kind: "elementwise", scalar: "mul" },
  reference: binaryEvaluator({ float: (x, y) => x * y, integer: Math.imul, i64: (x, y) => x * y }),
  samples: binarySamples(uniform(-4, 4)),
});

export const div: BinaryOp = defineOp({
  name: "div",
  doc: "x / y, element by element, of floats; `floor_div` divides integers. x / 0 is an infinity, 0 / 0 is NaN.",
  stablehlo: "divide",
  inputs: [operand("x", floats), operand("y", floats)],
  attributes: {},
  infer: (types) => sameShape("div", types),
  vjp: ({ inputs: [, y], y: quotient, dy }) => {
    const dx = div(dy, y);
    return [dx, neg(mul(dx, quotient))];
  },
  kernel: { kind: "elementwise", scalar: "div" },
  reference: binaryEvaluator({ float: (x, y) => x / y }),
  samples: binarySamples(uniform(-4, 4), uniform(0.5, 3)),
});

export const floorDiv: BinaryOp = defineOp({
  name: "floor_div",
  doc:
    "The largest whole number that is not above x / y. Integers wrap, and a zero divisor fails the run (G089); " +
    "floats give x / 0, an infinity or NaN. No gradient.",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("floor_div", types),
  vjp: "floor_div is piecewise constant",
  kernel: { kind: "elementwise", scalar: "floor_div" },
  reference: binaryEvaluator({
    float: floorQuotient,
    integer: (x, y) => Math.floor(x / nonZero(y)),
    i64: (x, y) => (x - floorRemainderI64(x, y)) / y,
  }),
  samples: divisionSamples(),
});

export const mod: BinaryOp = defineOp({
  name: "mod",
  doc:
    "x - y * floor_div(x, y): the remainder with the sign of y. A zero divisor fails the run for integers (G089) and gives NaN " +
    "for floats.",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("mod", types),
  vjp: ({ inputs: [x, y], dy }) => [dy, neg(mul(dy, floorDiv(x, y)))],
  kernel: { kind: "elementwise", scalar: "mod" },
  reference: binaryEvaluator({
    float: floorRemainder,
    integer: (x, y) => floorRemainder(x, nonZero(y)),
    i64: floorRemainderI64,
  }),
  samples: divisionSamples(),
});

export const pow: BinaryOp = defineOp({
  name: "pow",
  doc:
    "x ** y, element by element, as IEEE 754 pow: pow(x, 0) and pow(1, y) are 1 even for NaN; a negative x to a fractional power " +
    "is NaN. Integers wrap; a negative integer power is 0 unless x is 1 or -1. The gradient in x is 0 where y is 0, and " +
    "that in y is 0 where x is 0.",
  stablehlo: "power",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("pow", types),
  vjp: ({ inputs: [x, y], y: power, dy }) => {
    const one = constantLike(x, 1);
    const zero = zerosLike(x);
    // Where y is 0 the plain rule would be 0 * x ** -1, which is NaN at x = 0; where x is 0, log x is -infinity.
    const slope = mul(y, pow(x, select(eq(y, zero), one, sub(y, one))));
    return [mul(dy, select(eq(y, zero), zero, slope)), mul(dy, mul(power, log(select(eq(x, zero), one, x))))];
  },
  kernel: { kind: "elementwise", scalar: "pow" },
  reference: binaryEvaluator({ float: ieeePower, integer: integerPower, i64: integerPowerI64 }),
  samples: withFixed(binarySamples(uniform(0.5, 3), uniform(-2, 2)), {
    inputs: [uniform(-3, 3), wholeNumbers(0, 5)].map((fill) => ({ shape: [24], fill })),
    differentiable: false,
  }),
});

export const maximum: BinaryOp = defineOp({
  name: "maximum",
  doc: "The larger of x and y; NaN when one is NaN. 0 and -0 are equal. Equal elements share the gradient, half each.",
  stablehlo: "maximum",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("maximum", types),
  vjp: extremeGradient,
  kernel: { kind: "elementwise", scalar: "max" },
  reference: binaryEvaluator({ float: Math.max, i64: (x, y) => (x > y ? x : y) }),
  samples: binarySamples(apart(0.2), apart(0.7)),
});

export const minimum: BinaryOp = defineOp({
  name: "minimum",
  doc: "The smaller of x and y; NaN when one is NaN. 0 and -0 are equal. Equal elements share the gradient, half each.",
  stablehlo: "minimum",
  inputs: [operand("x", numbers), operand("y", numbers)],
  attributes: {},
  infer: (types) => sameShape("minimum", types),
  vjp: extremeGradient,
  kernel: { kind: "elementwise", scalar: "min" },
  reference: binaryEvaluator({ float: Math.min, i64: (x, y) => (x < y ? x : y) }),
  samples: binarySamples(apart(0.2), apart(0.7)),
});

/** 1 for the operand that was taken, 1/2 for both where they are equal (as JAX does it). */
function extremeGradient({
  inputs: [x, y],
  y: result,
  dy,
}: {
  readonly inputs: readonly [Value, Value];
  readonly y: Value;
  readonly dy: Value;
}): readonly [Value, Value] {
  const half = mul(dy, constantLike(dy, 0.5));
  const zero = zerosLike(dy);
  const taken = select(eq(x, y), half, dy);
  return [select(eq(x, result), taken, zero), select(eq(y, result), taken, zero)];
}

function divisionSamples(): Samples<Record<never, never>> {
  const shape = [31];
  return {
    fixed: [
      ...shapes.map((size) => ({
        inputs: [
          { shape: size, fill: uniform(-40, 40) },
          { shape: size, fill: uniform(2, 5) },
        ],
      })),
      { inputs: [wholeNumbers(-20, 20), values(-3)].map((fill) => ({ shape, fill })), differentiable: false },
      { inputs: [specials, values(3)].map((fill) => ({ shape, fill })), differentiable: false },
    ],
    // Quotients that are not near a whole number, where the remainder jumps.
    random: (draw) => {
      const [low, high] = drawOne(draw, [
        [2.9, 3.1],
        [-3.1, -2.9],
      ] as const);
      const dividends = drawOrder(draw, [-14.2, -10.7, -7.6, -4.4, -1.5, 1.4, 4.6, 7.3, 10.5, 13.8]);
      return elementwise(values(...dividends), uniform(low, high))(draw);
    },
  };
}

/** The remainder is exact (fmod is), so this is the floor of the exact quotient wherever that fits a float64. */
function floorQuotient(x: number, y: number): number {
  const ratio = x / y;
  if (!Number.isFinite(ratio)) return ratio;
  if (!Number.isFinite(y)) return ratio < 0 || Object.is(ratio, -0) ? (x === 0 ? -0 : -1) : 0;
  const quotient = (x - floorRemainder(x, y)) / y;
  return quotient === 0 ? ratio * 0 : Math.round(quotient);
}

function floorRemainder(x: number, y: number): number {
  const remainder = x % y;
  if (remainder === 0) return y < 0 ? -0 : 0;
  return remainder < 0 === y < 0 ? remainder : remainder + y;
}

function floorRemainderI64(x: bigint, y: bigint): bigint {
  if (y === 0n) throw zeroDivisor();
  const remainder = x % y;
  return remainder !== 0n && remainder < 0n !== y < 0n ? remainder + y : remainder;
}

function nonZero(divisor: number): number {
  if (divisor === 0) throw zeroDivisor();
  return divisor;
}

function zeroDivisor(): ReferenceFailure {
  return new ReferenceFailure("G089", "an integer is divided by zero");
}

/** JavaScript's `**` gives NaN where IEEE 754 (and C) give 1. */
function ieeePower(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY)) return 1;
  return x ** y;
}

function integerPower(x: number, y: number): number {
  if (y < 0) return x === 1 ? 1 : x === -1 ? (y % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  for (let base = x, rest = y; rest > 0; rest >>>= 1, base = Math.imul(base, base)) {
    if ((rest & 1) === 1) result = Math.imul(result, base);
  }
  return result;
}

function integerPowerI64(x: bigint, y: bigint): bigint {
  if (y < 0n) return x === 1n ? 1n : x === -1n ? (y % 2n === 0n ? 1n : -1n) : 0n;
  let result = 1n;
  for (let base = x, rest = y; rest > 0n; rest >>= 1n, base = wrap(base * base)) {
    if ((rest & 1n) === 1n) result = wrap(result * base);
  }
  return result;
}
