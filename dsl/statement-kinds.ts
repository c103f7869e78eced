import type { IToken } from "chevrotain";
import { isDType } from "../compiler/ir/dtype.js";
import { writeInstead } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import { EOF, tokenMatcher } from "./chevrotain.js";
import {
  commentHint,
  meant,
  misplacedStatement,
  quote,
  strayBracket,
  suggest,
  unknownStatement,
} from "./diagnostics.js";
import { importHintFor } from "./expectations.js";
import { foreignCallHint, foreignMethods, foreignTypes, foreignWordAdvice, foreignWords } from "./foreign-words.js";
import { Refusal } from "./refusal.js";
import * as t from "./tokens.js";

export type StatementKind =
  | "binding"
  | "assignment"
  | "variable"
  | "constant"
  | "placeholder"
  | "scope"
  | "on"
  | "update"
  | "signature"
  | "train"
  | "seed"
  | "dim"
  | "next"
  | "yield"
  | "require";

export type ItemKind = "import" | "fn" | "optimizer" | "graph" | "constant";

/** `peek(1)` is the token at which the statement starts. */
type Peek = (ahead: number) => IToken | undefined;

const kinds: ReadonlyMap<string, StatementKind> = new Map([
  ["variable", "variable"],
  ["constant", "constant"],
  ["placeholder", "placeholder"],
  ["scope", "scope"],
  ["on", "on"],
  ["update", "update"],
  ["signature", "signature"],
  ["train", "train"],
  ["seed", "seed"],
  ["dim", "dim"],
  ["next", "next"],
  ["yield", "yield"],
  ["require", "require"],
]);

const items: ReadonlyMap<string, ItemKind> = new Map([
  ["import", "import"],
  ["fn", "fn"],
  ["optimizer", "optimizer"],
  ["graph", "graph"],
  ["constant", "constant"],
]);

/** What elsewhere begins a block that runs on a device. */
const placing: ReadonlySet<string> = new Set(["on", "with", "device", "gpu", "cpu", "cuda"]);
const blockHint = 'a block is placed by `on "gpu" { ... }`, a statement at its end: `y = exp(x) on "gpu"`';

function bindsAt(peek: Peek): boolean {
  let ahead = 1;
  for (;;) {
    const token = peek(ahead);
    if (token === undefined || !tokenMatcher(token, t.Word)) return false;
    const after = peek(ahead + 1)?.tokenType;
    if (after === t.Equal || after === t.Colon) return true;
    if (after !== t.Comma) return false;
    ahead += 2;
    // A long run of names without `=` is no binding; the bound keeps recovery linear.
    if (ahead > 512) return false;
  }
}

function assignsAt(peek: Peek): boolean {
  for (let ahead = 1; ahead < 256; ahead += 2) {
    const token = peek(ahead);
    if (token === undefined || !tokenMatcher(token, t.Word)) return false;
    const after = peek(ahead + 1)?.tokenType;
    if (after === t.Assign) return true;
    if (after !== t.Dot && after !== t.Slash) return false;
  }
  return false;
}

/** Whether a statement word is used as one: what follows it is not what would follow a name. */
function isWord(word: string, second: IToken | undefined, sameLine: boolean): boolean {
  if (second === undefined || !sameLine) return false;
  if (word === "train" || word === "import") return second.tokenType === t.LeftBrace;
  if (word === "on") return second.tokenType === t.Text;
  if (word === "seed")
    return second.tokenType === t.Integer || second.tokenType === t.Minus || second.tokenType === t.Float;
  if (word === "yield" || word === "require")
    return !tokenMatcher(second, t.BinarySign) || tokenMatcher(second, t.PrefixSign);
  return tokenMatcher(second, t.Word);
}

/** For recovery: whether the token at `index` begins a line and looks like the start of a statement or item. */
export function startsStatement(
  index: number,
  tokenAt: (index: number) => IToken | undefined,
  firstOnLine: (index: number) => boolean,
): boolean {
  const first = tokenAt(index);
  if (first === undefined || !firstOnLine(index) || !tokenMatcher(first, t.Word)) return false;
  const peek: Peek = (ahead) => tokenAt(index + ahead - 1);
  const second = peek(2);
  const sameLine = second?.startLine === first.endLine;
  if (t.statementWords.includes(first.image) && isWord(first.image, second, sameLine)) return true;
  return bindsAt(peek) || assignsAt(peek);
}

/** For recovery at the top of a file. */
export function startsItem(
  index: number,
  tokenAt: (index: number) => IToken | undefined,
  firstOnLine: (index: number) => boolean,
): boolean {
  const first = tokenAt(index);
  if (first === undefined || !firstOnLine(index) || !items.has(first.image)) return false;
  const second = tokenAt(index + 1);
  return isWord(first.image, second, second?.startLine === first.endLine);
}

/** What item starts here, or undefined where none does. */
export function classifyItem(peek: Peek): ItemKind | undefined {
  const first = peek(1);
  const second = peek(2);
  if (first?.tokenType !== t.Name || bindsAt(peek) || assignsAt(peek)) return undefined;
  if (second?.tokenType === EOF || second === undefined) return items.get(first.image);
  const plausible =
    tokenMatcher(second, t.Word) || second.tokenType === t.LeftBrace || second.tokenType === t.LeftParen;
  return plausible ? items.get(first.image) : undefined;
}

/** What statement starts here; throws a `Refusal` that says why none does. */
export function classify(peek: Peek, spanOf: (token: IToken) => Span): StatementKind {
  const first = peek(1);
  if (first === undefined) throw new RangeError("a statement starts at a token");
  // `else:` is Python's, and no binding with a type.
  if (first.tokenType === t.Else && peek(2)?.tokenType === t.Colon)
    throw new Refusal(explain(first, peek(2), true, peek, spanOf));
  if (tokenMatcher(first, t.Word)) {
    if (bindsAt(peek)) return "binding";
    if (assignsAt(peek)) return "assignment";
  }
  const second = peek(2);
  const sameLine = second?.startLine === first.endLine && second?.tokenType !== EOF;
  if (first.tokenType === t.Name) {
    const kind = kinds.get(first.image);
    if (kind !== undefined && (isWord(first.image, second, sameLine) || !sameLine || !looksLikeValue(second)))
      return kind;
    const item = items.get(first.image);
    if (item !== undefined && isWord(first.image, second, sameLine)) {
      throw new Refusal(
        misplacedStatement(spanOf(first), `\`${item}\` stands only at the top of a file`, "move it out of the braces"),
      );
    }
  }
  throw new Refusal(explain(first, second, sameLine, peek, spanOf));
}

/** After a name that is no statement word here: a call, an index, an operator. */
function looksLikeValue(second: IToken | undefined): boolean {
  if (second === undefined) return false;
  const type = second.tokenType;
  return (
    type === t.LeftParen ||
    type === t.LeftBracket ||
    type === t.Dot ||
    type === t.PipeSign ||
    tokenMatcher(second, t.BinarySign)
  );
}

/** `x[...] = value`: an `=` on the line, behind the brackets. */
function assignsElement(peek: Peek): boolean {
  const line = peek(1)?.startLine;
  let depth = 0;
  for (let ahead = 2; ahead < 256; ahead++) {
    const token = peek(ahead);
    if (token === undefined || token.startLine !== line) return false;
    if (token.tokenType === t.LeftBracket) depth++;
    else if (token.tokenType === t.RightBracket) depth--;
    else if (depth === 0) return token.tokenType === t.Equal;
  }
  return false;
}

/** `(a, b) = value`: names between brackets, and `=` behind them. */
function bracketed(peek: Peek): boolean {
  if (peek(1)?.tokenType !== t.LeftParen && peek(1)?.tokenType !== t.LeftBracket) return false;
  for (let ahead = 2; ahead < 64; ahead += 2) {
    const [name, after] = [peek(ahead), peek(ahead + 1)];
    if (name === undefined || !tokenMatcher(name, t.Word)) return false;
    if (after?.tokenType === t.Comma) continue;
    const closes = after?.tokenType === t.RightParen || after?.tokenType === t.RightBracket;
    return closes && peek(ahead + 2)?.tokenType === t.Equal;
  }
  return false;
}

function touches(first: IToken, second: IToken): boolean {
  return second.startOffset === (first.endOffset ?? 0) + 1;
}

function isStep({ tokenType }: IToken): boolean {
  return tokenType === t.Plus || tokenType === t.Minus;
}

function explain(
  first: IToken,
  second: IToken | undefined,
  sameLine: boolean,
  peek: Peek,
  spanOf: (token: IToken) => Span,
) {
  const span = spanOf(first);
  const kind = first.tokenType;
  if (kind === t.RightParen || kind === t.RightBracket || kind === t.RightBrace) return strayBracket(span, first.image);
  if (kind === t.If || kind === t.While || kind === t.ScanWord) {
    return unknownStatement(
      span,
      `\`${first.image}\` is no statement: it gives values`,
      `bind them: \`y = ${first.image} ...\``,
    );
  }
  if (kind === t.Else) return unknownStatement(span, "`else` without an `if`", "it stands behind the `}` of an `if`");
  if (kind !== t.Name) {
    const bracket = kind === t.LeftParen || kind === t.LeftBracket;
    const hint = bracketed(peek)
      ? "names are bound without brackets: `a, b = ...`"
      : bracket
        ? "the `(` or `[` of a call or an index stands on the line of what it follows"
        : kind === t.Text && first.image === '""' && second?.tokenType === t.Text
          ? "`##` at the start of a line documents what follows"
          : kind === t.Text
            ? 'a string constant is bound to a name: `greeting = "Hello"`'
            : kind === t.SlashSlash
              ? writeInstead("#", commentHint)
              : undefined;
    return unknownStatement(
      span,
      `a statement cannot start with ${quote(first.image)}`,
      hint ?? "a statement is a statement word or `name = value`",
    );
  }
  const name = first.image;
  if (sameLine && placing.has(name))
    return unknownStatement(span, `there is no statement ${quote(name)} of this form`, blockHint);
  if (
    sameLine &&
    (name === "import" || (name === "from" && (second?.tokenType === t.Text || second?.tokenType === t.Name)))
  )
    return unknownStatement(span, `this is no ${quote("import")}`, importHintFor(second?.image));
  if (
    sameLine &&
    isDType(name) &&
    second !== undefined &&
    (second.tokenType === t.LeftBracket || second.tokenType === t.Name)
  )
    return unknownStatement(span, "a value alone is no statement", `a type follows its name: \`x: ${name} = ...\``);
  if (sameLine && second?.tokenType === t.EqualEqual) {
    return unknownStatement(
      spanOf(second),
      "`==` compares, it does not bind",
      writeInstead("=", `write \`${name} = ...\``),
    );
  }
  const third = peek(3);
  const operator = second !== undefined && tokenMatcher(second, t.BinarySign) ? second : undefined;
  if (operator !== undefined && third?.tokenType === t.Equal && touches(operator, third)) {
    const whole = { ...spanOf(operator), end: spanOf(third).end };
    const hint = `in an update, write \`${name} := ${name} ${operator.image} ...\``;
    const written = `:= ${name} ${operator.image}`;
    return unknownStatement(whole, `there is no \`${operator.image}=\``, writeInstead(written, hint));
  }
  const arrow = second?.tokenType === t.Less && third?.tokenType === t.Minus && touches(second, third);
  if (sameLine && arrow) {
    const whole = { ...spanOf(second), end: spanOf(third).end };
    return unknownStatement(whole, "`<-` binds nothing", writeInstead("=", `write \`${name} = ...\``));
  }
  if (operator !== undefined && third?.image === operator.image && touches(operator, third) && isStep(operator)) {
    const whole = { ...spanOf(operator), end: spanOf(third).end };
    const hint = `in an update, write \`${name} := ${name} ${operator.image} 1\``;
    const written = `:= ${name} ${operator.image} 1`;
    return unknownStatement(
      whole,
      `there is no \`${operator.image}${operator.image}\``,
      writeInstead(` ${written}`, hint),
    );
  }
  const type = foreignTypes.get(name);
  if (sameLine && type !== undefined && second?.tokenType === t.Name)
    return unknownStatement(
      span,
      `unknown statement ${quote(name)}`,
      `a type follows its name: \`${second.image}: ${type} = ...\``,
    );
  if (sameLine && second?.tokenType === t.Dot && third !== undefined) {
    const method = foreignMethods.get(third.image);
    if (method !== undefined) return unknownStatement(span, "a call alone is no statement", method);
  }
  if (sameLine && second?.tokenType === t.LeftParen && foreignCallHint(name) !== undefined)
    return unknownStatement(span, "a call alone is no statement", foreignCallHint(name));
  if (sameLine && second?.tokenType === t.LeftParen && foreignWords.has(name))
    return unknownStatement(span, `there is no ${quote(name)}`, foreignWords.get(name));
  if (!sameLine && name === "end") return unknownStatement(span, "`end` ends nothing", "a block ends with `}`");
  if (sameLine && second?.tokenType === t.LeftBracket && assignsElement(peek))
    return unknownStatement(
      span,
      "elements of a tensor are not assigned",
      `\`scatter(${name}, [0], [value])\` and \`dynamic_update_slice\` give a tensor with others in their places`,
    );
  if (sameLine && second !== undefined && tokenMatcher(second, t.Word)) {
    const foreign = foreignWords.get(name);
    const nearest = suggest(name, t.statementWords);
    return unknownStatement(
      span,
      `unknown statement ${quote(name)}`,
      foreign === undefined
        ? nearest === undefined
          ? "a statement is a statement word or `name = value`"
          : meant(nearest)
        : foreignWordAdvice(name, foreign, second),
    );
  }
  if (sameLine && second?.tokenType === t.LeftBracket) {
    return unknownStatement(span, "a value alone is no statement", `bind it: \`y = ${name}[...]\``);
  }
  return unknownStatement(
    span,
    "a value alone is no statement",
    `bind it to a name: \`y = ${name}${sameLine && second?.tokenType === t.LeftParen ? "(...)" : ""}\``,
  );
}
