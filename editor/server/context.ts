import { dirname, join } from "node:path";
import type { IToken, TokenType } from "chevrotain";
import type { Callable } from "../../dsl/elaborate/meaning.js";
import { lex } from "../../dsl/lex.js";
import * as t from "../../dsl/tokens.js";
import type { Source } from "./analysis.js";
import { type Binder, visibleAt } from "./binders.js";
import { callableOfDeclaration, library } from "./library.js";
import type { Workspace } from "./workspace.js";

/** What stands around a place, by the tokens: this holds while a text is being written. */
export interface Context {
  /** The tokens before the word at the place. */
  readonly before: readonly IToken[];
  /** Those behind the place, and behind the string or word that it stands in. */
  readonly after: readonly IToken[];
  /** The bracket that is open around the place, as an index in `before`; undefined where none is. */
  readonly open: number | undefined;
  /** The string that the place stands in. */
  readonly string: IToken | undefined;
  /** Whether the place stands in a comment. */
  readonly comment: boolean;
  /** Whether a statement starts here. */
  readonly startsStatement: boolean;
  /** The tokens of the statement before the place. */
  readonly statement: readonly IToken[];
}

export function contextAt({ text, file }: Source, offset: number): Context {
  const { tokens, comments } = lex(text, file);
  const comment = comments.some(({ span }) => span.start < offset && offset <= span.end);
  const string = tokens.find(
    ({ tokenType, startOffset, image }) =>
      isText(tokenType, image) &&
      startOffset < offset &&
      offset <= startOffset + image.length - (isClosed(image) ? 1 : 0),
  );
  let wordStart = offset;
  while (wordStart > 0 && /\w/.test(text[wordStart - 1] ?? "")) wordStart--;
  const limit = string === undefined ? wordStart : string.startOffset;
  const before = tokens.filter(({ startOffset, image }) => startOffset + image.length <= limit && startOffset < limit);
  let wordEnd = offset;
  while (wordEnd < text.length && /\w/.test(text[wordEnd] ?? "")) wordEnd++;
  const from = string === undefined ? wordEnd : string.startOffset + string.image.length;
  const after = tokens.filter(({ startOffset }) => startOffset >= from);
  const open = openBracket(before);
  const last = before.at(-1);
  const inBlock = open === undefined || before[open]?.tokenType === t.LeftBrace;
  const newLine = last === undefined || text.slice(last.startOffset, wordStart).includes("\n");
  const startsStatement = inBlock && (newLine || last?.tokenType === t.LeftBrace) && !continues(last);
  return { before, after, open, string, comment, startsStatement, statement: statementTokens(before, text) };
}

function isText(type: IToken["tokenType"], image: string): boolean {
  return type === t.Text || image.startsWith('"');
}

function isClosed(image: string): boolean {
  return image.length > 1 && image.endsWith('"');
}

/** A line that ends with an operator goes on in the next one. */
function continues(last: IToken | undefined): boolean {
  if (last === undefined) return false;
  const signs = [t.Equal, t.Assign, t.PipeSign, t.Comma, t.Arrow, t.Colon, t.Dot];
  return signs.includes(last.tokenType) || last.tokenType.CATEGORIES?.includes(t.BinarySign) === true;
}

export const opening: readonly TokenType[] = [t.LeftParen, t.LeftBracket, t.LeftBrace];
export const closing: readonly TokenType[] = [t.RightParen, t.RightBracket, t.RightBrace];

/** The bracket that is open behind these tokens, by its index. */
export function openBracket(tokens: readonly IToken[]): number | undefined {
  let depth = 0;
  for (let i = tokens.length - 1; i >= 0; i--) {
    const type = tokens[i]?.tokenType;
    if (type !== undefined && closing.includes(type)) depth++;
    else if (type !== undefined && opening.includes(type) && depth-- === 0) return i;
  }
  return undefined;
}

/** From the last word that begins a statement on its line. */
function statementTokens(tokens: readonly IToken[], text: string): readonly IToken[] {
  for (let i = tokens.length - 1; i >= 0; i--) {
    const token = tokens[i];
    if (token === undefined || !t.statementWords.includes(token.image)) continue;
    const line = text.slice(text.lastIndexOf("\n", token.startOffset - 1) + 1, token.startOffset);
    if (line.trim() === "" || line.trimEnd().endsWith("{")) return tokens.slice(i);
  }
  return [];
}

/** A call around a place. */
export interface CallContext {
  readonly callable: Callable;
  readonly name: string;
  /** The position of the argument at the place, the piped one counted. */
  readonly position: number;
  /** The parameter that the argument names. */
  readonly named: string | undefined;
  /** All that are named in the call so far. */
  readonly given: ReadonlySet<string>;
  /** Whether nothing of the argument stands before the place. */
  readonly startsArgument: boolean;
}

/** The innermost call around a place, whose argument list is open. */
export function callAround(workspace: Workspace, source: Source, { before }: Context): CallContext | undefined {
  for (let open = openBracket(before); open !== undefined; open = openBracket(before.slice(0, open))) {
    const bracket = before[open];
    if (bracket?.tokenType === t.LeftBrace) return undefined;
    const callee = before[open - 1];
    if (bracket?.tokenType !== t.LeftParen || callee?.tokenType !== t.Name) continue;
    const callable = callableNamed(workspace, source, callee.image, callee.startOffset);
    if (callable === undefined) return undefined;
    const piped = before[open - 2]?.tokenType === t.PipeSign ? 1 : 0;
    return { callable, name: callee.image, ...argumentAt(before.slice(open + 1), piped) };
  }
  return undefined;
}

function argumentAt(tokens: readonly IToken[], piped: number): Omit<CallContext, "callable" | "name"> {
  let position = piped;
  let depth = 0;
  let start = 0;
  const given = new Set<string>();
  tokens.forEach((token, i) => {
    if (opening.includes(token.tokenType)) depth++;
    else if (closing.includes(token.tokenType)) depth--;
    else if (depth === 0 && token.tokenType === t.Comma) {
      position++;
      start = i + 1;
    } else if (depth === 0 && token.tokenType === t.Equal && i === start + 1) given.add(tokens[start]?.image ?? "");
  });
  const named = tokens[start + 1]?.tokenType === t.Equal ? tokens[start]?.image : undefined;
  return { position, named, given, startsArgument: tokens.length === start };
}

/** The function that a name means at a place. */
export function callableNamed(
  workspace: Workspace,
  source: Source,
  name: string,
  offset: number,
): Callable | undefined {
  for (const binder of visibleAt(source.binders, offset)) {
    if (binder.name !== name) continue;
    if (binder.declaration !== undefined || binder.imported !== undefined)
      return callableOfBinder(workspace, source, binder);
  }
  const known = library().get(name);
  return known?.importFrom === undefined ? known?.callable : undefined;
}

/** The function that a name declares or imports. */
export function callableOfBinder(
  workspace: Workspace,
  source: Source,
  { declaration, imported }: Binder,
): Callable | undefined {
  if (declaration !== undefined) return callableOfDeclaration(declaration, source.file);
  return imported === undefined ? undefined : importedCallable(workspace, source, imported);
}

function importedCallable(
  workspace: Workspace,
  source: Source,
  imported: NonNullable<Binder["imported"]>,
): Callable | undefined {
  if (imported.source.startsWith("std/")) return library().get(imported.name.name)?.callable;
  const other = importedSource(workspace, source, imported.source);
  const binder = other?.binders.find(({ name }) => name === imported.name.name);
  if (other === undefined || binder?.declaration === undefined) return undefined;
  return callableOfDeclaration(binder.declaration, other.file);
}

/** The file that an import names, where the front end has read it: what it may not read is not read here. */
export function importedSource(workspace: Workspace, source: Source, name: string): Source | undefined {
  const file = join(dirname(source.file), name.endsWith(".graph") ? name : `${name}.graph`);
  return workspace.analysis(source.file)?.loaded.files.has(file) === true ? workspace.source(file) : undefined;
}
