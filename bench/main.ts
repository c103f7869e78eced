import { join } from "node:path";
import { chooseBackend } from "../compiler/backends/choose.js";
import { peakGigaflops } from "../compiler/backends/llvm/machine.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { compile, Session, type TrainOptions } from "../index.js";
import { contractionCases, measureContraction } from "./contractions.js";
import { measureConvnet } from "./convnet.js";
import { measureElementwise } from "./elementwise.js";
import { median } from "./measure.js";
import { measureRecurrent } from "./recurrent.js";
import { emptyProcessSeconds, measureStartup } from "./startup.js";

/**
 * Whole workloads and single contractions, each beside the core's own peak as this run measures it. One thread; pin it with
 * `taskset -c 0 make bench` on a shared machine, and compare figures of one run only.
 */
const examples = join(import.meta.dirname, "..", "examples");

interface Workload {
  readonly name: string;
  readonly file: string;
  readonly options: TrainOptions;
  /** Multiplications and additions of one step. */
  readonly operations: number;
  readonly goal: string;
}

/** Twice m n k for each product: forward, and the gradients of weights and inputs. */
const softmaxStep = 2 * 2 * 100 * 784 * 10;
const dnnStep = 2 * (2 * 32 * 784 * 128 + 3 * 32 * 128 * 10);

const workloads: readonly Workload[] = [
  {
    name: "linear_regression, 2,500,001 steps",
    file: "linear_regression",
    options: {},
    operations: 8 * 10,
    goal: "0.1 s",
  },
  {
    name: "mnist_softmax, 1000 steps of 100",
    file: "mnist_softmax",
    options: {},
    operations: softmaxStep,
    goal: "0.06 s",
  },
  {
    name: "mnist_dnn, an epoch of 1718 steps of 32",
    file: "mnist_dnn",
    options: { steps: 1718 },
    operations: dnnStep,
    goal: "0.5 s",
  },
];

const index = join(import.meta.dirname, "..", "index.js");
const starts = [
  { file: "mnist_dnn", goals: { first: "1.5 s", cached: "0.2 s" } },
  { file: "mnist_softmax", goals: { first: "-", cached: "0.06 s" } },
] as const;

const repeats = 5;
const { backend, warning } = chooseBackend(undefined);
if (warning !== undefined) console.log(`${warning.message}\n`);
const peak = warning === undefined ? await peakGigaflops(hostTarget()) : Number.NaN;
console.log(`${backend.device}, one thread; fused multiply-add peak ${peak.toFixed(0)} GFLOP/s\n`);

console.log(
  `${"workload".padEnd(42)}${"median".padStart(10)}${"goal".padStart(11)}${"floor at peak".padStart(15)}${"compile".padStart(10)}`,
);
for (const workload of workloads) {
  const path = join(examples, workload.file, `${workload.file}.graph`);
  const times: number[] = [];
  let steps = 0;
  let compileSeconds = 0;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const program = await compile(path);
    const prepared = (performance.now() - start) / 1000;
    await using session = new Session(program);
    const report = await session.train(workload.options);
    times.push(report.seconds);
    steps = report.steps;
    compileSeconds = prepared + report.compileSeconds;
  }
  const floor = (workload.operations * steps) / (peak * 1e9);
  const cells = [
    seconds(median(times)).padStart(10),
    workload.goal.padStart(11),
    seconds(floor).padStart(15),
    seconds(compileSeconds).padStart(10),
  ];
  console.log(`${workload.name.padEnd(42)}${cells.join("")}`);
}

// The goal is what PyTorch takes on the same core, by the peers' own benchmark.
for (const { name, seconds: taken, operations } of [...(await measureConvnet()), ...(await measureRecurrent())]) {
  const cells = [
    seconds(taken).padStart(10),
    "PyTorch's".padStart(11),
    seconds(operations / (peak * 1e9)).padStart(15),
  ];
  console.log(`${name.padEnd(42)}${cells.join("")}`);
}
for (const { name, nanoseconds, goal } of await measureElementwise()) {
  console.log(`${name.padEnd(42)}${nanoseconds.toFixed(2).padStart(10)}${`${goal} ns`.padStart(11)}`);
}

if (warning === undefined) {
  const empty = emptyProcessSeconds();
  console.log(`\n${"start, to the end of the first step".padEnd(42)}${"compile".padStart(10)}${"goal".padStart(11)}`);
  for (const { file, goals } of starts) {
    const { first, cached } = measureStartup(index, join(examples, file, `${file}.graph`));
    for (const [kind, { compile: compiling, process: whole }, goal] of [
      ["first", first, goals.first],
      ["cached", cached, goals.cached],
    ] as const) {
      const cells = `${seconds(compiling).padStart(10)}${goal.padStart(11)}`;
      console.log(
        `${`${file}, ${kind}`.padEnd(42)}${cells}   process ${seconds(whole)}, an empty one ${seconds(empty)}`,
      );
    }
  }
  console.log(`\n${"contraction, float32 (m x k x n)".padEnd(42)}${"GFLOP/s".padStart(10)}${"of peak".padStart(11)}`);
  for (const shape of contractionCases) {
    const { name, gigaflops } = await measureContraction(backend, shape);
    console.log(
      `${name.padEnd(42)}${gigaflops.toFixed(1).padStart(10)}${`${((100 * gigaflops) / peak).toFixed(0)} %`.padStart(11)}`,
    );
  }
}

function seconds(value: number): string {
  return value < 0.001 ? `${(value * 1e6).toFixed(0)} us` : `${value.toFixed(3)} s`;
}
