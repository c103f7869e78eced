import { InternalError } from "../ir/diagnostic.js";
import type { DType } from "../ir/dtype.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { type CallableOp, defineOp, type ReferenceTensor } from "./define.js";
import { drawOne, drawShape } from "./draw.js";
import { OpError } from "./op_error.js";
import { type Operand, operand, variadicOperand } from "./operands.js";
import { checkSizes } from "./rules.js";
import { type Sample, values, wholeNumbers } from "./samples.js";
import { streamKey, uniformAt } from "./threefry.js";

type RandomSchema = {
  readonly path: "string";
  readonly index: "int";
  readonly dtype: "dtype";
  readonly shape: "dims";
};
type RandomOp = CallableOp<
  readonly [Operand & { readonly variadic: false }, Operand & { readonly variadic: true }],
  RandomSchema
>;

export const randomUniform: RandomOp = defineOp({
  name: "random_uniform",
  doc:
    "Uniform numbers in [0, 1): multiples of 2^-24 (f32) or 2^-53 (f64) from Threefry-2x32-20, keyed by the seed, the path and index of " +
    "the op, the step, the runs since it, and the indices of the enclosing loops. The same bits on every back end.",
  inputs: [operand("state", ["i64"], null), variadicOperand("indices", ["i64"], null)],
  attributes: { path: "string", index: "int", dtype: "dtype", shape: "dims" },
  infer: (types, { dtype, shape }) => {
    const [state, ...indices] = types as readonly [TensorType, ...TensorType[]];
    if (dtype !== "f32" && dtype !== "f64") throw new OpError("G024", `random_uniform makes f32 or f64, not ${dtype}`);
    if (state.shape.length !== 1 || state.shape[0] !== 3) {
      throw new OpError("G020", `random_uniform takes the run's state, i64[3], not ${typeText(state)}`, { operand: 0 });
    }
    indices.forEach((type, i) => {
      if (type.shape.length > 0)
        throw new OpError("G025", `a loop index is a scalar, not ${typeText(type)}`, { operand: i + 1 });
    });
    checkSizes("random_uniform", shape);
    return tensorType(dtype, shape);
  },
  vjp: ({ inputs: [, indices] }) => [undefined, indices.map(() => undefined)],
  kernel: { kind: "generator" },
  reference: ({ inputs, attributes: { path, index, dtype }, outputs: [y] }) => {
    const [state, ...indices] = inputs as readonly [ReferenceTensor, ...ReferenceTensor[]];
    const seed = integerAt(state, 0);
    const step = integerAt(state, 1);
    const runsSinceStep = integerAt(state, 2);
    const key = streamKey({
      seed,
      step,
      runsSinceStep,
      path,
      index,
      loopIndices: indices.map((index) => integerAt(index, 0)),
    });
    const result = new Float64Array(elementCount(y?.shape ?? []));
    for (let i = 0; i < result.length; i++) result[i] = uniformAt(key, i, dtype === "f64" ? "f64" : "f32");
    return [result];
  },
  samples: {
    fixed: (["f32", "f64"] as const).flatMap((dtype) =>
      [[], [0], [1], [7], [3, 5], [2, 1, 2, 1, 2]].map((shape) => drawn(dtype, shape, shape.length)),
    ),
    random: (draw) => {
      const dtype = drawOne(draw, ["f32", "f64"] as const);
      return drawn(dtype, drawShape(draw), draw.integer(0, 1000), draw.integer(0, 3));
    },
  },
});

function drawn(dtype: DType, shape: readonly number[], index: number, loops = 0): Sample<RandomSchema> {
  const indices = Array.from({ length: loops }, () => ({
    shape: [],
    fill: wholeNumbers(0, 1000),
    dtype: "i64" as const,
  }));
  return {
    inputs: [{ shape: [3], fill: values(42, 7, 3), dtype: "i64" }, ...indices],
    attributes: { path: "hidden/dropout", index, dtype, shape },
  };
}

/** An element of an i64 tensor. */
function integerAt({ data }: ReferenceTensor, at: number): bigint {
  const element = data[at];
  if (typeof element !== "bigint") throw new InternalError(`no i64 at ${at}`);
  return element;
}
