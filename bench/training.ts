import { join } from "node:path";
import type { Sample } from "../cli/samples.js";
import { compile, Session, type TrainOptions } from "../index.js";
import { sample, settle, type Timing, timeOfRun } from "./measure.js";
import type { Measured } from "./workloads.js";

/** Of one step: twice m n k for each product, forward and for the gradients of weights and inputs. */
export const stepOperations = {
  linear: 8 * 10,
  softmax: 2 * 2 * 100 * 784 * 10,
  dnn: 2 * (2 * 32 * 784 * 128 + 3 * 32 * 128 * 10),
  dnnForward: 2 * (784 * 128 + 128 * 10),
} as const;

export const exampleFile = (name: string): string => join(import.meta.dirname, "..", "examples", name, `${name}.graph`);

/** One step of an example's training as a user runs it: reading batches and reports are part of it. */
export async function measureTraining(name: string, options: TrainOptions, repeats = 5): Promise<readonly [Measured]> {
  const samples: Sample[] = [];
  let compiling = 0;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const program = await compile(exampleFile(name));
    const prepared = (performance.now() - start) / 1000;
    await using session = new Session(program);
    let seconds = 0;
    let steps = 0;
    const whole = await sample(async () => {
      const report = await session.train(options);
      seconds = report.seconds;
      steps = report.steps;
      compiling = prepared + report.compileSeconds;
    });
    // The processor's time of the steps alone is not told: their share of the whole call's.
    samples.push({ wall: seconds / steps, cpu: (seconds / steps) * Math.min(1, whole.cpu / whole.wall) });
  }
  return [{ ...settle(samples), compile: compiling }];
}

/** What mnist_dnn predicts of 1 image and of 1024, which takes a softmax and an argmax more than the peers' logits. */
export async function measureForward(repeats = 31): Promise<readonly [Timing, Timing]> {
  await using session = new Session(await compile(exampleFile("mnist_dnn")));
  const of = (rows: number): Promise<Timing> => {
    const data = Uint8Array.from({ length: rows * 784 }, (_, i) => (i * 7919) % 256);
    const image = { dtype: "u8" as const, shape: [rows, 28, 28], data };
    return timeOfRun(session, "predict", { image }, repeats);
  };
  return [await of(1), await of(1024)];
}
