import { type Hint, writeInstead } from "./fix.js";
/** What `on "..."` names: the processor, or the device that kernels of the target gpu run on. */
export const deviceKinds = ["cpu", "gpu"] as const;
export type DeviceKind = (typeof deviceKinds)[number];

export function isDeviceKind(name: string): name is DeviceKind {
  return (deviceKinds as readonly string[]).includes(name);
}

let current: DeviceKind | undefined;

/** Where nodes that are built now are placed; undefined leaves it to the target. */
export function deviceNow(): DeviceKind | undefined {
  return current;
}

/**
 * Runs `build`, which is synchronous; the nodes that it makes are placed on `device`. What takes the place of a node is built on that
 * node's device, so that rewrites and gradients lie where the op lies that they come from.
 */
export function buildOn<T>(device: DeviceKind | undefined, build: () => T): T {
  const outer = current;
  current = device;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/** How a statement is placed, for those who write it as elsewhere. */
export const placingHint = 'a statement is placed at its end: `y = exp(x) on "gpu"`; a block is `on "gpu" { ... }`';

/** Names of graphics hardware, and of what programs it. */
const graphics = /^\/?(?:device:)?(?:gpu|cuda|webgpu|webgl2?|metal|mps|rocm|hip|xpu|vulkan|opencl|opengl)(?:[:/]|$)/;

/** The place that another library's name of one stands for: `cuda:0` is the gpu. */
export function placeLike(name: string): DeviceKind | undefined {
  const lower = name.toLowerCase();
  if (graphics.test(lower)) return "gpu";
  return /^\/?(?:device:)?(?:cpu|host|processor)(?:[:/]|$)/.test(lower) ? "cpu" : undefined;
}

/** What is wrong with a name that is none, and what it could have been. */
export function unknownDevice(name: string): { readonly message: string; readonly hint: Hint } {
  const like = placeLike(name);
  const hint =
    like !== undefined
      ? writeInstead(JSON.stringify(like), `did you mean \`${like}\`?`)
      : 'there is `"cpu"` and `"gpu"`; `--device` chooses which device the gpu is';
  return { message: `there is no device ${JSON.stringify(name)}`, hint };
}
