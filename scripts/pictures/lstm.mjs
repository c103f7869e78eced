// Draws examples/lstm/surprise.svg: a passage of the held-out text, each character as dark as it surprised the network. Needs a build,
// and the weights that the example has saved: node dist/examples/lstm/run.js, then node scripts/pictures/lstm.mjs
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encode, mobyDick } from "../../dist/examples/lstm/text.js";
import { compile, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const root = join(import.meta.dirname, "..", "..");
const saved = join(root, "dist", "examples", "lstm", "trained.safetensors");
const [, , weights = saved] = process.argv;
if (!existsSync(weights)) {
  console.error(`lstm: there are no weights at ${weights}: run \`node dist/examples/lstm/run.js\` first`);
  process.exit(1);
}
const session = new Session(await compile(join(root, "examples", "lstm", "lstm.graph")), { weights });
const { alphabet, codes } = encode(mobyDick());
const text = [...codes].map((code) => alphabet[code]).join("");
// From the beginning of a paragraph in the part that was held out.
const from = text.indexOf("\n\n", Math.floor(0.95 * text.length)) + 2;
const count = 520;

// A character at a time, so that the memory reaches back to the beginning of the passage.
const surprises = [];
let memory = {};
for (let i = 0; i < count; i++) {
  const found = await session.run(["surprise", "states", "cells"], {
    text: [[codes[from + i], codes[from + i + 1]]],
    ...memory,
  });
  surprises.push(Number(found.surprise.data[0]));
  // The states after the first of the two; the second is the first of the next run.
  const first = (tensor) => ({
    dtype: "f32",
    shape: [1, tensor.shape[2]],
    data: tensor.data.slice(0, tensor.shape[2]),
  });
  memory = { state: first(found.states), cell: first(found.cells) };
}
await session.close();

const columns = 74;
const values = [];
for (let i = 1, row = 0, column = 0; i <= count; i++) {
  const character = text[from + i];
  if (character !== "\n") values.push({ character, row, column: column++, surprise: surprises[i - 1] });
  // A line ends at a space near its end, or where it is full.
  if (character === "\n" || column === columns || (column >= columns - 9 && character === " "))
    [row, column] = [row + 1, 0];
}
const rows = values.at(-1).row + 1;
const place = (field, size) => ({ field, type: "quantitative", scale: { domain: [0, size] }, axis: null });
const perplexity = Math.exp(surprises.reduce((a, b) => a + b) / count).toFixed(2);

await drawChart("examples/lstm/surprise.svg", {
  title: {
    text: "A passage that it has not seen: the darker a character, the less it was expected",
    subtitle: `perplexity of this passage ${perplexity}`,
  },
  width: columns * 10.4,
  height: rows * 22,
  data: { values },
  transform: [
    { calculate: "datum.column + 1", as: "right" },
    { calculate: "datum.row + 1", as: "below" },
    { calculate: "datum.column + 0.5", as: "x" },
    { calculate: "datum.row + 0.5", as: "y" },
  ],
  layer: [
    {
      mark: { type: "rect", aria: false },
      encoding: {
        x: place("column", columns),
        x2: { field: "right" },
        y: { ...place("row", rows), scale: { domain: [0, rows], reverse: true } },
        y2: { field: "below" },
        color: {
          field: "surprise",
          type: "quantitative",
          title: "-log p",
          // 7 nats, a chance of one in a thousand, and more are darkest.
          scale: { domain: [0, 7], clamp: true, range: ["#ffffff", "#d67818"], interpolate: "rgb" },
        },
      },
    },
    {
      mark: { type: "text", aria: false, fontSize: 13, color: "#1b1f24" },
      encoding: { x: place("x", columns), y: place("y", rows), text: { field: "character" } },
    },
  ],
});
