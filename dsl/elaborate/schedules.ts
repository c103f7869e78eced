import type { Schedule, Signature, TrainPlan } from "../../compiler/ir/graph.js";
import type { Node } from "../../compiler/ir/node.js";
import type { SourceTable } from "../../compiler/ir/sources.js";
import { scheduleLength } from "../../compiler/ops/messages.js";
import { type Env, report } from "./state.js";

/** The schedules that end of all that a run computes. One of n steps checks that the step is one of them, so that a run beyond fails. */
export function schedulesOf(nodes: readonly Node[], sources: SourceTable): readonly Schedule[] {
  return nodes.flatMap((node) => {
    const steps = scheduleLength(node);
    return steps === undefined ? [] : [{ steps, span: sources.spansOf(node)[0] }];
  });
}

/** Where `train` says how many steps it does, a schedule that ends before them is known before any of them. */
export function checkSchedules(env: Env, plan: TrainPlan, run: Signature): void {
  const steps = stepsOf(plan);
  if (steps === undefined) return;
  for (const schedule of run.schedules) {
    if (steps <= schedule.steps) continue;
    report(
      env,
      "G046",
      plan.lengthSpan,
      `train does ${steps} steps, and a schedule of its rates ends after ${schedule.steps}`,
      {
        notes: [{ span: schedule.span, message: `this schedule has ${schedule.steps} steps` }],
        hint: "give both the same number of steps, or let the schedule stay at its last rate: `hold=true`",
      },
    );
  }
}

/** How many steps training does, where the file alone says it: `steps`, or the epochs of data whose rows are written as `[a:b]`. */
function stepsOf({ steps, epochs = 1, batch, remainder, data }: TrainPlan): number | undefined {
  if (steps !== undefined || batch === undefined) return steps;
  const [rows] = [...data.values()].flatMap(({ reference: { rows } }) =>
    rows?.stop === undefined || rows.start < 0 || rows.stop < rows.start ? [] : [rows.stop - rows.start],
  );
  if (rows === undefined) return undefined;
  return epochs * (remainder === "keep" ? Math.ceil(rows / batch) : Math.floor(rows / batch));
}
