import { add, div, mul, neg, sub } from "./arithmetic.js";
import { constantLike } from "./build.js";
import { defineOp, type UnaryOp } from "./define.js";
import { unaryEvaluator } from "./evaluate.js";
import { floats, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import { unarySamples, uniform } from "./samples.js";
import { erfc as erfcNumber, erf as erfNumber } from "./special.js";

export const sqrt: UnaryOp = defineOp({
  name: "sqrt",
  doc: "The square root of each element; NaN below 0. The gradient at 0 is an infinity.",
  stablehlo: "sqrt",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("sqrt", types),
  vjp: ({ y, dy }) => [mul(dy, div(constantLike(y, 0.5), y))],
  kernel: { kind: "elementwise", scalar: "sqrt" },
  reference: unaryEvaluator({ number: Math.sqrt }),
  samples: unarySamples(uniform(0.25, 4)),
});

export const rsqrt: UnaryOp = defineOp({
  name: "rsqrt",
  doc: "1 / sqrt(x) of each element; an infinity at 0, NaN below.",
  stablehlo: "rsqrt",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("rsqrt", types),
  vjp: ({ inputs: [x], y, dy }) => [mul(dy, mul(constantLike(y, -0.5), div(y, x)))],
  kernel: { kind: "elementwise", scalar: "rsqrt" },
  reference: unaryEvaluator({ number: (x) => 1 / Math.sqrt(x) }),
  samples: unarySamples(uniform(0.25, 4)),
});

export const exp: UnaryOp = defineOp({
  name: "exp",
  doc: "e to the power of each element.",
  stablehlo: "exponential",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("exp", types),
  vjp: ({ y, dy }) => [mul(dy, y)],
  kernel: { kind: "elementwise", scalar: "exp" },
  reference: unaryEvaluator({ number: Math.exp }),
  samples: unarySamples(uniform(-4, 4)),
});

export const expm1: UnaryOp = defineOp({
  name: "expm1",
  doc: "exp(x) - 1 of each element, precise near 0.",
  stablehlo: "exponential_minus_one",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("expm1", types),
  vjp: ({ y, dy }) => [mul(dy, add(y, constantLike(y, 1)))],
  kernel: { kind: "elementwise", scalar: "expm1" },
  reference: unaryEvaluator({ number: Math.expm1 }),
  samples: unarySamples(uniform(-4, 4)),
});

export const log: UnaryOp = defineOp({
  name: "log",
  doc: "The natural logarithm of each element; minus infinity at 0, NaN below.",
  stablehlo: "log",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("log", types),
  vjp: ({ inputs: [x], dy }) => [div(dy, x)],
  kernel: { kind: "elementwise", scalar: "log" },
  reference: unaryEvaluator({ number: Math.log }),
  samples: unarySamples(uniform(0.25, 4)),
});

export const log1p: UnaryOp = defineOp({
  name: "log1p",
  doc: "log(1 + x) of each element, precise near 0; minus infinity at -1, NaN below.",
  stablehlo: "log_plus_one",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("log1p", types),
  vjp: ({ inputs: [x], dy }) => [div(dy, add(x, constantLike(x, 1)))],
  kernel: { kind: "elementwise", scalar: "log1p" },
  reference: unaryEvaluator({ number: Math.log1p }),
  samples: unarySamples(uniform(-0.5, 4)),
});

export const tanh: UnaryOp = defineOp({
  name: "tanh",
  doc: "The hyperbolic tangent of each element.",
  stablehlo: "tanh",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("tanh", types),
  // From the result, so that the operand need not be kept.
  vjp: ({ y, dy }) => [mul(dy, sub(constantLike(y, 1), mul(y, y)))],
  kernel: { kind: "elementwise", scalar: "tanh" },
  reference: unaryEvaluator({ number: Math.tanh }),
  samples: unarySamples(uniform(-3, 3)),
});

export const sigmoid: UnaryOp = defineOp({
  name: "sigmoid",
  doc: "1 / (1 + exp(-x)) of each element, without overflow.",
  stablehlo: "logistic",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("sigmoid", types),
  vjp: ({ y, dy }) => [mul(dy, mul(y, sub(constantLike(y, 1), y)))],
  kernel: { kind: "elementwise", scalar: "sigmoid" },
  reference: unaryEvaluator({
    number: (x) => {
      const small = Math.exp(-Math.abs(x));
      return x < 0 ? small / (1 + small) : 1 / (1 + small);
    },
  }),
  samples: unarySamples(uniform(-4, 4)),
});

export const erf: UnaryOp = defineOp({
  name: "erf",
  doc: "The error function of each element: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
  stablehlo: "chlo.erf",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("erf", types),
  vjp: ({ inputs: [x], dy }) => [mul(dy, mul(constantLike(x, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x)))))],
  kernel: { kind: "elementwise", scalar: "erf" },
  reference: unaryEvaluator({ number: erfNumber }),
  samples: unarySamples(uniform(-3, 3)),
});

export const erfc: UnaryOp = defineOp({
  name: "erfc",
  doc: "1 - erf(x) of each element, precise where it is small: within 8 units in the last place (f64), 1 (f32). 0 where it would be subnormal.",
  stablehlo: "chlo.erfc",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("erfc", types),
  vjp: ({ inputs: [x], dy }) => [mul(dy, mul(constantLike(x, -2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x)))))],
  kernel: { kind: "elementwise", scalar: "erfc" },
  reference: unaryEvaluator({ number: erfcNumber }),
  samples: unarySamples(uniform(-3, 3)),
});

export const cbrt: UnaryOp = defineOp({
  name: "cbrt",
  doc: "The cube root of each element, with its sign. The gradient at 0 is an infinity.",
  stablehlo: "cbrt",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("cbrt", types),
  vjp: ({ y, dy }) => [div(dy, mul(constantLike(y, 3), mul(y, y)))],
  kernel: { kind: "elementwise", scalar: "cbrt" },
  reference: unaryEvaluator({ number: Math.cbrt }),
  samples: unarySamples(uniform(0.25, 4)),
});
