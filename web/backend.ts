import type { Backend } from "../compiler/backends/backend.js";
import { openDevice } from "../compiler/backends/gpu/devices/browser.js";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import { backendOn } from "../compiler/backends/gpu/on_device.js";
import { referenceBackend } from "../compiler/backends/reference/backend.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";

/**
 * A device of the browser, which computes all that the text does not place `on "cpu"`. That, and what the device cannot do, the reference
 * evaluator does; `notice` is told of the latter.
 */
export async function pageBackend(wish: DeviceName | undefined, notice?: (note: Diagnostic) => void): Promise<Backend> {
  const device = await openDevice(wish);
  return backendOn(device, () => openDevice(device.name), referenceBackend(), notice);
}
