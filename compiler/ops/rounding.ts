import { defineOp, type UnaryOp } from "./define.js";
import { unaryEvaluator } from "./evaluate.js";
import { floats, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import { unarySamples, uniform, values, withFixed } from "./samples.js";

export const floor: UnaryOp = defineOp({
  name: "floor",
  doc: "The largest whole number that is not above each element. No gradient.",
  stablehlo: "floor",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("floor", types),
  vjp: "floor is piecewise constant",
  kernel: { kind: "elementwise", scalar: "floor" },
  reference: unaryEvaluator({ number: Math.floor }),
  samples: unarySamples(uniform(-4, 4)),
});

export const ceil: UnaryOp = defineOp({
  name: "ceil",
  doc: "The smallest whole number that is not below each element. No gradient.",
  stablehlo: "ceil",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("ceil", types),
  vjp: "ceil is piecewise constant",
  kernel: { kind: "elementwise", scalar: "ceil" },
  reference: unaryEvaluator({ number: Math.ceil }),
  samples: unarySamples(uniform(-4, 4)),
});

export const round: UnaryOp = defineOp({
  name: "round",
  doc: "The nearest whole number; halves go to the even one (2.5 to 2, 3.5 to 4). No gradient.",
  stablehlo: "round_nearest_even",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => sameShape("round", types),
  vjp: "round is piecewise constant",
  kernel: { kind: "elementwise", scalar: "round" },
  reference: unaryEvaluator({ number: roundHalfToEven }),
  samples: withFixed(unarySamples(uniform(-4, 4)), {
    inputs: [{ shape: [8], fill: values(-2.5, -1.5, -0.5, -0.25, 0.5, 1.5, 2.5, 3.5) }],
    differentiable: false,
  }),
});

function roundHalfToEven(x: number): number {
  if (!Number.isFinite(x)) return x;
  const below = Math.floor(x);
  const rest = x - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = up ? below + 1 : below;
  // The sign of the operand survives: round(-0.3) is -0.
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}
