// Draws examples/mnist_cnn/mnist_cnn.svg, the loss and the validation of a training run, and mistakes.png, every test digit that the
// trained network takes for another: a row for each digit, 0 to 9. Needs a build; takes about a minute.
import { join } from "node:path";
import { compile, idx, readData, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";
import { drawImages } from "./images.mjs";

const folder = join(import.meta.dirname, "..", "..", "examples", "mnist_cnn");
const session = new Session(await compile(join(folder, "mnist_cnn.graph")));
const report = await session.train({ every: 10, report: ["metrics.loss"] });

const images = await readData(idx(join(folder, "data", "t10k-images-idx3-ubyte")));
const labels = await readData(idx(join(folder, "data", "t10k-labels-idx1-ubyte")));
const mistakes = Array.from({ length: 10 }, () => []);
const batch = 500;
for (let start = 0; start < labels.data.length; start += batch) {
  const image = images.data.slice(784 * start, 784 * (start + batch));
  const { digit } = await session.run("predict", { image });
  digit.data.forEach((said, i) => {
    const label = labels.data[start + i];
    if (Number(said) !== label) mistakes[label].push(image.subarray(784 * i, 784 * (i + 1)));
  });
}
await session.close();
drawImages("examples/mnist_cnn/mistakes.png", mistakes);
const wrong = mistakes.flat().length;

/** At each third report, the mean of the losses of the last ten: single batches of 64 scatter by a factor of ten. */
const points = report.history.flatMap(({ step }, i, all) => {
  const near = all.slice(Math.max(0, i - 9), i + 1).map((metrics) => metrics["metrics.loss"]);
  return i % 3 === 0 ? [{ step, mean: near.reduce((sum, loss) => sum + loss, 0) / near.length }] : [];
});
const validations = report.validation.map(({ step, ...metrics }) => ({
  step,
  loss: metrics["metrics.loss"],
  text: `${(100 * metrics["metrics.accuracy"]).toFixed(2)} %`,
}));
const step = {
  field: "step",
  type: "quantitative",
  title: "step, of 64 digits each",
  scale: { domainMin: 0, nice: false },
  axis: { tickCount: 4 },
};
const y = (field) => ({
  field,
  type: "quantitative",
  title: "loss",
  scale: { type: "log", domain: [0.01, 2], clamp: true },
});
const colour = (name) => ({
  datum: name,
  type: "nominal",
  scale: { domain: ["training, with dropout", "validation"] },
  legend: { title: null, orient: "top-right", labelLimit: 400 },
});
await drawChart("examples/mnist_cnn/mnist_cnn.svg", {
  title: {
    text: `Loss over ${report.steps.toLocaleString("en")} steps`,
    subtitle: `At each epoch's end the accuracy on 5,000 held-out digits; then ${wrong} of 10,000 test digits are wrong`,
  },
  width: 600,
  height: 280,
  layer: [
    {
      data: { values: points },
      mark: { type: "line" },
      encoding: { x: step, y: y("mean"), color: colour("training, with dropout") },
    },
    {
      data: { values: validations },
      encoding: { x: step, y: y("loss"), color: colour("validation") },
      layer: [
        { mark: { type: "line", point: { size: 50 } } },
        // On a white rim, so that the curve below does not cross the digits.
        ...[{ stroke: "#fff", strokeWidth: 4 }, {}].map((rim) => ({
          mark: { type: "text", dy: -14, align: "right", fontSize: 12, fontWeight: 600, ...rim },
          encoding: { text: { field: "text" } },
        })),
      ],
    },
  ],
});
