// Draws examples/autoencoder/reconstructions.png, test digits and below each what the trained network makes of its code, and
// autoencoder.svg, the loss of the training. Needs a build; takes about ten seconds.
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";
import { drawImages } from "./images.mjs";

const folder = join(import.meta.dirname, "..", "..", "examples", "autoencoder");
const test = idx(join(folder, "data", "t10k-images-idx3-ubyte"));
const session = new Session(await compile(join(folder, "autoencoder.graph")));
const report = await session.train({ every: 20 });
const means = await session.evaluate("evaluate", { image: test });
const digits = await readData(test.slice(0, 48));
const { reconstruction } = await session.run("reconstruct", { image: digits });
await session.close();

const columns = 16;
const rows = [];
for (let start = 0; start < digits.shape[0]; start += columns) {
  const places = Array.from({ length: columns }, (_, i) => start + i);
  rows.push(places.map((i) => digits.data.subarray(784 * i, 784 * (i + 1))));
  rows.push(
    places.map((i) => Array.from(reconstruction.data.subarray(784 * i, 784 * (i + 1)), (p) => Math.round(255 * p))),
  );
}
drawImages("examples/autoencoder/reconstructions.png", rows);

const error = { field: "error", type: "quantitative", title: "squared error of a pixel" };
await drawChart("examples/autoencoder/autoencoder.svg", {
  title: {
    text: `Squared error over ${report.steps.toLocaleString("en")} steps`,
    subtitle: `Of the 10,000 test digits at the end: ${means.squared_error.toFixed(4)}`,
  },
  width: 560,
  height: 240,
  data: { values: report.history.map(({ step, squared_error }) => ({ step, error: squared_error })) },
  mark: { type: "line", strokeWidth: 1.5 },
  encoding: {
    x: { field: "step", type: "quantitative", title: "step, of 128 digits each", scale: { domainMin: 0, nice: false } },
    y: {
      ...error,
      scale: { type: "log", domain: [0.003, 0.1] },
      axis: { values: [0.003, 0.005, 0.01, 0.02, 0.05, 0.1] },
    },
  },
});
