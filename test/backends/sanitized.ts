/**
 * Generated code under AddressSanitizer: `node BUILD/test/backends/sanitized.js [graphs] [seed]`, or `file FILE` for one `.graph` file. Compiles random graphs with
 * `sanitize_address`, then runs them in a child with libasan, whose allocator puts red zones around every buffer. Inside the
 * arena each temporary stands by itself, between bytes that may not be touched. Needs opt-14, llc-14, gcc and libasan.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bindNative } from "../../compiler/backends/llvm/executable.js";
import { loadLibrary } from "../../compiler/backends/llvm/library.js";
import { entryName } from "../../compiler/backends/llvm/lower/block.js";
import { layOut } from "../../compiler/backends/llvm/lower/layout.js";
import { lowerProgram } from "../../compiler/backends/llvm/lower/program.js";
import { allocateNative } from "../../compiler/backends/llvm/memory.js";
import { nativeStorage } from "../../compiler/backends/llvm/storage.js";
import { type CpuTarget, hostTarget } from "../../compiler/backends/llvm/target.js";
import { byteSize } from "../../compiler/ir/dtype.js";
import type { Computation } from "../../compiler/ir/graph.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import type { KernelProgram } from "../../compiler/kernels/form.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { loadSource } from "../fuzz/load.js";
import { shrunkToFile } from "../fuzz/search.js";
import { sourceOf } from "../fuzz/source.js";
import { generator } from "../support/samples.js";
import { type Contents, copyInto, startState } from "./bound.js";
import { randomGraph } from "./graphs.js";
import { type AskedGraph, ready } from "./ready.js";

const line = 64;

function numbersOf(seed: number): readonly number[] {
  const random = generator(seed, 3);
  return Array.from({ length: 60 + Math.floor(random(0) * 200) }, (_, i) => Math.floor(random(i + 1) * 5040));
}

/** What is compiled, and what it is given. */
interface Sanitized {
  readonly computation: Computation;
  readonly feeds: Contents;
  readonly contents: Contents;
}

/** Of a `.graph` file, or of a seed: every third graph is compiled from its text. */
function sanitizedOf(origin: string): Sanitized {
  if (origin.endsWith(".graph")) return ofText(readFileSync(origin, "utf8"));
  const seed = Number(origin);
  const graph = askedOf(seed);
  return seed % 3 === 2 ? ofText(sourceOf(graph)) : ready(graph);
}

function ofText(text: string): Sanitized {
  const { optimised, feeds, contents } = loadSource(text);
  return { computation: optimised, feeds, contents };
}

/** Every other graph has positions that lie outside; those that a file may not have, as it gives them itself, are brought inside. */
function askedOf(seed: number): AskedGraph {
  const numbers = numbersOf(seed);
  const graph = randomGraph(numbers, seed % 2 === 1);
  return seed % 3 === 2 && !isTaken(sourceOf(graph)) ? randomGraph(numbers) : graph;
}

function isTaken(text: string): boolean {
  return loadGraphFromText(text, "random.graph").graph !== undefined;
}

/** The program with each temporary by itself, a line apart from the next. */
function programOf(computation: Computation, target: CpuTarget): KernelProgram {
  const program = buildKernels(computation, target, { checkNumerics: false });
  const offsets = new Map<number, number>();
  let arenaBytes = 2 * line;
  for (const buffer of program.buffers) {
    if (!program.memory.offsets.has(buffer.id)) continue;
    offsets.set(buffer.id, arenaBytes);
    arenaBytes += Math.ceil((buffer.length * byteSize(buffer.dtype)) / line) * line + 2 * line;
  }
  return { ...program, memory: { ...program.memory, offsets, arenaBytes } };
}

function compile(program: KernelProgram, target: CpuTarget, folder: string, name: string): string {
  const at = (extension: string): string => join(folder, `${name}.${extension}`);
  const text = lowerProgram(program, target).finish().text();
  writeFileSync(at("ll"), text.replaceAll(/^(attributes #\d+ = \{)/gm, "$1 sanitize_address "));
  const passes = "always-inline,globaldce,function(sroa,early-cse,simplifycfg),require<asan-globals-md>,asan-module";
  const machine = [`-mcpu=${target.llvmCpu}`, `-mattr=${target.features}`];
  execFileSync("opt-14", [`-passes=${passes}`, ...machine, at("ll"), "-o", at("bc")]);
  execFileSync("llc-14", ["-O1", "-filetype=obj", "-relocation-model=pic", ...machine, at("bc"), "-o", at("o")]);
  execFileSync("gcc", ["-shared", "-nostdlib", "-Wl,-Bsymbolic", at("o"), "-o", at("so")]);
  return at("so");
}

/** In the child: runs one graph twice. AddressSanitizer ends the process where the code leaves its buffers. */
function run(origin: string, target: CpuTarget, path: string): void {
  const graph = sanitizedOf(origin);
  const { computation } = graph;
  const program = programOf(computation, target);
  const layout = layOut(program);
  const library = loadLibrary(path);
  const constants = allocateNative(layout.constantBytes);
  for (const { buffer, offset } of layout.constants) {
    if (buffer.storage.kind === "constant")
      copyInto(constants.view(buffer.dtype, offset, buffer.length), buffer.storage.data);
  }
  const variables = new Map(
    computation.variables.map(({ name, type }) => {
      const block = nativeStorage.allocate(numericDType(type.dtype), elementCount(type.shape.map(Number)));
      const content = graph.contents.get(name);
      if (content !== undefined) copyInto(block.data, content);
      return [name, block];
    }),
  );
  const info = {
    target: "cpu",
    placeholders: [],
    variables: [],
    assigned: computation.assignments.map(({ path: assigned }) => assigned),
    outputs: program.outputs,
    kernels: 0,
    codeBytes: 0,
    unbounded: false,
    arenaBytes: program.memory.arenaBytes,
    peakBytes: 0,
    compileSeconds: 0,
    cached: false,
  } as const;
  const entry = library.entry(entryName);
  let poisoned = false;
  const executable = bindNative(
    {
      program,
      layout,
      info,
      constants,
      profile: undefined,
      entry: {
        ...entry,
        call: (block) => {
          if (!poisoned) poison(block, program);
          poisoned = true;
          return entry.call(block);
        },
      },
    },
    variables,
  );
  executable.run(graph.feeds, startState);
  executable.run(graph.feeds, startState);
}

/** Marks what lies between the temporaries of the arena (its address stands in word 23 of the block). */
function poison(block: bigint, program: KernelProgram): void {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const mark = koffi.load(null).func("__asan_poison_memory_region", "void", ["uintptr_t", "size_t"]);
  const [arena = 0n] = new BigInt64Array(koffi.view(block + 8n * 23n, 8));
  let end = 0;
  for (const [id, offset] of [...program.memory.offsets].sort(([, a], [, b]) => a - b)) {
    const buffer = program.buffers[id];
    mark(arena + BigInt(end), offset - end);
    end = offset + (buffer === undefined ? 0 : buffer.length * byteSize(buffer.dtype));
  }
  mark(arena + BigInt(end), program.memory.arenaBytes - end);
}

const libasan = (): string => execFileSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();

/** What AddressSanitizer says; undefined where all is well. */
function complaint(origin: string, target: CpuTarget, folder: string, name: string): string | undefined {
  const built = compile(programOf(sanitizedOf(origin).computation, target), target, folder, name);
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "run", origin, built], {
    encoding: "utf8",
    env: { ...process.env, LD_PRELOAD: libasan(), ASAN_OPTIONS: "detect_leaks=0:allow_user_poisoning=1" },
  });
  return child.status === 0 ? undefined : `${child.signal ?? child.status}\n${child.stderr.slice(0, 1500)}`;
}

/** Without addresses, so that what is shrunk stays the same fault. */
function classOf(said: string): string {
  return /AddressSanitizer: [\w-]+/.exec(said)?.[0] ?? (said.split("\n")[0] as string);
}

async function main(graphs: number, first: number, target: CpuTarget, folder: string): Promise<number> {
  let bad = 0;
  for (let seed = first; seed < first + graphs; seed++) {
    const said = complaint(String(seed), target, folder, String(seed));
    if (said === undefined) continue;
    bad++;
    console.log(`graph ${seed} on ${target.level}: ${said}`);
    const faultOf = (text: string): string | undefined => {
      const path = join(folder, "shrunk.graph");
      writeFileSync(path, text);
      const again = complaint(path, target, folder, "shrunk");
      return again === undefined ? undefined : classOf(again);
    };
    const { report } = await shrunkToFile(askedOf(seed), classOf(said), faultOf, (path) => [
      `node dist/test/backends/sanitized.js file ${path}`,
    ]);
    console.log(report);
  }
  console.log(`${graphs - bad} of ${graphs} graphs kept to their buffers`);
  return bad === 0 ? 0 : 1;
}

const [head = "40", second = "1", path = ""] = process.argv.slice(2);
const target = hostTarget();
if (head === "run") {
  run(second, target, path);
} else {
  const folder = mkdtempSync(join(tmpdir(), "graphc-asan-"));
  if (head === "file") {
    const said = complaint(second, target, folder, "file");
    console.log(said ?? `${second} keeps to its buffers`);
    process.exitCode = said === undefined ? 0 : 1;
  } else process.exitCode = await main(Number(head), Number(second), target, folder);
  rmSync(folder, { recursive: true, force: true });
}
