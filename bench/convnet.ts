import { join } from "node:path";
import { compile, Session } from "../index.js";
import { type Timing, timeOfRun } from "./measure.js";

const file = join(import.meta.dirname, "..", "..", "bench", "convnet.graph");
const batch = 64;
const first = 2 * 26 * 26 * 32 * 9;
const second = 2 * 24 * 24 * 64 * 9 * 32;
const dense = 2 * (9216 * 128 + 128 * 10);

/** Multiplications and additions of W4: nothing flows back to the image. */
export const convnetOperations = {
  step: batch * (2 * first + 3 * second + 3 * dense),
  forward: batch * (first + second + dense),
} as const;

/** A training step, and the forward pass. */
export async function measureConvnet(repeats = 31): Promise<readonly [Timing, Timing]> {
  await using session = new Session(await compile(file));
  const image = Float32Array.from({ length: batch * 28 * 28 }, (_, i) => ((i * 7919) % 1009) / 1009);
  const label = BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 7) % 10));
  return [
    await timeOfRun(session, "fit", { image, label }, repeats),
    await timeOfRun(session, "predict", { image }, repeats),
  ];
}
