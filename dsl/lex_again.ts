import type { IToken } from "chevrotain";
import type { Comment } from "./ast.js";
import { type Lexed, lex, lexLines, moveToken } from "./lex.js";

/** Where two texts are the same: before an offset of both, and from one of the earlier text to its end, in the next one moved so far. */
export interface Sameness {
  readonly until: number;
  readonly from: number;
  readonly by: number;
}

/** A foreign comment may go over several lines, and begins so. */
const foreignComment = "/*";

/**
 * Splits a text into tokens, of which all but some lines stand in an earlier text, whose tokens are moved, and are not to be used any more.
 * All is lexed where a line may not be read by itself, or something foreign in other lines is to be told again.
 */
export function lexAgain(earlier: Lexed, text: string, next: string, file: string, same: Sameness): Lexed {
  const start = same.until === 0 ? 0 : next.lastIndexOf("\n", same.until - 1) + 1;
  const feed = next.indexOf("\n", same.from + same.by);
  const end = feed < 0 ? next.length : feed + 1;
  const oldEnd = end - same.by;
  const isElsewhere = earlier.diagnostics.some(
    ({ span }) => span === undefined || span.start < start || span.end > oldEnd,
  );
  if (isElsewhere || text.includes(foreignComment) || next.includes(foreignComment)) return lex(next, file);
  const [first, behind] = [indexAt(earlier.tokens, start), indexAt(earlier.tokens, oldEnd)];
  const previous = earlier.tokens[first - 1];
  const [known, line] =
    previous === undefined ? [0, 1] : [previous.startOffset + previous.image.length, previous.startLine ?? 1];
  const fresh = lexLines(next, file, { start, end, line: line + lineEnds(next.slice(known, start)), previous });
  const lines = lineEnds(next.slice(start, end)) - lineEnds(text.slice(start, oldEnd));
  for (let i = behind; i < earlier.tokens.length; i++) {
    const token = earlier.tokens[i];
    if (token !== undefined) moveToken(token, same.by, lines);
  }
  return {
    tokens: [...earlier.tokens.slice(0, first), ...fresh.tokens, ...earlier.tokens.slice(behind)],
    comments: [
      ...earlier.comments.filter(({ span }) => span.start < start),
      ...fresh.comments,
      ...earlier.comments.filter(({ span }) => span.start >= oldEnd).map((comment) => moved(comment, same.by)),
    ],
    diagnostics: fresh.diagnostics,
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

function moved(comment: Comment, by: number): Comment {
  const { file, start, end } = comment.span;
  return by === 0 ? comment : { ...comment, span: { file, start: start + by, end: end + by } };
}
