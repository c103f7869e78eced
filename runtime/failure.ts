import type { RunFailure } from "../compiler/backends/executable.js";
import { type Code, problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";

/** A failed check of a run as a diagnostic at the line that it came from. */
export function runFailure(failure: RunFailure, message = failure.message): GraphError {
  const [span, ...others] = failure.spans;
  const notes = others.map((other) => ({ span: other, message: "and comes from here" }));
  return new GraphError([problem(failure.code as Code, span, message, { notes })]);
}
