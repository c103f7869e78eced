import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "linear_regression.graph"));
await using session = new Session(program);

const report = await session.train({
  onReport: ({ step, metrics }) => {
    const { cost, W, b } = metrics;
    console.log(`step ${step}  cost ${cost?.toFixed(4)}  W ${W?.toFixed(5)}  b ${b?.toFixed(5)}`);
  },
});
const { cost, W, b } = report.metrics;
console.log(
  `\n${report.steps} steps in ${report.seconds.toFixed(3)} s: cost ${cost?.toFixed(4)}, W ${W?.toFixed(5)}, b ${b?.toFixed(5)}`,
);
