/**
 * Generated code under AddressSanitizer: `node BUILD/test/backends/sanitized.js [graphs] [seed]`. Compiles random graphs with
 * `sanitize_address`, then runs them in a child with libasan, whose allocator puts red zones around every buffer. Inside the
 * arena each temporary stands by itself, between bytes that may not be touched. Needs opt-14, llc-14, gcc and libasan.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
import { elementCount } from "../../compiler/ir/tensor.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import type { KernelProgram } from "../../compiler/kernels/form.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { generator } from "../support/samples.js";
import { copyInto, startState } from "./bound.js";
import { randomGraph } from "./graphs.js";

const line = 64;

function numbersOf(seed: number): readonly number[] {
  const random = generator(seed, 3);
  return Array.from({ length: 60 + Math.floor(random(0) * 200) }, (_, i) => Math.floor(random(i + 1) * 5040));
}

/** The program of one graph with each temporary by itself, a line apart from the next. */
function programOf(seed: number, target: CpuTarget) {
  // Every other graph has positions that lie outside.
  const graph = randomGraph(numbersOf(seed), seed % 2 === 1);
  const program = buildKernels(graph.computation, target, { checkNumerics: false });
  const offsets = new Map<number, number>();
  let arenaBytes = 2 * line;
  for (const buffer of program.buffers) {
    if (!program.memory.offsets.has(buffer.id)) continue;
    offsets.set(buffer.id, arenaBytes);
    arenaBytes += Math.ceil((buffer.length * byteSize(buffer.dtype)) / line) * line + 2 * line;
  }
  const spread: KernelProgram = { ...program, memory: { ...program.memory, offsets, arenaBytes } };
  return { graph, program: spread };
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
function run(seed: number, target: CpuTarget, path: string): void {
  const { graph, program } = programOf(seed, target);
  const { computation } = graph;
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

const [head = "40", second = "1", path = ""] = process.argv.slice(2);
const target = hostTarget();
if (head === "run") {
  run(Number(second), target, path);
} else {
  const folder = mkdtempSync(join(tmpdir(), "graphc-asan-"));
  const graphs = Number(head);
  const library = execFileSync("gcc", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
  let bad = 0;
  for (let seed = Number(second); seed < Number(second) + graphs; seed++) {
    const built = compile(programOf(seed, target).program, target, folder, String(seed));
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "run", String(seed), built], {
      encoding: "utf8",
      env: { ...process.env, LD_PRELOAD: library, ASAN_OPTIONS: "detect_leaks=0:allow_user_poisoning=1" },
    });
    if (child.status === 0) continue;
    bad++;
    console.log(`graph ${seed} on ${target.level}: ${child.signal ?? child.status}\n${child.stderr.slice(0, 1500)}`);
  }
  console.log(`${graphs - bad} of ${graphs} graphs kept to their buffers`);
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = bad === 0 ? 0 : 1;
}
