import { join } from "node:path";
import test from "ava";
import { compile, Session } from "../../index.js";
import { nativeIsAvailable } from "../backends/support.js";

const native = nativeIsAvailable ? test : test.skip;
const file = join(import.meta.dirname, "..", "..", "..", "bench", "convnet.graph");

/** The finaliser of MurmurHash3 over a counter: the numbers that the figures below were computed from. */
function bits(seed: number, i: number): number {
  let h = (Math.imul(i, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

function uniform(seed: number, count: number, limit: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (bits(seed, i) / 2 ** 31 - 1) * limit);
}

native("four steps of a convolutional network lose what they lose in PyTorch, in float64", async (t) => {
  await using session = new Session(await compile(file, { target: "cpu" }));
  const glorot = (inputs: number, outputs: number): number => Math.sqrt(6 / (inputs + outputs));
  const weights: readonly (readonly [string, number, number])[] = [
    ["w1", 22, glorot(9, 9 * 32)],
    ["w2", 23, glorot(9 * 32, 9 * 64)],
    ["hidden/dense/w", 24, glorot(9216, 128)],
    ["logits/dense/w", 25, glorot(128, 10)],
  ];
  for (const [path, seed, limit] of weights) {
    const { dtype, shape, data } = session.get(path);
    session.set(path, { dtype, shape, data: uniform(seed, data.length, limit) });
  }
  const image = uniform(20, 64 * 28 * 28, 1).map((value) => Math.fround(value + 1) / 2);
  const label = BigInt64Array.from({ length: 64 }, (_, i) => BigInt(bits(21, i) % 10));
  const losses: number[] = [];
  for (let step = 0; step < 5; step++)
    losses.push(Number((await session.run("fit", { image, label }))["loss"]?.data[0]));
  // torch.optim.SGD(lr=0.1) on the same network in float64.
  t.true(Math.abs((losses[0] ?? 0) - 2.307499879092812) < 1e-6, String(losses[0]));
  t.true(Math.abs((losses[4] ?? 0) - 2.260541361415044) < 2e-6, String(losses[4]));
});
