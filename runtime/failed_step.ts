import type { RunFailure } from "../compiler/backends/executable.js";
import { GraphError, type Note } from "../compiler/ir/diagnostic.js";
import type { Graph, Update } from "../compiler/ir/graph.js";
import { nodesBelow, type Value } from "../compiler/ir/node.js";
import type { SourceTable } from "../compiler/ir/sources.js";
import { type Span, standardPrefix } from "../compiler/ir/span.js";
import { scheduleLength } from "../compiler/ops/messages.js";
import { runFailure } from "./failure.js";

/**
 * The failure of what would have been the step `step`: of a training, or of a run by itself, where that matters only for a schedule that has
 * ended. That names who takes a rate from it, too.
 */
export function failedStep(graph: Graph, failure: RunFailure, step: number, kind: "training" | "run"): GraphError {
  const [place] = failure.spans;
  const isEnded = (roots: readonly Value[]): boolean =>
    place !== undefined && readsSchedule(roots, graph.sources, place);
  const { updates, names } = graph.training;
  const users = [...updates.values()].filter(({ assignments }) => isEnded(assignments.map(({ value }) => value)));
  const isStep = kind === "training" || users.length > 0 || isEnded([...names.values()]);
  const failed = runFailure(failure, isStep ? `step ${step}: ${failure.message}` : failure.message);
  const notes = users.map((update) => userOf(update, graph.sources));
  return new GraphError(failed.diagnostics.map((one) => ({ ...one, notes: [...notes, ...one.notes] })));
}

function readsSchedule(roots: readonly Value[], sources: SourceTable, { file, start, end }: Span): boolean {
  return nodesBelow(roots).some((node) => {
    const [span] = scheduleLength(node) === undefined ? [] : sources.spansOf(node);
    return span !== undefined && span.file === file && span.start === start && span.end === end;
  });
}

/** An optimizer of the library is shown at its call; one that the text declares, at the update. */
function userOf({ span, assignments }: Update, sources: SourceTable): Note {
  const [call, inside] = assignments.flatMap(({ value }) => sources.spansOf(value.node));
  if (call?.written === undefined || inside?.file.startsWith(standardPrefix) !== true)
    return { span, message: "this update reads it" };
  return { span: call, message: `\`${call.written}\` takes its rate from it` };
}
