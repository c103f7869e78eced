// Draws examples/deep_mnist/slopes.svg, how much of the slope of the loss arrives at each layer of the untrained networks, and
// training.svg, their losses while they learn. Needs a build; takes some minutes.
import { join } from "node:path";
import { networks, slopesByLayer, trainNetwork } from "../../dist/examples/deep_mnist/networks.js";
import { compile } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const folder = join(import.meta.dirname, "..", "..", "dist", "examples", "deep_mnist");
const program = await compile(join(folder, "deep_mnist.graph"));
const color = {
  field: "network",
  type: "nominal",
  scale: { domain: networks.map(({ title }) => title) },
  legend: { title: null, labelLimit: 400, orient: "right" },
};

const slopes = await slopesByLayer(program, folder);
await drawChart("examples/deep_mnist/slopes.svg", {
  title: {
    text: "Norm of the slope of the loss in the weights of each layer, before any training",
    subtitle: "Slopes come from the last layer, on the right, back to the first",
  },
  width: 460,
  height: 280,
  data: {
    values: networks.flatMap(({ title, scope }) =>
      slopes.get(scope).map((norm, i) => ({ network: title, layer: i + 1, norm })),
    ),
  },
  mark: { type: "line", strokeWidth: 2 },
  encoding: {
    x: { field: "layer", type: "quantitative", title: "layer", scale: { domain: [1, 90], nice: false } },
    y: {
      field: "norm",
      type: "quantitative",
      title: null,
      scale: { type: "log", domain: [1e-30, 10], nice: false },
      axis: {
        values: [-30, -25, -20, -15, -10, -5, 0].map((power) => 10 ** power),
        labelExpr: "datum.value == 1 ? '1' : '1e' + round(log(datum.value) / LN10)",
      },
    },
    color,
  },
});

const points = [];
for (const network of networks) {
  const { report, accuracy } = await trainNetwork(program, folder, network, { every: 8 });
  const losses = report.history.map((metrics) => metrics[`${network.scope}.loss`]);
  // At each fifth report, the mean of the last ten.
  report.history.forEach(({ step }, i) => {
    const near = losses.slice(Math.max(0, i - 9), i + 1);
    if (i % 5 === 4)
      points.push({ network: network.title, step, loss: near.reduce((sum, loss) => sum + loss, 0) / near.length });
  });
  console.log(`${network.title}: test accuracy ${accuracy.toFixed(4)}`);
}
await drawChart("examples/deep_mnist/training.svg", {
  title: { text: "Loss while they learn" },
  width: 460,
  height: 280,
  data: { values: points },
  mark: { type: "line", strokeWidth: 1.5, clip: true },
  encoding: {
    x: {
      field: "step",
      type: "quantitative",
      title: "step, of 64 digits each",
      scale: { domainMin: 0, nice: false },
      axis: { tickCount: 4 },
    },
    y: {
      field: "loss",
      type: "quantitative",
      title: "loss, of batches while training",
      scale: { type: "log", domain: [0.01, 3], nice: false },
      axis: { values: [0.01, 0.03, 0.1, 0.3, 1, 3] },
    },
    color,
  },
});
