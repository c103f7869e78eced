import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { compile, idx, readData, Session } from "../../index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "autoencoder");
const data = join(folder, "data");
const graph = join(folder, "autoencoder.graph");
const image = idx(join(data, "t10k-images-idx3-ubyte"));

const native = probe().available;
const present = existsSync(data);
if (!native || !present)
  console.log("examples: the autoencoder needs native code and the MNIST files, so it is skipped");
const nativeTest = native && present ? test : test.skip;

const numbers = (tensor: { readonly data: Iterable<unknown> } | undefined): readonly number[] =>
  Array.from(tensor?.data ?? [], Number);

nativeTest("autoencoder: the losses are their formulas, of the code that the weights make", async (t) => {
  const digits = await readData(image.slice(0, 3));
  const pixels = numbers(digits).map((value) => value / 255);
  for (const target of ["reference", "cpu"] as const) {
    await using session = new Session(await compile(graph, { target }));
    const { code } = await session.run("encode", { image: digits });
    t.deepEqual(code?.shape, [3, 64]);
    t.true(numbers(code).every((value) => value >= 0));
    const { reconstruction } = await session.run("reconstruct", { image: digits });
    t.deepEqual(reconstruction?.shape, [3, 28, 28]);
    const drawn = numbers(reconstruction);
    const mean = (of: (x: number, r: number) => number): number =>
      pixels.reduce((sum, x, i) => sum + of(x, drawn[i] ?? Number.NaN), 0) / pixels.length;
    const { loss, squared_error } = await session.run("evaluate", { image: digits });
    const entropy = mean((x, r) => -(x * Math.log(r) + (1 - x) * Math.log(1 - r)));
    t.true(Math.abs(Number(loss?.data[0]) - entropy) < 1e-5);
    t.true(Math.abs(Number(squared_error?.data[0]) - mean((x, r) => (x - r) ** 2)) < 1e-6);
  }
});

nativeTest(
  "autoencoder: after one epoch digits that were not seen come back nearer than a mean digit is",
  async (t) => {
    await using session = new Session(await compile(graph, { target: "cpu" }));
    await session.train({ epochs: 1 });
    const { squared_error = 1 } = await session.evaluate("evaluate", { image });
    // The variance of a pixel about its mean over the digits is the squared error of a code that says nothing.
    const pixels = numbers(await readData(image.slice(0, 1000)));
    const variances = Array.from({ length: 784 }, (_, place) => {
      const values = Array.from({ length: 1000 }, (_, i) => (pixels[784 * i + place] ?? 0) / 255);
      const mean = values.reduce((sum, value) => sum + value, 0) / 1000;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 1000;
    });
    const variance = variances.reduce((sum, value) => sum + value, 0) / 784;
    t.true(squared_error < variance / 3, `${squared_error}`);
  },
);
