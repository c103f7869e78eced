/** A half-open range of characters in one source file; offsets count UTF-16 code units from 0. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  /** The function whose call stands there, of a node that the call became: messages of the run name what was written. */
  readonly call?: string;
}

/** The smallest span that holds both; the two must be of one file. */
export function joinSpans(a: Span, b: Span): Span {
  return { file: a.file, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
