// Draws examples/transformer/attention.svg: trains the example's network and shows where its heads look while it sorts one sequence
// that it has not seen. Needs a build; takes about half a minute.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, Session } from "../../dist/index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "transformer");
const session = new Session(await compile(join(folder, "transformer.graph")));
await session.train();
const { drawn: exam } = await session.run("draw");
const length = exam.shape[1];
const sequence = exam.data.slice(0, length);
const layers = ["first", "second"];
const heads = 4;
const path = (layer) => `${layer}/transformer_encoder/attended/multi_head_attention/seen/attention/weights`;
const found = await session.run(["answer", ...layers.map(path)], { sequence });
await session.close();

const places = Array.from({ length }, (_, i) => i);
// The keys of the first layer are the digits given: in order of size they show what a head looks for.
const bySize = [...places].sort((i, j) => Number(sequence[i] - sequence[j]) || i - j);
const answer = [...found.answer.data];
const panels = [
  {
    columns: bySize,
    labels: bySize.map((i) => sequence[i]),
    title: "First layer: each place of the answer looks at the digits given (put in order here)",
  },
  { columns: places, labels: answer, title: "Second layer: each place of the answer looks at the other places" },
];

const cell = 15;
const side = length * cell;
const left = 60;
const gap = 24;
const width = left + heads * (side + gap);
const top = (layer) => 64 + layer * (side + 92);
const height = top(1) + side + 44;

/** The weights of a layer, [heads, queries, keys], as squares that are the darker the more a query takes from a key. */
function heatmap(layer, head) {
  const weights = found[path(layers[layer])].data;
  const largest = Math.max(...weights);
  const { columns, labels } = panels[layer];
  const x = left + head * (side + gap);
  const y = top(layer);
  const squares = places.flatMap((row) =>
    columns.map((column, at) => {
      const weight = weights[(head * length + row) * length + column];
      return weight < 0.02 * largest
        ? ""
        : `<path opacity="${(weight / largest).toFixed(2)}" d="M${x + at * cell} ${y + row * cell}h${cell}v${cell}h-${cell}z"/>`;
    }),
  );
  const texts = labels.map((label, at) => `<text x="${x + (at + 0.5) * cell}" y="${y + side + 15}">${label}</text>`);
  return `<g fill="#0b5cad">${squares.join("")}</g><rect class="frame" x="${x}" y="${y}" width="${side}" height="${side}"/>
<text x="${x + side / 2}" y="${y - 8}">head ${head + 1}</text>${texts.join("")}`;
}

const parts = panels.map(({ title }, layer) => {
  const rows = answer.map(
    (digit, row) => `<text x="${left - 10}" y="${top(layer) + (row + 0.75) * cell}">${digit}</text>`,
  );
  const y = top(layer) + side / 2;
  const largest = Math.max(...found[path(layers[layer])].data).toFixed(2);
  return `<text class="title" x="${left}" y="${top(layer) - 32}">${title}; darkest: ${largest}</text>
<text transform="translate(${left - 32} ${y}) rotate(-90)">answer</text>${rows.join("")}
${Array.from({ length: heads }, (_, head) => heatmap(layer, head)).join("\n")}`;
});

writeFileSync(
  join(folder, "attention.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The attention weights of two layers with four heads each, for one sequence">
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #57606a; text-anchor: middle }
.title { font-size: 14px; font-weight: 600; fill: #1b1f24; text-anchor: start }
.frame { fill: none; stroke: #d0d7de }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
${parts.join("\n")}
<text style="text-anchor: start" x="${left}" y="${height - 10}">given ${[...sequence].join(" ")}, answered ${answer.join(" ")}; drawn by scripts/pictures/transformer.mjs from a run</text>
</svg>
`,
);
console.log(`attention.svg: ${[...sequence].join(" ")} sorted as ${answer.join(" ")}`);
