import type { RunFailure } from "../compiler/backends/executable.js";
import { type Code, problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { type Span, standardPrefix } from "../compiler/ir/span.js";
import { failureHint } from "../compiler/ops/messages.js";

/** A failed check of a run as a diagnostic at the line that it came from. */
export function runFailure(failure: RunFailure, message = failure.message): GraphError {
  const [span, ...others] = failure.spans;
  const notes = others.map((other) => ({
    span: other,
    message: other.file.startsWith(standardPrefix) ? "inside the standard library" : "and comes from here",
  }));
  return new GraphError([
    problem(failure.code as Code, span, message, { notes, hint: failureHint(failure.code, message) }),
  ]);
}

/** The same failure with one more thing to know about it. */
export function withNote(failure: GraphError, message: string): GraphError {
  const [cause, ...others] = failure.diagnostics;
  if (cause === undefined) return failure;
  return new GraphError([{ ...cause, notes: [...cause.notes, { span: undefined, message }] }, ...others]);
}

/** Both failures, the second where it is not the first again: a disk that is full ends training and saving alike. */
export function joinFailures(first: GraphError, second: GraphError): GraphError {
  const known = new Set(first.diagnostics.map(({ message }) => message));
  return new GraphError([...first.diagnostics, ...second.diagnostics.filter(({ message }) => !known.has(message))]);
}

/** What `work` is refused for stands at `span`, the text that asked for it, unless it has a place of its own. */
export function placedAt<T>(span: Span | undefined, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) =>
    Promise.reject(
      error instanceof GraphError
        ? new GraphError(error.diagnostics.map((one) => ({ ...one, span: one.span ?? span })))
        : error,
    ),
  );
}
