/** Programs on each device of gpu.js that this machine has. */
import test, { type ExecutionContext } from "ava";
import type { Backend } from "../../../compiler/backends/backend.js";
import { gpuBackend } from "../../../compiler/backends/gpu/backend.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";

/** What runs everywhere: WebAssembly and JavaScript. */
export const everywhere: readonly DeviceName[] = ["webasm", "cpu"];

const backends = new Map<DeviceName, Promise<Backend>>();

/** One back end a device and test file: kernels are built once. */
export function backendOf(device: DeviceName): Promise<Backend> {
  const known = backends.get(device) ?? gpuBackend(device);
  backends.set(device, known);
  return known;
}

/** A test for each device, told which it is. */
export function onDevices(
  devices: readonly DeviceName[],
  title: string,
  body: (t: ExecutionContext, device: DeviceName) => Promise<void>,
): void {
  for (const device of devices) test(`${device}: ${title}`, (t) => body(t, device));
}
