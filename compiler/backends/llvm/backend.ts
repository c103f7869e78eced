import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import type { Computation } from "../../ir/graph.js";
import { staticShape } from "../../ir/type.js";
import { buildKernels } from "../../kernels/build.js";
import { fingerprint } from "../../kernels/fingerprint.js";
import type { KernelProgram } from "../../kernels/form.js";
import { version } from "../../version.js";
import type { Backend, Compiled, CompileOptions } from "../backend.js";
import type { ExecutableInfo, TensorSlot } from "../executable.js";
import { cacheGet, cachePath, cachePut } from "./cache.js";
import { bindNative, type NativeProgram } from "./executable.js";
import { loadLibrary } from "./library.js";
import { type Layout, layOut } from "./lower/layout.js";
import { entryName, lowerProgram } from "./lower/program.js";
import { allocateNative, type NativeBuffer } from "./memory.js";
import { nativeStorage } from "./storage.js";
import { type CpuTarget, hostTarget, targetKey } from "./target.js";
import { buildLibrary, ToolchainMissing } from "./toolchain.js";

/** Native code for this machine's processor. Throws GraphError (G120) when a part of the toolchain is missing. */
export function cpuBackend(target: CpuTarget = hostTarget()): Backend {
  return {
    target: "cpu",
    memory: nativeStorage,
    device: deviceText(target),
    compile: (computation, options) => compileNative(computation, options, target),
  };
}

/** A program drops the specialisations that it has not used for long; their code goes when the last session lets go of it. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

async function compileNative(computation: Computation, options: CompileOptions, target: CpuTarget): Promise<Compiled> {
  const start = performance.now();
  const program = buildKernels(computation, target, { checkNumerics: options.checkNumerics });
  requireMemory(program);
  const layout = layOut(program);
  const built = await codeOf(program, target);
  const library = loadLibrary(built.path);
  const entry = library.entry(entryName);
  const constants = fillConstants(layout);
  const info: ExecutableInfo = {
    target: "cpu",
    placeholders: computation.placeholders.map(slotOf),
    variables: computation.variables.map(slotOf),
    assigned: computation.assignments.map(({ path }) => path),
    outputs: program.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    kernels: program.compute.length + program.commit.length,
    codeBytes: built.bytes,
    arenaBytes: program.memory.arenaBytes,
    peakBytes: program.memory.peakBytes,
    compileSeconds: (performance.now() - start) / 1000,
    cached: built.cached,
  };
  const native: NativeProgram = { program, layout, info, entry, constants };
  const release = (): void => {
    library.unload();
    constants.free();
  };
  forgotten.register(native, release, native);
  return {
    info,
    bind: (variables) => bindNative(native, variables),
    close: () => {
      forgotten.unregister(native);
      release();
    },
  };
}

let loweringDigest: string | undefined;

/** A digest of this folder's own code: equal kernels lowered by other code are other programs. */
function loweringVersion(): string {
  if (loweringDigest === undefined) {
    const hash = createHash("sha256");
    const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".js"),
    );
    for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(import.meta.dirname, name)));
    loweringDigest = hash.digest("hex");
  }
  return loweringDigest;
}

/**
 * The library of a kernel program. The cache knows it by the kernels themselves, so that a known program needs neither LLVM nor
 * its tools: llvm-bindings alone takes longer to load than all the rest of such a start.
 */
async function codeOf(program: KernelProgram, target: CpuTarget): Promise<LibraryFile> {
  const identity = [version, loweringVersion(), targetKey(target), fingerprint(program)].join("\n");
  const key = createHash("sha256").update(identity).digest("hex");
  const name = cacheGet(key, ".key")?.toString("utf8");
  const known = name !== undefined && /^[0-9a-f]{64}$/.test(name) ? cachePath(name, ".so") : undefined;
  if (known !== undefined) return { path: known, bytes: statSync(known).size, cached: true };
  const built = await buildLibrary([lowerProgram(program, target).finish()]).catch(refuseMissing);
  if (built.kept) cachePut(key, Buffer.from(built.key, "utf8"), ".key");
  return built;
}

/** A tool that went away since the target was chosen is the machine's state, and no defect. */
function refuseMissing(error: unknown): never {
  if (!(error instanceof ToolchainMissing)) throw error;
  throw new GraphError([problem("G120", undefined, error.message, { hint: "`graphc doctor` says what is missing" })]);
}

interface LibraryFile {
  readonly path: string;
  readonly bytes: number;
  readonly cached: boolean;
}

/** Said before anything is allocated: a machine that starts to swap or kills the process says nothing useful. */
function requireMemory(program: KernelProgram): void {
  const available = totalmem();
  const { peakBytes } = program.memory;
  if (peakBytes <= available) return;
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const message = `${program.name} needs ${gigabytes(peakBytes)} GiB and this machine has ${gigabytes(available)} GiB`;
  throw new GraphError([problem("G102", undefined, message, { hint: "use a smaller batch or smaller tensors" })]);
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

function slotOf({ name, type }: Computation["placeholders"][number]): TensorSlot {
  if (type.dtype === "string") throw new GraphError([problem("G121", undefined, `${name} is a string`)]);
  return { name, dtype: type.dtype, shape: staticShape(type) };
}

function deviceText(target: CpuTarget): string {
  const names = { avx512: "AVX-512", avx2: "AVX2", sse2: "SSE2" } as const;
  return `x86-64 ${names[target.level]}`;
}
