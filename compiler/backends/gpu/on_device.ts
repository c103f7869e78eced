import type { DeviceKind } from "../../ir/device.js";
import type { Diagnostic } from "../../ir/diagnostic.js";
import type { Backend } from "../backend.js";
import type { GpuDevice } from "./devices/device.js";
import { DeviceLease } from "./lease.js";
import { deviceStorage } from "./storage.js";

/**
 * The back end of an open device, which `reopen` opens again after it was closed. What the text places nowhere is computed on
 * `unplaced`. What the device cannot do runs on `host`, and `notice` is told of it.
 */
export function backendOn(
  device: GpuDevice,
  reopen: () => Promise<GpuDevice>,
  host: Backend,
  notice: (note: Diagnostic) => void = () => {},
  unplaced: DeviceKind = "gpu",
): Backend {
  const lease = new DeviceLease(device, reopen);
  return {
    target: "gpu",
    followsPlaces: true,
    memory: deviceStorage(host.memory, lease),
    device: `${device.name} (${device.adapter})`,
    identity: `${device.name} ${unplaced} ${host.target} ${host.identity}`,
    initialiser: host,
    compile: async (computation, options) =>
      (await import("./compile.js")).compileDevice(computation, options, lease, host, notice, unplaced),
    counts: async () => (await lease.memory()).counts,
    // Kernels are built where they run.
    restore: () => undefined,
  };
}
