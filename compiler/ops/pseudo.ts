import { InternalError } from "../ir/diagnostic.js";
import type { TensorType } from "../ir/type.js";
import { type CallableOp, defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { anyDType, floats, type Operand, operand, variadicOperand } from "./operands.js";
import { unarySamples, uniform } from "./samples.js";

type Single = Operand & { readonly variadic: false };
type Many = Operand & { readonly variadic: true };

/** One output for each of xs; use `gradients.apply`. */
export const gradients: CallableOp<readonly [Single, Many], Readonly<Record<never, never>>> = defineOp({
  name: "gradients",
  doc: "The gradient of the sum of y in each of xs. Replaced by its meaning before anything runs, and itself differentiable.",
  inputs: [operand("y", floats, null), variadicOperand("xs", floats, null)],
  attributes: {},
  infer: (types) => types.slice(1),
  vjp: "gradients must be expanded from the inside out",
  kernel: { kind: "pseudo" },
  reference: () => {
    throw new InternalError("gradients was not expanded before evaluation");
  },
  samples: "what it stands for takes its place before anything runs",
});

export const stopGradient: UnaryOp = defineOp({
  name: "stop_gradient",
  doc: "The operand itself; gradients treat it as constant.",
  inputs: [operand("x", anyDType)],
  attributes: {},
  infer: ([x]) => x as TensorType,
  vjp: "it is there to stop gradients",
  kernel: { kind: "pseudo" },
  reference: ({ inputs: [x] }) => [(x as ReferenceTensor).data.slice()],
  samples: unarySamples(uniform(-4, 4)),
});
