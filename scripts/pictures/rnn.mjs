// Draws examples/rnn/rows.svg: trains the example's network and shows, for five test digits, what it holds likely after each row. Needs
// a build; takes about a minute.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "rnn");
// The data lie beside the built graph.
const data = (name) => join(import.meta.dirname, "..", "..", "dist", "examples", "rnn", "data", name);
const session = new Session(await compile(join(folder, "rnn.graph")));
await session.train({ dataDir: data("") });
const images = await readData(idx(data("t10k-images-idx3-ubyte")).slice(0, 10));
const labels = await readData(idx(data("t10k-labels-idx1-ubyte")).slice(0, 10));
const { probs } = await session.run("predict", { image: images });
await session.close();

const chosen = [0, 1, 4, 7, 9];
const cell = 6;
const side = 28 * cell;
const left = 20;
const step = side + 24;
const top = { image: 60, probs: 60 + side + 40 };
const width = left + chosen.length * step;
const height = top.probs + side + 60;

/** Rectangles of one row after another, `wide` by `high`, as dark as their values from 0 to 1. */
function tiles(values, columns, x, y, wide, high) {
  return values
    .map((value, i) =>
      value < 0.02
        ? ""
        : `<path opacity="${value.toFixed(2)}" d="M${x + (i % columns) * wide} ${y + Math.floor(i / columns) * high}h${wide}v${high}h-${wide}z"/>`,
    )
    .join("");
}

const parts = chosen.map((index, place) => {
  const x = left + place * step;
  const pixels = [...images.data.slice(index * 784, (index + 1) * 784)].map((value) => value / 255);
  const said = [...probs.data.slice(index * 280, (index + 1) * 280)];
  const digits = Array.from({ length: 10 }, (_, digit) => {
    const right = digit === labels.data[index] ? ' class="right"' : "";
    return `<text${right} x="${x + (digit + 0.5) * (side / 10)}" y="${top.probs + side + 16}">${digit}</text>`;
  });
  return `<g fill="#1b1f24">${tiles(pixels, 28, x, top.image, cell, cell)}</g><g fill="#0b5cad">${tiles(said, 10, x, top.probs, side / 10, cell)}</g>
<rect class="frame" x="${x}" y="${top.image}" width="${side}" height="${side}"/><rect class="frame" x="${x}" y="${top.probs}" width="${side}" height="${side}"/>
${digits.join("")}`;
});

writeFileSync(
  join(folder, "rows.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Five digits, and what the network holds likely after each of their rows">
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #57606a; text-anchor: middle }
.title { font-size: 14px; font-weight: 600; fill: #1b1f24; text-anchor: start }
.right { font-weight: 700; fill: #1b1f24 }
.frame { fill: none; stroke: #d0d7de }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
<text class="title" x="${left}" y="28">What the network reads, a row at a time from the top</text>
<text class="title" x="${left}" y="${top.probs - 14}">What it holds likely after each row (in bold the label)</text>
${parts.join("\n")}
<text style="text-anchor: start" x="${left}" y="${height - 14}">drawn by scripts/pictures/rnn.mjs from a run</text>
</svg>
`,
);
console.log(`rows.svg: test images ${chosen.join(", ")}`);
