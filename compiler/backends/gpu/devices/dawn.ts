import { messageOf, type Refusal } from "./device.js";

/** The package webgpu, which is Dawn, as the `navigator.gpu` of a browser: there gpu.js looks for it. */
export interface Installed {
  /** Takes `navigator.gpu` away again, once all who installed it have said so. */
  readonly remove: () => void;
}

interface Installation {
  readonly restore: () => void;
  users: number;
}

let installation: Installation | undefined;

/** Dawn's instance holds the drivers, so there is one a process, for as long as someone has a device open. */
export async function installNavigator(): Promise<Installed | Refusal> {
  try {
    const { create } = await import("webgpu");
    installation ??= { restore: defineNavigatorGpu(create([])), users: 0 };
  } catch (error) {
    return { reason: `the npm package webgpu does not load: ${messageOf(error)}`, hint: "`npm install webgpu@0.6`" };
  }
  const current = installation;
  current.users += 1;
  let installed = true;
  const remove = (): void => {
    if (!installed) return;
    installed = false;
    current.users -= 1;
    if (current.users > 0) return;
    current.restore();
    installation = undefined;
  };
  return { remove };
}

/** Node 21 and later have a `navigator` of their own. Returns what undoes it. */
function defineNavigatorGpu(gpu: unknown): () => void {
  const existing: unknown = Reflect.get(globalThis, "navigator");
  if (typeof existing === "object" && existing !== null) {
    Object.defineProperty(existing, "gpu", { value: gpu, configurable: true });
    return () => {
      Reflect.deleteProperty(existing, "gpu");
    };
  }
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true, writable: true });
  return () => {
    Reflect.deleteProperty(globalThis, "navigator");
  };
}
