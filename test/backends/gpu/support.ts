/** Programs on each device of gpu.js that this machine has. */
import test, { type ExecutionContext } from "ava";
import type { Backend } from "../../../compiler/backends/backend.js";
import { gpuBackend } from "../../../compiler/backends/gpu/backend.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { hasSoftware } from "./software.js";

const backends = new Map<DeviceName, Promise<Backend>>();

/** One back end a device and test file: kernels are built once. */
export function backendOf(device: DeviceName): Promise<Backend> {
  const known = backends.get(device) ?? gpuBackend(device);
  backends.set(device, known);
  return known;
}

let hasWebGpu: boolean | undefined;

/**
 * A test on WebAssembly, one in JavaScript and one on WebGPU, each told which it is; the last is skipped where there is no software for it.
 * `without`: devices on which a test would take long and tell nothing more.
 */
export function forEachDevice(
  title: string,
  body: (t: ExecutionContext, device: DeviceName) => Promise<void>,
  { without = [] }: { readonly without?: readonly DeviceName[] } = {},
): void {
  // Asked, and said, once a file and before the first device is opened.
  hasWebGpu ??= hasSoftware("swiftshader");
  for (const device of ["webasm", "cpu"] as const)
    if (!without.includes(device)) test.serial(`${device}: ${title}`, (t) => body(t, device));
  (hasWebGpu ? test.serial : test.serial.skip)(`webgpu: ${title}`, (t) => body(t, "webgpu"));
}
