import type { Span } from "./span.js";

/** Text that comes in the place of what stands at a span; an empty span is a place between two characters. */
export interface FixEdit {
  readonly span: Span;
  readonly text: string;
}

/** A change of source texts that mends a problem. Its edits do not overlap. */
export interface Fix {
  /** What it does, such as "change to `tanh`". */
  readonly title: string;
  readonly edits: readonly FixEdit[];
}

/** How to mend a problem, in words and as an edit. */
export interface Advice {
  /** Undefined where the message says it all. */
  readonly text: string | undefined;
  /** The edit, for a problem at this place; undefined where there is none after all. */
  readonly fix: (at: Span) => Fix | undefined;
  /** What else may have been meant. */
  readonly others?: readonly Fix[];
}

/** Words for people to follow, or with them what an editor can do. */
export type Hint = string | Advice;

/** The problem's place has something else instead. */
export function writeInstead(text: string, hint: string): Advice {
  const title = text.trim() === "" ? (text === "" ? "remove it" : "change to a space") : `change to \`${text.trim()}\``;
  return { text: hint, fix: (span) => ({ title, edits: [{ span, text }] }) };
}

/** Something more stands at a place of its own, or at the end of the problem's. */
export function insert(text: string, hint: string | undefined, where?: Span): Advice {
  const title = `insert \`${text.trim().replace(/^, /, "")}\``;
  return { text: hint, fix: (at) => ({ title, edits: [{ span: behind(where ?? at), text }] }) };
}

/** The empty place behind a span. */
export function behind({ file, end }: Span): Span {
  return { file, start: end, end };
}

/** `cast(x, to=f32)` around a value, which is the problem's place where none is given; `shown` is how the hint shows it. */
export function castTo(dtype: string, shown: string, around?: Span): Advice {
  const written = `\`cast(${shown}, to=${dtype})\``;
  return {
    text: `${written} converts`,
    fix: (at) => {
      const { file, start, end } = around ?? at;
      const edits = [
        { span: { file, start, end: start }, text: "cast(" },
        { span: { file, start: end, end }, text: `, to=${dtype})` },
      ];
      return { title: `change to ${written}`, edits };
    },
  };
}

export function wordsOf(hint: Hint | undefined): string | undefined {
  return typeof hint === "object" ? hint.text : hint;
}
