// Draws docs/training.svg from a real run of examples/mnist_dnn: the loss at each twentieth step, the validation after each epoch,
// and the first ten test digits with what the trained network says. Needs a build; takes a few seconds.
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";
import { colours, drawChart } from "./chart.mjs";
import { pngAddress } from "./png.mjs";

const root = join(import.meta.dirname, "..", "..");
const example = join(root, "examples", "mnist_dnn");
const data = (name) => join(root, "dist", "examples", "mnist_dnn", "data", name);

const session = new Session(await compile(join(example, "mnist_dnn.graph")));
const report = await session.train({ every: 20, dataDir: data("") });
const rows = { image: idx(data("t10k-images-idx3-ubyte")), label: idx(data("t10k-labels-idx1-ubyte")) };
const test = await session.evaluate("evaluate", rows);
const images = await readData(rows.image.slice(0, 10));
const labels = await readData(rows.label.slice(0, 10));
const { digit } = await session.run("predict", { image: images });
await session.close();

const percent = (share) => `${(100 * share).toFixed(2)} %`;
const points = report.history.map((entry) => ({ step: entry.step, loss: entry["metrics.loss"] }));
// The mean of 10 points that went before.
const line = points
  .map(({ step }, i) => {
    const near = points.slice(Math.max(0, i - 9), i + 1);
    return { step, loss: near.reduce((sum, { loss }) => sum + loss, 0) / near.length };
  })
  .filter((_, i) => i % 2 === 0);
const epochs = report.validation.map(({ step, epoch, ...metrics }) => ({
  step,
  epoch: `epoch ${epoch}`,
  accuracy: percent(metrics["metrics.accuracy"]),
}));
const step = { field: "step", type: "quantitative", axis: null, scale: { domain: [0, report.steps], nice: false } };
const loss = {
  field: "loss",
  type: "quantitative",
  title: "loss",
  scale: { type: "log", domain: [0.005, 3] },
  axis: { values: [0.01, 0.1, 1] },
};
const training = {
  title: `Loss of ${report.steps.toLocaleString("en")} steps, and accuracy on 5,000 held-out digits`,
  width: 500,
  height: 240,
  layer: [
    {
      data: { values: points },
      mark: { type: "circle", clip: true, aria: false, size: 5, color: "#9ec5f0", opacity: 1 },
      encoding: { x: step, y: loss },
    },
    { data: { values: line }, mark: { type: "line", color: colours[0] }, encoding: { x: step, y: loss } },
    { data: { values: epochs }, mark: { type: "rule", color: "#d0d7de" }, encoding: { x: step } },
    ...[
      ["accuracy", { align: "right", dx: -5, y: 10 }],
      ["epoch", { align: "right", dx: 4, y: 256 }],
    ].map(([field, place]) => ({
      data: { values: epochs },
      mark: { type: "text", fontSize: 12, color: "#57606a", ...place },
      encoding: { x: step, text: { field } },
    })),
  ],
};

const side = 44;
const digits = Array.from({ length: 10 }, (_, i) => ({
  x: (i % 5) * 52 + side / 2,
  y: Math.floor(i / 5) * 112 + side / 2,
  url: pngAddress(
    28,
    28,
    Array.from(images.data.slice(784 * i, 784 * (i + 1)), (ink) => Array(3).fill(255 - ink)),
  ),
  said: Number(digit.data[i]),
  label: Number(labels.data[i]),
}));
const place = (field, to) => ({ field, type: "quantitative", scale: { domain: [0, to] }, axis: null });
const at = { x: place("x", 260), y: { ...place("y", 240), scale: { domain: [0, 240], reverse: true } } };
const predictions = {
  title: { text: `Test accuracy ${percent(test["metrics.accuracy"])}`, subtitle: "predicted, and the label below" },
  width: 260,
  height: 240,
  data: { values: digits },
  layer: [
    {
      mark: { type: "image", aria: false, width: side, height: side },
      encoding: { ...at, url: { field: "url", type: "nominal" } },
    },
    {
      mark: { type: "text", aria: false, dy: 38, fontSize: 18, fontWeight: 600 },
      encoding: {
        ...at,
        text: { field: "said" },
        color: { condition: { test: "datum.said === datum.label", value: "#1a7f37" }, value: "#cf222e" },
      },
    },
    {
      mark: { type: "text", aria: false, dy: 58, fontSize: 12, color: "#57606a" },
      encoding: { ...at, text: { field: "label" } },
    },
  ],
};

await drawChart("docs/training.svg", {
  spacing: 30,
  hconcat: [training, predictions],
});
