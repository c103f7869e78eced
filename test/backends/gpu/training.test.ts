import type { ExecutionContext } from "ava";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { Session, type TargetName } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

/** The examples' softmax regression, on rows that the tests make. */
const softmax = `graph softmax_regression {
  seed 7
  dim N
  placeholder image: u8[N, 28, 28]
  placeholder label: u8[N]
  variable w: f32[784, 10] = zeros()
  variable b: f32[10] = zeros()
  x = reshape(cast(image, to=f32) / 255, [N, 784])
  logits = x @ w + b
  loss = mean(-sum(one_hot(label, 10) * log(softmax(logits)), axis=-1))
  accuracy = mean(cast(argmax(logits, axis=-1) == cast(label, to=i64), to=f32))
  dw, db = gradients(loss, [w, b])
  update learn {
    w := w - 0.05 * dw
    b := b - 0.05 * db
  }
  signature fit(image, label) does learn -> (loss, accuracy)
  signature evaluate(image, label) -> (loss, accuracy)
}
`;

/** Adam on two layers with dropout: counts of steps, random numbers, slots, labels of 64 bits. */
const perceptron = `import { dense } from "std/layers"
import { adam } from "std/optimizers"
graph perceptron {
  seed 7
  dim N
  placeholder image: u8[N, 28, 28]
  placeholder label: i64[N]
  x = reshape(cast(image, to=f32) / 255, [N, 784])
  hidden = dropout(relu(dense(x, units=12)), rate=0.2)
  logits = dense(hidden, units=10)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  accuracy = mean(cast(argmax(logits, axis=-1) == label, to=f32))
  update learn = minimize(loss, adam(learning_rate=1e-3))
  signature fit(image, label) does learn -> (loss, accuracy)
  signature evaluate(image, label) -> (loss, accuracy)
}
`;

/** Pictures of a bar at the label's height, with noise from a small congruential generator. */
function pictures(rows: number): { readonly image: Uint8Array; readonly label: Uint8Array } {
  const image = new Uint8Array(rows * 784);
  const label = new Uint8Array(rows);
  let state = 1;
  const noise = (): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let row = 0; row < rows; row++) {
    const digit = Math.floor(noise() * 10);
    label[row] = digit;
    for (let i = 0; i < 784; i++) {
      const inBar = Math.floor(i / 28 / 2.8) === digit;
      image[row * 784 + i] = Math.floor(noise() * (inBar ? 255 : 160));
    }
  }
  return { image, label };
}

async function trained(
  t: ExecutionContext,
  text: string,
  options: { readonly target: TargetName; readonly device?: DeviceName },
  steps: number,
) {
  await using session = new Session(await compileText(t, text, { ...options, onWarning: () => {} }));
  const { image, label } = pictures(200);
  const data = { image, label: text.includes("label: i64") ? BigInt64Array.from(label, BigInt) : label };
  const { history } = await session.train({
    run: "fit",
    data,
    batch: 20,
    shuffle: true,
    steps,
    report: ["loss", "accuracy"],
    every: 10,
  });
  const after = await session.evaluate("evaluate", data, { batch: 200 });
  const values = new Map<string, readonly number[]>();
  for (const path of session.variables.paths) values.set(path, [...(await session.read(path)).data].map(Number));
  return { history, after, values };
}

function nearlyEqual(
  t: ExecutionContext,
  found: ReadonlyMap<string, readonly number[]>,
  expected: ReadonlyMap<string, readonly number[]>,
  tolerance: number,
): void {
  t.deepEqual([...found.keys()], [...expected.keys()]);
  for (const [path, wanted] of expected) {
    const most = Math.max(...wanted.map((x, i) => Math.abs(x - (found.get(path)?.[i] ?? Number.NaN))));
    t.true(most <= tolerance, `${path} is off by ${most}`);
  }
}

forEachDevice("softmax regression trains as on the reference", async (t, device) => {
  const found = await trained(t, softmax, { target: "gpu", device }, 40);
  const expected = await trained(t, softmax, { target: "reference" }, 40);
  nearlyEqual(t, found.values, expected.values, 1e-4);
  t.is(found.history.length, 4);
  const last = found.history.at(-1);
  t.true(last !== undefined && Math.abs(Number(last["loss"]) - Number(expected.history.at(-1)?.["loss"])) < 1e-4);
  t.true(Math.abs((found.after["accuracy"] ?? 0) - (expected.after["accuracy"] ?? 1)) <= 0.01);
});

forEachDevice("Adam and dropout agree with the reference for 20 steps", async (t, device) => {
  const found = await trained(t, perceptron, { target: "gpu", device }, 20);
  const expected = await trained(t, perceptron, { target: "reference" }, 20);
  nearlyEqual(t, found.values, expected.values, 1e-3);
  t.true(Math.abs((found.after["loss"] ?? 0) - (expected.after["loss"] ?? 1)) < 1e-3);
});
