import type { IParserErrorMessageProvider, IToken, TokenType } from "chevrotain";
import { isDType } from "../compiler/ir/dtype.js";
import { tokenLabel, tokenMatcher } from "./chevrotain.js";
import { commentHint, openSizeHint } from "./diagnostics.js";
import * as t from "./tokens.js";

/** An import takes names, each by itself. */
export const importHint = 'an import names what it takes: `import { dense } from "std/layers"`';

/** The same, of `import numpy`, for who wants what is there without an import. */
export function importHintFor(name: string | undefined): string {
  const isForeign = /^(numpy|torch|tensorflow|keras|jax|math|random|scipy)$/.test(name ?? "");
  return isForeign ? `${importHint}; activations, losses and the like need none` : importHint;
}

/** Rules that read the items of a list: where their closing bracket is expected, a comma may stand too. */
const lists: ReadonlySet<string> = new Set([
  "callArguments",
  "indexItems",
  "list",
  "record",
  "parameters",
  "typeParameters",
  "outputs",
  "sizes",
  "paths",
  "importNames",
]);

/** What a rule reads, where none of its alternatives fits. */
const phrases: ReadonlyMap<string, string> = new Map([
  ["operation", "a value"],
  ["primary", "a value"],
  ["expression", "a value"],
  ["indexItem", "an index"],
  ["size", "a size"],
  ["listItem", "a value"],
  ["typeExpression", "a type"],
  ["updateBody", "`=` or `{`"],
  ["value", "a value"],
  ["device", '`"cpu"` or `"gpu"`'],
  ["truth", "`true` or `false`"],
  ["number", "a number"],
]);

/** What is expected when a name is missing, by rule. */
const names: ReadonlyMap<string, string> = new Map([
  ["typeExpression", "a type"],
  ["parameter", "a parameter's name"],
  ["output", "an output's name"],
  ["path", "a name"],
  ["field", "a field's name"],
  ["typeParameter", "a type parameter's name"],
  ["importedName", "a name to import"],
]);

function expectation(expected: TokenType, ruleName: string): string {
  if (expected === t.RightBrace && ruleName === "train") return "a field or `}`";
  const closer = expected === t.RightParen || expected === t.RightBracket || expected === t.RightBrace;
  if (closer && lists.has(ruleName)) return `\`,\` or ${tokenLabel(expected)}`;
  if (expected === t.Name || expected === t.Word) return names.get(ruleName) ?? "a name";
  return tokenLabel(expected);
}

/** The provider's messages are only what was expected; the report around it is made in `grammar-base.ts`. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, ruleName }) => expectation(expected, ruleName),
  buildNoViableAltMessage: ({ ruleName }) => phrases.get(ruleName) ?? "something else",
  buildEarlyExitMessage: ({ ruleName }) => phrases.get(ruleName) ?? "something else",
  buildNotAllInputParsedMessage: () => "the end of the file",
};

function endsValue(token: IToken): boolean {
  const type = token.tokenType;
  const literal = type === t.Integer || type === t.Float || type === t.Text || type === t.True || type === t.False;
  return literal || type === t.Name || type === t.RightParen || type === t.RightBracket;
}

function startsValue(token: IToken): boolean {
  const type = token.tokenType;
  const literal = type === t.Integer || type === t.Float || type === t.Text || type === t.True || type === t.False;
  return literal || type === t.Name || type === t.LeftParen || type === t.LeftBracket || type === t.LeftBrace;
}

/** Where an `on` stands, for one that stands elsewhere. */
function placeHint(token: IToken, previous: IToken, expected: string): string | undefined {
  if (expected === "`{`" && previous.tokenType === t.Text)
    return 'a block follows it, as in `on "gpu" { ... }`; of one statement it stands at the end: `y = exp(x) on "gpu"`';
  if (expected === phrases.get("device"))
    return token.tokenType === t.LeftParen
      ? '`on` is no function: `on "gpu"`, without brackets'
      : '`on` names a place: `on "gpu"`';
  if (token.image !== "on" || previous.endLine !== token.startLine) return undefined;
  if (expected === "`{`") return 'what stands inside is placed: `on "gpu" { ... }`';
  if (expected === "a new line")
    return '`on` stands behind a value, or before the `{` of a scope or an update; a block of statements is `on "gpu" { ... }`';
  return endsValue(previous) && /`[)\]}=]`/.test(expected)
    ? 'a whole statement is placed, at its end: `y = exp(x) on "gpu"`'
    : undefined;
}

const blockHint = "what follows stands in braces: `if condition { yield a } else { yield b }`";

function isShift(token: IToken, previous: IToken): boolean {
  const type = token.tokenType;
  return (type === t.Less || type === t.Greater) && previous.tokenType === type;
}

/** What other languages write where this one cannot read on. */
function foreignHint(token: IToken, previous: IToken, expected: string, rule: string | undefined): string | undefined {
  const wantsComma = expected.includes("`,`");
  if (previous.image === "lambda")
    return "a function has a name, which is passed: `fn f(x: f32[...]) -> (y: f32[...]) { ... }`";
  if (token.tokenType === t.Text && /^[fFrRbBuU]$/.test(previous.image))
    return "strings stand in plain quotes, and hold no values: a signature names what is to be seen";
  if (token.image === "for" && wantsComma)
    return "operators and functions work on whole tensors; `scan x in xs` goes through the first axis of one";
  if (token.tokenType === t.Comma && expected === "`)`") return "a list stands in square brackets: `[3, 4]`";
  if (previous.tokenType === t.Dot && expected === "a name") {
    if (tokenMatcher(token, t.BinarySign)) return `\`${token.image}\` works element by element, without a dot`;
    if (token.tokenType === t.LeftParen) return "functions work element by element, without a dot: `sin(x)`";
  }
  if (expected === "a new line" && token.image === "is") return "`==` compares two values, and `!=` tells them apart";
  if (expected === "a new line" && token.image === "as") return "a conversion is `cast(x, to=f32)`";
  if (expected === "`{`" && (token.image === "then" || token.tokenType === t.Colon)) return blockHint;
  if (expected === "a value" && isShift(token, previous))
    return "bits are shifted by `shift_left(x, n)` and `shift_right_arithmetic(x, n)`";
  if (expected === "a type" && token.tokenType === t.LeftBracket)
    return isDType(previous.image) ? openSizeHint : "a type starts with a dtype: `f32[N, 3]`";
  if (rule === "paths" && token.tokenType === t.LeftParen)
    return "a signature gives names: bind the value first, `y = relu(x)`, then give `y`";
  if (token.tokenType === t.LeftParen && isDType(previous.image) && (expected === "`=`" || expected === "a new line"))
    return `sizes stand in square brackets: \`${previous.image}[3]\``;
  if (expected === "`=`" && rule === "binding" && previous.endLine !== token.startLine)
    return "a binding has a value: `y: f32[3] = ...`; what is fed is `placeholder y: f32[3]`";
  if (expected === "a new line" && token.image === "in") return "`in` stands in a loop only: `scan x in xs`";
  if (expected === "a new line" && token.tokenType === t.If && previous.endLine === token.startLine)
    return "one of two values is `if condition { yield a } else { yield b }` after the `=`, or `select(condition, a, b)`";
  if (wantsComma && (token.tokenType === t.Star || token.tokenType === t.StarStar))
    return "arguments are not unpacked: each is given by itself";
  if (expected === "`=`" && rule === "variable" && previous.endLine !== token.startLine)
    return "a variable has a first value, such as `= zeros()` or `= glorot_uniform()`";
  if ((rule === "record" && token.tokenType === t.Text) || (rule === "field" && token.tokenType === t.Colon))
    return "`{ name = value }` stands in `train` only";
  return undefined;
}

/** How to mend what stands at `token`, where a common slip explains it. */
export function syntaxHint(token: IToken, previous: IToken, expected: string, rule?: string): string | undefined {
  if (expected === "`(`" && previous.tokenType === t.Arrow)
    return isDType(token.image)
      ? "outputs have names, and stand in brackets: `-> (y: f32[4])`"
      : "outputs stand in brackets: `-> (y)`";
  if (expected === "`->`" && token.tokenType === t.Colon) return "outputs follow `->`: `-> (y: f32[4])`";
  if (expected === "`->`" && rule === "signature")
    return "a signature says what it gives: `-> (loss)`, or `-> ()` for nothing";
  if (expected === "`->`" && rule === "fn") return "a fn says what it gives: `-> (y: f32[4])`, and its body binds `y`";
  if (token.tokenType === t.SlashSlash && expected === "a new line") return commentHint;
  const foreign = foreignHint(token, previous, expected, rule);
  if (foreign !== undefined) return foreign;
  if (expected === "`{`" && previous.image === "import") return importHintFor(token.image);
  if (token.tokenType === t.Colon) {
    if (rule === "paths") return "a signature gives names only: their types stand where they are declared";
  }
  const placing = placeHint(token, previous, expected);
  if (placing !== undefined) return placing;
  if (isDType(previous.image) && (expected === "`:`" || expected === "`=`" || rule === "parameters"))
    return `a type follows its name: \`x: ${previous.image}\``;
  if (expected === "`:`") return "a placeholder has a type: `placeholder x: f32[4]`";
  if (expected === "`else`") return "an `if` gives a value in every case, so it ends with `else { ... }`";
  if (expected === "a field or `}`" && token.tokenType === t.Comma)
    return "fields of `train` stand on lines of their own, without commas";
  if (expected === "`,`" && rule === "require")
    return 'a requirement says what is wrong where it is not met: `require N > 4, "at least five rows"`';
  const wantsComma = expected.includes("`,`");
  const sameLine = previous.endLine === token.startLine;
  switch (token.tokenType) {
    case t.Equal:
      return previous.tokenType === t.Equal ? "`==` compares two values" : "`==` compares two values; `=` binds a name";
    case t.Assign:
      return "`:=` assigns a variable; a field or an argument is given with `=`";
    case t.If:
    case t.While:
    case t.ScanWord:
      return `\`${token.image}\` stands only directly after the \`=\` of a binding; bind its result to a name first`;
    case t.Else:
      return "`else` follows the `}` of an `if`";
    case t.Dot:
      return previous.tokenType === t.RightParen
        ? 'a value has no methods: `sum(x)`, `cast(x, to=f32)`; a statement is placed at its end: `y = exp(x) on "gpu"`'
        : "`.` joins names, as in `metrics.loss`";
    default:
  }
  if (previous.tokenType === t.SlashSlash && !sameLine) return "`//` divides; a comment starts with `#`";
  if (previous.tokenType === t.SlashSlash && expected !== "a value") return undefined;
  if ((token.tokenType === t.LeftParen || token.tokenType === t.LeftBracket) && endsValue(previous)) {
    if (!sameLine) return `the \`${token.image}\` of a call or an index stands on the line of what it follows`;
    if (token.tokenType === t.LeftParen)
      return "only a name can be called: a layer takes its input and what it is made with together, `dense(x, units=10)` of std/layers";
  }
  if (wantsComma && endsValue(previous) && startsValue(token)) return "a comma may be missing";
  if (wantsComma && previous.tokenType === t.RightBrace && startsValue(token)) return "a comma may be missing";
  if (expected === "a value" && tokenMatcher(token, t.BinarySign)) return "an operand is missing before it";
  if (expected === "a value" && token.tokenType === t.Comma) return "a value is missing before the comma";
  if (expected === "a value" && tokenMatcher(previous, t.BinarySign))
    return `\`${previous.image}\` needs a value on its right`;
  return undefined;
}
