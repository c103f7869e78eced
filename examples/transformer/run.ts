import { join } from "node:path";
import { compile, Session } from "../../index.js";

const program = await compile(join(import.meta.dirname, "transformer.graph"));
await using session = new Session(program);

const length = 12;
const count = 20_000;
/** 20,000 sequences that the graph draws, others each time. */
async function draw(): Promise<BigInt64Array> {
  const { drawn } = await session.run("draw");
  if (!(drawn?.data instanceof BigInt64Array)) throw new Error("the graph draws i64");
  return drawn.data;
}
const textsOf = (digits: BigInt64Array): readonly string[] =>
  Array.from({ length: digits.length / length }, (_, i) => digits.slice(i * length, (i + 1) * length).join(" "));

const report = await session.train({
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(4)}  all right ${metrics["exact"]?.toFixed(4)}`),
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(1)} s on ${report.device}`);

const exam = await draw();
const test = await session.evaluate("evaluate", { sequence: exam });
console.log(`${count} other sequences: all right ${test["exact"]?.toFixed(4)}`);

const { answer } = await session.run("predict", { sequence: exam.slice(0, 3 * length) });
const given = textsOf(exam.slice(0, 3 * length));
for (const [i, text] of textsOf(BigInt64Array.from(answer?.data ?? [], BigInt)).entries()) {
  console.log(`${given[i]}  ->  ${text}`);
}
