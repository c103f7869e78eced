import { join } from "node:path";
import { compile, idx, readData, Session } from "../../index.js";

const folder = import.meta.dirname;
const data = join(folder, "data");
const program = await compile(join(folder, "mnist_softmax.graph"));
await using session = new Session(program);

const report = await session.train({
  onReport: ({ step, metrics }) => {
    console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(4)}  accuracy ${metrics["accuracy"]?.toFixed(4)}`);
  },
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(3)} s on ${report.device}`);

const image = idx(join(data, "t10k-images-idx3-ubyte"));
const label = idx(join(data, "t10k-labels-idx1-ubyte"));
const test = await session.evaluate("evaluate", { image, label }, { batch: 1000 });
console.log(`test accuracy ${test["accuracy"]?.toFixed(4)}`);

const labels = await readData(label.slice(0, 10));
const { digit } = await session.run("predict", { image: await readData(image.slice(0, 10)) });
console.log(`predictions ${digit?.data.join(" ")}`);
console.log(`labels      ${labels.data.join(" ")}`);
