/** A half-open range of characters in one source file; offsets count UTF-16 code units from 0. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** What the text calls a node of this place: the function that is called there, or the name that a loop binds. For messages. */
  readonly written?: string;
}

/** The smallest span that holds both; the two must be of one file. */
export function joinSpans(a: Span, b: Span): Span {
  return { file: a.file, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
