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

/** What is wrong with a name that is none, and what it could have been. */
export function unknownDevice(name: string): { readonly message: string; readonly hint: Hint } {
  const lower = name.toLowerCase();
  const hint = isDeviceKind(lower)
    ? writeInstead(JSON.stringify(lower), `did you mean \`${lower}\`?`)
    : 'there is `"cpu"` and `"gpu"`; `--device` chooses which device the gpu is';
  return { message: `there is no device ${JSON.stringify(name)}`, hint };
}
