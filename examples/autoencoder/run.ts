import { join } from "node:path";
import { compile, idx, Session } from "../../index.js";

const folder = import.meta.dirname;
const program = await compile(join(folder, "autoencoder.graph"));
await using session = new Session(program);

const line = (metrics: Readonly<Record<string, number>>): string =>
  `loss ${metrics["loss"]?.toFixed(4)}  squared error ${metrics["squared_error"]?.toFixed(5)}`;
const report = await session.train({
  onReport: ({ step, metrics }) => console.log(`step ${String(step).padStart(4)}  ${line(metrics)}`),
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(1)} s on ${report.device}`);

const image = idx(join(folder, "data", "t10k-images-idx3-ubyte"));
console.log(`test digits  ${line(await session.evaluate("evaluate", { image }))}`);
