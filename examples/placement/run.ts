import { join } from "node:path";
import { compile, type Program, Session } from "../../index.js";
import { readFlowers } from "../iris/cross_validation.js";

const iris = join(import.meta.dirname, "..", "iris");
const file = join(import.meta.dirname, "placement.graph");
const { measurements } = await readFlowers(iris);

/** Trains, and gives what the network then says of all flowers. */
async function trained(program: Program): Promise<readonly number[]> {
  await using session = new Session(program);
  const { steps, device, metrics } = await session.train({ dataDir: join(iris, "data") });
  const [loss, accuracy] = [metrics["loss"] ?? Number.NaN, metrics["accuracy"] ?? Number.NaN];
  console.log(`${device}: ${steps} steps, loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
  const { logits } = await session.run("predict", { measurements });
  return Array.from(logits?.data ?? [], Number);
}

// As the text says, with WebAssembly as the gpu; then all on the processor.
const both = await trained(await compile(file, { device: "webasm" }));
const alone = await trained(await compile(file, { target: "cpu", onWarning: () => {} }));
const difference = Math.max(...both.map((value, i) => Math.abs(value - (alone[i] ?? Number.NaN))));
console.log(`${both.length} logits differ by less than 0.001: ${difference < 1e-3}`);
