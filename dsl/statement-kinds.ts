import type { IToken } from "chevrotain";
import { isDType } from "../compiler/ir/dtype.js";
import { type Hint, writeInstead } from "../compiler/ir/fix.js";
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
import { importHint } from "./expectations.js";
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

/** Words of other languages, and what stands for them here. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ["let", "a binding needs no word: `x = 3`"],
  ["var", "a binding needs no word: `x = 3`; a trainable value is `variable w: f32[2] = zeros()`"],
  ["const", "write `constant k = 3`"],
  ["val", "a binding needs no word: `x = 3`"],
  ["def", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["function", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["func", "functions are `fn name(x: f32) -> (y: f32) { ... }`, at the top of the file"],
  ["assert", 'a condition on arguments is `require rate >= 0, "rate must be at least 0"`'],
  ["return", "a fn binds its outputs by their names; an `if` or `scan` gives values with `yield`"],
  ["for", "a loop over axis 0 is `ys = scan x in xs with h = h0 { ... }`"],
  ["print", "name the edge in a signature, or fetch it with `graphc run FILE --fetch NAME`"],
  ["class", "a layer is a `fn` that owns variables"],
  ["input", "inputs are `placeholder x: f32[N, 4]`"],
  ["param", "trainable values are `variable w: f32[2] = zeros()`"],
  ["parameter", "trainable values are `variable w: f32[2] = zeros()`"],
  ["output", "outputs are named in a `signature`"],
]);

/** Types of other languages that stand before the name. */
const foreignTypes: ReadonlyMap<string, string> = new Map([
  ["float", "f32"],
  ["double", "f64"],
  ["int", "i64"],
  ["long", "i64"],
]);

/** Methods that other libraries call for what they do, and what does that here. */
const foreignMethods: ReadonlyMap<string, string> = new Map([
  ["append", "lists do not grow: `stack([a, b])` puts tensors together, and a `scan` stacks what it yields"],
  ["extend", "lists do not grow: `concatenate([a, b])` puts tensors together"],
  ["backward", "a gradient is an edge: `dw = gradients(loss, [w])`, or `update learn = minimize(loss, adam())`"],
  ["step", "an optimizer's steps are an update: `update learn = minimize(loss, adam())`"],
  ["minimize", "an optimizer's steps are an update: `update learn = minimize(loss, adam())`"],
  ["fit", "how to train stands in `train { run = fit ... }`, and `graphc train FILE` does it"],
]);

const trainingHint = "`training` is true where a signature does an update";
/** What elsewhere begins a block that runs on a device. */
const placing: ReadonlySet<string> = new Set(["on", "with", "device", "gpu", "cpu", "cuda"]);
const blockHint = 'a block is placed by `on "gpu" { ... }`, a statement at its end: `y = exp(x) on "gpu"`';

/** Words that are spelt otherwise here, or that a binding goes without; the others want another statement. */
const respelt: ReadonlyMap<string, string> = new Map([
  ["let", ""],
  ["var", ""],
  ["val", ""],
  ["const", "constant"],
  ["def", "fn"],
  ["function", "fn"],
  ["func", "fn"],
  ["assert", "require"],
  ["input", "placeholder"],
  ["param", "variable"],
  ["parameter", "variable"],
]);

function foreignAdvice(word: string, hint: string, next: IToken): Hint {
  const write = respelt.get(word);
  if (write === undefined) return hint;
  if (write !== "") return writeInstead(write, hint);
  // With the space behind it.
  return {
    text: hint,
    fix: ({ file, start }) => ({
      title: "remove it",
      edits: [{ span: { file, start, end: next.startOffset }, text: "" }],
    }),
  };
}

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
    const hint = bracket
      ? "the `(` or `[` of a call or an index stands on the line of what it follows"
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
    return unknownStatement(span, `this is no ${quote("import")}`, importHint);
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
  if (operator !== undefined && third?.tokenType === t.Equal && third.startOffset === (operator.endOffset ?? 0) + 1) {
    const whole = { ...spanOf(operator), end: spanOf(third).end };
    const hint = `in an update, write \`${name} := ${name} ${operator.image} ...\``;
    const written = `:= ${name} ${operator.image}`;
    return unknownStatement(whole, `there is no \`${operator.image}=\``, writeInstead(written, hint));
  }
  const type = foreignTypes.get(name);
  if (sameLine && type !== undefined && second?.tokenType === t.Name)
    return unknownStatement(
      span,
      `unknown statement ${quote(name)}`,
      `a type follows its name: \`${second.image}: ${type} = ...\``,
    );
  if (sameLine && second?.tokenType === t.Dot && third !== undefined) {
    const method = third.image === "train" || third.image === "eval" ? trainingHint : foreignMethods.get(third.image);
    if (method !== undefined) return unknownStatement(span, "a call alone is no statement", method);
  }
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
        : foreignAdvice(name, foreign, second),
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
