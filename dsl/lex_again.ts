import type { IToken } from "chevrotain";
import type { Comment } from "./ast.js";
import { type Lexed, lex } from "./lex.js";

/** Where two texts are the same: before an offset of both, and from one of the earlier text to its end, in the next one moved so far. */
export interface Sameness {
  readonly until: number;
  readonly from: number;
  readonly by: number;
}

/**
 * Splits a text into tokens, of which all but some lines stand in an earlier text, whose tokens are moved, and are not to be used any more.
 * A line is read by itself, where nothing is foreign: only a foreign comment goes over several. So where the earlier text or the new lines
 * have a problem, all is lexed.
 */
export function lexAgain(earlier: Lexed, text: string, next: string, file: string, same: Sameness): Lexed {
  if (earlier.diagnostics.length > 0) return lex(next, file);
  const start = same.until === 0 ? 0 : next.lastIndexOf("\n", same.until - 1) + 1;
  const feed = next.indexOf("\n", same.from + same.by);
  const end = feed < 0 ? next.length : feed + 1;
  const oldEnd = end - same.by;
  const fresh = lex(next.slice(start, end), file);
  if (fresh.diagnostics.length > 0) return lex(next, file);
  const [first, behind] = [indexAt(earlier.tokens, start), indexAt(earlier.tokens, oldEnd)];
  const last = earlier.tokens[first - 1];
  const [known, line] = last === undefined ? [0, 1] : [last.startOffset + last.image.length, last.startLine ?? 1];
  const linesBefore = line - 1 + lineEnds(next.slice(known, start));
  const lines = lineEnds(next.slice(start, end)) - lineEnds(text.slice(start, oldEnd));
  for (const token of fresh.tokens) move(token, start, linesBefore);
  for (let i = behind; i < earlier.tokens.length; i++) {
    const token = earlier.tokens[i];
    if (token !== undefined) move(token, same.by, lines);
  }
  return {
    tokens: [...earlier.tokens.slice(0, first), ...fresh.tokens, ...earlier.tokens.slice(behind)],
    comments: [
      ...earlier.comments.filter(({ span }) => span.start < start),
      ...fresh.comments.map((comment) => moved(comment, start)),
      ...earlier.comments.filter(({ span }) => span.start >= oldEnd).map((comment) => moved(comment, same.by)),
    ],
    diagnostics: [],
  };
}

/** The index of the first token that starts at an offset or behind it. */
function indexAt(tokens: readonly IToken[], offset: number): number {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.startOffset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lineEnds(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

function move(token: IToken, by: number, lines: number): void {
  token.startOffset += by;
  if (token.endOffset !== undefined) token.endOffset += by;
  if (token.startLine !== undefined) token.startLine += lines;
  if (token.endLine !== undefined) token.endLine += lines;
}

function moved(comment: Comment, by: number): Comment {
  const { file, start, end } = comment.span;
  return by === 0 ? comment : { ...comment, span: { file, start: start + by, end: end + by } };
}
