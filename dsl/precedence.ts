import type { TokenType } from "chevrotain";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Hint } from "../compiler/ir/fix.js";
import { joinSpans, type Span } from "../compiler/ir/span.js";
import type { BinaryOperator, Expression, UnaryOperator } from "./ast.js";
import { chainedComparison, expressionTooDeep, maximumExpressionDepth, unexpectedToken } from "./diagnostics.js";
import * as t from "./tokens.js";

/** Python's precedences. A unary minus binds looser than the `**` on its right: `-x ** 2` is `-(x ** 2)`. */
export const precedenceOf: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "//": 6,
  "%": 6,
  "@": 6,
  "**": 8,
};

export const unaryPrecedence: Readonly<Record<UnaryOperator, number>> = { not: 3, "-": 7, "+": 7 };

export const comparisonPrecedence = 4;

export function isRightAssociative(operator: BinaryOperator): boolean {
  return operator === "**";
}

const binaryOperators: ReadonlyMap<TokenType, BinaryOperator> = new Map([
  [t.Or, "or"],
  [t.And, "and"],
  [t.EqualEqual, "=="],
  [t.NotEqual, "!="],
  [t.Less, "<"],
  [t.LessEqual, "<="],
  [t.Greater, ">"],
  [t.GreaterEqual, ">="],
  [t.Plus, "+"],
  [t.Minus, "-"],
  [t.Star, "*"],
  [t.Slash, "/"],
  [t.SlashSlash, "//"],
  [t.Percent, "%"],
  [t.At, "@"],
  [t.StarStar, "**"],
]);

/** One element of `prefix* operand (binary prefix* operand)*`, which the grammar guarantees. */
export type Piece =
  /** `span` includes brackets round the operand, which the expression's own span does not. */
  | { readonly kind: "operand"; readonly expression: Expression; readonly span: Span }
  | { readonly kind: "prefix"; readonly token: TokenType; readonly span: Span }
  | { readonly kind: "binary"; readonly token: TokenType; readonly span: Span };

type Pending =
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly span: Span; readonly precedence: number }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly span: Span;
      readonly precedence: number;
      readonly chained: boolean;
    };

/** Levels of expression trees, so that no later stage can run out of stack on a sum of a million terms. */
export class DepthLimit {
  // No WeakMap, which the garbage collector would look through again and again: it goes with the parse that it is of.
  private readonly depths = new Map<Expression, number>();

  constructor(private readonly report: (d: Diagnostic) => void) {}

  /** `whole` over `parts`; `instead` where that would be too deep, which is reported once an expression. */
  grow<E extends Expression>(whole: E, parts: readonly Expression[], instead: Expression): Expression {
    let depth = 1;
    for (const part of parts) depth = Math.max(depth, 1 + (this.depths.get(part) ?? 1));
    if (depth <= maximumExpressionDepth) {
      this.depths.set(whole, depth);
      return whole;
    }
    if (depth === maximumExpressionDepth + 1) this.report(expressionTooDeep(whole.span));
    this.depths.set(instead, maximumExpressionDepth + 1);
    return instead;
  }
}

/** Builds the tree with Dijkstra's shunting yard: no recursion, so a long chain cannot overflow the stack. */
export function buildOperation(
  pieces: readonly Piece[],
  text: (e: Expression) => string,
  limit: DepthLimit,
  report: (d: Diagnostic) => void,
): Expression {
  const operands: { readonly expression: Expression; readonly span: Span }[] = [];
  const pending: Pending[] = [];

  const apply = (): void => {
    const operation = pending.pop();
    const right = operands.pop();
    if (operation === undefined || right === undefined) return;
    const { span: operatorSpan } = operation;
    if (operation.kind === "unary") {
      const { operator } = operation;
      const span = joinSpans(operatorSpan, right.span);
      const operand = right.expression;
      const whole: Expression = { kind: "unary", operator, operatorSpan, operand, span };
      operands.push({ expression: limit.grow(whole, [operand], operand), span });
      return;
    }
    const left = operands.pop();
    if (left === undefined) return;
    const { operator } = operation;
    const span = joinSpans(left.span, right.span);
    const parts = [left.expression, right.expression] as const;
    const whole: Expression = {
      kind: "binary",
      operator,
      operatorSpan,
      left: parts[0],
      right: parts[1],
      span,
      ...(operation.chained ? { chained: true } : {}),
    };
    operands.push({ expression: limit.grow(whole, parts, parts[0]), span });
  };

  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === "operand") {
      operands.push(piece);
      continue;
    }
    if (piece.kind === "prefix") {
      const operator: UnaryOperator = piece.token === t.Not ? "not" : piece.token === t.Plus ? "+" : "-";
      const precedence = unaryPrecedence[operator];
      const above = pending.at(-1);
      if (operator === "not" && above !== undefined && above.precedence > precedence) {
        report(
          unexpectedToken(piece.span, `a value after \`${above.operator}\``, "`not`", {
            hint: "`not` binds looser: put brackets round it, `(not x)`",
          }),
        );
      }
      pending.push({ kind: "unary", operator, span: piece.span, precedence });
      continue;
    }
    const operator = binaryOperators.get(piece.token) ?? "+";
    const precedence = precedenceOf[operator];
    let chained = false;
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      if (top.precedence < precedence || (top.precedence === precedence && isRightAssociative(operator))) break;
      if (precedence === comparisonPrecedence && top.precedence === precedence) {
        chained = true;
        report(
          chainedComparison(top.span, piece.span, chainHint(operands, top.operator, operator, pieces, index, text)),
        );
      }
      apply();
    }
    pending.push({ kind: "binary", operator, span: piece.span, precedence, chained });
  }
  while (pending.length > 0) apply();
  const result = operands[0];
  if (result === undefined) throw new RangeError("an operation has at least one operand");
  return result.expression;
}

/** `a < b < c` written with the user's own operands, as far as they are short. */
function chainHint(
  operands: readonly { readonly expression: Expression }[],
  first: string,
  second: string,
  pieces: readonly Piece[],
  at: number,
  text: (e: Expression) => string,
): Hint {
  const shown = (e: Expression | undefined): string => (e === undefined ? "..." : text(e));
  const next = pieces[at + 1];
  const after = pieces[at + 2];
  const whole =
    after?.kind !== "binary" || precedenceOf[binaryOperators.get(after.token) ?? "+"] <= comparisonPrecedence;
  const right = next?.kind === "operand" && whole ? shown(next.expression) : "...";
  const middle = shown(operands.at(-1)?.expression);
  const hint = `write \`${shown(operands.at(-2)?.expression)} ${first} ${middle} and ${middle} ${second} ${right}\``;
  if (middle === "...") return hint;
  return {
    text: hint,
    fix: ({ file, start }) => ({
      title: `insert \`and ${middle}\``,
      edits: [{ span: { file, start, end: start }, text: `and ${middle} ` }],
    }),
  };
}
