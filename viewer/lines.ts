import type { Span } from "../compiler/ir/span.js";
import { shortened } from "./boxes.js";
import type { SourceLine } from "./model.js";

export type Places = readonly (readonly [line: number, column: number])[];

/** The lines that a document quotes, each once. */
export class LineTable {
  readonly lines: SourceLine[] = [];
  readonly #index = new Map<string, number>();
  readonly #starts = new Map<string, { readonly text: string; readonly starts: readonly number[] } | undefined>();
  readonly #textOf: (file: string) => string | undefined;

  constructor(textOf: (file: string) => string | undefined) {
    this.#textOf = textOf;
  }

  /** What stands at a place, on one line; empty where the file is not known. */
  textAt({ file, start, end }: Span): string {
    const text =
      this.#file(file)
        ?.text.slice(start, end)
        .replace(/^\s*#.*$/gm, "") ?? "";
    return shortened(text.replace(/\s+/g, " ").trim(), mostText);
  }

  /** Where spans begin; those of a file whose text is not known are left out. */
  places(spans: readonly Span[]): Places {
    const places = new Map<string, readonly [number, number]>();
    for (const span of spans.slice(0, mostPlaces)) {
      const place = this.#place(span);
      if (place !== undefined) places.set(place.join(":"), place);
    }
    return [...places.values()];
  }

  #place({ file, start }: Span): readonly [number, number] | undefined {
    const known = this.#file(file);
    if (known === undefined) return undefined;
    const { text, starts } = known;
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= start) low = middle;
      else high = middle;
    }
    const from = starts[low] as number;
    const key = `${low}:${file}`;
    let index = this.#index.get(key);
    if (index === undefined) {
      index = this.lines.length;
      const end = text.indexOf("\n", from);
      const line = text.slice(from, end < 0 ? undefined : end);
      this.lines.push({ file, line: low + 1, text: line.length > mostText ? `${line.slice(0, mostText)}…` : line });
      this.#index.set(key, index);
    }
    return [index, start - from + 1];
  }

  #file(file: string): { readonly text: string; readonly starts: readonly number[] } | undefined {
    if (!this.#starts.has(file)) {
      const text = this.#textOf(file);
      const starts = [0];
      if (text !== undefined)
        for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
      this.#starts.set(file, text === undefined ? undefined : { text, starts });
    }
    return this.#starts.get(file);
  }
}

/** Places of one node, and characters of a line, that a document quotes. */
const mostPlaces = 8;
const mostText = 400;
