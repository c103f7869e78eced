import type { Executable } from "../compiler/backends/executable.js";
import type { Graph } from "../compiler/ir/graph.js";
import { runFailure } from "../runtime/failure.js";
import type { Feed } from "../runtime/feeds.js";
import type { Session } from "../runtime/session.js";

/** So many steps of a signature can be done before a schedule that its learning rate follows ends: one more would fail. */
export function stepsOfSchedules({ signatures }: Graph, name: string): number {
  const schedules = signatures
    .filter((signature) => signature.name === name)
    .flatMap((signature) => signature.schedules);
  return Math.min(...schedules.map(({ steps }) => Math.max(1, steps)));
}

/** The next run is a first step again, where it would be one too many. */
export function rewind(session: Session, most: number): void {
  if (session.step >= most) session.advance({ ...session.progress, step: 0 });
}

/**
 * So many runs with the same feeds, one after another without a return to JavaScript where the target can; after each `most` of them they
 * are the first steps again.
 */
export async function runInside(
  executable: Executable,
  fed: ReadonlyMap<string, Feed>,
  seed: bigint,
  runs: number,
  most: number,
): Promise<void> {
  for (let left = runs; left > 0; left -= most) {
    const outcome = await executable.loop({
      columns: new Map(),
      feeds: new Map([...fed].map(([name, { data }]) => [name, data])),
      rows: 0,
      batch: 0,
      shuffle: false,
      state: { seed, step: 0n, runsSinceStep: 0n },
      epoch: 0n,
      position: 0,
      steps: Math.min(left, most),
      stopAtEpochEnd: false,
      every: 0,
      advance: executable.info.assigned.length > 0,
      signal: undefined,
    });
    if (outcome.failure !== undefined) throw runFailure(outcome.failure);
  }
}
