import { totalmem } from "node:os";
import { InternalError } from "../../ir/diagnostic.js";
import type { MachinePeaks } from "../../kernels/work.js";
import type { Builder } from "./builder.js";
import { loadLibrary } from "./library.js";
import { allocateNative } from "./memory.js";
import { ModuleBuilder } from "./module.js";
import type { CpuTarget } from "./target.js";
import { buildLibrary } from "./toolchain.js";
import { i64, ptr, typeOf } from "./types.js";
import type { Value } from "./value.js";

/** What one core of this machine can do at most, measured by code of its own for the same target as the kernels. */

/** Independent sums: enough to hide the latency of a fused multiply-add on any core, and fewer than its registers. */
const chains = 12;
const turns = 4_000_000;

/**
 * Seconds that the processor has worked for this process, the programs that it has called apart. While others have the core this
 * stands still, so that differences of it are what a quiet machine would take.
 */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export async function measurePeaks(target: CpuTarget, repeats = 3): Promise<MachinePeaks> {
  return {
    gigaflops: {
      f32: await peakGigaflops(target, { repeats }),
      f64: await peakGigaflops(target, { repeats, dtype: "f64" }),
    },
    gigabytesPerSecond: await peakGigabytesPerSecond(target, repeats),
  };
}

/** The most multiply-adds that this core does, in GFLOP/s (two operations each): registers only, no memory. */
export async function peakGigaflops(
  target: CpuTarget,
  { repeats = 9, dtype = "f32" }: { readonly repeats?: number; readonly dtype?: "f32" | "f64" } = {},
): Promise<number> {
  const lanes = target.vectorBytes / (dtype === "f32" ? 4 : 8);
  const type = typeOf(dtype, lanes);
  const probe = await probeOf(target, `peak_${dtype}`, (b, block) => {
    const count = b.load(i64, block);
    const factor = b.splat(b.load(typeOf(dtype), b.offsetBytes(block, 8)), lanes);
    const initial = Array.from({ length: chains }, (_, i) => b.constant(type, i));
    const sums = b.loop(b.index(0), count, 1, (_, state) => state.map((sum) => b.fma(sum, factor, factor)), initial);
    b.store(
      sums.reduce((x, y) => b.add(x, y)),
      b.offsetBytes(block, 64),
    );
  });
  const memory = allocateNative(128);
  (memory.view("i64", 0, 1) as BigInt64Array)[0] = BigInt(turns);
  if (dtype === "f32") (memory.view("f32", 8, 1) as Float32Array)[0] = 0.5;
  else (memory.view("f64", 8, 1) as Float64Array)[0] = 0.5;
  const seconds = probe.leastSeconds(memory.address, repeats);
  probe.close();
  memory.free();
  return (2 * lanes * chains * turns) / seconds / 1e9;
}

/**
 * The most bytes that this core moves to and from memory, in GB/s, by the triad a = b + s c of STREAM (McCalpin, "Memory bandwidth and
 * machine balance in current high performance computers", 1995): three arrays, together beyond the caches, each counted once.
 */
export async function peakGigabytesPerSecond(target: CpuTarget, repeats = 3): Promise<number> {
  const lanes = target.vectorBytes / 4;
  const type = typeOf("f32", lanes);
  const unit = 3 * target.vectorBytes;
  const wanted = Math.min(Math.max(96e6, 3 * target.l3Bytes), 768e6, totalmem() / 8);
  const count = Math.max(1, Math.floor(wanted / unit));
  const probe = await probeOf(target, "triad", (b, block) => {
    const at = (array: number, index: Value): Value =>
      b.offsetBytes(b.load(ptr, b.offsetBytes(block, 8 + 8 * array)), b.mul(index, b.index(target.vectorBytes)));
    const factor = b.splat(b.constant(typeOf("f32"), 3), lanes);
    b.loop(b.index(0), b.load(i64, block), 1, (index) => {
      b.store(b.fma(b.load(type, at(2, index)), factor, b.load(type, at(1, index))), at(0, index));
      return [];
    });
  });
  const arrays = [0, 1, 2].map(() => allocateNative(count * target.vectorBytes));
  const block = allocateNative(128);
  const words = block.view("i64", 0, 4) as BigInt64Array;
  words.set([BigInt(count), ...arrays.map(({ address }) => address)]);
  const seconds = probe.leastSeconds(block.address, repeats);
  probe.close();
  for (const memory of [block, ...arrays]) memory.free();
  return (count * unit) / seconds / 1e9;
}

interface Probe {
  /** The shortest of some calls, after one that does not count. */
  readonly leastSeconds: (block: bigint, repeats: number) => number;
  readonly close: () => void;
}

async function probeOf(target: CpuTarget, name: string, body: (b: Builder, block: Value) => void): Promise<Probe> {
  const module = new ModuleBuilder(target);
  module.define({ name, parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block === undefined) throw new InternalError("no block");
    body(b, block);
    b.return(b.index(0));
  });
  const library = loadLibrary((await buildLibrary([module.finish()])).path);
  const entry = library.entry(name);
  return {
    leastSeconds: (block, repeats) => {
      entry.call(block);
      const times = Array.from({ length: repeats }, () => {
        const start = processorSeconds();
        entry.call(block);
        return processorSeconds() - start;
      });
      return Math.min(...times);
    },
    close: library.unload,
  };
}
