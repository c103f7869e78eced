import { join } from "node:path";
import type { IGPUKernelSettings, KernelVariable } from "gpu.js";
import { median } from "../cli/samples.js";
import { chooseBackend } from "../compiler/backends/choose.js";
import type { DeviceCounts } from "../compiler/backends/executable.js";
import { type DeviceName, type GpuDevice, isSoftware } from "../compiler/backends/gpu/devices/device.js";
import { openDevice } from "../compiler/backends/gpu/devices/node.js";
import { probeDevices } from "../compiler/backends/gpu/devices/probe.js";
import { backendOn } from "../compiler/backends/gpu/on_device.js";
import { compile, Session } from "../index.js";
import { product } from "./contractions.js";
import { prepare } from "./measure.js";

const size = 512;
const examples = join(import.meta.dirname, "..", "examples");
const programs = ["mnist_softmax", "mnist_dnn"] as const;
const rounds = 5;
/** Steps of a program are measured for about so long. */
const secondsOfSteps = 2;

/** The kernel of gpu.js's own benchmark, at its size. */
const theirSource = `function(a, b) {
  let sum = 0;
  for (let i = 0; i < ${size}; i++) {
    sum += a[this.thread.y][i] * b[i][this.thread.x];
  }
  return sum;
}`;

/** Rows for each device that this machine has, or the one that is asked for. Throws GraphError G122 where that does not work. */
export async function printDevices(wish?: DeviceName): Promise<void> {
  const found = wish === undefined ? await probeDevices() : [];
  const names = wish === undefined ? found.flatMap(({ name, available }) => (available ? [name] : [])) : [wish];
  for (const name of names) await printDevice(name);
}

async function printDevice(name: DeviceName): Promise<void> {
  const device = await openDevice(name);
  const note = isSoftware(device) ? ", in software: only ratios mean something" : "";
  console.log(`\n${`device ${name}`.padEnd(42)}${device.adapter}${note}`);
  const { ours, theirs } = await measureProduct(device);
  const times = `${milliseconds(ours)}, gpu.js's own kernel ${milliseconds(theirs)}`;
  console.log(
    `${`product of ${size} x ${size}`.padEnd(42)}${(theirs / ours).toFixed(2).padStart(10)} times as fast   ${times}`,
  );
  for (const program of programs) {
    const { launches, up, down, stepsPerSecond, steps } = await measureSteps(name, program);
    const moved = `${launches} launches, ${up} bytes up and ${down} down a step`;
    console.log(
      `${`${program}, ${steps} steps`.padEnd(42)}${stepsPerSecond.toFixed(1).padStart(10)} steps/s   ${moved}`,
    );
  }
}

/** Seconds of a product of matrices that are there already, the result fetched: ours and theirs in turn, on one device. */
async function measureProduct(device: GpuDevice): Promise<{ readonly ours: number; readonly theirs: number }> {
  const backend = backendOn(device, () => openDevice(device.name), chooseBackend(undefined).backend);
  // Nobody else needs the device open while the product is compiled.
  const held = backend.memory.allocate("f32", 1);
  const bench = await prepare(backend, product({ m: size, k: size, n: size }));
  const state = { seed: 1n, step: 0n, runsSinceStep: 0n };
  const runOurs = async (): Promise<void> => {
    const { kind } = await bench.executable.runAside(new Map(), state, undefined);
    if (kind !== "done") throw new Error(`a product on ${device.name} ${kind}`);
  };
  const runTheirs = await theirProduct(device);
  try {
    const ours: number[] = [];
    const theirs: number[] = [];
    await runOurs();
    await runTheirs();
    for (let i = 0; i < rounds; i++) {
      ours.push(await secondsOf(runOurs));
      theirs.push(await secondsOf(runTheirs));
    }
    return { ours: median(ours), theirs: median(theirs) };
  } finally {
    bench.close();
    held.free();
  }
}

/** As its benchmark calls it: matrices as arrays of rows, and on a device as handles. */
async function theirProduct({ gpu, name }: GpuDevice): Promise<() => Promise<void>> {
  const settings: IGPUKernelSettings = { output: [size, size], pipeline: true, immutable: true, precision: "single" };
  const upload = gpu.createKernel("function(a) { return a[this.thread.y][this.thread.x]; }", settings);
  const multiply = gpu.createKernel(theirSource, settings);
  const isLocal = name === "webasm" || name === "cpu";
  const operands: KernelVariable[] = [];
  for (const factor of [0.37, 0.61]) {
    const rows = Array.from({ length: size }, (_, i) =>
      Float32Array.from({ length: size }, (_, j) => Math.sin(factor * (i * size + j))),
    );
    operands.push(isLocal ? rows : await upload(rows));
  }
  return async () => {
    const result: unknown = await multiply(...operands);
    if (typeof result !== "object" || result === null || !("toArray" in result)) return;
    const handle = result as { readonly toArray: () => unknown; readonly delete: () => void };
    await handle.toArray();
    handle.delete();
  };
}

interface StepRow {
  readonly launches: number;
  readonly up: number;
  readonly down: number;
  readonly stepsPerSecond: number;
  readonly steps: number;
}

async function measureSteps(device: DeviceName, program: string): Promise<StepRow> {
  const compiled = await compile(join(examples, program, `${program}.graph`), { target: "gpu", device });
  await using session = new Session(compiled);
  const counts = async (): Promise<DeviceCounts> => {
    const found = await compiled.backend.counts?.();
    if (found === undefined) throw new Error(`the device ${device} counts nothing`);
    return found;
  };
  const trainTo = (steps: number): Promise<unknown> => session.train({ steps, every: 1_000_000 });
  // The first steps build kernels and bring variables.
  const warm = 4;
  await trainTo(2);
  const rate = 2 / (await secondsOf(() => trainTo(warm)));
  const steps = Math.max(4, Math.min(500, Math.round(rate * secondsOfSteps)));
  const before = await counts();
  const seconds = await secondsOf(() => trainTo(warm + steps));
  const after = await counts();
  return {
    steps,
    stepsPerSecond: steps / seconds,
    launches: (after.launches - before.launches) / steps,
    up: Math.round((after.bytesUp - before.bytesUp) / steps),
    down: Math.round((after.bytesDown - before.bytesDown) / steps),
  };
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toFixed(1)} ms`;
}
