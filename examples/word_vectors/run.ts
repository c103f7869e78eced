import { join } from "node:path";
import { compile, Session } from "../../index.js";
import { readCorpus } from "./corpus.js";
import { learn, neighbours } from "./vectors.js";

const program = await compile(join(import.meta.dirname, "word_vectors.graph"));
await using session = new Session(program);
const corpus = readCorpus();

const steps = 60_000;
const { pairs, batch } = await learn(session, corpus, {
  steps,
  every: 5000,
  onReport: ({ step, loss }) => console.log(`step ${String(step).padStart(5)}  loss ${loss.toFixed(4)}`),
});
console.log(`${pairs.toLocaleString("en")} pairs of words, each seen ${((steps * batch) / pairs).toFixed(1)} times\n`);

const asked = ["whale", "ship", "captain", "sea", "boat", "eyes", "three", "white", "said"];
const found = await neighbours(session, corpus, asked);
for (const [i, near] of found.entries()) {
  console.log(`${asked[i]?.padEnd(7)}  ${near.map(({ word, cosine }) => `${word} ${cosine.toFixed(2)}`).join("  ")}`);
}
