// Draws examples/word_vectors/word_vectors.svg: the loss, and how alike the vectors of some words are. Needs a build; takes half a
// minute.
import { join } from "node:path";
import { readCorpus } from "../../dist/examples/word_vectors/corpus.js";
import { learn } from "../../dist/examples/word_vectors/vectors.js";
import { compile, Session } from "../../dist/index.js";
import { colours, drawChart } from "./chart.mjs";

const folder = join(import.meta.dirname, "..", "..", "dist", "examples", "word_vectors");
const session = new Session(await compile(join(folder, "word_vectors.graph")));
const corpus = readCorpus();
const { losses } = await learn(session, corpus, { steps: 60_000, every: 500 });
const { shape, data } = session.get("vectors");
await session.close();

const groups = [
  ["two", "three", "four", "five"],
  ["sea", "waters", "ocean", "waves"],
  ["boat", "boats", "oars", "oarsmen"],
  ["eyes", "face", "head", "mouth"],
  ["said", "cried", "say", "told"],
];
const words = groups.flat();
const [, units] = shape;
const vectorOf = (word) => {
  const row = corpus.words.indexOf(word);
  return data.subarray(row * units, (row + 1) * units);
};
const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const cosine = (a, b) => product(a, b) / Math.sqrt(product(a, a) * product(b, b));
const values = words.flatMap((row) =>
  words.map((column) => ({ row, column, cosine: cosine(vectorOf(row), vectorOf(column)) })),
);

const order = { type: "nominal", sort: words, title: null };
await drawChart("examples/word_vectors/word_vectors.svg", {
  spacing: 36,
  hconcat: [
    {
      title: { text: "Loss of 60,000 steps, the mean of each 500", fontSize: 13 },
      width: 360,
      height: 340,
      data: { values: losses },
      mark: { type: "line", strokeWidth: 2, color: colours[0] },
      encoding: {
        x: { field: "step", type: "quantitative", title: "step", axis: { format: ",d" } },
        y: { field: "loss", type: "quantitative", title: null, scale: { zero: false } },
      },
    },
    {
      // The number at the top of the other panel's axis pushes its title up by half of its height.
      title: { text: "Cosine between the vectors of words", fontSize: 13, offset: 15 },
      width: 340,
      height: 340,
      data: { values },
      mark: { type: "rect", aria: false },
      encoding: {
        x: { field: "column", ...order, axis: { labelAngle: -60 } },
        y: { field: "row", ...order },
        color: {
          field: "cosine",
          type: "quantitative",
          title: "cosine",
          scale: {
            domain: [0, 0.33, 0.67, 1],
            clamp: true,
            interpolate: "rgb",
            range: ["#ffffff", "#9ec5f0", "#0b5cad", "#0a1e54"],
          },
        },
      },
    },
  ],
});
