import type { IRecognitionException, IToken, TokenType } from "chevrotain";
import type { Diagnostic, Note } from "../compiler/ir/diagnostic.js";
import type { Hint } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import type { BindingNothing, Comment, Doc, Expression, Ident, Invalid } from "./ast.js";
import { type Brackets, indentation, isClosing, isOpening } from "./brackets.js";
import { EmbeddedActionsParser, EOF, isRecognitionException, tokenMatcher } from "./chevrotain.js";
import {
  maximumNesting,
  nestingTooDeep,
  quote,
  reservedName,
  strayBracket,
  unclosedBracket,
  unexpectedToken,
} from "./diagnostics.js";
import { messages, syntaxHint } from "./expectations.js";
import { tokenSpan } from "./lex.js";
import { DepthLimit } from "./precedence.js";
import { Refusal } from "./refusal.js";
import { startsStatement } from "./statement-kinds.js";
import * as t from "./tokens.js";

const bindingNothing: readonly BindingNothing[] = ["signature", "train", "require", "seed", "next", "yield"];

/** What `fn`, `graph` and statements share: places, documentation, reporting and recovery. */
export abstract class BaseParser extends EmbeddedActionsParser {
  protected file = "";
  protected diagnostics: Diagnostic[] = [];
  protected parenthesized = new Set<Expression>();
  protected depth = new DepthLimit((d) => this.report(d));
  protected text = "";
  private tokens: readonly IToken[] = [];
  private brackets: Brackets = { partner: new Int32Array(0), balanced: true, suspect: undefined };
  private nesting = 0;
  /** What was read since this was unset rests on how the lines around it are indented, or which brackets are open there. */
  protected restsOnLayout = false;
  private docs = new Map<number, Doc>();
  private endReported = false;

  constructor(validate: boolean) {
    super([...t.allTokens], {
      errorMessageProvider: messages,
      recoveryEnabled: false,
      maxLookahead: 2,
      skipValidations: !validate,
    });
  }

  protected start(text: string, file: string, tokens: IToken[], brackets: Brackets, docs: Map<number, Doc>): void {
    this.text = text;
    this.file = file;
    this.diagnostics = [];
    this.parenthesized = new Set();
    this.depth = new DepthLimit((d) => this.report(d));
    this.tokens = tokens;
    this.brackets = brackets;
    this.docs = docs;
    this.endReported = false;
    this.nesting = 0;
    this.input = tokens;
  }

  /** Runs the part of a rule through which all nesting goes, and refuses what would nest too deep for the stack. */
  protected nested<T>(parse: () => T): T {
    if (this.RECORDING_PHASE) return parse();
    if (this.nesting > maximumNesting) throw new Refusal(nestingTooDeep(this.spanOf(this.LA(1))));
    this.nesting += 1;
    try {
      return parse();
    } finally {
      this.nesting -= 1;
    }
  }

  protected report(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
  }

  protected spanOf(token: IToken): Span {
    if (token.tokenType === EOF) return { file: this.file, start: this.text.length, end: this.text.length };
    return tokenSpan(token, this.file);
  }

  /** From `first` to the last consumed token. */
  protected spanFrom(first: IToken | Span): Span {
    const start = "startOffset" in first ? first.startOffset : first.start;
    const last = this.LA(0);
    return { file: this.file, start, end: Math.max(start, last.startOffset + last.image.length) };
  }

  protected ident(token: IToken): Ident {
    return { kind: "ident", name: token.image, span: this.spanOf(token) };
  }

  /** A word that names a value: a reserved one is reported. */
  protected valueName(token: IToken): Ident {
    if (token.tokenType !== t.Name) this.report(reservedName(this.spanOf(token), token.image));
    return this.ident(token);
  }

  /** The `##` lines before `token`, taken once. */
  protected takeDoc(token: IToken): Doc | undefined {
    const doc = this.docs.get(token.startOffset);
    this.docs.delete(token.startOffset);
    return doc;
  }

  /** Whether `##` lines stand before the token that nothing has taken. */
  protected hasDoc(token: IToken | undefined): boolean {
    return token !== undefined && this.docs.has(token.startOffset);
  }

  protected is(token: IToken, type: TokenType): boolean {
    return tokenMatcher(token, type);
  }

  /** Whether the next token stands on the line of the previous one: a call's `(` and an index's `[` do. */
  protected onSameLine(): boolean {
    return this.LA(0).endLine === this.LA(1).startLine;
  }

  /** The grammar asks for such words here only, so that the table of them has all that editors colour. */
  protected atClause(word: t.ClauseWord): boolean {
    return this.LA(1).image === word;
  }

  protected firstOnLine(index: number): boolean {
    return index === 0 || this.tokens[index - 1]?.endLine !== this.tokens[index]?.startLine;
  }

  protected atEnd(): boolean {
    return this.LA(1).tokenType === EOF;
  }

  protected tokenAt(index: number): IToken | undefined {
    return this.tokens[index];
  }

  /** The index of a token, found by its place: a table of all tokens would cost more than what asks for it. */
  protected position(token: IToken): number {
    let [low, high] = [0, this.tokens.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.tokens[middle]?.startOffset ?? 0) < token.startOffset) low = middle + 1;
      else high = middle;
    }
    return this.tokens[low] === token ? low : this.tokens.length;
  }

  /** The innermost bracket that is open before `token`. */
  protected enclosing(token: IToken): IToken | undefined {
    for (let index = this.position(token) - 1; index >= 0; index -= 1) {
      const candidate = this.tokens[index];
      if (candidate === undefined) continue;
      const partner = this.brackets.partner[index] ?? -1;
      if (isClosing(candidate) && partner >= 0) index = partner;
      else if (isOpening(candidate)) return candidate;
    }
    return undefined;
  }

  protected hasPartner(token: IToken): boolean {
    return (this.brackets.partner[this.position(token)] ?? -1) >= 0;
  }

  /** "the end of the file", "the reserved word `if`", "`)`". */
  protected describe(token: IToken): string {
    return token.tokenType === EOF ? "the end of the file" : quote(token.image);
  }

  /** The end of the file with brackets open: one report for all of them. */
  protected reportEnd(): void {
    if (this.endReported) return;
    this.endReported = true;
    const opening = this.brackets.suspect ?? this.enclosing(this.LA(1));
    if (opening === undefined) return;
    const opened = { text: opening.image, span: this.spanOf(opening) };
    const end = this.spanOf(this.LA(0)).end;
    const span = { file: this.file, start: end, end };
    this.report(unclosedBracket(span, opened, "`}`", "the end of the file", undefined));
  }

  /** The diagnostic for what the grammar could not read. */
  private refuse(token: IToken, previous: IToken, wanted: string, rule: string | undefined, better?: Hint): Diagnostic {
    // A second comma in a list can only mean that the item before it is missing.
    const expected = token.tokenType === t.Comma && wanted.startsWith("`,`") ? "a value" : wanted;
    const next = previous.endLine !== undefined && token.startLine !== previous.endLine;
    const found = next && token.tokenType !== EOF ? "the end of the line" : this.describe(token);
    const hint = better ?? syntaxHint(token, previous, expected, rule);
    const opening = this.enclosing(token);
    // After the end of a line the mistake is there, not at the start of the next one.
    const behind = this.spanOf(previous).end;
    const span = next || token.tokenType === EOF ? { file: this.file, start: behind, end: behind } : this.spanOf(token);
    const wantsCloser = /`[)\]}]`/.test(expected);
    if (opening !== undefined && wantsCloser && !this.hasPartner(opening)) {
      if (token.tokenType === EOF) this.endReported = true;
      // What stands on the next line is its own statement, so that no comma is missing here.
      return unclosedBracket(
        span,
        { text: opening.image, span: this.spanOf(opening) },
        expected,
        found,
        next ? undefined : hint,
      );
    }
    const notes: Note[] = [];
    if (opening !== undefined && wantsCloser && opening.startLine !== token.startLine) {
      notes.push({ span: this.spanOf(opening), message: `the list in \`${opening.image}\` starts here` });
    }
    return unexpectedToken(span, expected, found, { notes, hint });
  }

  /** Reports that something is missing before a token, the next one; what follows is read all the same. */
  protected reportMissing(expected: string, rule: string, hint?: Hint, next = this.LA(1), previous = this.LA(0)): void {
    this.report(this.refuse(next, previous, expected, rule, hint));
  }

  /**
   * Runs `parse`; where it fails, reports and skips to the next token for which `resumes` holds, to the bracket that closes
   * the enclosing block, or to the end. Groups of brackets that are whole are skipped as one.
   */
  protected recovering<T>(parse: () => T, resumes: (index: number) => boolean): T | Invalid {
    if (this.RECORDING_PHASE) return parse();
    const first = this.LA(1);
    const begin = this.position(first);
    try {
      return parse();
    } catch (error) {
      const failed = this.LA(1);
      if (error instanceof Refusal) this.report(error.diagnostic);
      else if (error instanceof Error && isRecognitionException(error)) {
        const told = failed.tokenType === t.Choice || (failed.tokenType === EOF && this.endReported);
        if (!told) this.report(this.refuse(failed, this.LA(0), error.message, ruleOf(error)));
      } else throw error;
      this.skipTo(begin, this.position(failed), resumes);
      if (this.LA(1) === first && first.tokenType !== t.RightBrace && !this.atEnd()) this.SKIP_TOKEN();
      const word = this.wordAt(begin);
      const names = word === undefined ? this.namesBetween(begin) : [];
      return { kind: "invalid", names, word, span: this.spanFrom(first) };
    }
  }

  /** Refuses a missing value whose place the next line's statement would take. */
  protected expectValueHere(): void {
    const index = this.position(this.LA(1));
    const previous = this.LA(0);
    if (this.RECORDING_PHASE || index === 0 || !this.firstOnLine(index) || !this.startsAt(index)) return;
    if ((this.LA(1).startColumn ?? 0) > indentation(this.tokens, index - 1)) return;
    this.restsOnLayout = true;
    // `name, name = value` and `name: value` may go on with the items of a list.
    const around = this.enclosing(this.LA(1))?.tokenType;
    if (around === t.LeftParen || around === t.LeftBracket) return;
    const end = this.spanOf(previous).end;
    const hint = syntaxHint(this.LA(1), previous, "a value") ?? `\`${previous.image}\` needs a value on its right`;
    throw new Refusal(
      unexpectedToken({ file: this.file, start: end, end }, "a value", "the end of the line", { hint }),
    );
  }

  /** Refuses to read the next line's `name = value` as an argument of a call that was never closed. */
  protected expectArgumentHere(): void {
    const index = this.position(this.LA(1));
    if (this.RECORDING_PHASE || index === 0 || !this.firstOnLine(index) || !this.startsAt(index)) return;
    const opening = this.enclosing(this.LA(1));
    if (opening === undefined) return;
    if ((this.LA(1).startColumn ?? 0) > indentation(this.tokens, this.position(opening))) return;
    this.restsOnLayout = true;
    if (this.brackets.balanced || this.hasPartner(opening)) return;
    const end = this.spanOf(this.LA(0)).end;
    const opened = { text: opening.image, span: this.spanOf(opening) };
    const span = { file: this.file, start: end, end };
    throw new Refusal(unclosedBracket(span, opened, "`)`", "the end of the line", undefined));
  }

  protected startsAt(index: number): boolean {
    return startsStatement(
      index,
      (i) => this.tokens[i],
      (i) => this.firstOnLine(i),
    );
  }

  /** After a whole statement, the next one stands on a line of its own. */
  protected expectLineEnd(): void {
    const token = this.LA(1);
    if (this.RECORDING_PHASE || !this.onSameLine() || token.tokenType === t.RightBrace || token.tokenType === EOF)
      return;
    // A `;` was reported already and is read as the end of the line.
    if (this.text.slice(this.spanOf(this.LA(0)).end, token.startOffset).includes(";")) return;
    if (isClosing(token) && !this.hasPartner(token)) throw new Refusal(strayBracket(this.spanOf(token), token.image));
    const hint = syntaxHint(token, this.LA(0), "a new line") ?? "each statement stands on a line of its own";
    throw new Refusal(unexpectedToken(this.spanOf(token), "a new line", this.describe(token), { hint }));
  }

  private skipTo(begin: number, failed: number, resumes: (index: number) => boolean): void {
    let index = begin;
    while (index < this.tokens.length) {
      const token = this.tokens[index];
      if (token === undefined) break;
      const partner = this.brackets.partner[index] ?? -1;
      if (isOpening(token) && partner > index) {
        index = partner + 1;
        continue;
      }
      if (isClosing(token) && partner >= 0 && partner < begin) break;
      if (index > begin && index >= failed && (resumes(index) || this.alignsWith(index, begin))) break;
      index += 1;
    }
    while (this.position(this.LA(1)) < index && !this.atEnd()) this.SKIP_TOKEN();
  }

  /** A line that starts no deeper than the refused statement did is most likely a statement, too. */
  private alignsWith(index: number, begin: number): boolean {
    const token = this.tokens[index];
    if (token === undefined || !this.firstOnLine(index) || isClosing(token) || isOpening(token)) return false;
    if (tokenMatcher(token, t.BinarySign) || token.tokenType === t.PipeSign) return false;
    return (token.startColumn ?? 0) <= indentation(this.tokens, begin);
  }

  /** The word of a refused statement that binds nothing, unless other statements may have been skipped with it. */
  private wordAt(begin: number): BindingNothing | undefined {
    const [first, second] = [this.tokens[begin], this.tokens[begin + 1]];
    if (first === undefined || second === undefined) return undefined;
    const word = bindingNothing.find((one) => one === first.image);
    const isWhole = word === "train" ? this.hasPartner(second) : this.LA(0).endLine === first.startLine;
    return isWhole ? word : undefined;
  }

  /** The names that the refused statement would have bound, as far as its first tokens tell. */
  private namesBetween(begin: number): Ident[] {
    const names: Ident[] = [];
    let index = begin;
    const first = this.tokens[index];
    const second = this.tokens[index + 1];
    if (first === undefined || second === undefined) return names;
    if (t.statementWords.includes(first.image) && this.is(second, t.Name)) {
      return first.image === "signature" || first.image === "yield" ? [] : [this.ident(second)];
    }
    while (names.length < 256) {
      const token = this.tokens[index];
      if (token === undefined || !this.is(token, t.Name)) break;
      names.push(this.ident(token));
      if (this.tokens[index + 1]?.tokenType !== t.Comma) break;
      index += 2;
    }
    const after = this.tokens[index + 1]?.tokenType;
    return after === t.Equal || after === t.Colon || after === t.EqualEqual ? names : [];
  }
}

/** The rule that could not go on. */
function ruleOf(error: Error): string | undefined {
  const { context } = error as Partial<IRecognitionException>;
  return context?.ruleStack.at(-1);
}

/** Documentation by the offset of the token that it stands before; the rest stays for a warning. */
export function attachDocs(comments: readonly Comment[], tokens: readonly IToken[]): Map<number, Doc> {
  const lines = new Map<number, Comment[]>();
  let index = 0;
  for (const comment of comments) {
    if (!comment.doc || !comment.ownLine) continue;
    while (index < tokens.length && (tokens[index]?.startOffset ?? 0) < comment.span.start) index += 1;
    const token = tokens[index];
    if (token === undefined) break;
    const before = lines.get(token.startOffset);
    if (before === undefined) lines.set(token.startOffset, [comment]);
    else before.push(comment);
  }
  return new Map([...lines].map(([offset, group]) => [offset, joinDoc(group)]));
}

export function joinDoc(group: readonly Comment[]): Doc {
  const text = group.map((line) => line.text.replace(/^##+ ?/, "")).join("\n");
  const first = group[0]?.span;
  const last = group.at(-1)?.span;
  const file = first?.file ?? "";
  return { text, span: { file, start: first?.start ?? 0, end: last?.end ?? 0 } };
}
