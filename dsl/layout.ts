import type { IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import { insert } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import { isClosing } from "./brackets.js";
import { tokenMatcher } from "./chevrotain.js";
import { strayBracket, unclosedBlock, unexpectedToken } from "./diagnostics.js";
import { tokenSpan } from "./lex.js";
import { joinsLines } from "./lines.js";
import * as t from "./tokens.js";

/** A text whose braces do not pair up, with those that its layout speaks for. */
export interface Mended {
  /** Without the braces that close nothing, and with empty ones where one is missing. */
  readonly tokens: IToken[];
  /** One for each brace that is missing or too much, at its place. */
  readonly diagnostics: readonly Diagnostic[];
  /** The offsets of those braces, in the order of the text. */
  readonly places: readonly number[];
}

/** A brace that is missing before a token, or the token itself, which is too much. */
type Change =
  | { readonly kind: "open"; readonly before: number; readonly place: number; readonly expected: string }
  | { readonly kind: "close"; readonly before: number; readonly place: number; readonly opening: IToken }
  | { readonly kind: "drop"; readonly before: number; readonly place: number };

/** An empty token stands for a brace that is not in the text. */
export function isMade(token: IToken): boolean {
  return token.image === "";
}

/**
 * Where the braces of a text do not pair up, mends them by its indentation, as `graphc fmt` lays it out: a block ends before the line that
 * stands no deeper than the one that opened it. A text that is laid out otherwise would need more braces than are missing: undefined, as
 * where nothing is.
 */
export function mendBraces(
  tokens: readonly IToken[],
  file: string,
  text: string,
  startsStatement: (index: number) => boolean,
): Mended | undefined {
  const missing = unpaired(tokens);
  if (missing === 0) return undefined;
  const { changes, open } = new Layout(tokens, startsStatement).read();
  if (changes.length === 0 || changes.length + open > missing) return undefined;
  const mended: IToken[] = [];
  const add = (token: IToken | undefined): void => {
    if (token !== undefined) mended.push(token);
  };
  let from = 0;
  for (const change of changes) {
    for (; from < change.before; from++) add(tokens[from]);
    if (change.kind === "drop") from++;
    else add(madeBrace(change.kind, tokens[from - 1], tokens[from]));
  }
  for (; from < tokens.length; from++) add(tokens[from]);
  return {
    tokens: mended,
    diagnostics: changes.map((change) => told(change, tokens, file, text)),
    places: changes.map(({ place }) => place),
  };
}

/** How many braces have no partner, whatever else stands between them. */
function unpaired(tokens: readonly IToken[]): number {
  let [open, stray] = [0, 0];
  for (const { tokenType } of tokens) {
    if (tokenType === t.LeftBrace) open++;
    else if (tokenType !== t.RightBrace) continue;
    else if (open > 0) open--;
    else stray++;
  }
  return open + stray;
}

interface Opened {
  readonly token: IToken;
  /** The column at which the statement starts that it stands in. */
  readonly indent: number;
}

class Layout {
  readonly #tokens: readonly IToken[];
  readonly #startsStatement: (index: number) => boolean;
  readonly #stack: Opened[] = [];
  readonly #changes: Change[] = [];
  /** The first token of the statement that is read. */
  #begin = 0;
  #indent = 1;

  constructor(tokens: readonly IToken[], startsStatement: (index: number) => boolean) {
    this.#tokens = tokens;
    this.#startsStatement = startsStatement;
  }

  read(): { readonly changes: readonly Change[]; readonly open: number } {
    for (const [index, token] of this.#tokens.entries()) {
      if (this.#startsLine(index)) this.#line(index, token);
      switch (token.tokenType) {
        case t.LeftParen:
        case t.LeftBracket:
        case t.LeftBrace:
          this.#stack.push({ token, indent: this.#indent });
          break;
        case t.RightParen:
          this.#closeList(t.LeftParen);
          break;
        case t.RightBracket:
          this.#closeList(t.LeftBracket);
          break;
        case t.RightBrace:
          this.#closeBlock(index, token);
          break;
        default:
      }
    }
    const open = this.#stack.filter(({ token }) => token.tokenType === t.LeftBrace).length;
    return { changes: this.#changes, open };
  }

  #startsLine(index: number): boolean {
    return index === 0 || this.#tokens[index - 1]?.endLine !== this.#tokens[index]?.startLine;
  }

  #line(index: number, token: IToken): void {
    const column = columnOf(token);
    const starts = this.#startsStatement(index);
    let top = this.#stack.at(-1);
    for (; top !== undefined && top.token.tokenType !== t.LeftBrace; top = this.#stack.at(-1)) {
      if (column > top.indent || !starts) return;
      this.#stack.pop();
    }
    const last = this.#tokens[index - 1];
    const goesOn = last !== undefined && joinsLines(last, token) && !(starts && column <= this.#indent);
    if (token.tokenType === t.RightBrace) {
      if (!this.#hasDeeperBehind(index, column)) this.#endBlocks(index, ({ indent }) => column < indent, column);
    } else if (token.tokenType === t.Else) this.#endBlocks(index, ({ indent }) => column <= indent);
    if (goesOn || isClosing(token)) return;
    const expected = column > this.#indent ? this.#lackingAt(index) : undefined;
    if (expected !== undefined) this.#open(index, expected);
    else this.#endBlocks(index, ({ indent }) => column <= indent);
    this.#begin = index;
    this.#indent = column;
  }

  /** Ends the innermost blocks for which `hasEnded` holds; with a column, only where a block is left whose `}` stands there. */
  #endBlocks(index: number, hasEnded: (block: Opened) => boolean, column?: number): void {
    if (column !== undefined && !this.#stack.some(({ indent }) => indent <= column)) return;
    const place = endOf(this.#tokens[index - 1]);
    for (let top = this.#stack.at(-1); top !== undefined && hasEnded(top); top = this.#stack.at(-1)) {
      this.#stack.pop();
      this.#indent = top.indent;
      if (top.token.tokenType === t.LeftBrace)
        this.#changes.push({ kind: "close", before: index, place, opening: top.token });
    }
  }

  /** What is missing behind the head of a block that has no brace, where that stands before a line; undefined where none does. */
  #lackingAt(index: number): string | undefined {
    const head = this.#tokens.slice(this.#begin, Math.min(index, this.#begin + 512));
    const [first, second, third] = head;
    if (first === undefined || head.some(({ tokenType }) => tokenType === t.LeftBrace)) return undefined;
    const isFunction = first.image === "fn" || first.image === "optimizer";
    if (second === undefined) return isFunction || first.image === "graph" ? "a name" : undefined;
    if (first.image === "on") return second.tokenType === t.Text && third === undefined ? "`{`" : undefined;
    if (!headWords.has(first.image) || !tokenMatcher(second, t.Word)) return undefined;
    if (third?.tokenType === t.Equal || third?.tokenType === t.Colon) return undefined;
    return isFunction && !head.some(({ tokenType }) => tokenType === t.LeftParen) ? "`(`" : "`{`";
  }

  #open(index: number, expected: string): void {
    const token = this.#tokens[index - 1];
    if (token === undefined) return;
    this.#stack.push({ token: { ...token, tokenType: t.LeftBrace }, indent: this.#indent });
    this.#changes.push({ kind: "open", before: index, place: endOf(token), expected });
  }

  /** A list does not end behind the block that it stands in. */
  #closeList(opening: TokenType): void {
    const brace = this.#stack.findLastIndex(({ token }) => token.tokenType === t.LeftBrace);
    const partner = this.#stack.findLastIndex(({ token }) => token.tokenType === opening);
    if (partner > brace) this.#stack.length = partner;
  }

  #closeBlock(index: number, token: IToken): void {
    const partner = this.#stack.findLastIndex((one) => one.token.tokenType === t.LeftBrace);
    const block = this.#stack[partner];
    if (block === undefined || this.#isStray(index, token, block))
      this.#changes.push({ kind: "drop", before: index, place: token.startOffset });
    else {
      this.#stack.length = partner;
      // What the block is a part of may go on: `} else {`.
      this.#begin = index;
      this.#indent = block.indent;
    }
  }

  /** Deeper than the line that opened the block, or with lines behind it that are. */
  #isStray(index: number, token: IToken, { token: opening, indent }: Opened): boolean {
    if (opening.startLine === token.startLine) return false;
    const column = columnOf(token);
    if (!this.#startsLine(index)) return this.#hasDeeperBehind(index, indent);
    return column > indent || this.#hasDeeperBehind(index, column);
  }

  /** Whether the line behind a token starts something at a column that is deeper. */
  #hasDeeperBehind(index: number, column: number): boolean {
    const [token, next] = [this.#tokens[index], this.#tokens[index + 1]];
    if (token === undefined || next === undefined || !this.#startsLine(index + 1)) return false;
    return columnOf(next) > column && !isClosing(next) && !joinsLines(token, next);
  }
}

const headWords: ReadonlySet<string> = new Set(["graph", "fn", "optimizer", "scope", "update"]);

function columnOf(token: IToken): number {
  return token.startColumn ?? 1;
}

function endOf(token: IToken | undefined): number {
  return token === undefined ? 0 : token.startOffset + token.image.length;
}

/** At the end of a line; a closing one stands between the lines. */
function madeBrace(kind: "open" | "close", last: IToken | undefined, next: IToken | undefined): IToken {
  const type = kind === "open" ? t.LeftBrace : t.RightBrace;
  const startOffset = endOf(last);
  const column = next?.startColumn ?? 1;
  return {
    image: "",
    startOffset,
    endOffset: startOffset - 1,
    startLine: (kind === "open" ? last?.endLine : next?.startLine) ?? 1,
    endLine: last?.endLine ?? 1,
    startColumn: column,
    endColumn: column,
    tokenType: type,
    tokenTypeIdx: type.tokenTypeIdx ?? 0,
  };
}

function told(change: Change, tokens: readonly IToken[], file: string, text: string): Diagnostic {
  const place: Span = { file, start: change.place, end: change.place };
  switch (change.kind) {
    case "open": {
      const hint = change.expected === "`{`" ? insert(" {", "a block stands in braces") : undefined;
      return unexpectedToken(place, change.expected, "the end of the line", { hint });
    }
    case "close": {
      const span = tokenSpan(change.opening, file);
      const line = text.slice(text.lastIndexOf("\n", span.start) + 1, span.start);
      return unclosedBlock(span, `\n${/^[ \t]*/.exec(line)?.[0] ?? ""}}`, place);
    }
    case "drop": {
      const token = tokens[change.before];
      return strayBracket({ ...place, end: endOf(token) }, token?.image ?? "}");
    }
  }
}
