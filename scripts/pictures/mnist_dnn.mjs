// Draws docs/training.svg from a real run of examples/mnist_dnn: the loss at each tenth step, the validation after each epoch,
// and the first ten test digits with what the trained network says. Needs a build; takes a few seconds.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";

const root = join(import.meta.dirname, "..", "..");
const example = join(root, "examples", "mnist_dnn");
const data = (name) => join(example, "data", name);

const program = await compile(join(example, "mnist_dnn.graph"));
const session = new Session(program);
const report = await session.train({ every: 10 });
const rows = { image: idx(data("t10k-images-idx3-ubyte")), label: idx(data("t10k-labels-idx1-ubyte")) };
const test = await session.evaluate("evaluate", rows);
const images = await readData(rows.image.slice(0, 10));
const labels = await readData(rows.label.slice(0, 10));
const { digit } = await session.run("predict", { image: images });
await session.close();

const width = 860;
const height = 330;
const plot = { left: 56, top: 52, right: 560, bottom: 280 };
const last = report.steps;
const round = (value) => Math.round(value * 10) / 10;
const x = (step) => round(plot.left + (step / last) * (plot.right - plot.left));
// The loss on a logarithmic axis from 0.005 to 3.
const [low, high] = [Math.log10(0.005), Math.log10(3)];
const y = (loss) => {
  const place = (Math.min(high, Math.max(low, Math.log10(loss))) - low) / (high - low);
  return round(plot.bottom - place * (plot.bottom - plot.top));
};

const points = report.history.map((entry) => ({ step: entry.step, loss: entry["metrics.loss"] }));
const dots = points.map(({ step, loss }) => `M${x(step)} ${y(loss)}h.01`).join("");
const window = 20;
const smooth = points
  .map(({ step }, i) => {
    const near = points.slice(Math.max(0, i - window + 1), i + 1);
    return { step, loss: near.reduce((sum, { loss }) => sum + loss, 0) / near.length };
  })
  .filter((_, i) => i % 4 === 0);
const line = smooth.map(({ step, loss }, i) => `${i === 0 ? "M" : "L"}${x(step)} ${y(loss)}`).join("");

const grid = [0.01, 0.1, 1]
  .map(
    (loss) =>
      `<path class="grid" d="M${plot.left} ${y(loss)}H${plot.right}"/><text class="axis" x="${plot.left - 8}" y="${y(loss) + 4}" text-anchor="end">${loss}</text>`,
  )
  .join("\n");
const epochs = report.validation
  .map(({ step, epoch, ...metrics }) => {
    const shown = (100 * metrics["metrics.accuracy"]).toFixed(2);
    return `<path class="grid" d="M${x(step)} ${plot.top}V${plot.bottom}"/>
<text class="axis" x="${x(step) - 6}" y="${plot.top + 12}" text-anchor="end">${shown} %</text>
<text class="axis" x="${x(step)}" y="${plot.bottom + 18}" text-anchor="middle">epoch ${epoch}</text>`;
  })
  .join("\n");

/** One digit as runs of equal grey; four shades are enough to read it. */
function drawing(index, left, top, scale) {
  const shades = new Map();
  for (let row = 0; row < 28; row++) {
    for (let column = 0; column < 28; ) {
      const shade = Math.round(images.data[index * 784 + row * 28 + column] / 64);
      let length = 1;
      while (column + length < 28 && Math.round(images.data[index * 784 + row * 28 + column + length] / 64) === shade)
        length++;
      if (shade > 0) shades.set(shade, `${shades.get(shade) ?? ""}M${column} ${row}h${length}v1h-${length}z`);
      column += length;
    }
  }
  const paths = [...shades].map(([shade, d]) => `<path opacity="${shade / 4}" d="${d}"/>`).join("");
  return `<g transform="translate(${left} ${top}) scale(${scale})" fill="#1b1f24">${paths}</g>`;
}

const digits = Array.from({ length: 10 }, (_, i) => {
  const left = 600 + (i % 5) * 50;
  const top = 66 + Math.floor(i / 5) * 112;
  const right = Number(digit.data[i]) === labels.data[i];
  return `${drawing(i, left, top, 1.5)}
<text class="digit" x="${left + 21}" y="${top + 64}" text-anchor="middle" fill="${right ? "#1a7f37" : "#cf222e"}">${digit.data[i]}</text>
<text class="axis" x="${left + 21}" y="${top + 84}" text-anchor="middle">${labels.data[i]}</text>`;
}).join("\n");

const accuracy = (100 * test["metrics.accuracy"]).toFixed(2);
writeFileSync(
  join(root, "docs", "training.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="The loss falling over five epochs, and ten test digits with their predictions">
<style>
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.title { font-size: 14px; font-weight: 600 }
.axis { font-size: 12px; fill: #57606a }
.digit { font-size: 18px; font-weight: 600 }
.grid { stroke: #d0d7de; fill: none }
.dots { stroke: #9ec5f0; stroke-width: 2; stroke-linecap: round; fill: none }
.line { stroke: #0b5cad; stroke-width: 2; stroke-linejoin: round; fill: none }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
<text class="title" x="${plot.left}" y="30">Loss of ${last.toLocaleString("en")} steps, and accuracy on 5,000 held-out digits</text>
${grid}
${epochs}
<path class="dots" d="${dots}"/>
<path class="line" d="${line}"/>
<text class="title" x="600" y="30">Test accuracy ${accuracy} %</text>
<text class="axis" x="600" y="50">predicted, and the label below</text>
${digits}
<text class="axis" x="${plot.left}" y="318">examples/mnist_dnn, drawn by scripts/pictures/mnist_dnn.mjs from a run: 784-128-10, dropout, Adam, batches of 32</text>
</svg>
`
    .replaceAll('fill="#1a7f37"', 'style="fill:#1a7f37"')
    .replaceAll('fill="#cf222e"', 'style="fill:#cf222e"'),
);
console.log(`docs/training.svg: ${last} steps, test accuracy ${accuracy} %`);
