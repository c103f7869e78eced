/** The tokens of the printed form. Hand-written, because printed constants have millions of elements. */
import { problem } from "./codes.js";
import { GraphError } from "./diagnostic.js";
import type { Span } from "./span.js";

export type TokenKind = "word" | "value" | "number" | "bits" | "string" | "sign" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string, what it stands for. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const signs = ["...", "==", "!=", "<=", "//", "<", "(", ")", "{", "}", "[", "]", ",", ":", "=", "+", "-", "*"];
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const value = /%[0-9]{1,9}(?![0-9])/y;
const number = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?n?/y;
const bits = /0x[0-9a-f]+/y;

/** Reads one token at a time. Throws GraphError where the text is none. */
export class Lexer {
  readonly text: string;
  readonly file: string;
  #position = 0;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  next(): Token {
    this.#skipBlanks();
    const start = this.#position;
    if (start >= this.text.length) return { kind: "end", text: "the end of the text", start, end: start };
    const first = this.text.charAt(start);
    if (first === '"') return this.#string(start);
    return (
      this.#match("word", word) ??
      this.#match("value", value) ??
      this.#match("bits", bits) ??
      this.#match("number", number) ??
      this.#sign() ??
      this.fail("G001", { start, end: start + 1 }, `unexpected character ${JSON.stringify(first)}`)
    );
  }

  spanOf({ start, end }: { readonly start: number; readonly end: number }): Span {
    return { file: this.file, start, end };
  }

  fail(
    code: Parameters<typeof problem>[0],
    place: { readonly start: number; readonly end: number },
    message: string,
    hint?: string,
  ): never {
    throw new GraphError([problem(code, this.spanOf(place), message, { hint })]);
  }

  /** Blanks and `#` comments. */
  #skipBlanks(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#position);
      if (code === 32 || code === 10 || code === 9 || code === 13) this.#position++;
      else if (code === 35) {
        const line = this.text.indexOf("\n", this.#position);
        this.#position = line < 0 ? this.text.length : line;
      } else return;
    }
  }

  #match(kind: TokenKind, pattern: RegExp): Token | undefined {
    pattern.lastIndex = this.#position;
    const text = pattern.exec(this.text)?.[0];
    return text === undefined ? undefined : this.#token(kind, text);
  }

  #sign(): Token | undefined {
    const text = signs.find((sign) => this.text.startsWith(sign, this.#position));
    return text === undefined ? undefined : this.#token("sign", text);
  }

  #token(kind: TokenKind, text: string): Token {
    const start = this.#position;
    this.#position += text.length;
    return { kind, text, start, end: this.#position };
  }

  #string(start: number): Token {
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"' && this.text[end] !== "\n")
      end += this.text[end] === "\\" ? 2 : 1;
    if (this.text[end] !== '"')
      this.fail("G008", { start, end: Math.min(end, this.text.length) }, "the string is not closed");
    this.#position = end + 1;
    const written = this.text.slice(start, end + 1);
    return { kind: "string", text: this.#unescape(written, { start, end: end + 1 }), start, end: end + 1 };
  }

  /** Strings are those of JSON. */
  #unescape(written: string, place: { readonly start: number; readonly end: number }): string {
    try {
      const content: unknown = JSON.parse(written);
      if (typeof content === "string") return content;
    } catch {
      // Falls through to the same message.
    }
    return this.fail("G008", place, "the string is not one of JSON");
  }
}
