/** Short ways to build edges and to evaluate them with the reference. */
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import type { Op, ReferenceContext, ReferenceTensor } from "../../compiler/ops/define.js";
import { referenceFromTensor, tensorOf } from "../../compiler/ops/precision.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { constant, placeholder } from "../../compiler/ops/sources.js";

export const emptyContext: ReferenceContext = {
  seed: 42n,
  step: 7n,
  runsSinceStep: 3n,
  feeds: new Map(),
  variables: new Map(),
};

/** A context that feeds placeholders named x0, x1, ... */
export function feeding(tensors: readonly Tensor[]): ReferenceContext {
  return { ...emptyContext, feeds: new Map(tensors.map((tensor, i) => [`x${i}`, referenceFromTensor(tensor)])) };
}

/** Placeholders named x0, x1, ... of the tensors' types. */
export function placeholdersFor(tensors: readonly Tensor[]): readonly Value[] {
  return tensors.map(({ dtype, shape }, i) => placeholder({ name: `x${i}`, dtype, shape }));
}

/** The outputs of an op applied to constants. */
export function applied(
  op: Op,
  inputs: readonly Tensor[],
  attributes: Parameters<Op["apply"]>[1] = {},
  regions: Sample["regions"] = () => [],
): readonly ReferenceTensor[] {
  const operands = inputs.map((value) => constant({ value }));
  return evaluateValues(op.apply(operands, attributes, regions(operands)), emptyContext);
}

export function resultOf(value: Value, context: ReferenceContext = emptyContext): ReferenceTensor {
  return evaluateValues([value], context)[0] as ReferenceTensor;
}

/** The elements of the first output, as plain numbers or bigints. */
export function elementsOf(
  op: Op,
  inputs: readonly Tensor[],
  attributes: Parameters<Op["apply"]>[1] = {},
): readonly (number | bigint)[] {
  return [...(applied(op, inputs, attributes)[0] as ReferenceTensor).data];
}

export function vector(dtype: NumericDType, ...values: readonly (number | bigint)[]): Tensor {
  return tensorOf(dtype, [values.length], values);
}

export function tensor(dtype: NumericDType, shape: readonly number[], ...values: readonly (number | bigint)[]): Tensor {
  return tensorOf(dtype, shape, values);
}
