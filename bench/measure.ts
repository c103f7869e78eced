import { median, type Sample, takeSamples, undisturbed } from "../cli/samples.js";
import type { Backend, Compiled } from "../compiler/backends/backend.js";
import type { Executable, StorageBlock } from "../compiler/backends/executable.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { Computation } from "../compiler/ir/graph.js";
import { elementCount } from "../compiler/ir/tensor.js";
import type { Feeds, Session } from "../index.js";

export interface Timing {
  readonly seconds: number;
  /** Other processes had the core too often; `seconds` is what the processor took. */
  readonly contended: boolean;
}

/** The median of the samples that count. Peers' benchmarks choose them in the same way, so that the figures are comparable. */
export function settle(samples: readonly Sample[]): Timing {
  const { seconds, contended } = undisturbed(samples);
  return { seconds: median(seconds), contended };
}

/** What some work takes. */
export async function sample(work: () => Promise<unknown>): Promise<Sample> {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { wall, cpu: (user + system) / 1e6 };
}

/** One run of a signature, from outside: `repeats` samples after a warm-up, each of runs for 2 ms at least. */
export async function timeOfRun(session: Session, signature: string, feeds: Feeds, repeats: number): Promise<Timing> {
  const run = (): Promise<unknown> => session.run(signature, feeds);
  // Long enough for Node to have compiled the way into the code: 300 ms, as peers warm up by measuring for seconds.
  const start = performance.now();
  for (let i = 0; i < 2 || performance.now() - start < 300; i++) await run();
  const { samples } = await takeSamples(
    async (runs) => {
      for (let i = 0; i < runs; i++) await run();
    },
    { count: repeats, least: 2e-3 },
  );
  return settle(samples);
}

/** A compiled computation with variables of its own, filled with small random numbers. */
export interface Bench {
  readonly compiled: Compiled;
  readonly executable: Executable;
  readonly close: () => void;
}

export async function prepare(backend: Backend, computation: Computation): Promise<Bench> {
  const compiled = await backend.compile(computation, { checkNumerics: false });
  const blocks = new Map<string, StorageBlock>();
  let state = 12345;
  for (const { name, dtype, shape } of compiled.info.variables) {
    const block = backend.memory.allocate(dtype as NumericDType, elementCount(shape));
    if (!(block.data instanceof BigInt64Array)) {
      for (let i = 0; i < block.data.length; i++) {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        block.data[i] = state / 0x7fffffff - 0.5;
      }
    }
    blocks.set(name, block);
  }
  const executable = compiled.bind(blocks);
  const close = (): void => {
    executable.close();
    for (const block of blocks.values()) block.free();
  };
  return { compiled, executable, close };
}

/** One run inside one native call of many: `repeats` calls of `seconds` at least. */
export async function timeInside(executable: Executable, repeats = 51, seconds = 0.01): Promise<Timing> {
  const { samples } = await takeSamples((steps) => runSteps(executable, steps), { count: repeats, least: seconds });
  return settle(samples);
}

async function runSteps(executable: Executable, steps: number): Promise<void> {
  await executable.loop({
    columns: new Map(),
    feeds: new Map(),
    rows: 0,
    batch: 0,
    shuffle: false,
    state: { seed: 1n, step: 0n, runsSinceStep: 0n },
    epoch: 0n,
    position: 0,
    steps,
    stopAtEpochEnd: false,
    every: 0,
    advance: true,
    signal: undefined,
  });
}
