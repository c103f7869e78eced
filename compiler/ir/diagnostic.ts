import type { Fix } from "./fix.js";
import type { Span } from "./span.js";

/** A second place that a diagnostic points at, with what stands there ("N is bound here"). */
export interface Note {
  readonly span: Span | undefined;
  readonly message: string;
}

/**
 * One problem, as data. The stable code ("G021") names a row of the manual; the text under the caret is `label`.
 * Rendering (caret lines, colour, JSON) is done in one place, `dsl/render.ts`, so that the voice is one.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly span: Span | undefined;
  /** What stands under the caret, such as `f32[N, 784] @ f32[512, 10]`. */
  readonly label?: string;
  readonly notes: readonly Note[];
  /** What it points at could be left out: editors show that faded. */
  readonly tag?: "unnecessary";
  /** How to mend it. */
  readonly hint?: string;
  /** What the hint says, as edits of the text; left out where it is advice only. */
  readonly fixes?: readonly Fix[];
}

/** Thrown by every stage that refuses its input: all the problems found, never only the first. */
export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => `${d.severity} ${d.code}: ${d.message}`).join("\n"));
    this.diagnostics = diagnostics;
  }
}

/** A defect of graphc itself: a form that a verifier refused or an impossible case. The CLI exits with 70. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** For the `default` of an exhaustive switch: a new case becomes a compile error where this is called. */
export function unreachable(value: never): never {
  throw new InternalError(`unexpected case ${JSON.stringify(value)}`);
}
