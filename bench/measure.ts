import type { Backend, Compiled } from "../compiler/backends/backend.js";
import type { Executable, StorageBlock } from "../compiler/backends/executable.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { Computation } from "../compiler/ir/graph.js";
import { elementCount } from "../compiler/ir/tensor.js";
import type { Feeds, Session } from "../index.js";

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A workload of the peers' table. */
export interface PeerRow {
  readonly name: string;
  readonly seconds: number;
  /** Multiplications and additions. */
  readonly operations: number;
}

/** Seconds of one run of a signature, from outside: the median of `repeats` after one. */
export async function medianRun(session: Session, signature: string, feeds: Feeds, repeats: number): Promise<number> {
  const times: number[] = [];
  await session.run(signature, feeds);
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await session.run(signature, feeds);
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
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

/** Seconds of one run, inside one native call of many: the median of `repeats` calls of about `seconds` each. */
export async function secondsPerRun(executable: Executable, repeats = 7, seconds = 0.1): Promise<number> {
  let steps = 1;
  for (;;) {
    const taken = await timed(executable, steps);
    if (taken > seconds / 4 || steps > 1e8) {
      steps = Math.max(1, Math.round((steps * seconds) / taken));
      break;
    }
    steps *= 8;
  }
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push((await timed(executable, steps)) / steps);
  return median(times);
}

async function timed(executable: Executable, steps: number): Promise<number> {
  const start = performance.now();
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
  return (performance.now() - start) / 1000;
}
