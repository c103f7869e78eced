import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
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
  if (llvm === undefined) openWithOwnSymbols("llvm-bindings/build/Release/llvm-bindings.node");
  llvm ??= tryLoad<LlvmBindings>("llvm-bindings", (module) => module.config.LLVM_VERSION_STRING);
  return llvm;
}

/**
 * Mesa's driver for GL in software opens an LLVM of its own for the whole process, and what has the same names in llvm-bindings would be
 * bound to it: the process ends ("Option registered more than once") or calls functions of the other version. With RTLD_DEEPBIND a
 * library's own symbols come first (dlopen(3)). The library stays open, so that `require` finds it as it was opened here.
 */
function openWithOwnSymbols(file: string): void {
  const { RTLD_LAZY, RTLD_DEEPBIND } = constants.dlopen;
  // Only glibc has it, and only Linux has Mesa's driver. AddressSanitizer, which tests preload, does not go with it.
  if (RTLD_DEEPBIND === undefined || process.env["LD_PRELOAD"]?.includes("libasan") === true) return;
  try {
    process.dlopen({ exports: {} }, require.resolve(file), RTLD_LAZY | RTLD_DEEPBIND);
  } catch {
    // `require` says why, or finds it elsewhere.
  }
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
