import type * as GpuJs from "gpu.js";
import { messageOf, type Opened, type Opening, type Refusal } from "./device.js";
import { GlWatch, glDone } from "./gl_queue.js";

/** What the package's own types leave out. */
declare module "gpu.js" {
  /** The WebGPU device that all kernels of a process share. */
  export const WebGPUContext: {
    /** Throws where there is no adapter. */
    readonly acquire: () => Promise<WebGpuContext>;
    readonly destroy: () => Promise<void>;
  };
}

export interface WebGpuContext {
  readonly adapter: GpuAdapter;
  readonly device: WebGpuDevice;
  /** Set some time after the device went away. */
  readonly isLost: boolean;
}

interface GpuAdapter {
  readonly info: { readonly description: string; readonly vendor: string; readonly architecture: string };
}

interface WebGpuDevice {
  readonly destroy: () => void;
  readonly queue: { readonly onSubmittedWorkDone: () => Promise<unknown> };
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null;
}

export type GpuJsModule = Pick<typeof GpuJs, "GPU" | "HeadlessGLKernel" | "WebGL2Kernel" | "WebGPUContext">;

/** Loaded when a device is first opened: it takes a tenth of a second, and is an optional dependency. */
async function loadGpuJs(): Promise<GpuJsModule | Refusal> {
  try {
    return await import("gpu.js");
  } catch (error) {
    return { reason: `the npm package gpu.js does not load: ${messageOf(error)}`, hint: "`npm install gpu.js@2`" };
  }
}

export async function withGpuJs(open: (gpuJs: GpuJsModule) => Promise<Opening>): Promise<Opening> {
  const gpuJs = await loadGpuJs();
  return "reason" in gpuJs ? gpuJs : open(gpuJs);
}

const none: readonly string[] = [];

/** A device that needs nothing but gpu.js: each instance has its own state. */
export function openMode(
  { GPU }: GpuJsModule,
  mode: "headlessgl" | "webgl2" | "webasm" | "cpu",
  adapter: string,
): Opened {
  const gpu = new GPU({ mode });
  // GL has a queue; WebAssembly and JavaScript are done when they return.
  const settle = (): Promise<void> => glDone(gpu.context);
  const opened = { adapter, gpu, takeProblems: () => none, settle, close: () => gpu.destroy() };
  if (mode !== "webgl2") return opened;
  const watch = new GlWatch(() => gpu.context);
  const takeProblems = (): readonly string[] => {
    if (gpu.context === null) return ["the browser gives no WebGL 2 context"];
    // Without an error it gives zeros from then on.
    return watch.isLost ? ["the WebGL context was lost"] : none;
  };
  const close = async (): Promise<void> => {
    if (gpu.context !== null) await gpu.destroy();
  };
  return {
    ...opened,
    readable: settle,
    takeProblems,
    isLost: () => watch.isLost,
    isAnswering: () => watch.isAnswering(),
    close,
  };
}

/** The part of WebGL that tells what renders. */
interface GlContext {
  readonly RENDERER: number;
  readonly getParameter: (name: number) => unknown;
  readonly getExtension: (name: "WEBGL_debug_renderer_info") => { readonly UNMASKED_RENDERER_WEBGL: number } | null;
}

type GlKernelClass = GpuJsModule["HeadlessGLKernel"] | GpuJsModule["WebGL2Kernel"];

const renderers = new Map<GlKernelClass, string>();

/** What renders for GL kernels of a class whose support gpu.js has tried, as its driver says. */
export function rendererOf(kernel: GlKernelClass): string {
  const known = renderers.get(kernel);
  if (known !== undefined) return known;
  const context: GlContext | null | undefined = Reflect.get(kernel, "testContext");
  if (context === null || context === undefined) return "GL";
  const unmasked = context.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
  const name: unknown = context.getParameter(unmasked ?? context.RENDERER);
  // A browser may have taken that context away, and then says nothing.
  if (typeof name !== "string") return "GL";
  renderers.set(kernel, name);
  return name;
}

/** Where problems of the shared WebGPU device go: to all that have it open. */
const open = new Set<string[]>();

/**
 * The WebGPU device of `navigator.gpu`, shared by all that have it open; the last one to close it destroys it. Throws where
 * there is no adapter.
 */
export async function openWebGpu({ GPU, WebGPUContext }: GpuJsModule): Promise<Opened> {
  const context = await WebGPUContext.acquire();
  const { adapter, device } = context;
  device.onuncapturederror = ({ error }) => {
    for (const problems of open) problems.push(error.message);
  };
  const problems: string[] = [];
  open.add(problems);
  const gpu = new GPU({ mode: "webgpu" });
  const { description, vendor, architecture } = adapter.info;
  return {
    adapter: description || `${vendor} ${architecture}`.trim() || "unnamed GPU",
    gpu,
    takeProblems: () => problems.splice(0),
    isLost: () => context.isLost,
    settle: async () => {
      // A device that is lost does nothing more: the next launch says so.
      await device.queue.onSubmittedWorkDone().catch(() => undefined);
    },
    close: async () => {
      if (!open.delete(problems)) return;
      await gpu.destroy();
      if (open.size === 0) await WebGPUContext.destroy();
    },
  };
}
