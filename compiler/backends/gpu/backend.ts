import type { Diagnostic } from "../../ir/diagnostic.js";
import type { Backend } from "../backend.js";
import { chooseBackend } from "../choose.js";
import type { DeviceName } from "./devices/device.js";
import { openDevice } from "./devices/node.js";
import { backendOn } from "./on_device.js";

/**
 * Kernels of gpu.js on the device asked for, or on the first that works. What devices cannot do runs on the processor, and `notice`
 * is told of it. Throws GraphError: G122 where the device asked for does not work.
 */
export async function gpuBackend(
  wish: DeviceName | undefined,
  notice: (note: Diagnostic) => void = () => {},
): Promise<Backend> {
  const device = await openDevice(wish);
  return backendOn(device, () => openDevice(device.name), chooseBackend(undefined).backend, notice);
}
