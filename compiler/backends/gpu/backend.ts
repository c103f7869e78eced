import type { DeviceKind } from "../../ir/device.js";
import type { Diagnostic } from "../../ir/diagnostic.js";
import type { Backend } from "../backend.js";
import { chooseBackend } from "../choose.js";
import type { DeviceName } from "./devices/device.js";
import { openDevice } from "./devices/node.js";
import { backendOn } from "./on_device.js";

/**
 * Kernels of gpu.js on the device asked for, or on the first that works, for what the text places on the gpu and, where `unplaced` is that, for all that
 * it places nowhere. The rest, and what devices cannot do, runs on the processor; `notice` is told of the latter. Throws GraphError: G122 where the device asked for does not work.
 */
export async function gpuBackend(
  wish: DeviceName | undefined,
  notice: (note: Diagnostic) => void = () => {},
  unplaced: DeviceKind = "gpu",
): Promise<Backend> {
  const device = await openDevice(wish);
  return backendOn(device, () => openDevice(device.name), chooseBackend(undefined).backend, notice, unplaced);
}
