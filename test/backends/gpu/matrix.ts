/** Every op of the table on a GPU, with the samples and the reference of the processor's tests. */

import type { ExecutionContext } from "ava";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import type { Tensor, TensorData } from "../../../compiler/ir/tensor.js";
import type { Op, Sample } from "../../../compiler/ops/define.js";
import { moduleOf, type OpModule, outputDType, toleranceOf } from "../matrix.js";
import { bindOn, firstDifference, outputsOf, startState, type Tolerance } from "../support.js";
import { backendOf } from "./support.js";

/** What devices compute in, and what travels as it. f64, f16 and bf16 are the processor's. */
const dtypes: readonly NumericDType[] = ["f32", "bool", "u8", "i8", "i32", "i64"];

/** An op or two of each kind of kernel, and functions that devices get wrong: for devices where a kernel takes long to build. */
export const someOps: ReadonlySet<string> = new Set([
  ...["add", "select", "exp", "log", "tanh", "sin", "erf"],
  ...["sum", "max", "dot_general", "transpose", "concatenate"],
]);

const isSpecial = (sample: Sample): boolean => sample.inputs.some(({ fill }) => fill.kind === "specials");

/** The samples of plain numbers, and those of NaN, infinities and extremes. */
function deviceModules(
  op: Op,
  taken: readonly NumericDType[],
): { readonly plain: OpModule; readonly special: OpModule } {
  const isDevices = (dtype: NumericDType): boolean => taken.includes(dtype);
  return {
    plain: moduleOf(op, (dtype, sample) => isDevices(dtype) && !isSpecial(sample)),
    special: moduleOf(op, (dtype, sample) => isDevices(dtype) && isSpecial(sample)),
  };
}

/** How near a device comes: 1e-5 of the value and 1e-6; long sums as near as the processor's must. */
function deviceTolerance(op: Op, dtype: NumericDType, inputs: Parameters<typeof toleranceOf>[2]): Tolerance {
  const own = toleranceOf(op, dtype, inputs);
  if (dtype !== "f32") return { ...own, zeroSigns: false };
  return { ulps: own.ulps, relative: 1e-5, absolute: Math.max(1e-6, own.absolute), zeroSigns: false };
}

/** Runs a module's feeds on both and says which outputs differ. */
async function differences(
  { op, computation, feeds, operands }: OpModule,
  device: DeviceName,
  isTold: (operands: readonly number[]) => boolean,
): Promise<readonly string[]> {
  if (computation.outputs.length === 0) return [];
  const reference = await bindOn(referenceBackend(), computation);
  const bound = await bindOn(await backendOf(device), computation);
  try {
    const expected = outputsOf(reference.executable.run(feeds, startState));
    const outcome = await bound.executable.runAside(feeds, startState, undefined);
    if (outcome.kind === "interrupted") throw new Error("the run was interrupted");
    const actual = outputsOf(outcome);
    return computation.outputs.flatMap(({ name, value }, i) => {
      const dtype = outputDType(value);
      const inputs = operands.get(name) ?? [];
      const [found, wanted] = [actual[i], expected[i]];
      if (found === undefined || wanted === undefined) return [`${name} is missing`];
      const compared = dtype === "f32" ? withoutUntold(found, wanted, inputs, isTold) : found;
      const difference = firstDifference(dtype, compared, wanted, deviceTolerance(op, dtype, inputs));
      if (difference === undefined) return [];
      const shapes = inputs.map((input) => `${input.dtype}[${input.shape.join(", ")}]`).join(", ");
      return [`${name} of ${shapes} with ${JSON.stringify(value.node.attributes)}: ${difference}`];
    });
  } finally {
    reference.close();
    bound.close();
  }
}

/** What is found, but for the elements about which nothing is told. */
function withoutUntold(
  found: TensorData,
  wanted: TensorData,
  inputs: readonly Tensor[],
  isTold: (operands: readonly number[]) => boolean,
): TensorData {
  if (!(found instanceof Float32Array)) return found;
  return found.map((x, i) => {
    const operands = inputs.map(({ data }) => Number(data[i] ?? 0));
    return isTold(operands) ? x : Number(wanted[i]);
  });
}

/** Where kernels have not the digits that a result depends on. */
function isBeyondDigits(op: Op, [x = 0]: readonly number[]): boolean {
  switch (op.opName) {
    case "sin":
    case "cos":
      return Math.abs(x) >= 8192;
    default:
      return false;
  }
}

export async function agreesOnPlain(
  t: ExecutionContext,
  op: Op,
  device: DeviceName,
  taken: readonly NumericDType[] = dtypes,
): Promise<void> {
  const { plain } = deviceModules(op, taken);
  t.deepEqual(await differences(plain, device, (operands) => !isBeyondDigits(op, operands)), []);
}

/**
 * NaN, infinities and extremes. What is subnormal is not asked: the reference and native code count it as zero, a device may or may
 * not.
 */
export async function agreesOnSpecials(t: ExecutionContext, op: Op, device: DeviceName): Promise<void> {
  const { special } = deviceModules(op, dtypes);
  const feeds = new Map([...special.feeds].map(([name, data]) => [name, cleaned(data)]));
  const isTold = (operands: readonly number[]): boolean => !isBeyondDigits(op, operands);
  t.deepEqual(await differences({ ...special, feeds }, device, isTold), []);
}

function cleaned(data: TensorData): TensorData {
  if (!(data instanceof Float32Array)) return data;
  return data.map((x) => (Math.abs(x) < 2 ** -126 ? x * 0 : x));
}
