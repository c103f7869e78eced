import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { noiseTable, pairsOf, readCorpus } from "../../examples/word_vectors/corpus.js";
import { learn, neighbours } from "../../examples/word_vectors/vectors.js";
import { compile, Session, type TargetName } from "../../index.js";

const file = join(import.meta.dirname, "..", "..", "examples", "word_vectors", "word_vectors.graph");
const native = probe().available;
const targets: readonly TargetName[] = native ? ["reference", "cpu"] : ["reference"];

test("the corpus is Moby Dick, its most frequent words first", (t) => {
  const { words, counts, text } = readCorpus();
  t.is(words.length, 4000);
  t.deepEqual(words.slice(0, 5), ["the", "of", "and", "a", "to"]);
  t.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  );
  t.is(
    counts.reduce((sum, count) => sum + count),
    text.length,
  );
  t.is(counts[words.indexOf("whale")], text.filter((word) => words[word] === "whale").length);
});

test("pairs are of neighbours, both ways, and the noise has the power 0.75 of the counts", (t) => {
  const corpus = { words: ["a", "b", "c"], counts: [2, 1, 1], text: [0, 1, 0, 2] };
  // With so high a threshold each word stays.
  const { word, near } = pairsOf(corpus, 1, 1e9);
  t.deepEqual(
    Array.from(word, (centre, i) => [centre, near[i]]),
    [
      [0, 1],
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 2],
      [2, 0],
    ],
  );
  t.is(pairsOf({ words: [], counts: [], text: [] }).word.length, 0);
  // 16 ** 0.75 = 8 of 10, and 1 of 10 twice.
  const table = noiseTable([16, 1, 1], 1000);
  t.deepEqual(
    [0, 1, 2].map((id) => table.filter((drawn) => drawn === id).length),
    [800, 100, 100],
  );
});

for (const target of targets) {
  test(`${target}: the first step is that of the paper's gradient`, async (t) => {
    await using session = new Session(await compile(file, { target }));
    const noise = noiseTable(readCorpus().counts);
    session.set("noise", { dtype: "i32", shape: [noise.length], data: noise });
    const vector = Array.from(session.get("vectors").data.slice(64 * 7, 64 * 8), Number);
    t.true(vector.some((value) => value !== 0) && vector.every((value) => Math.abs(value) <= 0.5 / 64));
    const { loss } = await session.run("fit", { word: Int32Array.of(7), near: Int32Array.of(3999) });
    // All scores are 0 at first: -log(sigmoid(0)) for the word that is near and each of the 8 drawn.
    t.true(Math.abs(Number(loss?.data[0]) - 9 * Math.log(2)) < 1e-5);
    t.deepEqual(Array.from(session.get("vectors").data.slice(64 * 7, 64 * 8), Number), vector);
    // The word that is near moves by rate * (1 - sigmoid(0)) * vector, each drawn one by -rate * sigmoid(0) * vector.
    const contexts = Array.from(session.get("contexts").data, Number);
    vector.forEach((value, unit) => {
      t.true(Math.abs((contexts[64 * 3999 + unit] ?? 0) - 0.05 * 0.5 * value) < 1e-8);
      const sum = contexts.filter((_, i) => i % 64 === unit).reduce((all, context) => all + context, 0);
      t.true(Math.abs(sum - 0.05 * 0.5 * (1 - 8) * value) < 1e-7);
    });
  });
}

(native ? test : test.skip)("numbers come to stand near numbers", async (t) => {
  await using session = new Session(await compile(file, { target: "cpu" }));
  const corpus = readCorpus();
  const { losses } = await learn(session, corpus, { steps: 20_000, every: 2000 });
  const [first, last] = [losses[0]?.loss ?? 0, losses.at(-1)?.loss ?? Number.NaN];
  t.true(first < 9 * Math.log(2) && last < 3.05, `${first} to ${last}`);
  const [near = []] = await neighbours(session, corpus, ["three"]);
  t.is(near.length, 8);
  const numbers = ["two", "four", "five", "six", "seven", "ten", "twenty", "thirty", "forty", "fifty", "hundred"];
  t.true(near.filter(({ word }) => numbers.includes(word)).length >= 2, near.map(({ word }) => word).join(" "));
  t.true(near.every(({ cosine }, i) => cosine <= (near[i - 1]?.cosine ?? 1)));
});
