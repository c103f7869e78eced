import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { RoutineKernel } from "../../compiler/kernels/form.js";
import type { ReferenceContext } from "../../compiler/ops/define.js";
import type { ReferenceData } from "../../compiler/ops/precision.js";
import { completed } from "../../compiler/ops/stepwise.js";
import { opNamed } from "../../compiler/ops/table.js";

interface Operand {
  readonly dtype: NumericDType;
  readonly data: ReferenceData;
}

/** What a routine writes, by the reference evaluator of the op of its name. */
export function routineResults(
  kernel: RoutineKernel,
  operands: readonly Operand[],
  context: ReferenceContext,
): readonly ReferenceData[] {
  return kernel.parameters.has("length") ? alongAxis(kernel, operands, context) : onMatrices(kernel, operands, context);
}

function sizeOf(kernel: RoutineKernel): (name: string) => number {
  return (name) => kernel.parameters.get(name) ?? 0;
}

function alongAxis(
  kernel: RoutineKernel,
  operands: readonly Operand[],
  context: ReferenceContext,
): readonly ReferenceData[] {
  const number = sizeOf(kernel);
  const shape = [number("batch"), number("length"), number("inner")];
  const op = opNamed(kernel.routine);
  const flags = Object.keys(op.schema).filter((name) => name !== "axis");
  const attributes = { axis: 1, ...Object.fromEntries(flags.map((name) => [name, number(name) === 1])) };
  const work = op.evaluate({
    inputs: operands.map((operand) => ({ ...operand, shape })),
    attributes: attributes as never,
    outputs: [{ dtype: kernel.dtype, shape }],
    context,
    regions: [],
  });
  return completed(work);
}

function onMatrices(
  kernel: RoutineKernel,
  operands: readonly Operand[],
  context: ReferenceContext,
): readonly ReferenceData[] {
  const number = sizeOf(kernel);
  const [batch, rows, columns, sides] = [number("batch"), number("rows"), number("columns"), number("sides")];
  const inputs = operands.map(({ data }, i) => ({
    dtype: kernel.dtype,
    shape: i === 0 ? [batch, rows, columns] : [batch, rows, sides],
    data,
  }));
  const attributes: Record<string, boolean> = {};
  for (const name of ["lower", "transpose", "unit_diagonal"]) attributes[name] = number(name) === 1;
  const op = opNamed(kernel.routine);
  const types = op.infer(
    inputs.map(({ dtype, shape }) => ({ dtype, shape })),
    kernel.routine === "triangular_solve" ? attributes : {},
  );
  const outputs = types.map(({ shape }) => ({ dtype: kernel.dtype, shape: shape as readonly number[] }));
  return completed(op.evaluate({ inputs, attributes: attributes as never, outputs, context, regions: [] }));
}
