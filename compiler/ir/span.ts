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
  return deriveSpan(a, { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) });
}

/** A span that an editor moves, when text before it comes or goes. */
export interface MovableSpan {
  readonly file: string;
  start: number;
  end: number;
}

/** The spans that were made from a movable one, and move with it. */
const derived = new WeakMap<Span, MovableSpan[]>();

/** From here on, what is derived from the span is known, so that `moveSpan` moves it, too; gives where that is put. */
export function makeMovable(span: Span): readonly MovableSpan[] {
  const known = derived.get(span);
  if (known !== undefined) return known;
  const made: MovableSpan[] = [];
  derived.set(span, made);
  return made;
}

export function moveSpan(span: MovableSpan, by: number): void {
  moveAll([span], by);
  moveAll(derived.get(span) ?? [], by);
}

/** Moves these, and nothing that is derived from them. */
export function moveAll(spans: readonly MovableSpan[], by: number): void {
  for (const one of spans) {
    one.start += by;
    one.end += by;
  }
}

/** The same place with another end, or with the word that the text has for it. */
export function deriveSpan(span: Span, { start, end, written }: Partial<Omit<Span, "file">>): Span {
  const made: Span & MovableSpan = {
    file: span.file,
    start: start ?? span.start,
    end: end ?? span.end,
    ...((written ?? span.written) === undefined ? {} : { written: written ?? span.written }),
  };
  const known = derived.get(span);
  if (known === undefined) return made;
  const same = known.find(
    (one: Span) => one.start === made.start && one.end === made.end && one.written === made.written,
  );
  if (same !== undefined) return same;
  known.push(made);
  return made;
}

/** Files of the standard library are named so in spans and caches, wherever the package is installed. */
export const standardPrefix = "<std>/";
