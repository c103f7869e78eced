import { join } from "node:path";
import { median } from "../../cli/samples.js";
import { peakGigaflops, processorSeconds } from "../../compiler/backends/llvm/machine.js";
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { compile, Session } from "../../index.js";
import { besidePublished } from "./published.js";

/** Multiplications and additions of each layer for one image, forward: twice outputs times inputs of an output. */
const convolutions = [
  2 * (55 * 55 * 64) * (11 * 11 * 3),
  2 * (27 * 27 * 192) * (5 * 5 * 64),
  2 * (13 * 13 * 384) * (3 * 3 * 192),
  2 * (13 * 13 * 256) * (3 * 3 * 384),
  2 * (13 * 13 * 256) * (3 * 3 * 256),
];
const dense = [2 * 9216 * 4096, 2 * 4096 * 4096, 2 * 4096 * 1000];
const forward = [...convolutions, ...dense].reduce((sum, count) => sum + count);
/** A step has the gradients of weights and of inputs beside, each as much again; nothing flows back to the image. */
const step = 3 * forward - (convolutions[0] ?? 0);

const program = await compile(join(import.meta.dirname, "alexnet.graph"), { target: "cpu" });
await using session = new Session(program);

/** Milliseconds that a run has the core: the median of `repeats`, after one that makes the code. */
async function milliseconds(repeats: number, run: () => Promise<unknown>): Promise<number> {
  await run();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = processorSeconds();
    await run();
    times.push(1000 * (processorSeconds() - start));
  }
  return median(times);
}

const target = hostTarget();
const before = await peakGigaflops(target);
console.log(`one core, at most ${before.toFixed(0)} GFLOP/s of fused multiply-adds in float32`);
console.log("batch | forward ms  GFLOP/s | a step ms  GFLOP/s | so backward ms");
let largest = { forward: Number.NaN, step: Number.NaN };
for (const [batch, repeats] of [
  [1, 15],
  [16, 5],
  [128, 3],
] as const) {
  const image = Float32Array.from({ length: batch * 224 * 224 * 3 }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);
  const label = Int32Array.from({ length: batch }, (_, i) => (i * 7) % 1000);
  const ahead = await milliseconds(repeats, () => session.run("predict", { image }));
  const whole = await milliseconds(repeats, () => session.run("fit", { image, label }));
  if (batch === 128) largest = { forward: ahead, step: whole };
  const rate = (operations: number, ms: number): string => ((batch * operations) / ms / 1e6).toFixed(1).padStart(7);
  const shown = (ms: number, width: number): string => ms.toFixed(1).padStart(width);
  console.log(
    `${String(batch).padStart(5)} | ${shown(ahead, 10)}  ${rate(forward, ahead)} | ${shown(whole, 9)}  ${rate(step, whole)} | ${shown(whole - ahead, 14)}`,
  );
}
console.log(`and afterwards at most ${(await peakGigaflops(target)).toFixed(0)} GFLOP/s\n`);
console.log(besidePublished(largest).join("\n"));
