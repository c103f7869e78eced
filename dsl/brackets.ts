import type { IToken } from "chevrotain";
import * as t from "./tokens.js";

/** Which bracket belongs to which, found before parsing: it guides recovery, limits nesting and names unclosed brackets. */
export interface Brackets {
  /** The index of the other bracket, or -1: for an unclosed or stray bracket, and for tokens that are no bracket. */
  readonly partner: Int32Array;
  /**
   * All brackets pair up when layout is not looked at, as in every right file: then nothing may be refused for its layout
   * alone, though what is refused anyway is explained and skipped by `partner`.
   */
  readonly balanced: boolean;
  /** The `{` most likely to lack its `}`, told by indentation. */
  readonly suspect: IToken | undefined;
}

const closers = new Map([
  [t.LeftParen, t.RightParen],
  [t.LeftBracket, t.RightBracket],
  [t.LeftBrace, t.RightBrace],
]);
const closing = new Set(closers.values());

export function isOpening(token: IToken): boolean {
  return closers.has(token.tokenType);
}

export function isClosing(token: IToken): boolean {
  return closing.has(token.tokenType);
}

/**
 * `startsStatement(i)` tells whether token i begins a line and looks like a statement: one that is indented no deeper than
 * the line of an open `(` or `[` shows that this bracket was never closed.
 */
export function matchBrackets(tokens: readonly IToken[], startsStatement: (index: number) => boolean): Brackets {
  const { partner, unclosed, balanced, restsOnLayout } = pair(tokens, startsStatement);
  return {
    partner,
    balanced: restsOnLayout ? pair(tokens, () => false).balanced : balanced,
    suspect: findSuspect(tokens, partner, unclosed),
  };
}

interface Pairs {
  readonly partner: Int32Array;
  readonly unclosed: readonly number[];
  readonly balanced: boolean;
  /** Some bracket was given up for the layout behind it. */
  readonly restsOnLayout: boolean;
}

function pair(tokens: readonly IToken[], startsStatement: (index: number) => boolean): Pairs {
  const partner = new Int32Array(tokens.length).fill(-1);
  const stack: number[] = [];
  const open: Map<unknown, number> = new Map();
  const pop = (): number => {
    const index = stack.pop() ?? -1;
    const type = tokens[index]?.tokenType;
    open.set(type, (open.get(type) ?? 0) - 1);
    return index;
  };
  let restsOnLayout = false;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    const type = token.tokenType;
    const mayPair = isBracket(type);
    // Most tokens are no brackets, and stand in a block or in the list of their line.
    if (!mayPair && token.startLine === tokens[index - 1]?.endLine) continue;
    if (stack.length > 0 && token.startLine !== tokens[index - 1]?.endLine) {
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        if (tokens[top]?.tokenType === t.LeftBrace) break;
        if ((token.startColumn ?? 0) > indentation(tokens, top) || !startsStatement(index)) break;
        restsOnLayout = true;
        pop();
      }
    }
    if (!mayPair) continue;
    if (closers.has(type)) {
      stack.push(index);
      open.set(type, (open.get(type) ?? 0) + 1);
    } else {
      const wanted = type === t.RightParen ? t.LeftParen : type === t.RightBracket ? t.LeftBracket : t.LeftBrace;
      // A `)` or `]` never reaches over a `{`: that brace's block is more likely whole than the bracket's list.
      const reach = wanted === t.LeftBrace || (open.get(t.LeftBrace) ?? 0) === 0 ? undefined : t.LeftBrace;
      if ((open.get(wanted) ?? 0) === 0 || (reach !== undefined && above(tokens, stack, wanted, reach))) continue;
      let index2 = pop();
      while (tokens[index2]?.tokenType !== wanted) index2 = pop();
      partner[index] = index2;
      partner[index2] = index;
    }
  }
  const balanced = tokens.every(({ tokenType }, index) => (partner[index] ?? -1) >= 0 || !isBracket(tokenType));
  return { partner, unclosed: stack, balanced, restsOnLayout };
}

function isBracket(type: IToken["tokenType"]): boolean {
  switch (type) {
    case t.LeftParen:
    case t.RightParen:
    case t.LeftBracket:
    case t.RightBracket:
    case t.LeftBrace:
    case t.RightBrace:
      return true;
    default:
      return false;
  }
}

/** The column of the first token on the line of token `index`. */
export function indentation(tokens: readonly IToken[], index: number): number {
  let first = index;
  while (first > 0 && tokens[first - 1]?.startLine === tokens[index]?.startLine) first -= 1;
  return tokens[first]?.startColumn ?? 0;
}

/** Whether a `barrier` stands nearer to the top of the stack than a `wanted`. */
function above(tokens: readonly IToken[], stack: readonly number[], wanted: unknown, barrier: unknown): boolean {
  for (let i = stack.length - 1; i >= 0; i -= 1) {
    const type = tokens[stack[i] ?? 0]?.tokenType;
    if (type === wanted) return false;
    if (type === barrier) return true;
  }
  return true;
}

/** A `}` at the start of a line is indented like the line of its `{`; where it is not, the braces have slipped. */
function findSuspect(tokens: readonly IToken[], partner: Int32Array, unclosed: readonly number[]): IToken | undefined {
  const open = unclosed.map((index) => tokens[index]).filter((token) => token?.tokenType === t.LeftBrace);
  if (open.length === 0) return undefined;
  for (const [index, token] of tokens.entries()) {
    const close = partner[index] ?? -1;
    if (token.tokenType !== t.LeftBrace || close < index) continue;
    const closer = tokens[close];
    const ownLine = tokens[close - 1]?.startLine !== closer?.startLine;
    if (ownLine && (closer?.startColumn ?? 0) < indentation(tokens, index)) return token;
  }
  return open.at(-1);
}
