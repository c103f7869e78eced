import { mul, neg } from "./arithmetic.js";
import { defineOp, floats, operand, type UnaryOp } from "./define.js";
import { unaryEvaluator } from "./evaluate.js";
import { sameShape } from "./rules.js";
import { unarySamples, uniform } from "./samples.js";

export const sin: UnaryOp = defineOp({
  name: "sin",
  doc: "The sine of each element, in radians; NaN at the infinities.",
  stablehlo: "sine",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("sin", types),
  vjp: ({ inputs: [x], dy }) => [mul(dy, cos(x))],
  kernel: { kind: "elementwise", scalar: "sin" },
  reference: unaryEvaluator({ number: Math.sin }),
  samples: unarySamples(uniform(-7, 7)),
});

export const cos: UnaryOp = defineOp({
  name: "cos",
  doc: "The cosine of each element, in radians; NaN at the infinities.",
  stablehlo: "cosine",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("cos", types),
  vjp: ({ inputs: [x], dy }) => [neg(mul(dy, sin(x)))],
  kernel: { kind: "elementwise", scalar: "cos" },
  reference: unaryEvaluator({ number: Math.cos }),
  samples: unarySamples(uniform(-7, 7)),
});
