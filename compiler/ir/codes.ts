// The type alone: the texts are for people, and no program waits for them to be loaded.
import type { rows } from "./codes/catalogue.js";
import type { Diagnostic, Note } from "./diagnostic.js";
import { type Hint, wordsOf } from "./fix.js";
import type { Span } from "./span.js";

/** The codes of the catalogue. */
export type Code = (typeof rows)[number]["code"];

/** What a diagnostic may have beyond its code, place and message. */
export interface Details {
  /** What stands under the caret. */
  readonly label?: string | undefined;
  readonly notes?: readonly Note[];
  readonly hint?: Hint | undefined;
  readonly severity?: Diagnostic["severity"];
}

/** A diagnostic whose code is a row of the catalogue; an unknown code does not compile. */
export function problem(code: Code, span: Span | undefined, message: string, details: Details = {}): Diagnostic {
  const { label, notes = [], hint, severity = "error" } = details;
  const words = wordsOf(hint);
  const fix = span === undefined || typeof hint !== "object" ? undefined : hint.fix(span);
  const others = typeof hint === "object" ? (hint.others ?? []) : [];
  return {
    code,
    severity,
    message,
    span,
    ...(label === undefined ? {} : { label }),
    notes,
    ...(words === undefined ? {} : { hint: words }),
    ...(fix === undefined ? {} : { fixes: [fix, ...others] }),
  };
}
