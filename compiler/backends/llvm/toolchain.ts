import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type CacheFolder,
  cachePath,
  cachePut,
  DiskFull,
  folderWithRoom,
  openCacheFolder,
  workFolder,
} from "../../cache/folder.js";
import { InternalError } from "../../ir/diagnostic.js";
import type { FinishedModule } from "./module.js";
import { type CpuTarget, targetKey } from "./target.js";
import { findTool, ToolchainMissing, type ToolName } from "./tools.js";

function requireTool(tool: ToolName): string {
  const path = findTool(tool);
  if (path === undefined) throw new ToolchainMissing(tool);
  return path;
}

const running = new Set<ChildProcess>();

/** Runs a tool; rejects with its message when it fails. Compilers that crash take only themselves. */
function execute(command: string, parameters: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // In a process group of its own: a Ctrl-C on the terminal is for this process, which may want to end in good order.
    const child = spawn(command, parameters, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    running.add(child);
    let message = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      if (message.length < 4000) message += text;
    });
    child.on("error", (error) => {
      running.delete(child);
      reject(new InternalError(`${command} could not be started: ${error.message}`));
    });
    child.on("close", (status, signal) => {
      running.delete(child);
      if (status === 0) resolve();
      else if (/no space left on device|disk quota exceeded/i.test(message))
        reject(new DiskFull(`${command} found no room to write`));
      else reject(new InternalError(`${command} failed (${signal ?? status}): ${message.slice(0, 2000)}`));
    });
  });
}

/**
 * Kernels arrive vectorised, unrolled and shared: of LLVM's -O2 only what mends the builder's plainness is run. Measured
 * on loops of elementary functions, copies and fused multiply-adds: as fast as -O3, in half its time. Of dead stores the builder
 * makes none, and to look for them took half of the time of large contractions.
 */
const passes = [
  "always-inline",
  "internalize",
  "globaldce",
  "function(sroa,early-cse<memssa>,simplifycfg,instcombine,loop-simplify,loop-mssa(licm),gvn,instcombine,loop(loop-idiom,indvars,loop-deletion),adce,simplifycfg)",
  "globaldce",
].join(",");

export interface CompileTimes {
  readonly optimise: number;
  readonly generate: number;
  readonly link: number;
}

export interface BuiltLibrary {
  /** A shared library, to be loaded and never changed. */
  readonly path: string;
  /** Whether it stays in the cache; false where the cache's disk is full and it lies elsewhere until the process ends. */
  readonly kept: boolean;
  /** The content hash that names it in the cache. */
  readonly key: string;
  readonly cached: boolean;
  readonly bytes: number;
  /** Milliseconds by stage, summed over the parts; absent for a cached library. */
  readonly times: CompileTimes | undefined;
}

export interface BuildOptions {
  readonly folder?: CacheFolder;
  /** Symbols that parts call of one another; they stay visible until the link. */
  readonly shared?: readonly string[];
  /** Instead of the usual passes, for experiments: `-passes=` text such as `default<O3>`. */
  readonly passes?: string;
}

/** Changes when the same module would be compiled to other code by another version of this file. */
const toolchainVersion = "1";

/**
 * Compiles the parts of one library, side by side, and links them. Equal parts for an equal target come from the cache.
 * Throws ToolchainMissing, DiskFull, or InternalError with a tool's message.
 */
export async function buildLibrary(
  parts: readonly FinishedModule[],
  options: BuildOptions = {},
): Promise<BuiltLibrary> {
  const first = parts[0];
  if (first === undefined) throw new InternalError("a library without parts");
  const { target } = first;
  const cache = options.folder ?? openCacheFolder();
  const folder = folderWithRoom(cache);
  const work = workFolder(folder);
  try {
    const hash = createHash("sha256").update(
      `${toolchainVersion}\n${targetKey(target)}\n${options.passes ?? passes}\n`,
    );
    const bitcodes = parts.map((part, index) => {
      const path = join(work, `${index}.bc`);
      part.writeBitcode(path);
      const bytes = readFileSync(path);
      hash.update(`${bytes.length}\n${part.exports.join(" ")}\n`).update(bytes);
      return path;
    });
    const key = hash.digest("hex");
    for (const place of new Set([cache, folder])) {
      const known = cachePath(key, ".so", place);
      if (known === undefined) continue;
      const bytes = readFileSync(known).length;
      return { path: known, kept: place === cache, key, cached: true, bytes, times: undefined };
    }
    const visible = [...parts.flatMap((part) => part.exports), ...(options.shared ?? [])];
    const compiled = await Promise.all(
      bitcodes.map((path) => compileObject(path, target, visible, options.passes ?? passes)),
    );
    const library = join(work, "library.so");
    const started = performance.now();
    await linkShared(
      compiled.map(({ object }) => object),
      library,
    );
    const bytes = readFileSync(library);
    const times = {
      optimise: compiled.reduce((sum, part) => sum + part.optimise, 0),
      generate: compiled.reduce((sum, part) => sum + part.generate, 0),
      link: performance.now() - started,
    };
    const path = cachePut(key, bytes, ".so", folder);
    return { path, kept: folder === cache, key, cached: false, bytes: bytes.length, times };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function compileObject(
  bitcode: string,
  target: CpuTarget,
  visible: readonly string[],
  pipeline: string,
): Promise<{ readonly object: string; readonly optimise: number; readonly generate: number }> {
  const machine = [`-mcpu=${target.llvmCpu}`, `-mattr=${target.features}`];
  const optimised = `${bitcode}.opt`;
  const object = `${bitcode}.o`;
  const start = performance.now();
  const keep = `-internalize-public-api-list=${visible.join(",")}`;
  await execute(requireTool("opt"), [`-passes=${pipeline}`, keep, ...machine, bitcode, "-o", optimised]);
  const middle = performance.now();
  await execute(requireTool("llc"), [
    "-O2",
    "-filetype=obj",
    "-relocation-model=pic",
    ...machine,
    optimised,
    "-o",
    object,
  ]);
  return { object, optimise: middle - start, generate: performance.now() - middle };
}

/** Links object files; symbols of libc and libm are left to the process that loads the library. */
async function linkShared(objects: readonly string[], library: string): Promise<void> {
  const linker = requireTool("linker");
  const isCompiler = /(^|\/)(cc|gcc|clang)$/.test(linker);
  const common = ["-shared", "-o", library, ...objects];
  // -Bsymbolic: entries of two programs have one name each, and each library must call its own.
  const flags = isCompiler
    ? ["-nostdlib", "-Wl,-Bsymbolic", "-Wl,-z,noexecstack"]
    : ["-Bsymbolic", "-z", "noexecstack"];
  await execute(linker, [...flags, ...common]);
}

/** The machine code of one module as assembly text, for `inspect --stage asm`. */
export async function assemblyOf(module: FinishedModule): Promise<string> {
  const work = workFolder(folderWithRoom(openCacheFolder()));
  try {
    const bitcode = join(work, "module.bc");
    const optimised = join(work, "module.opt");
    const assembly = join(work, "module.s");
    module.writeBitcode(bitcode);
    const machine = [`-mcpu=${module.target.llvmCpu}`, `-mattr=${module.target.features}`];
    const keep = `-internalize-public-api-list=${module.exports.join(",")}`;
    await execute(requireTool("opt"), [`-passes=${passes}`, keep, ...machine, bitcode, "-o", optimised]);
    await execute(requireTool("llc"), ["-O2", "-relocation-model=pic", ...machine, optimised, "-o", assembly]);
    return readFileSync(assembly, "utf8");
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
