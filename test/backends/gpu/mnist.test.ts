/** The examples' digits, trained on a device: the accuracy and the loss are those of the processor. */
import { join } from "node:path";
import { type CompileFileOptions, compile, idx, Session } from "../../../index.js";
import { forEachDevice } from "./support.js";

const examples = join(import.meta.dirname, "..", "..", "..", "examples");

/** Trains an example's graph as its file says, so many steps; gives the last report and the means over the first pictures to test with. */
async function trained(name: string, steps: number, rows: number, options: CompileFileOptions) {
  const folder = join(examples, name);
  await using session = new Session(await compile(join(folder, `${name}.graph`), { onWarning: () => {}, ...options }));
  let last: Readonly<Record<string, number>> = {};
  await session.train({
    steps,
    every: steps,
    onReport: ({ metrics }) => {
      last = metrics;
    },
  });
  const image = idx(join(folder, "data", "t10k-images-idx3-ubyte"));
  const label = idx(join(folder, "data", "t10k-labels-idx1-ubyte"));
  const columns = { image: image.slice(0, rows), label: label.slice(0, rows) };
  return { last, test: await session.evaluate("evaluate", columns, { batch: 500 }) };
}

forEachDevice(
  "mnist_softmax reaches the accuracy of the processor to 0.2 %",
  async (t, device) => {
    const found = await trained("mnist_softmax", 300, 10_000, { target: "gpu", device });
    const expected = await trained("mnist_softmax", 300, 10_000, {});
    const [accuracy = 0, wanted = 1] = [found.test["accuracy"], expected.test["accuracy"]];
    // The whole training, 1,000 steps, reaches 0.92.
    t.true(wanted > 0.9, `${wanted}`);
    t.true(Math.abs(accuracy - wanted) <= 0.002, `${accuracy} and ${wanted}`);
  },
  { without: ["cpu"] },
);

let onReference: ReturnType<typeof trained> | undefined;

/** Computed once for all devices. */
function dnnOnReference(): ReturnType<typeof trained> {
  onReference ??= trained("mnist_dnn", 100, 1000, { target: "reference" });
  return onReference;
}

forEachDevice(
  "mnist_dnn for 100 steps agrees with the reference to 1e-3",
  async (t, device) => {
    const found = await trained("mnist_dnn", 100, 1000, { target: "gpu", device });
    const expected = await dnnOnReference();
    for (const name of ["metrics.loss", "metrics.accuracy"]) {
      const [value = 0, wanted = 1] = [found.test[name], expected.test[name]];
      t.true(Math.abs(value - wanted) <= 1e-3, `${name} is ${value}, not ${wanted}`);
    }
    const [loss = 0, wanted = 1] = [found.last["metrics.loss"], expected.last["metrics.loss"]];
    t.true(Math.abs(loss - wanted) <= 1e-3, `the loss of step 100 is ${loss}, not ${wanted}`);
  },
  { without: ["cpu"] },
);
