// Draws examples/lstm/surprise.svg: a passage of the held-out text, each character as dark as it surprised the network. Needs a build,
// and the weights that the example has saved: node dist/examples/lstm/run.js, then node scripts/pictures/lstm.mjs
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode, mobyDick } from "../../dist/examples/lstm/text.js";
import { compile, Session } from "../../dist/index.js";

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
const [left, top, wide, high] = [20, 60, 10.4, 22];
const lines = [[]];
for (let i = 1; i <= count; i++) {
  const character = text[from + i];
  const line = lines.at(-1);
  const full = line.length >= columns - 9 && character === " ";
  if (character !== "\n") line.push({ character, surprise: surprises[i - 1] });
  if (character === "\n" || full || line.length === columns) lines.push([]);
}
const escaped = (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character] ?? character;
const parts = lines.flatMap((line, row) =>
  line.map(({ character, surprise }, column) => {
    const [x, y] = [left + column * wide, top + row * high];
    // 7 nats, a chance of one in a thousand, and more are darkest.
    const opacity = Math.min(1, surprise / 7);
    return `<rect x="${x.toFixed(1)}" y="${y}" width="${wide}" height="${high}" opacity="${opacity.toFixed(2)}"/><text x="${(x + wide / 2).toFixed(1)}" y="${y + 16}">${escaped(character)}</text>`;
  }),
);
const width = Math.ceil(2 * left + columns * wide);
const height = top + lines.length * high + 40;
const perplexity = Math.exp(surprises.reduce((a, b) => a + b) / count).toFixed(2);
writeFileSync(
  join(root, "examples", "lstm", "surprise.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A passage of the held-out text, each character as dark as it was unexpected">
<style>
text { font: 15px ui-monospace, "DejaVu Sans Mono", monospace; fill: #1b1f24; text-anchor: middle }
rect { fill: #d67818 }
.title { font: 600 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; text-anchor: start }
.note { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #57606a; text-anchor: start }
</style>
<path fill="#fff" d="M0 0h${width}v${height}H0z"/>
<text class="title" x="${left}" y="32">A passage that it has not seen: the darker a character, the less it was expected</text>
${parts.join("\n")}
<text class="note" x="${left}" y="${height - 14}">perplexity of this passage ${perplexity}; drawn by scripts/pictures/lstm.mjs from the weights of a run</text>
</svg>
`,
);
console.log(`surprise.svg: ${count} characters, perplexity ${perplexity}`);
