import { loadLibrary } from "../compiler/backends/llvm/library.js";
import { allocateNative } from "../compiler/backends/llvm/memory.js";
import { ModuleBuilder } from "../compiler/backends/llvm/module.js";
import type { CpuTarget } from "../compiler/backends/llvm/target.js";
import { buildLibrary } from "../compiler/backends/llvm/toolchain.js";
import { f32, i64, ptr, typeOf } from "../compiler/backends/llvm/types.js";
import { InternalError } from "../compiler/ir/diagnostic.js";
import { median, processorSeconds } from "./measure.js";

/** Independent sums: enough to hide the latency of a fused multiply-add on any core, and fewer than its registers. */
const chains = 12;

/** The most multiply-adds that this core does, in GFLOP/s: registers only, no memory. */
export async function peakGigaflops(target: CpuTarget, repeats = 9): Promise<number> {
  const module = new ModuleBuilder(target);
  const lanes = target.vectorBytes / 4;
  module.define({ name: "peak", parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block === undefined) throw new InternalError("no block");
    const type = typeOf("f32", lanes);
    const turns = b.load(i64, block);
    const factor = b.splat(b.load(f32, b.offsetBytes(block, 8)), lanes);
    const initial = Array.from({ length: chains }, (_, i) => b.constant(type, i));
    const sums = b.loop(b.index(0), turns, 1, (_, state) => state.map((sum) => b.fma(sum, factor, factor)), initial);
    b.store(
      sums.reduce((x, y) => b.add(x, y)),
      b.offsetBytes(block, 64),
    );
    b.return(b.index(0));
  });
  const built = await buildLibrary([module.finish()]);
  const entry = loadLibrary(built.path).entry("peak");
  const memory = allocateNative(128);
  const turns = 4_000_000;
  (memory.view("i64", 0, 1) as BigInt64Array)[0] = BigInt(turns);
  (memory.view("f32", 8, 1) as Float32Array)[0] = 0.5;
  entry.call(memory.address);
  const rates: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = processorSeconds();
    entry.call(memory.address);
    rates.push((2 * lanes * chains * turns) / (processorSeconds() - start) / 1e9);
  }
  memory.free();
  return median(rates);
}
