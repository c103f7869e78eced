import type { ILexingError, IToken, TokenType } from "chevrotain";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import { type Hint, insert, writeInstead } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import type { Comment } from "./ast.js";
import { Lexer } from "./chevrotain.js";
import { foreignComment, malformedNumber, malformedString, openSizeHint, unexpectedCharacter } from "./diagnostics.js";
import * as t from "./tokens.js";

export interface Lexed {
  readonly tokens: IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
}

let lexer: InstanceType<typeof Lexer> | undefined;

/** The checks of the token definitions take longer than the lexing of a file; a test runs them. */
export function makeLexer({ validate }: { readonly validate: boolean }): InstanceType<typeof Lexer> {
  return new Lexer([...t.allTokens], {
    positionTracking: "full",
    ensureOptimizations: true,
    skipValidations: !validate,
  });
}

/** Splits `text` into tokens. What is foreign is reported and read as what was meant, so that the parser can go on. */
export function lex(text: string, file: string): Lexed {
  return lexLines(text, file, { start: 0, end: text.length, line: 1, previous: undefined });
}

/** Some lines of a text, from the start of one to the end of another. */
export interface Lines {
  readonly start: number;
  readonly end: number;
  /** The number of the first one, from 1. */
  readonly line: number;
  /** The last token before them. */
  readonly previous: IToken | undefined;
}

/** The same of some lines only. Each line is read by itself, unless a foreign comment goes over several. */
export function lexLines(text: string, file: string, { start, end, line, previous }: Lines): Lexed {
  lexer ??= makeLexer({ validate: false });
  const result = lexer.tokenize(text.slice(start, end));
  const comments = result.groups["comments"] ?? [];
  for (const token of [...result.tokens, ...comments]) moveToken(token, start, line - 1);
  const errors = result.errors.map((error) => ({ ...error, offset: error.offset + start }));
  const diagnostics: Diagnostic[] = [...lexingErrors(errors, text, file)];
  const tokens: IToken[] = [];
  for (const token of result.tokens) {
    const repaired = isForeign(token) ? repair(token, tokens.at(-1) ?? previous, text, file, diagnostics) : token;
    if (repaired !== undefined) tokens.push(repaired);
  }
  return { tokens, comments: comments.map((c) => comment(c, text, file)), diagnostics };
}

/** To where so many characters and so many lines have come before it. */
export function moveToken(token: IToken, by: number, lines: number): void {
  if (by === 0 && lines === 0) return;
  token.startOffset += by;
  if (token.endOffset !== undefined) token.endOffset += by;
  if (token.startLine !== undefined) token.startLine += lines;
  if (token.endLine !== undefined) token.endLine += lines;
}

export function tokenSpan(token: IToken, file: string): Span {
  return { file, start: token.startOffset, end: token.startOffset + token.image.length };
}

function comment(token: IToken, text: string, file: string): Comment {
  let before = token.startOffset - 1;
  while (before >= 0 && (text[before] === " " || text[before] === "\t")) before -= 1;
  return {
    text: token.image.trimEnd(),
    doc: token.tokenType === t.DocComment,
    ownLine: before < 0 || text[before] === "\n" || text[before] === "\r" || text[before] === "\uFEFF",
    span: tokenSpan(token, file),
  };
}

function lexingErrors(errors: readonly ILexingError[], text: string, file: string): Diagnostic[] {
  return errors.map((error) => {
    const odd = text.slice(error.offset, error.offset + error.length);
    const hint = /^\s+$/u.test(odd)
      ? writeInstead(" ", "use a plain space")
      : odd.startsWith("'")
        ? "`transpose(x)` transposes; strings stand in double quotes"
        : foreignCharacters.get([...odd][0] ?? "");
    return unexpectedCharacter({ file, start: error.offset, end: error.offset + error.length }, odd, hint);
  });
}

/** Signs of mathematics and of other languages that are read as nothing, and what they are called here. */
const foreignCharacters: ReadonlyMap<string, string> = new Map([
  ["\u221A", "write `sqrt(x)`"],
  ["\u2211", "write `sum(x)`"],
  ["\u220F", "write `prod(x)`"],
  ["\u221E", "write `inf`"],
  ["\u2207", "write `gradients(loss, [w])`"],
  ["\u2202", "write `gradients(loss, [w])`"],
  ["\u00B2", "write `x ** 2`"],
  ["\u00B3", "write `x ** 3`"],
  ["\u22A4", "write `transpose(x)`"],
  ["\u2299", "write `*`"],
  ["\u2208", "`in` stands in a loop only: `scan x in xs`"],
  ["\\", "an expression goes on in the next line without a sign; a linear system is `solve(a, b)`"],
]);

const choiceHint = "one of two values is `select(condition, a, b)`, or `if condition { yield a } else { yield b }`";

/** Other languages' signs, what they are called here, and the token they are read as (undefined: dropped). */
const foreignSigns: ReadonlyMap<
  string,
  { readonly hint: string; readonly as: TokenType | undefined; readonly write?: string }
> = new Map([
  ["&&", { hint: "write `and`", as: t.And, write: "and" }],
  ["||", { hint: "write `or`", as: t.Or, write: "or" }],
  ["&", { hint: "write `and`", as: t.And, write: "and" }],
  ["|", { hint: "write `or`, or `|>` for a pipe", as: t.Or, write: "or" }],
  ["!", { hint: "write `not`", as: t.Not, write: "not" }],
  ["~", { hint: "write `not`", as: t.Not, write: "not" }],
  ["^", { hint: "a power is written `**`", as: t.StarStar, write: "**" }],
  ["===", { hint: "write `==`", as: t.EqualEqual, write: "==" }],
  ["!==", { hint: "write `!=`", as: t.NotEqual, write: "!=" }],
  ["<>", { hint: "write `!=`", as: t.NotEqual, write: "!=" }],
  ["?", { hint: choiceHint, as: undefined }],
  ["=>", { hint: "outputs follow `->`; at least is `>=`; a function is a `fn` with a name", as: t.Arrow, write: "->" }],
  ["\u00D7", { hint: "write `*`", as: t.Star, write: "*" }],
  ["\u00B7", { hint: "write `*` or `@`", as: t.Star, write: "*" }],
  ["\u00F7", { hint: "write `/`", as: t.Slash, write: "/" }],
  ["\u2212", { hint: "write `-`", as: t.Minus, write: "-" }],
  ["\u2013", { hint: "write `-`", as: t.Minus, write: "-" }],
  ["\u2264", { hint: "write `<=`", as: t.LessEqual, write: "<=" }],
  ["\u2265", { hint: "write `>=`", as: t.GreaterEqual, write: ">=" }],
  ["\u2260", { hint: "write `!=`", as: t.NotEqual, write: "!=" }],
  ["\u2026", { hint: "write three dots, `...`", as: t.EllipsisSign, write: "..." }],
  ["\u2192", { hint: "write `->`", as: t.Arrow, write: "->" }],
  ["\u2190", { hint: "a binding is `name = value`, an assignment `name := value`", as: t.Equal, write: "=" }],
]);

const foreignTypes: ReadonlySet<TokenType> = new Set([
  t.SlashComment,
  t.BlockComment,
  t.Choice,
  t.Semicolon,
  t.ForeignSign,
  t.BadNumber,
  t.HalfNumber,
  t.SingleQuoted,
  t.CurlyQuoted,
  t.OpenText,
]);

function isForeign({ tokenType }: IToken): boolean {
  return foreignTypes.has(tokenType);
}

function repair(
  token: IToken,
  previous: IToken | undefined,
  text: string,
  file: string,
  diagnostics: Diagnostic[],
): IToken | undefined {
  const span = tokenSpan(token, file);
  switch (token.tokenType) {
    case t.SlashComment:
    case t.BlockComment:
      diagnostics.push(foreignComment({ ...span, end: span.start + 2 }, token.image.slice(0, 2)));
      return undefined;
    case t.Choice:
      diagnostics.push(unexpectedCharacter({ ...span, end: span.start + 1 }, "?", choiceHint));
      // The parser stops there, and has nothing to add.
      return token;
    case t.Semicolon:
      diagnostics.push(unexpectedCharacter(span, token.image, statementEnd(text, span)));
      return undefined;
    case t.ForeignSign: {
      if (token.image === "?" && (previous?.tokenType === t.LeftBracket || previous?.tokenType === t.Comma)) {
        diagnostics.push(unexpectedCharacter(span, token.image, openSizeHint));
        return retype(token, t.Integer, "1");
      }
      const known = foreignSigns.get(token.image);
      const { hint, write } = known ?? { hint: undefined, write: undefined };
      const advice = hint === undefined || write === undefined ? hint : writeInstead(spaced(text, span, write), hint);
      diagnostics.push(unexpectedCharacter(span, token.image, advice));
      return known?.as === undefined ? undefined : retype(token, known.as);
    }
    case t.BadNumber:
      diagnostics.push(
        malformedNumber(span, `\`${shorten(token.image)}\` is not a number`, badNumberHint(token.image)),
      );
      return retype(token, t.Integer, "0");
    case t.HalfNumber: {
      const full = token.image.startsWith(".") ? `0${token.image}` : `${token.image}0`;
      diagnostics.push(
        malformedNumber(
          span,
          "a digit stands on both sides of the point",
          writeInstead(full, `write \`${shorten(full)}\``),
        ),
      );
      return retype(token, t.Float, full);
    }
    case t.SingleQuoted:
      diagnostics.push(
        malformedString(
          span,
          "strings stand in double quotes",
          writeInstead(inQuotes(token.image), `write \`"${shorten(token.image.slice(1, -1))}"\``),
        ),
      );
      return retype(token, t.Text, '""');
    case t.CurlyQuoted:
      diagnostics.push(
        malformedString(
          span,
          "strings stand in straight double quotes",
          writeInstead(inQuotes(token.image), 'write `"` for the curly quotes'),
        ),
      );
      return retype(token, t.Text, '""');
    case t.OpenText:
      diagnostics.push(
        malformedString(
          span,
          "the string has no closing quote on its line",
          insert('"', "a line break in a string is `\\n`"),
        ),
      );
      return retype(token, t.Text, '""');
    default:
      return token;
  }
}

function shorten(text: string): string {
  return text.length > 32 ? `${text.slice(0, 29)}...` : text;
}

/** A word needs spaces between it and other words, and before a bracket. */
function spaced(text: string, { start, end }: Span, write: string): string {
  if (!/^\w+$/.test(write)) return write;
  const before = /[\w)\]"]/.test(text[start - 1] ?? "") ? " " : "";
  const after = /[^\s)\]}]/.test(text[end] ?? "") ? " " : "";
  return before + write + after;
}

/** A `;` at the end of its line goes away; one between two statements becomes the line's end. */
function statementEnd(text: string, { start, end }: Span): Hint {
  const hint = "statements end at the end of the line, without `;`";
  const rest = /^[ \t]*(?:[\r\n#}]|$)/.test(text.slice(end, end + 200));
  if (rest) return writeInstead("", hint);
  const line = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  const gap = /^[ \t]*/.exec(text.slice(end, end + 200))?.[0].length ?? 0;
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  return {
    text: hint,
    fix: ({ file }) => ({
      title: "put what follows on a line of its own",
      edits: [{ span: { file, start, end: end + gap }, text: `\n${indent}` }],
    }),
  };
}

/** The string in straight double quotes, as its value is. */
function inQuotes(image: string): string {
  const inner = image.slice(1, -1).replace(/\\'/g, "'");
  return `"${inner.replace(/(?<!\\)"/g, '\\"')}"`;
}

function badNumberHint(image: string): Hint | undefined {
  if (/^0[xXbBoO]/.test(image)) return "integers are written in decimal";
  const parts = /^([0-9_.]+)([A-Za-z_]\w*)$/.exec(image);
  if (parts === null) return undefined;
  if (/^[eE]$/.test(parts[2] ?? "")) return "digits follow the `e` of a decimal: `1e-3`";
  const [, number = "", name = ""] = parts;
  if (/^[eE]\d+[fFdDlL]$/.test(name)) return plainNumber(number + name.slice(0, -1));
  if (/^(f|d|f16|f32|f64)$/i.test(name)) return plainNumber(number.includes(".") ? number : `${number}.0`);
  if (/^(l|u|ul|i32|i64|u8)$/i.test(name)) return plainNumber(number);
  if (/^[ij]$/i.test(name) && /^\d/.test(number))
    return writeInstead(`${number} * ${name}`, `there are no complex numbers; a product is \`${number} * ${name}\``);
  return writeInstead(
    `${number} * ${name}`,
    `a name starts with a letter; a product is \`${shorten(number)} * ${shorten(name)}\``,
  );
}

function plainNumber(number: string): Hint {
  return writeInstead(number, `a number has no suffix, and takes the dtype of its place: \`${shorten(number)}\``);
}

/** The same place in the text read as another token; `value` is what the parser reads instead of the image. */
function retype(token: IToken, type: TokenType, value?: string): IToken {
  return {
    ...token,
    tokenType: type,
    tokenTypeIdx: type.tokenTypeIdx ?? 0,
    ...(value === undefined ? {} : { payload: value }),
  };
}

/** What a literal token stands for, in the language's own spelling. */
export function literalText(token: IToken): string {
  return typeof token.payload === "string" ? token.payload : token.image;
}

/** The value of a string token, with problems in its escapes reported. */
export function unescapeText(token: IToken, file: string, report: (d: Diagnostic) => void): string {
  const inner = literalText(token).slice(1, -1);
  return inner.replace(
    /\\(?:u\{([^}]*)\}|([\s\S]))/gu,
    (match: string, hex: string | undefined, letter: string | undefined, at: number) => {
      const start = token.startOffset + 1 + at;
      const span = { file, start, end: start + match.length };
      if (hex !== undefined) {
        const code = /^[0-9A-Fa-f]{1,6}$/.test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
        if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) return String.fromCodePoint(code);
        report(
          malformedString(
            span,
            "this is not a Unicode character",
            "`\\u{1F600}` has 1 to 6 hexadecimal digits, at most 10FFFF",
          ),
        );
        return "";
      }
      const value = escapes.get(letter ?? "");
      if (value !== undefined) return value;
      report(
        malformedString(
          span,
          `unknown escape \`${match}\``,
          'escapes are \\" \\\\ \\n \\t \\r \\u{...}; write `\\\\` for a backslash',
        ),
      );
      return "";
    },
  );
}

/** By the letter behind the backslash; `\u{...}` is beside them. */
export const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
]);
