/** A WebGPU device that goes away: what it held is made again on the next one. */
import test, { type ExecutionContext } from "ava";
import { WebGPUContext } from "gpu.js";
import { GraphError, type Program, Session, type Tensor } from "../../../index.js";
import { compileText, temporaryFolder } from "../../runtime/programs.js";
import { learning, walking } from "../../support/models.js";
import { hasSoftware } from "./software.js";

const onWebGpu = hasSoftware("swiftshader") ? test.serial : test.serial.skip;

/** What a driver does that is reset: the shared device is gone. The notice of it takes a turn of the event loop. */
async function loseDevice(): Promise<void> {
  const context = await WebGPUContext.acquire();
  context.device.destroy();
  while (!context.isLost) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The device goes away when so many more kernels have been given to it. */
async function loseDeviceIn(kernels: number): Promise<void> {
  const { device } = await WebGPUContext.acquire();
  const begin: unknown = Reflect.get(device, "createCommandEncoder");
  if (typeof begin !== "function") throw new Error("WebGPU has no command encoders");
  let left = kernels;
  Reflect.set(device, "createCommandEncoder", (...given: readonly unknown[]) => {
    if (--left === 0) device.destroy();
    return begin.apply(device, given);
  });
}

const onGpu = { target: "gpu", device: "webgpu", onWarning: () => {} } as const;
const feed = (i: number) => ({ x: Float32Array.of(1, i, -2, 0.5 * i) });

async function walked(t: ExecutionContext, steps: number): Promise<readonly Tensor[]> {
  await using session = new Session(await compileText(t, walking, onGpu));
  for (let i = 0; i < steps; i++) await session.run("go", feed(i));
  return [await session.read("w"), await session.read("turns")];
}

async function keptBytes({ backend }: Program): Promise<number> {
  return (await backend.counts?.())?.bytesKept ?? Number.NaN;
}

onWebGpu(
  "a run on a device that is lost fails by the kernel's name, and variables are those of the last that was done",
  async (t) => {
    const expected = [await walked(t, 5), await walked(t, 6)];
    const program = await compileText(t, walking, onGpu);
    await using session = new Session(program);
    for (let i = 0; i < 5; i++) await session.run("go", feed(i));
    // In the middle of a run: its second kernel finds the device gone.
    await loseDeviceIn(2);
    const failing = session.run("go", feed(5));
    const failure = await t.throwsAsync(failing, { instanceOf: GraphError });
    const [diagnostic] = failure?.diagnostics ?? [];
    t.is(diagnostic?.code, "G124");
    t.regex(diagnostic?.message ?? "", /^the kernel `\w+` failed on webgpu: /);
    const line = walking.slice(0, diagnostic?.span?.start).split("\n").length;
    t.true(line >= 6 && line <= 9, `line ${line}`);
    t.is(session.step, 5);
    const values = [await session.read("w"), await session.read("turns")];
    t.deepEqual(values, expected[0]);
    // Nothing was copied beforehand: five runs are done again sooner.
    t.is(await keptBytes(program), 0);

    // A new session goes on from them, as this one does.
    await using next = new Session(program, { seed: 3 });
    const file = `${temporaryFolder(t)}/w.safetensors`;
    await session.save(file);
    await next.restore(file);
    for (const one of [session, next]) {
      await one.run("go", feed(5));
      t.deepEqual([await one.read("w"), await one.read("turns")], expected[1]);
    }
  },
);

onWebGpu(
  "a device that is lost between runs, again and again, and values that are read and set on the way",
  async (t) => {
    const program = await compileText(t, walking, onGpu);
    await using session = new Session(program);
    await using undisturbed = new Session(await compileText(t, walking, { ...onGpu, device: "webasm" }));
    for (let i = 0; i < 8; i++) {
      if (i % 3 === 1) await loseDevice();
      if (i === 2) t.deepEqual((await session.read("turns")).data, BigInt64Array.of(2n));
      if (i === 5) {
        const value = { dtype: "f32", shape: [4], data: Float32Array.of(1, 2, 3, 4) } as const;
        for (const one of [session, undisturbed]) one.set("w", value);
      }
      await session.run("go", feed(i));
      await undisturbed.run("go", feed(i));
    }
    await loseDevice();
    t.is((await session.read("turns")).data[0], 8n);
    const [found, wanted] = [await session.read("w"), await undisturbed.read("w")];
    for (const [i, x] of wanted.data.entries()) t.true(Math.abs(Number(found.data[i]) - Number(x)) < 1e-5);
  },
);

onWebGpu(
  "training goes on after a loss between two calls and in the middle of one, and ends where undisturbed training ends",
  async (t) => {
    const rows = 40;
    const x = Float32Array.from({ length: 3 * rows }, (_, i) => Math.sin(i * 1.7));
    const y = Float32Array.from({ length: rows }, (_, i) => (x[3 * i] ?? 0) - 2 * (x[3 * i + 2] ?? 0));
    const plan = { run: "fit", data: { x, y }, batch: 8, shuffle: true, report: ["loss"], every: 1e6 } as const;
    const end = async (disturb: (session: Session) => Promise<void>): Promise<readonly unknown[]> => {
      await using session = new Session(await compileText(t, learning, onGpu));
      await disturb(session);
      await session.train({ ...plan, steps: 60 });
      const values: Tensor[] = [];
      for (const path of session.variables.paths) values.push(await session.read(path));
      return [session.step, values];
    };
    const undisturbed = await end(async () => {});
    const between = await end(async (session) => {
      await session.train({ ...plan, steps: 23 });
      await loseDevice();
    });
    t.deepEqual(between, undisturbed);
    let reached = 0;
    const within = await end(async (session) => {
      await session.train({ ...plan, steps: 2 });
      await loseDeviceIn(101);
      const failure = await t.throwsAsync(session.train({ ...plan, steps: 60 }), { instanceOf: GraphError });
      const [diagnostic] = failure?.diagnostics ?? [];
      t.is(diagnostic?.code, "G124");
      reached = session.step;
      // It is told at which step, and what was done before it is there.
      t.regex(diagnostic?.message ?? "", /^step \d+: (the kernel `\w+` failed on webgpu: |webgpu was lost)/);
      t.true(diagnostic?.message.startsWith(`step ${reached + 1}: `), diagnostic?.message);
      t.is((await session.read("learn/adam/w/t")).data[0], BigInt(reached));
    });
    t.true(reached > 2 && reached < 60, String(reached));
    t.deepEqual(within, undisturbed);
  },
);

onWebGpu("variables are copied when much would have to be done again, apart from what a step moves", async (t) => {
  const wide = `graph g {
  placeholder x: f32[1024, 1024]
  variable w: f32[1024, 1024] = zeros()
  update u {
    w := w * 0.5 + x
  }
  signature step(x) does u -> (w[0, 0])
}
`
    .replace("-> (w[0, 0])", "-> (first)")
    .replace("  signature", "  first = sum(x[0:1, 0:1])\n  signature");
  const program = await compileText(t, wide, onGpu);
  await using session = new Session(program);
  const x = new Float32Array(2 ** 20).fill(1);
  for (let i = 0; i < 18; i++) await session.run("step", { x });
  // 4 MiB a run are fed, and 64 MiB of feeds are kept at most: one copy of the one variable.
  t.is(await keptBytes(program), 2 ** 22);
  await loseDevice();
  const expected = Array.from({ length: 18 }).reduce<number>((w) => Math.fround(w * 0.5 + 1), 0);
  t.is((await session.read("w")).data[77], expected);
});
