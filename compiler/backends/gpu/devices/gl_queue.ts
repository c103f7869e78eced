import { setImmediate as nextTurn } from "node:timers/promises";

/** The part of WebGL that tells when the driver has done what it was given; without fences (WebGL 1) it can only be waited for. */
interface GlQueue {
  readonly finish: () => void;
  readonly flush: () => void;
}

interface FencedGlQueue extends GlQueue {
  readonly SYNC_GPU_COMMANDS_COMPLETE: number;
  readonly TIMEOUT_EXPIRED: number;
  readonly fenceSync: (condition: number, flags: number) => object | null;
  readonly clientWaitSync: (fence: object, flags: number, nanoseconds: number) => number;
  readonly deleteSync: (fence: object) => void;
}

/** How long a fence is asked after in each turn of the event loop. */
const impatientMilliseconds = 2;

/**
 * Waits until GL has done all that it was given. In a page the thread is free meanwhile, so that the page draws and answers: a fence
 * is set behind the work, and asked after in turns of the event loop, between which alone it changes
 * (https://registry.khronos.org/webgl/specs/latest/2.0/#3.7.14). Ends at once where the context is lost.
 */
export async function glDone(context: unknown): Promise<void> {
  if (!isQueue(context)) return;
  if (!isFenced(context)) {
    context.finish();
    return;
  }
  const fence = context.fenceSync(context.SYNC_GPU_COMMANDS_COMPLETE, 0);
  if (fence === null) return;
  // A fence that has not been sent off is never passed.
  context.flush();
  try {
    const start = performance.now();
    do {
      // A timer spares the processor, but those of a page that nobody sees have their turn once a second or less.
      const isSoon = performance.now() - start < impatientMilliseconds;
      await (isSoon || isUnseen() ? nextTurn() : new Promise((resolve) => setTimeout(resolve, 0)));
    } while (context.clientWaitSync(fence, 0, 0) === context.TIMEOUT_EXPIRED);
  } finally {
    context.deleteSync(fence);
  }
}

function isUnseen(): boolean {
  const document: unknown = Reflect.get(globalThis, "document");
  return typeof document === "object" && document !== null && Reflect.get(document, "visibilityState") === "hidden";
}

function isQueue(context: unknown): context is GlQueue {
  return typeof context === "object" && context !== null && "finish" in context && "flush" in context;
}

function isFenced(queue: GlQueue): queue is FencedGlQueue {
  return "fenceSync" in queue && "clientWaitSync" in queue;
}

/** The part of WebGL that tells of the end of the driver. */
interface LosableGl {
  readonly VERTEX_SHADER: number;
  readonly isContextLost: () => boolean;
  readonly createShader: (type: number) => object | null;
  readonly isShader: (shader: object | null) => boolean;
}

/** Notices that a browser has taken a context away, for good. */
export class GlWatch {
  readonly #contextOf: () => unknown;
  #witness: object | null | undefined;
  #isLost = false;

  /** `contextOf` gives the context once there is one. */
  constructor(contextOf: () => unknown) {
    this.#contextOf = contextOf;
  }

  get isLost(): boolean {
    const context = this.#contextOf();
    if (isLosable(context) && context.isContextLost()) this.#isLost = true;
    return this.#isLost;
  }

  /**
   * Asks the driver for an answer of its own: when its process has ended, the browser gives zeros as results until it comes to say
   * that the context is lost.
   */
  isAnswering(): boolean {
    const context = this.#contextOf();
    if (!isLosable(context) || this.isLost) return !this.#isLost;
    this.#witness ??= context.createShader(context.VERTEX_SHADER);
    this.#isLost = !context.isShader(this.#witness);
    return !this.#isLost;
  }
}

function isLosable(context: unknown): context is LosableGl {
  return typeof context === "object" && context !== null && "isContextLost" in context && "isShader" in context;
}
