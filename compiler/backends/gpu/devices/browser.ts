import {
  type DeviceName,
  type DeviceProbe,
  deviceNames,
  type GpuDevice,
  messageOf,
  type Openers,
  type Opening,
  openChecked,
  openFirst,
  probeOf,
} from "./device.js";
import { type GpuJsModule, openMode, openWebGpu, rendererOf, withGpuJs } from "./gpu_js.js";

/** The devices in a browser, in a page or a worker. Node has those of `node.ts`. */

/**
 * The device asked for, else the first of webgpu, webgl2, webasm and cpu on which a kernel runs. Throws GraphError: G122
 * where the one asked for does not work.
 */
export function openDevice(wish: DeviceName | undefined): Promise<GpuDevice> {
  return openFirst(openers, wish);
}

/** All devices, each opened and closed again. */
export async function probeDevices(): Promise<readonly DeviceProbe[]> {
  const probes: DeviceProbe[] = [];
  for (const name of deviceNames) {
    const opening = await openChecked(openers[name]);
    if ("gpu" in opening) await opening.close();
    probes.push(probeOf(name, opening));
  }
  return probes;
}

const openers: Openers = {
  webgpu: () => withGpuJs(openBrowserWebGpu),
  headlessgl: async () => ({ reason: "it is for Node; webgl2 is its like in a browser", hint: undefined }),
  webgl2: () => withGpuJs(openWebGl2),
  webasm: () => withGpuJs(openWebAssembly),
  cpu: () => withGpuJs(async (gpuJs) => openMode(gpuJs, "cpu", "JavaScript")),
};

async function openBrowserWebGpu(gpuJs: GpuJsModule): Promise<Opening> {
  if (!gpuJs.GPU.isWebGPUSupported) {
    return {
      reason: "this browser has no WebGPU, or the page is neither from https nor from localhost",
      hint: undefined,
    };
  }
  try {
    return await openWebGpu(gpuJs);
  } catch (error) {
    const none = messageOf(error).includes("no adapter");
    return { reason: none ? "the browser offers no adapter" : messageOf(error), hint: undefined };
  }
}

async function openWebGl2(gpuJs: GpuJsModule): Promise<Opening> {
  if (!gpuJs.GPU.isWebGL2Supported) return { reason: "this browser gives no WebGL 2 context", hint: undefined };
  return openMode(gpuJs, "webgl2", rendererOf(gpuJs.WebGL2Kernel));
}

async function openWebAssembly(gpuJs: GpuJsModule): Promise<Opening> {
  if (!gpuJs.GPU.isWebAssemblySupported) return { reason: "this browser runs no WebAssembly", hint: undefined };
  return openMode(gpuJs, "webasm", "WebAssembly");
}
