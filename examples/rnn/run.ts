import { join } from "node:path";
import { compile, idx, readData, Session } from "../../index.js";

const folder = import.meta.dirname;
const program = await compile(join(folder, "rnn.graph"));
await using session = new Session(program);

const report = await session.train({
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(4)}  accuracy ${metrics["accuracy"]?.toFixed(4)}`),
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(1)} s on ${report.device}`);

const image = idx(join(folder, "data", "t10k-images-idx3-ubyte"));
const label = idx(join(folder, "data", "t10k-labels-idx1-ubyte"));
const test = await session.evaluate("evaluate", { image, label });
console.log(`test accuracy ${test["accuracy"]?.toFixed(4)}`);

const one = 7;
const { probs } = await session.run("predict", { image: await readData(image.slice(0, 10)) });
const { data: labels } = await readData(label.slice(0, 10));
console.log(`image ${one} of the test, a ${labels[one]}: what it says after each third row`);
console.log(`row  ${Array.from({ length: 10 }, (_, digit) => `${digit}    `).join("")}`.trimEnd());
for (let row = 3; row < 28; row += 3) {
  const at = (one * 28 + row) * 10;
  const shares = [...(probs?.data.slice(at, at + 10) ?? [])].map((share) => Number(share).toFixed(2));
  console.log(`${String(row + 1).padStart(3)}  ${shares.join(" ")}`);
}
