/** What tests ask of a page, bundled for it as the library for pages is. */

import type { Backend } from "../../../compiler/backends/backend.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import type { AccuracyFamily } from "../../../compiler/backends/gpu/documented.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { ops } from "../../../compiler/ops/table.js";
import { pageBackend } from "../../../web/backend.js";
import { largestErrors } from "../../backends/gpu/accuracy.js";
import { opProblems } from "../../backends/gpu/differences.js";

const backends = new Map<DeviceName, Promise<Backend>>();

/** One back end a device and page: kernels are built once. */
function backendOf(device: DeviceName): Promise<Backend> {
  const known = backends.get(device) ?? pageBackend(device);
  backends.set(device, known);
  return known;
}

export async function deviceOf(name: DeviceName): Promise<string> {
  return (await backendOf(name)).device;
}

/** Where an op of the table on a device differs from the reference. */
export async function problemsOf(
  name: string,
  device: DeviceName,
  taken: readonly NumericDType[],
): Promise<readonly string[]> {
  const op = ops.get(name);
  if (op === undefined) throw new Error(`no op ${name}`);
  return opProblems(op, device, await backendOf(device), taken);
}

/** The largest error of each family of ops, in units of the last place. */
export async function errorsOn(
  device: DeviceName,
  count: number,
): Promise<readonly (readonly [AccuracyFamily, number])[]> {
  return [...(await largestErrors(await backendOf(device), count))];
}
