import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type * as Koffi from "koffi";
import type * as Llvm from "llvm-bindings";

/**
 * The two native packages, loaded when first needed: both are optional dependencies, so that the package works (with
 * the other back ends) where they could not be built. Only this file names them.
 */
const require = createRequire(import.meta.url);

export type LlvmBindings = typeof Llvm;
export type KoffiBindings = typeof Koffi;

export type Loaded<T> = { readonly ok: true; readonly module: T; readonly version: string } | LoadFailure;

export interface LoadFailure {
  readonly ok: false;
  readonly reason: string;
}

function tryLoad<T>(name: string, version: (module: T) => string): Loaded<T> {
  try {
    const module: T = require(name);
    return { ok: true, module, version: version(module) };
  } catch (error) {
    return {
      ok: false,
      reason: error instanceof Error ? (error.message.split("\n")[0] ?? name) : String(error),
    };
  }
}

let llvm: Loaded<LlvmBindings> | undefined;
let koffi: Loaded<KoffiBindings> | undefined;

/**
 * llvm-bindings, or why it cannot be loaded. The version is that of the LLVM inside. It keeps its state in the process, and
 * a second thread that loads it ends the process: only the main thread may.
 */
export function loadLlvm(): Loaded<LlvmBindings> {
  if (!isMainThread) return { ok: false, reason: "llvm-bindings works on the main thread only" };
  llvm ??= tryLoad<LlvmBindings>("llvm-bindings", (module) => module.config.LLVM_VERSION_STRING);
  return llvm;
}

/** koffi, or why it cannot be loaded. */
export function loadKoffi(): Loaded<KoffiBindings> {
  koffi ??= tryLoad<KoffiBindings>("koffi", (module) => module.version);
  return koffi;
}

/** Whether the package lies in some `node_modules` here, compiled or not. npm removes an optional one that it could not compile. */
export function isInstalled(name: "llvm-bindings" | "koffi"): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Whether llvm-bindings is installed and compiled, without loading it (its 100 MB take a tenth of a second). */
export function isLlvmBuilt(): { readonly ok: true; readonly version: string } | LoadFailure {
  if (!isMainThread) return { ok: false, reason: "llvm-bindings works on the main thread only" };
  try {
    const folder = dirname(require.resolve("llvm-bindings"));
    const built = ["Release", "Debug"].some((kind) => existsSync(join(folder, "build", kind, "llvm-bindings.node")));
    return built ? { ok: true, version: "built" } : { ok: false, reason: "installed but not compiled" };
  } catch (error) {
    return {
      ok: false,
      reason: error instanceof Error ? (error.message.split("\n")[0] ?? "not found") : String(error),
    };
  }
}
