import { elementCount } from "../ir/tensor.js";
import { tensorType } from "../ir/type.js";
import { defineOp, type ReferenceTensor, type SourceOp } from "./define.js";
import { drawOne, drawShape } from "./draw.js";
import { OpError } from "./op_error.js";
import { anyDType } from "./operands.js";
import { numericDType, referenceFromTensor, tensorOf } from "./precision.js";
import { checkSizes } from "./rules.js";

export const placeholder: SourceOp<{ readonly name: "string"; readonly dtype: "dtype"; readonly shape: "dims" }> =
  defineOp({
    name: "placeholder",
    doc: "A tensor that each run is fed with.",
    inputs: [],
    attributes: { name: "string", dtype: "dtype", shape: "dims" },
    infer: (_, { dtype, shape }) => {
      checkStored("placeholder", dtype);
      checkSizes("placeholder", shape);
      return tensorType(dtype, shape);
    },
    vjp: () => [],
    kernel: { kind: "source" },
    reference: ({ attributes: { name }, context }) => [given(context.feeds, "placeholder", name).data],
    samples: "it is what the operands of all other samples are",
  });

export const variable: SourceOp<{ readonly path: "string"; readonly dtype: "dtype"; readonly shape: "dims" }> =
  defineOp({
    name: "variable",
    doc: "The value of a variable at the start of the run.",
    inputs: [],
    attributes: { path: "string", dtype: "dtype", shape: "dims" },
    infer: (_, { dtype, shape }) => {
      checkStored("variable", dtype);
      checkSizes("variable", shape);
      return tensorType(dtype, shape);
    },
    vjp: () => [],
    kernel: { kind: "source" },
    reference: ({ attributes: { path }, context }) => [given(context.variables, "variable", path).data],
    samples: "it is read as a placeholder is",
  });

const stored = anyDType.filter((dtype) => dtype !== "string").map(numericDType);

export const constant: SourceOp<{ readonly value: "literal" }> = defineOp({
  name: "constant",
  doc: "A tensor that is known when the graph is compiled.",
  stablehlo: "constant",
  inputs: [],
  attributes: { value: "literal" },
  infer: (_, { value }) => tensorType(value.dtype, value.shape),
  vjp: () => [],
  kernel: { kind: "source" },
  reference: ({ attributes: { value } }) => [referenceFromTensor(value).data],
  samples: {
    fixed: stored.flatMap((dtype) => [
      { inputs: [], attributes: { value: tensorOf(dtype, [], [1]) } },
      { inputs: [], attributes: { value: tensorOf(dtype, [2, 2], [0, 1, 0, 1]) } },
      { inputs: [], attributes: { value: tensorOf(dtype, [0], []) } },
    ]),
    random: (draw) => {
      const [dtype, shape] = [drawOne(draw, stored), drawShape(draw)];
      const [first, step] = [draw.integer(0, 100), draw.integer(0, 100)];
      const elements = Array.from({ length: elementCount(shape) }, (_, i) => (first + i * step) % 101);
      return { inputs: [], attributes: { value: tensorOf(dtype, shape, elements) } };
    },
  },
});

export const runState: SourceOp = defineOp({
  name: "run_state",
  doc: "What randomness depends on besides its path, as i64[3]: the seed, the step, and the runs since the last step.",
  inputs: [],
  attributes: {},
  infer: () => tensorType("i64", [3]),
  vjp: () => [],
  kernel: { kind: "generator" },
  reference: ({ context }) => [BigInt64Array.of(context.seed, context.step, context.runsSinceStep)],
  samples: { fixed: [{ inputs: [] }], random: () => ({ inputs: [] }) },
});

function checkStored(name: string, dtype: string): void {
  if (dtype === "string") throw new OpError("G024", `a ${name} cannot hold strings: they are constants only`);
}

function given(table: ReadonlyMap<string, ReferenceTensor>, kind: string, name: string): ReferenceTensor {
  const tensor = table.get(name);
  if (tensor === undefined) throw new TypeError(`the evaluator was not given the ${kind} ${name}`);
  return tensor;
}
