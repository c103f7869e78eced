/**
 * An op of the table on a device, with the samples and the reference of the processor's tests, and the tolerance of docs/gpu.md.
 * Nothing here needs Node: a page does it too.
 */

import type { Backend } from "../../../compiler/backends/backend.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { deviceNumerics, processorOps } from "../../../compiler/backends/gpu/documented.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import type { Tensor, TensorData } from "../../../compiler/ir/tensor.js";
import type { Op } from "../../../compiler/ops/define.js";
import type { Sample } from "../../../compiler/ops/samples.js";
import { bindOn, outputsOf, startState } from "../bound.js";
import { differencesOf, moduleOf, type OpModule, toleranceOf } from "../matrix.js";
import { firstDifference, type Tolerance } from "../tolerance.js";

/** What devices compute in, and what travels as it. f64, f16 and bf16 are the processor's. */
export const dtypes: readonly NumericDType[] = ["f32", "bool", "u8", "i8", "i32", "i64"];

const isSpecial = (sample: Sample): boolean => sample.inputs.some(({ fill }) => fill.kind === "specials");

/**
 * Where an op on a device differs from the reference: plain samples of `taken` dtypes, and those of NaN, infinities and extremes of all.
 * That the device has launched nothing for plain samples, though kernels compute the op, is one too.
 */
export async function opProblems(
  op: Op,
  device: DeviceName,
  backend: Backend,
  taken: readonly NumericDType[] = dtypes,
): Promise<readonly string[]> {
  const plain = moduleOf(op, (dtype, sample) => taken.includes(dtype) && !isSpecial(sample));
  const special = moduleOf(op, (dtype, sample) => dtypes.includes(dtype) && isSpecial(sample));
  const before = await launchesOn(backend);
  const found = await differences(plain, device, backend);
  const idle = isDevices(op) && plain.feeds.size > 0 && (await launchesOn(backend)) === before;
  return [
    ...found,
    ...(idle ? ["the device has launched nothing"] : []),
    ...(await differences(special, device, backend)),
  ];
}

/** What is no work of its own, and is done by whoever needs it, or before anything is sent. */
const anywhere: ReadonlySet<string> = new Set(["cast", "iota", "run_state"]);

/** Whether kernels compute it. */
function isDevices({ opName, kernel }: Op): boolean {
  return !processorOps.includes(opName) && !["view", "check", "source"].includes(kernel.kind) && !anywhere.has(opName);
}

async function launchesOn({ counts }: Backend): Promise<number> {
  return (await counts?.())?.launches ?? 0;
}

/** How near a device comes; long sums as near as the processor's must. */
function deviceTolerance(device: DeviceName, op: Op, dtype: NumericDType, inputs: readonly Tensor[]): Tolerance {
  const own = toleranceOf(op, dtype, inputs);
  const { relative, absolute, zeroSigns } = deviceNumerics[device];
  if (dtype !== "f32") return { ...own, zeroSigns };
  return { ulps: own.ulps, relative, absolute: Math.max(absolute, own.absolute), zeroSigns };
}

/** Runs a module's feeds on a device's back end and on the reference, and says which outputs differ. */
export async function differences(module: OpModule, device: DeviceName, backend: Backend): Promise<readonly string[]> {
  const { op, computation } = module;
  if (computation.outputs.length === 0) return [];
  const feeds = withoutSubnormals(module.feeds, device);
  const reference = await bindOn(referenceBackend(), computation);
  const bound = await bindOn(backend, computation);
  try {
    const expected = outputsOf(reference.executable.run(feeds, startState));
    const outcome = await bound.executable.runAside(feeds, startState, undefined);
    if (outcome.kind === "interrupted") throw new Error("the run was interrupted");
    const actual = outputsOf(outcome);
    return differencesOf(module, actual, expected, (dtype, found, wanted, inputs) =>
      firstDifference(
        dtype,
        withoutUntold(op, device, found, wanted, inputs),
        wanted,
        deviceTolerance(device, op, dtype, inputs),
      ),
    );
  } finally {
    reference.close();
    bound.close();
  }
}

/** What is found, but for the elements about which nothing is told. */
function withoutUntold(
  { opName }: Op,
  device: DeviceName,
  found: TensorData,
  wanted: TensorData,
  [operand]: readonly Tensor[],
): TensorData {
  const { sineLimit } = deviceNumerics[device];
  if (!(found instanceof Float32Array) || !(opName === "sin" || opName === "cos")) return found;
  return found.map((x, i) => (Math.abs(Number(operand?.data[i])) >= sineLimit ? Number(wanted[i]) : x));
}

/** The reference and native code count subnormals as zeros; devices may do so or not, so that none are asked. */
function withoutSubnormals(
  feeds: ReadonlyMap<string, TensorData>,
  device: DeviceName,
): ReadonlyMap<string, TensorData> {
  if (deviceNumerics[device].subnormals === "zeros") return feeds;
  return new Map(
    [...feeds].map(([name, data]) => [
      name,
      data instanceof Float32Array ? data.map((x) => (Math.abs(x) < 2 ** -126 ? x * 0 : x)) : data,
    ]),
  );
}
