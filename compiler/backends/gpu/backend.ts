import type { Backend } from "../backend.js";
import { chooseBackend } from "../choose.js";
import type { DeviceName } from "./devices/device.js";
import { openDevice } from "./devices/node.js";
import { DeviceLease } from "./lease.js";
import { deviceStorage } from "./storage.js";

/**
 * Kernels of gpu.js on the device asked for, or on the first that works. What devices cannot do runs on the processor. Throws
 * GraphError: G122 where the device asked for does not work.
 */
export async function gpuBackend(wish: DeviceName | undefined): Promise<Backend> {
  const device = await openDevice(wish);
  const lease = new DeviceLease(device, () => openDevice(device.name));
  const { backend: host } = chooseBackend(undefined);
  return {
    target: "gpu",
    memory: deviceStorage(host.memory, lease),
    device: `${device.name} (${device.adapter})`,
    identity: `${device.name} ${host.target} ${host.identity}`,
    initialiser: host,
    compile: async (computation, options) =>
      (await import("./compile.js")).compileDevice(computation, options, lease, host),
    // Kernels are built where they run.
    restore: () => undefined,
  };
}
