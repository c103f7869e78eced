import type { Span } from "../compiler/ir/span.js";
import { shortened } from "./boxes.js";
import type { SourceLine, SourcePlace } from "./model.js";
import { statementFrom } from "./statements.js";

export type Places = readonly SourcePlace[];

interface Text {
  readonly text: string;
  /** Of its lines. */
  readonly starts: readonly number[];
}

/** The lines that a document quotes, each once. */
export class LineTable {
  readonly lines: SourceLine[] = [];
  readonly #index = new Map<string, number>();
  readonly #starts = new Map<string, Text | undefined>();
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
    const places = new Map<string, SourcePlace>();
    for (const span of spans.slice(0, mostPlaces)) {
      const place = this.#place(span);
      if (place !== undefined) places.set(place.join(":"), place);
    }
    return [...places.values()];
  }

  /** Of a constant, where the text binds it to `name`: equal ones are one node, and have the places of all. */
  placesBound(spans: readonly Span[], name: string): Places {
    const isBinding = ({ file, start }: Span): boolean => {
      const before = this.#file(file)?.text.slice(0, start) ?? "";
      const line = before.slice(before.lastIndexOf("\n") + 1);
      return /([\p{L}_][\p{L}\p{N}_]*)\s*(?::[^=]*)?=\s*$/u.exec(line)?.[1] === name;
    };
    const bound = spans.filter(isBinding);
    return this.places(bound.length > 0 ? bound : spans.slice(0, 1));
  }

  #place({ file, start, end }: Span): SourcePlace | undefined {
    const known = this.#file(file);
    if (known === undefined) return undefined;
    const { starts } = known;
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= start) low = middle;
      else high = middle;
    }
    const column = start - (starts[low] as number) + 1;
    const length = Math.max(1, end - start);
    const quoted = statementFrom((after) => lineOf(known, low + after), column, length);
    const [index = 0] = quoted.lines.map((line, after) => this.#quote(file, low + after, line));
    return [index, column, length];
  }

  #quote(file: string, at: number, line: string): number {
    const key = `${at}:${file}`;
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.lines.length);
    this.lines.push({ file, line: at + 1, text: line.length > mostText ? `${line.slice(0, mostText)}…` : line });
    return this.lines.length - 1;
  }

  #file(file: string): Text | undefined {
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

function lineOf({ text, starts }: Text, at: number): string | undefined {
  const from = starts[at];
  const next = starts[at + 1];
  return from === undefined ? undefined : text.slice(from, next === undefined ? undefined : next - 1);
}

/** Places of one node, and characters of a line, that a document quotes. */
const mostPlaces = 8;
const mostText = 400;
