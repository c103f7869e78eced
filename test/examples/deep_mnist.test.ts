import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { networks, slopesByLayer, trainNetwork } from "../../examples/deep_mnist/networks.js";
import { compile, idx, readData, Session } from "../../index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "deep_mnist");
const native = probe().available;
const present = existsSync(join(folder, "data"));
if (!native || !present) console.log("examples: deep_mnist needs native code and the MNIST files, so it is skipped");
const nativeTest = native && present ? test : test.skip;

nativeTest(
  "deep_mnist: slopes arrive at the first of 60 and 90 residual layers, and not through 60 of sigmoid",
  async (t) => {
    const slopes = await slopesByLayer(await compile(join(folder, "deep_mnist.graph"), { target: "cpu" }), folder);
    t.deepEqual(
      networks.map(({ scope }) => slopes.get(scope)?.length),
      [60, 90, 60, 60],
    );
    for (const scope of ["residual60", "residual90"]) {
      const norms = slopes.get(scope) ?? [];
      t.true(
        Math.min(...norms) > 0.02 && Math.max(...norms) < 10,
        `${scope}: ${Math.min(...norms)} to ${Math.max(...norms)}`,
      );
    }
    const sigmoid = slopes.get("sigmoid60") ?? [];
    const [first = 1, last = 0] = [sigmoid[0], sigmoid.at(-1)];
    t.true(last > 0.01);
    // The slope of sigmoid is at most 1/4, and a square matrix of normal numbers of variance 2 / 64 lengthens no vector by more than
    // about 2 * sqrt(2) (Geman, 1980): 59 layers shorten by at least 0.71 ** 59 = 1.4e-9, and the usual factor is sqrt(2) / 4.
    t.true(first > 0 && first < 1e-9 * last, `${first}`);
  },
);

nativeTest("deep_mnist: untrained layers of relu make of two digits nearly the same, as the README says", async (t) => {
  await using session = new Session(await compile(join(folder, "deep_mnist.graph"), { target: "cpu" }));
  const image = await readData(idx(join(folder, "data", "t10k-images-idx3-ubyte")).slice(0, 100));
  const hidden = await session.run(["relu60.hidden", "residual60.hidden"], { image });
  const medianCosine = (name: string): number => {
    const all = Array.from(hidden[name]?.data ?? [], Number);
    const rows = Array.from({ length: 100 }, (_, i) => all.slice(64 * i, 64 * (i + 1)));
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
    const cosines = rows.flatMap((a, i) => rows.slice(0, i).map((b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))));
    return cosines.toSorted((x, y) => x - y)[cosines.length >> 1] ?? Number.NaN;
  };
  const readme = readFileSync(
    join(import.meta.dirname, "..", "..", "..", "examples", "deep_mnist", "README.md"),
    "utf8",
  );
  t.true(readme.includes(`a cosine of ${medianCosine("relu60.hidden").toFixed(4)} in the median`));
  t.true(readme.includes(`${medianCosine("residual60.hidden").toFixed(3)} after 60`));
});

nativeTest(
  "deep_mnist: 90 residual layers learn the digits in 300 batches, and 60 plain ones of sigmoid do not",
  async (t) => {
    const program = await compile(join(folder, "deep_mnist.graph"), { target: "cpu" });
    const [, residual90, , sigmoid60] = networks;
    const learned = await trainNetwork(program, folder, residual90, { steps: 300 });
    t.true(learned.accuracy >= 0.85, `accuracy ${learned.accuracy}`);
    const plain = await trainNetwork(program, folder, sigmoid60, { steps: 300 });
    // The most frequent of the test digits, 1, is 0.1135 of them.
    t.true(plain.accuracy <= 0.25 && plain.loss > 2, `accuracy ${plain.accuracy}, loss ${plain.loss}`);
  },
);
