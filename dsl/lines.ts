import type { IToken } from "chevrotain";
import { tokenMatcher } from "./chevrotain.js";
import * as t from "./tokens.js";

/** Whether a line ends in the middle of something for its last sign, or the next one goes on for its first: no statement does. */
export function joinsLines(last: IToken, first: IToken): boolean {
  return joins(last) || joins(first) || first.tokenType === t.LeftBrace || first.tokenType === t.Else;
}

function joins(token: IToken): boolean {
  switch (token.tokenType) {
    case t.Equal:
    case t.Assign:
    case t.Arrow:
    case t.PipeSign:
    case t.Comma:
      return true;
    default:
      return tokenMatcher(token, t.BinarySign) || tokenMatcher(token, t.PrefixSign);
  }
}

/** What stands for the end of a line in the place of the token that comes behind it. */
export function lineEndBefore(token: IToken): IToken {
  return { ...token, tokenType: t.LineEnd, tokenTypeIdx: t.LineEnd.tokenTypeIdx ?? 0 };
}
