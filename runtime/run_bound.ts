import { type Executable, runsAside } from "../compiler/backends/executable.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import { failedStep } from "./failed_step.js";
import type { Session } from "./session.js";

/**
 * One run of a session's code on feeds that have been checked, for whoever has the session to itself; the session counts it. Rejects
 * with GraphError for a check that fails while it runs, and with the signal's reason.
 */
export async function runBound(
  session: Session,
  executable: Executable,
  feeds: ReadonlyMap<string, TensorData>,
  signal: AbortSignal | undefined,
): Promise<readonly TensorData[]> {
  signal?.throwIfAborted();
  const { seed, progress } = session;
  const { step, runsSinceStep } = progress;
  const state = { seed, step: BigInt(step), runsSinceStep: BigInt(runsSinceStep) };
  // A call to another thread costs more than a small run: only what may take for ever is worth it.
  const outcome = runsAside(executable.info)
    ? await executable.runAside(feeds, state, signal)
    : executable.run(feeds, state);
  if (outcome.kind === "interrupted") throw signal?.reason;
  if (outcome.kind === "failed") throw failedStep(session.program.graph, outcome.failure, step + 1, "run");
  const updated = executable.info.assigned.length > 0;
  session.advance({
    ...progress,
    step: updated ? step + 1 : step,
    runsSinceStep: updated ? 0 : runsSinceStep + 1,
  });
  return outcome.outputs;
}
