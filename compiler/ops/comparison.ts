import { tensorType } from "../ir/type.js";
import { type BinaryOp, defineOp, type UnaryOp } from "./define.js";
import { comparisonEvaluator, unaryEvaluator } from "./evaluate.js";
import { anyDType, floats, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import { binarySamples, unarySamples, uniform } from "./samples.js";
import type { BinaryScalar } from "./scalar.js";

export const eq = comparison("eq", "EQ", "x == y", (x, y) => x === y);
export const ne = comparison("ne", "NE", "x != y", (x, y) => x !== y);
export const lt = comparison("lt", "LT", "x < y", (x, y) => x < y);
export const le = comparison("le", "LE", "x <= y", (x, y) => x <= y);
export const gt = comparison("gt", "GT", "x > y", (x, y) => x > y);
export const ge = comparison("ge", "GE", "x >= y", (x, y) => x >= y);

function comparison(
  name: BinaryScalar,
  direction: string,
  formula: string,
  holds: (x: number | bigint, y: number | bigint) => boolean,
): BinaryOp {
  return defineOp({
    name,
    doc: `Whether ${formula}, element by element, as bool. NaN is unequal to everything, itself included; false < true. No gradient.`,
    stablehlo: `compare (${direction})`,
    inputs: [operand("x", anyDType), operand("y", anyDType)],
    attributes: {},
    infer: (types) => tensorType("bool", sameShape(name, types).shape),
    vjp: "a comparison is piecewise constant",
    kernel: { kind: "elementwise", scalar: name },
    reference: comparisonEvaluator(holds),
    samples: binarySamples(uniform(-4, 4)),
  });
}

export const isFinite: UnaryOp = defineOp({
  name: "is_finite",
  doc: "Whether each element is neither NaN nor an infinity, as bool. No gradient.",
  stablehlo: "is_finite",
  inputs: [operand("x", floats)],
  attributes: {},
  infer: (types) => tensorType("bool", sameShape("is_finite", types).shape),
  vjp: "is_finite is piecewise constant",
  kernel: { kind: "elementwise", scalar: "is_finite" },
  reference: unaryEvaluator({ number: (x) => (Number.isFinite(x) ? 1 : 0) }),
  samples: unarySamples(uniform(-4, 4)),
});
