import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { installNavigator } from "./dawn.js";
import {
  type DeviceName,
  type GpuDevice,
  messageOf,
  type Openers,
  type Opening,
  openFirst,
  type Refusal,
} from "./device.js";
import { type GpuJsModule, openMode, openWebGpu, rendererOf, withGpuJs } from "./gpu_js.js";
import { driverNames, swiftShaderDriver, vulkanDrivers, vulkanVariable } from "./vulkan.js";

/** The devices in Node. A browser has those of `browser.ts`. */
export const nodeOpeners: Openers = {
  webgpu: () => withGpuJs(openNodeWebGpu),
  headlessgl: () => withGpuJs(openHeadlessGl),
  webgl2: async () => ({ reason: "it is for browsers; headlessgl is its like in Node", hint: undefined }),
  webasm: () => withGpuJs(async (gpuJs) => openMode(gpuJs, "webasm", "WebAssembly")),
  cpu: () => withGpuJs(async (gpuJs) => openMode(gpuJs, "cpu", "JavaScript")),
};

/**
 * The device asked for, else the first of webgpu, headlessgl, webasm and cpu on which a kernel runs. Throws GraphError:
 * G122 where the one asked for does not work.
 */
export function openDevice(wish: DeviceName | undefined): Promise<GpuDevice> {
  return openFirst(nodeOpeners, wish);
}

async function openNodeWebGpu(gpuJs: GpuJsModule): Promise<Opening> {
  const drivers = process.platform === "linux" ? vulkanDrivers() : undefined;
  if (drivers?.length === 0) return noDriver();
  const navigator = await installNavigator();
  if ("reason" in navigator) return navigator;
  try {
    const opened = await openWebGpu(gpuJs);
    const close = async (): Promise<void> => {
      await opened.close();
      navigator.remove();
    };
    return { ...opened, close };
  } catch (error) {
    navigator.remove();
    if (!messageOf(error).includes("no adapter")) return { reason: messageOf(error), hint: undefined };
    return noAdapter(drivers);
  }
}

function noAdapter(drivers: readonly string[] | undefined): Refusal {
  if (drivers === undefined) return { reason: "there is no GPU that it can use", hint: undefined };
  const reason = `no Vulkan driver that is installed can be used (${driverNames(drivers)}), or libvulkan.so.1 is missing`;
  return { reason, hint: `install libvulkan1 and the Vulkan driver of the GPU, or ${softwareHint()}` };
}

function noDriver(): Refusal {
  const variable = vulkanVariable();
  const reason =
    variable === undefined ? "no Vulkan driver is installed" : `${variable} names no driver that is installed`;
  return { reason, hint: `install libvulkan1 and the Vulkan driver of the GPU, or ${softwareHint()}` };
}

function softwareHint(): string {
  const install = existsSync(swiftShaderDriver) ? "" : "`sudo apt-get install libvulkan1 chromium-common` and ";
  return `for a device in software ${install}VK_DRIVER_FILES=${swiftShaderDriver}`;
}

/** What compiles the package gl, which has no build for each version of Node. */
const glPackages =
  "build-essential python3 pkg-config libxi-dev libx11-dev libxext-dev libgl-dev libglu1-mesa-dev libglew-dev libgl1-mesa-dri";

async function openHeadlessGl(gpuJs: GpuJsModule): Promise<Opening> {
  const missing = glRefusal();
  if (missing !== undefined) return missing;
  if (gpuJs.GPU.isHeadlessGLSupported) return openMode(gpuJs, "headlessgl", rendererOf(gpuJs.HeadlessGLKernel));
  if (process.platform !== "linux") return { reason: "no GL context can be made", hint: undefined };
  const display = process.env["DISPLAY"] ?? "";
  return display === ""
    ? {
        reason: "no X server: DISPLAY is not set",
        hint: "`sudo apt-get install xvfb xauth` and `xvfb-run -a graphc ...`",
      }
    : { reason: `the X server ${display} gives no GL context`, hint: "`sudo apt-get install libgl1-mesa-dri`" };
}

/** gpu.js loads gl if it can, and does not say why it could not. */
function glRefusal(): Refusal | undefined {
  const load = createRequire(createRequire(import.meta.url).resolve("gpu.js"));
  try {
    load("gl");
    return undefined;
  } catch (error) {
    const install = `sudo apt-get install ${glPackages}`;
    return error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND"
      ? { reason: "the npm package gl is not installed", hint: `\`${install} && npm install gl@8\`` }
      : { reason: `the npm package gl does not load: ${messageOf(error)}`, hint: `\`${install} && npm rebuild gl\`` };
  }
}
