import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheGet, cachePath, cachePut } from "../../cache/folder.js";
import { problem } from "../../ir/codes.js";
import { GraphError } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import type { Computation } from "../../ir/graph.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { isUnbounded } from "../../kernels/access.js";
import { buildKernels } from "../../kernels/build.js";
import { fingerprint } from "../../kernels/fingerprint.js";
import type { KernelProgram } from "../../kernels/form.js";
import { fixedBytes, kernelFacts } from "../../kernels/kernel_facts.js";
import { version } from "../../version.js";
import type { CompileOptions } from "../backend.js";
import type { TensorSlot } from "../executable.js";
import { requireMemory } from "../require_memory.js";
import type { NativeCode } from "./backend.js";
import { layOut } from "./lower/layout.js";
import { lowerInParts } from "./lower/parts.js";
import { largestView } from "./memory.js";
import { type CpuTarget, targetKey } from "./target.js";
import { buildLibrary } from "./toolchain.js";
import { ToolchainMissing } from "./tools.js";

/** A shared library. */
interface LibraryFile {
  readonly path: string;
  readonly bytes: number;
  readonly cached: boolean;
  /** What the cache knows it by; undefined where it is not kept. */
  readonly key: string | undefined;
}

/** A computation as code and what a run has to know of it. Apart from `backend.ts`, so that a start from the cache loads none of this. */
export async function compileNative(
  computation: Computation,
  options: CompileOptions,
  target: CpuTarget,
  compilers: number,
): Promise<{ readonly code: NativeCode; readonly library: LibraryFile }> {
  const program = buildKernels(computation, target, { checkNumerics: options.checkNumerics });
  requireMemory(program.name, program.memory.peakBytes);
  requireVisible(program);
  const layout = layOut(program);
  const profiled = options.profile === true;
  const library = await codeOf(program, target, compilers, profiled);
  const { name, outputs, failures, memory } = program;
  const code: NativeCode = {
    program: { name, outputs, failures, memory },
    layout,
    library: library.key,
    profile: profiled ? { kernels: kernelFacts(program), fixedBytes: fixedBytes(program) } : undefined,
    info: {
      target: "cpu",
      placeholders: computation.placeholders.map(slotOf),
      variables: computation.variables.map(slotOf),
      assigned: computation.assignments.map(({ path }) => path),
      outputs: outputs.map(({ name: output, dtype, shape }) => ({ name: output, dtype, shape })),
      kernels: program.compute.length + program.commit.length,
      codeBytes: library.bytes,
      unbounded: [...program.compute, ...program.commit].some(isUnbounded),
      arenaBytes: memory.arenaBytes,
      peakBytes: memory.peakBytes,
    },
  };
  return { code, library };
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
async function codeOf(
  program: KernelProgram,
  target: CpuTarget,
  compilers: number,
  profiled: boolean,
): Promise<LibraryFile> {
  const kind = profiled ? "profiled" : "plain";
  const identity = [version, loweringVersion(), targetKey(target), kind, fingerprint(program)].join("\n");
  const key = createHash("sha256").update(identity).digest("hex");
  const name = cacheGet(key, ".key")?.toString("utf8");
  const known = name !== undefined && /^[0-9a-f]{64}$/.test(name) ? cachePath(name, ".so") : undefined;
  if (known !== undefined) return { path: known, bytes: statSync(known).size, cached: true, key: name };
  const { modules, shared } = lowerInParts(program, target, compilers, profiled);
  const built = await buildLibrary(
    modules.map((module) => module.finish()),
    { shared },
  ).catch(refuseMissing);
  if (built.kept) cachePut(key, Buffer.from(built.key, "utf8"), ".key");
  return { path: built.path, bytes: built.bytes, cached: built.cached, key: built.kept ? built.key : undefined };
}

/** A tool that went away since the target was chosen is the machine's state, and no defect. */
function refuseMissing(error: unknown): never {
  if (!(error instanceof ToolchainMissing)) throw error;
  throw new GraphError([problem("G120", undefined, error.message, { hint: "`graphc doctor` says what is missing" })]);
}

/** Each result is shown to JavaScript whole. */
function requireVisible({ outputs }: KernelProgram): void {
  for (const { name, dtype, shape } of outputs) {
    const bytes = elementCount(shape) * byteSize(dtype);
    if (bytes <= largestView) continue;
    const message = `\`${name}\` has ${(bytes / 1e9).toFixed(1)} GB, and a result at most ${largestView / 2 ** 30} GiB`;
    throw new GraphError([
      problem("G102", undefined, message, { hint: "fetch parts of it, or what is computed of it" }),
    ]);
  }
}

function slotOf({ name, type }: Computation["placeholders"][number]): TensorSlot {
  if (type.dtype === "string") throw new GraphError([problem("G121", undefined, `${name} is a string`)]);
  return { name, dtype: type.dtype, shape: staticShape(type) };
}
