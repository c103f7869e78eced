import { createHash } from "node:crypto";
import test from "ava";
import { randomUniform } from "../../compiler/ops/random.js";
import { runState } from "../../compiler/ops/sources.js";
import { pathWords, streamKey, threefry2x32, uniformAt, wordsOf } from "../../compiler/ops/threefry.js";
import { emptyContext, resultOf } from "../support/evaluate.js";

// kat_vectors of Random123 1.14: threefry2x32, 20 rounds.
const knownAnswers = [
  { counter: [0, 0], key: [0, 0], block: [0x6b200159, 0x99ba4efe] },
  { counter: [0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], block: [0x1cb996fc, 0xbb002be7] },
  { counter: [0x243f6a88, 0x85a308d3], key: [0x13198a2e, 0x03707344], block: [0xc4923a9c, 0x483df7a0] },
] as const;

for (const { counter, key, block } of knownAnswers) {
  test(`threefry2x32 of counter ${counter.map((word) => word.toString(16))}`, (t) => {
    t.deepEqual(threefry2x32(key, counter), block);
  });
}

const stream = { seed: 42n, step: 7n, runsSinceStep: 3n, path: "hidden/dropout", index: 0, loopIndices: [] };

test("the key of a draw is the chain that the manual gives", (t) => {
  const digest = createHash("sha256").update("hidden/dropout#0").digest();
  t.deepEqual(pathWords("hidden/dropout", 0), [digest.readUInt32LE(0), digest.readUInt32LE(4)]);
  const k0 = threefry2x32([42, 0], [digest.readUInt32LE(0), digest.readUInt32LE(4)]);
  const k1 = threefry2x32(k0, [7, 0]);
  const k2 = threefry2x32(k1, [3, 0]);
  t.deepEqual(streamKey(stream), k2);
  t.deepEqual(streamKey({ ...stream, loopIndices: [5n, 2n ** 32n] }), threefry2x32(threefry2x32(k2, [5, 0]), [0, 1]));
});

test("64-bit counters are split low word first, also negative ones", (t) => {
  t.deepEqual(wordsOf(0x1_0000_0002n), [2, 1]);
  t.deepEqual(wordsOf(-1n), [0xffffffff, 0xffffffff]);
});

test("random_uniform has the numbers of its stream, within [0, 1)", (t) => {
  const shape = [4, 5];
  for (const dtype of ["f32", "f64"] as const) {
    const draw = resultOf(randomUniform(runState(), [], { path: "hidden/dropout", index: 0, dtype, shape }));
    const [first, second] = threefry2x32(streamKey(stream), [0, 0]);
    const expected = dtype === "f32" ? (first >>> 8) * 2 ** -24 : ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
    t.is(draw.data[0], expected);
    if (dtype === "f32") t.is(draw.data[1], (second >>> 8) * 2 ** -24);
    t.is(draw.data.length, 20);
    t.true([...draw.data].every((x) => x >= 0 && x < 1));
    t.is(new Set(draw.data as Float64Array).size, 20);
  }
});

test("another seed, step, run, path or index is another draw; the same is the same", (t) => {
  const key = streamKey(stream).join();
  const others = [
    { seed: 43n },
    { step: 8n },
    { runsSinceStep: 4n },
    { path: "hidden/dropout2" },
    { index: 1 },
    { loopIndices: [0n] },
  ];
  for (const change of others) t.not(streamKey({ ...stream, ...change }).join(), key);
  t.is(streamKey({ ...stream }).join(), key);
});

test("uniform numbers have the mean and the variance of the distribution", (t) => {
  const key = streamKey(stream);
  for (const dtype of ["f32", "f64"] as const) {
    const draws = Array.from({ length: 20_000 }, (_, i) => uniformAt(key, i, dtype));
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    t.true(Math.abs(mean - 0.5) < 0.01);
    t.true(Math.abs(variance - 1 / 12) < 0.003);
  }
});

test("run_state is the seed, the step and the runs since it", (t) => {
  t.deepEqual(resultOf(runState(), emptyContext).data, BigInt64Array.of(42n, 7n, 3n));
});
