import type { Backend } from "../compiler/backends/backend.js";
import { openDevice } from "../compiler/backends/gpu/devices/browser.js";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import { backendOn } from "../compiler/backends/gpu/on_device.js";
import { referenceBackend } from "../compiler/backends/reference/backend.js";

/** A device of the browser; what it cannot do, the reference evaluator does. */
export async function pageBackend(wish: DeviceName | undefined): Promise<Backend> {
  const device = await openDevice(wish);
  return backendOn(device, () => openDevice(device.name), referenceBackend());
}
