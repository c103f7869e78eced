/** Every op of the table on a device of Node's. */

import type { ExecutionContext } from "ava";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { ops } from "../../../compiler/ops/table.js";
import { hasKernel } from "../matrix.js";
import { opProblems } from "./differences.js";
import { backendOf } from "./support.js";

/** A test for each op; `taken` as `opProblems` takes it. */
export function testOps(
  declare: (title: string, body: (t: ExecutionContext) => Promise<void>) => void,
  device: DeviceName,
  taken?: readonly NumericDType[],
): void {
  for (const op of ops.values()) {
    if (!hasKernel(op)) continue;
    declare(`${op.opName} gives what the reference gives`, async (t) => {
      t.deepEqual(await opProblems(op, device, await backendOf(device), taken), []);
    });
  }
}
