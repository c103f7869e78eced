import { add, div, mul, neg } from "./arithmetic.js";
import { type BinaryOp, defineOp, type UnaryOp } from "./define.js";
import { binaryEvaluator, unaryEvaluator } from "./evaluate.js";
import { floats, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import { binarySamples, unarySamples, uniform } from "./samples.js";

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

export const atan2: BinaryOp = defineOp({
  name: "atan2",
  doc:
    "The angle of the point (x, y) from the positive x axis, in radians from -pi to pi: the first operand is y, the second x. Of zeros and " +
    "infinities as C has it: atan2(0, -0) is pi, atan2(inf, inf) is pi / 4. The gradient at (0, 0) is NaN.",
  stablehlo: "atan2",
  inputs: [operand("y", floats), operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("atan2", types),
  vjp: ({ inputs: [y, x], dy }) => {
    const scaled = div(dy, add(mul(x, x), mul(y, y)));
    return [mul(scaled, x), neg(mul(scaled, y))];
  },
  kernel: { kind: "elementwise", scalar: "atan2" },
  reference: binaryEvaluator({ float: Math.atan2 }),
  samples: binarySamples(uniform(0.25, 3), uniform(-3, 3)),
});
