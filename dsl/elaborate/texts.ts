import type { Span } from "../../compiler/ir/span.js";

/** What stands at places of the files that were read: for hints that repeat it, and edits that rest on it. */
export class Texts {
  readonly #textOf: (file: string) => string | undefined;

  constructor(textOf: (file: string) => string | undefined) {
    this.#textOf = textOf;
  }

  /** The whole of it; undefined where the file is not at hand. */
  at({ file, start, end }: Span): string | undefined {
    return this.#textOf(file)?.slice(start, end);
  }

  /** As a hint repeats it; `...` where that is long. */
  shown(span: Span): string {
    const text = this.at(span) ?? "";
    return text === "" || text.length > 24 || text.includes("\n") ? "..." : text;
  }

  /** The place of one character of a string written at `span`; of the whole where the text has escapes or stands elsewhere. */
  characterOf(span: Span, text: string, index: number): Span {
    if (this.at(span) !== `"${text}"`) return span;
    const start = span.start + 1 + index;
    return { file: span.file, start, end: Math.min(start + 1, span.end) };
  }

  /** The first place of some text in a span. */
  firstIn(text: string, span: Span): Span | undefined {
    const at = this.at(span)?.indexOf(text) ?? -1;
    const start = span.start + at;
    return at < 0 ? undefined : { file: span.file, start, end: start + text.length };
  }
}
