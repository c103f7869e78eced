import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { compile, idx, readData, Session } from "../../index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "mnist_cnn");
const data = join(folder, "data");
const graph = join(folder, "mnist_cnn.graph");
const image = idx(join(data, "t10k-images-idx3-ubyte"));
const label = idx(join(data, "t10k-labels-idx1-ubyte"));

const native = probe().available;
const present = existsSync(data);
if (!native || !present) console.log("examples: mnist_cnn needs native code and the MNIST files, so it is skipped");
const nativeTest = native && present ? test : test.skip;

nativeTest("mnist_cnn: untrained, native code and the reference say the same of two digits", async (t) => {
  const feeds = { image: await readData(image.slice(0, 2)), label: await readData(label.slice(0, 2)) };
  const losses: number[] = [];
  for (const target of ["reference", "cpu"] as const) {
    await using session = new Session(await compile(graph, { target }));
    const found = await session.run("evaluate", feeds);
    losses.push(Number(found["metrics.loss"]?.data[0]));
  }
  const [expected = Number.NaN, found = Number.NaN] = losses;
  t.true(Math.abs(found - expected) < 1e-5 * expected, `${found} is not ${expected}`);
  // Weights of Glorot's size say little of a digit: the loss is near that of a guess, log(10).
  t.true(Math.abs(expected - Math.log(10)) < 0.3);
});

nativeTest("mnist_cnn: after 200 batches 95 of 100 digits that were not seen are right", async (t) => {
  await using session = new Session(await compile(graph, { target: "cpu" }));
  await session.train({ steps: 200, validate: undefined });
  const found = await session.evaluate(
    "evaluate",
    { image: image.slice(0, 2000), label: label.slice(0, 2000) },
    { batch: 500 },
  );
  t.true((found["metrics.accuracy"] ?? 0) >= 0.95, `accuracy ${found["metrics.accuracy"]}`);
});
