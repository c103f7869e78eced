/** What moves between the processor and a device, how many kernels a step launches, and what is left behind. */
import type { ExecutionContext } from "ava";
import type { Backend } from "../../../compiler/backends/backend.js";
import type { DeviceCounts } from "../../../compiler/backends/executable.js";
import type { DeviceName } from "../../../compiler/backends/gpu/devices/device.js";
import { Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { forEachDevice } from "./support.js";

const pixels = 28 * 28;

/** The examples' graphs without their data. */
const softmax = `graph mnist_softmax {
  dim N
  placeholder image: u8[N, 28, 28]
  placeholder label: u8[N]
  variable w: f32[784, 10] = zeros()
  variable b: f32[10] = zeros()
  x = reshape(cast(image, to=f32) / 255, [N, 784])
  logits = x @ w + b
  digit = argmax(logits, axis=-1)
  loss = mean(-sum(one_hot(label, 10) * log(softmax(logits)), axis=-1))
  accuracy = mean(cast(digit == cast(label, to=i64), to=f32))
  dw, db = gradients(loss, [w, b])
  update learn {
    w := w - 0.5 * dw
    b := b - 0.5 * db
  }
  signature fit(image, label) does learn -> (loss, accuracy)
}
`;
const perceptron = `import { dense, flatten } from "std/layers"
import { adam } from "std/optimizers"
graph mnist_dnn {
  dim N
  placeholder image: u8[N, 28, 28]
  placeholder label: u8[N]
  pixels = flatten(cast(image, to=f32) / 255)
  hidden = dropout(relu(dense(pixels, units=32)), rate=0.2)
  logits = dense(hidden, units=10)
  loss = mean(sparse_softmax_cross_entropy(logits, label))
  accuracy = mean(cast(argmax(logits, axis=-1) == cast(label, to=i64), to=f32))
  update learn = minimize(loss, adam(learning_rate=1e-3))
  signature fit(image, label) does learn -> (loss, accuracy)
}
`;

async function countsOf({ counts }: Backend): Promise<DeviceCounts> {
  if (counts === undefined) throw new Error("a device that counts nothing");
  return counts();
}

/** Trains, and gives what each of so many steps launched and moved: after a first one, which brings the variables. */
async function perStep(t: ExecutionContext, device: DeviceName, text: string, batch: number, steps: number) {
  const program = await compileText(t, text, { target: "gpu", device });
  const session = new Session(program);
  const image = new Uint8Array(batch * pixels).fill(9);
  const data = { image, label: new Uint8Array(batch).fill(3) };
  const train = (until: number) =>
    session.train({ run: "fit", data, batch, steps: until, every: 1e6, report: ["loss"] });
  await train(1);
  const before = await countsOf(program.backend);
  await train(1 + steps);
  const after = await countsOf(program.backend);
  await session.close();
  const left = (await countsOf(program.backend)).arrays;
  return {
    launches: (after.launches - before.launches) / steps,
    bytesUp: (after.bytesUp - before.bytesUp) / steps,
    bytesDown: after.bytesDown - before.bytesDown,
    kernels: after.kernels - before.kernels,
    arrays: after.arrays - before.arrays,
    left,
  };
}

for (const [name, text, batch, most] of [
  ["softmax regression", softmax, 100, 12],
  ["two layers with Adam", perceptron, 32, 40],
] as const) {
  forEachDevice(`${name}: launches and bytes of a step`, async (t, device) => {
    const few = await perStep(t, device, text, batch, 4);
    const many = await perStep(t, device, text, batch, 20);
    t.is(few.launches, many.launches);
    t.true(many.launches <= most, `${many.launches} launches`);
    // Pictures and labels as f32.
    t.is(many.bytesUp, 4 * batch * (pixels + 1));
    t.is(few.bytesUp, many.bytesUp);
    // The loss and the accuracy at the ends of time slices: of a step at most.
    t.true(many.bytesDown >= 8 && many.bytesDown <= 20 * 8 && many.bytesDown % 8 === 0, `${many.bytesDown} bytes`);
    t.is(many.kernels, 0);
    t.is(many.arrays, 0);
    t.is(many.left, 0);
  });
}

forEachDevice(
  "200 runs leave no array behind",
  async (t, device) => {
    const text = `graph g {
  placeholder x: f32[50, 40]
  variable w: f32[40, 40] = zeros()
  y = relu(x @ w + 1)
  update u {
    w := w + transpose(x) @ y * 1e-6
  }
  signature step(x) does u -> (y)
}
`;
    const program = await compileText(t, text, { target: "gpu", device });
    await using session = new Session(program);
    const x = new Float32Array(2000).fill(0.5);
    await session.run("step", { x });
    const { arrays } = await countsOf(program.backend);
    for (let i = 0; i < 200; i++) await session.run("step", { x });
    const after = await countsOf(program.backend);
    t.is(after.arrays, arrays);
  },
  { without: ["cpu"] },
);

forEachDevice(
  "200 steps leave the memory of the process as it was",
  async (t, device) => {
    const text = `graph g {
  placeholder x: f32[]
  variable w: f32[512, 512] = zeros()
  update u {
    w := w * 0.5 + x
  }
  signature step(x) does u -> (x)
}
`;
    const program = await compileText(t, text, { target: "gpu", device });
    await using session = new Session(program);
    const run = async (steps: number): Promise<void> => {
      for (let i = 0; i < steps; i++) await session.run("step", { x: 1 });
    };
    await run(50);
    const before = process.memoryUsage().rss;
    await run(200);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    // A variable has 1 MiB: one that is left behind at each step would make 200.
    t.true(grown < 100, `${grown} MiB more`);
    t.is((await session.read("w")).data[0], 2);
  },
  { without: ["cpu"] },
);
