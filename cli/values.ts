import type { NestedArray } from "../runtime/feeds.js";

/** A literal as `--feed` takes it; a string is kept as such, so that the refusal can say that it is one. */
export type Literal = NestedArray | string;

const deepest = 32;
const numberPattern = /[+-]?(?:\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)(?![\w.])/iy;

/**
 * Reads `1`, `-0.5`, `1e-3`, `nan`, `-inf`, `true`, or nested lists of them, as in the language and in JSON. Whole numbers
 * beyond 2^53 keep all their digits. Undefined where the text is not of this form: then it is a path.
 */
export function readLiteral(text: string): Literal | undefined {
  const trimmed = text.trim();
  if (/^"([^"\\]|\\.)*"$/s.test(trimmed)) return trimmed.slice(1, -1);
  const reader = new LiteralReader(trimmed);
  return reader.whole();
}

/** The first number of such a literal that f64 holds as an infinity only, which nobody writes so: `1e400`. */
export function tooLargeIn(text: string): string | undefined {
  for (const [number = ""] of text.matchAll(/\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/gi))
    if (/[.e]/i.test(number) && !Number.isFinite(Number(number.replaceAll("_", "")))) return number;
  return undefined;
}

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): NestedArray | undefined {
    const value = this.#value(0);
    this.#space();
    return this.#at === this.#text.length ? value : undefined;
  }

  #value(depth: number): NestedArray | undefined {
    this.#space();
    if (this.#take("[")) return depth < deepest ? this.#list(depth) : undefined;
    for (const word of ["true", "false"] as const) {
      if (this.#text.startsWith(word, this.#at) && !/\w/.test(this.#text[this.#at + word.length] ?? "")) {
        this.#at += word.length;
        return word === "true";
      }
    }
    return this.#number();
  }

  #list(depth: number): NestedArray | undefined {
    const items: NestedArray[] = [];
    this.#space();
    if (this.#take("]")) return items;
    for (;;) {
      const item = this.#value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      this.#space();
      if (this.#take("]")) return items;
      if (!this.#take(",")) return undefined;
      this.#space();
      if (this.#take("]")) return items;
    }
  }

  #number(): NestedArray | undefined {
    numberPattern.lastIndex = this.#at;
    const text = numberPattern.exec(this.#text)?.[0];
    if (text === undefined) return undefined;
    this.#at += text.length;
    const plain = text.replaceAll("_", "").toLowerCase();
    if (/nan$/.test(plain)) return Number.NaN;
    if (/inf(inity)?$/.test(plain)) return plain.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const value = Number(plain);
    return /^[+-]?\d+$/.test(plain) && !Number.isSafeInteger(value) ? BigInt(plain.replace("+", "")) : value;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }
}
