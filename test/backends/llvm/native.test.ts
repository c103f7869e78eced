import { mkdtempSync, readFileSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../../compiler/backends/llvm/availability.js";
import { loadLibrary, nativeEntryCount } from "../../../compiler/backends/llvm/library.js";
import { allocateNative, bufferAlignment, memoryCounts } from "../../../compiler/backends/llvm/memory.js";
import { type FinishedModule, ModuleBuilder } from "../../../compiler/backends/llvm/module.js";
import { hostTarget, levelOfFlags, parseCacheSize, parseCpuFlags } from "../../../compiler/backends/llvm/target.js";
import { assemblyOf, buildLibrary } from "../../../compiler/backends/llvm/toolchain.js";
import { findTool, ToolchainMissing } from "../../../compiler/backends/llvm/tools.js";
import { i64, ptr } from "../../../compiler/backends/llvm/types.js";
import { openCacheFolder } from "../../../compiler/cache/folder.js";
import { GraphError, InternalError } from "../../../compiler/ir/diagnostic.js";

const native = probe().available ? test.serial : test.serial.skip;

test.serial("the level follows from the processor's flags", (t) => {
  const zen4 =
    "fpu sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt avx f16c abm bmi1 avx2 bmi2 avx512f avx512dq avx512cd avx512bw avx512vl";
  const flags = parseCpuFlags(`processor : 0\nflags\t\t: ${zen4}\nbugs : none\n`);
  t.is(levelOfFlags(flags), "avx512");
  t.is(levelOfFlags(new Set([...flags].filter((flag) => flag !== "avx512dq"))), "avx2");
  t.is(levelOfFlags(new Set([...flags].filter((flag) => flag !== "fma"))), "sse2");
  t.is(levelOfFlags(parseCpuFlags("Processor : ARMv8")), "sse2");
  t.is(parseCacheSize("1024K\n"), 1048576);
  t.is(parseCacheSize("32M"), 33554432);
  t.is(parseCacheSize(""), undefined);
  t.is(hostTarget("sse2").vectorBytes, 16);
  t.throws(() => hostTarget("pentium"), { instanceOf: GraphError, message: /GRAPHC_CPU/ });
});

test.serial("probe tells of each requirement and never throws", (t) => {
  const { requirements } = probe({ versions: true });
  t.deepEqual(
    requirements.map(({ name }) => name),
    ["platform", "llvm-bindings", "koffi", "opt", "llc", "linker"],
  );
  for (const requirement of requirements) t.is(requirement.found, requirement.fix === undefined);
  t.is(
    findTool("opt", { PATH: "relative:." }) === undefined || findTool("opt", { PATH: "" })?.startsWith("/usr/lib"),
    true,
  );
  t.regex(new ToolchainMissing("llc").message, /apt-get install llvm-14/);
});

/** An entry that adds the first two words of its block, plus a constant that makes the module one of a kind. */
function adder(plus: number): FinishedModule {
  const module = new ModuleBuilder(hostTarget());
  module.define({ name: "entry", parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block === undefined) return;
    b.return(b.add(b.add(b.argument(block, 0, i64), b.argument(block, 1, i64)), b.index(plus)));
  });
  return module.finish();
}

native("memory is aligned, zeroed, counted and freed once", (t) => {
  const before = memoryCounts();
  const buffer = allocateNative(1000);
  t.is(Number(buffer.address % BigInt(bufferAlignment)), 0);
  const floats = buffer.view("f32", 8, 10);
  t.is(floats.length, 10);
  t.true([...buffer.view("u8", 0, 1000)].every((byte) => byte === 0));
  floats[3] = 1.5;
  t.is(buffer.view("f32", 0, 250)[5], 1.5);
  t.throws(() => buffer.view("f32", 0, 251), { instanceOf: InternalError });
  t.throws(() => buffer.view("f32", 2, 1), { instanceOf: InternalError });
  t.throws(() => buffer.view("f32", -4, 1), { instanceOf: InternalError });
  t.is(memoryCounts().live, before.live + 1);
  t.is(memoryCounts().liveBytes, before.liveBytes + 1000);
  buffer.free();
  buffer.free();
  t.is(memoryCounts().live, before.live);
  t.is(memoryCounts().total, before.total + 1);
  t.throws(() => buffer.view("f32", 0, 1), { instanceOf: InternalError });
  const empty = allocateNative(0);
  t.is(empty.view("f32", 0, 0).length, 0);
  empty.free();
  t.throws(() => allocateNative(2 ** 50), { instanceOf: GraphError });
});

native("the same address can be allocated and viewed again and again", (t) => {
  for (let i = 0; i < 2000; i++) {
    const buffer = allocateNative(256);
    const view = buffer.view("i32", 0, 64);
    t.is(view[7], 0);
    view[7] = i;
    buffer.free();
  }
});

native("guard pages hold a buffer of any size", (t) => {
  process.env["GRAPHC_DEBUG_GUARD"] = "1";
  try {
    for (const size of [0, 1, 64, 4095, 4096, 4097, 100000]) {
      const buffer = allocateNative(size);
      t.is(Number(buffer.address % 64n), 0);
      const view = buffer.view("u8", 0, size);
      for (let i = 0; i < size; i++) view[i] = 255;
      buffer.free();
    }
  } finally {
    delete process.env["GRAPHC_DEBUG_GUARD"];
  }
});

native("a library is compiled once, then found in the cache, and recompiled when damaged", async (t) => {
  const folder = openCacheFolder(join(mkdtempSync(join(tmpdir(), "graphc-test-")), "cache"));
  const first = await buildLibrary([adder(1)], { folder });
  t.false(first.cached);
  t.true((first.times?.generate ?? 0) > 0);
  const second = await buildLibrary([adder(1)], { folder });
  t.true(second.cached);
  t.is(second.path, first.path);
  t.not((await buildLibrary([adder(2)], { folder })).key, first.key);
  truncateSync(first.path, 700);
  const third = await buildLibrary([adder(1)], { folder });
  t.false(third.cached);
  t.true(readFileSync(third.path).length > 700);
});

native("entries run here and on a thread, and are counted", async (t) => {
  const folder = openCacheFolder(join(mkdtempSync(join(tmpdir(), "graphc-test-")), "cache"));
  const library = loadLibrary((await buildLibrary([adder(5)], { folder })).path);
  const block = allocateNative(16);
  const words = block.view("i64", 0, 2);
  words[0] = 30n;
  words[1] = 7n;
  const before = nativeEntryCount();
  const entry = library.entry("entry");
  t.is(entry.call(block.address), 42);
  t.is(await entry.callAsync(block.address), 42);
  t.is(nativeEntryCount(), before + 2);
  t.throws(() => library.entry("missing"), { instanceOf: InternalError });
  const pending = entry.callAsync(block.address);
  library.unload();
  library.unload();
  t.is(await pending, 42);
  t.throws(() => entry.call(block.address), { instanceOf: InternalError });
  await t.throwsAsync(() => entry.callAsync(block.address), { instanceOf: InternalError });
  block.free();
  t.throws(() => loadLibrary("/nonexistent.so"), { instanceOf: InternalError });
});

native("parts compiled side by side call each other", async (t) => {
  const callee = { name: "twice", parameters: [{ type: i64 }], result: i64, linkage: "part" } as const;
  const part = new ModuleBuilder(hostTarget());
  part.define(callee, (b, [x]) => {
    if (x !== undefined) b.return(b.add(x, x));
  });
  const main = new ModuleBuilder(hostTarget());
  const external = main.declareExternal(callee);
  main.define({ name: "entry", parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block !== undefined) b.return(b.callValue(external, [b.argument(block, 0, i64)]));
  });
  const built = await buildLibrary([main.finish(), part.finish()], { shared: ["twice"] });
  const library = loadLibrary(built.path);
  const block = allocateNative(8);
  block.view("i64", 0, 1)[0] = 21n;
  t.is(library.entry("entry").call(block.address), 42);
  library.unload();
  block.free();
});

native("assembly can be shown", async (t) => {
  t.regex(await assemblyOf(adder(3)), /entry:/);
});
