import { availableParallelism, totalmem } from "node:os";
import { cachePath } from "../../cache/folder.js";
import { byteSize } from "../../ir/dtype.js";
import type { Computation } from "../../ir/graph.js";
import type { Backend, Compiled, CompileOptions } from "../backend.js";
import type { ExecutableInfo } from "../executable.js";
import { bindNative, type NativeProgram, type RunFacts } from "./executable.js";
import { loadLibrary } from "./library.js";
import { entryName } from "./lower/block.js";
import type { Layout } from "./lower/layout.js";
import { allocateNative, type NativeBuffer } from "./memory.js";
import type { ProfiledFacts } from "./profile.js";
import { nativeStorage } from "./storage.js";
import { type CpuTarget, hostTarget } from "./target.js";

/** What has to be known of a compiled computation to load and run it: plain data, which the cache keeps. */
export interface NativeCode {
  readonly program: RunFacts;
  readonly layout: Layout;
  readonly info: Omit<ExecutableInfo, "compileSeconds" | "cached">;
  /** What the cache knows the library by; undefined where it is not kept. */
  readonly library: string | undefined;
  /** Set where the code measures itself. */
  readonly profile: ProfiledFacts | undefined;
}

/**
 * Native code for this machine's processor. Throws GraphError (G120) when a part of the toolchain is missing. `compilers`: at most so
 * many of LLVM's processes work at once.
 */
export function cpuBackend(target: CpuTarget = hostTarget(), compilers: number = availableParallelism()): Backend {
  return {
    target: "cpu",
    memory: nativeStorage,
    device: deviceText(target),
    identity: JSON.stringify(target),
    compile: (computation, options) => compile(computation, options, target, compilers),
    restore: (saved) => restore(saved as NativeCode), // which `load` gave, in a process of the same version
  };
}

/** A program drops the specialisations that it has not used for long; their code goes when the last session lets go of it. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

async function compile(
  computation: Computation,
  options: CompileOptions,
  target: CpuTarget,
  compilers: number,
): Promise<Compiled> {
  const start = performance.now();
  const { compileNative } = await import("./compile.js");
  const { code, library } = await compileNative(computation, options, target, compilers);
  return load(code, library.path, library.cached, start);
}

/** Undefined where the library is gone from the cache, or where this machine has too little memory: compiling says so. */
function restore(code: NativeCode): Compiled | undefined {
  const start = performance.now();
  if (code.library === undefined || code.program.memory.peakBytes > totalmem()) return undefined;
  const path = cachePath(code.library, ".so");
  return path === undefined ? undefined : load(code, path, true, start);
}

function load(code: NativeCode, path: string, cached: boolean, start: number): Compiled {
  const { program, layout } = code;
  const library = loadLibrary(path);
  const entry = library.entry(entryName);
  const constants = fillConstants(layout);
  const info: ExecutableInfo = {
    ...code.info,
    compileSeconds: (performance.now() - start) / 1000,
    cached,
  };
  const native: NativeProgram = { program, layout, info, entry, constants, profile: code.profile };
  const release = (): void => {
    library.unload();
    constants.free();
  };
  forgotten.register(native, release, native);
  return {
    info,
    saved: code.library === undefined ? undefined : code,
    bind: (variables) => bindNative(native, variables),
    close: () => {
      forgotten.unregister(native);
      release();
    },
  };
}

function fillConstants(layout: Layout): NativeBuffer {
  const memory = allocateNative(layout.constantBytes);
  for (const { buffer, offset } of layout.constants) {
    if (buffer.storage.kind !== "constant") continue;
    const { data } = buffer.storage;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    (memory.view("u8", offset, buffer.length * byteSize(buffer.dtype)) as Uint8Array).set(bytes);
  }
  return memory;
}

function deviceText(target: CpuTarget): string {
  const names = { avx512: "AVX-512", avx2: "AVX2", sse2: "SSE2" } as const;
  return `x86-64 ${names[target.level]}`;
}
