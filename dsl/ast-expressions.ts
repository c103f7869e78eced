import type { Span } from "../compiler/ir/span.js";

/** Names and values of the syntax tree; `ast.ts` has the rest of it and exports these, too. */

/** A word with its place. `_` in a binding target drops that output. */
export interface Ident {
  readonly kind: "ident";
  readonly name: string;
  readonly span: Span;
}

/** The `##` lines before a declaration: their text without the marks, joined with "\n". */
export interface Doc {
  readonly text: string;
  readonly span: Span;
}

/**
 * A name of a graph's edge or variable where only a name may stand (signature lists, `does`, targets of `:=`, keys of a
 * record): `metrics.loss`, `hidden/dense/w`. `separators[i]` stands between `segments[i]` and `segments[i + 1]`; `.` joins
 * scopes and bindings, `/` enters a call. Inside an expression a `.`-path is a `Reference` and `/` divides; `pathOf`
 * in `dsl/paths.ts` reads such an expression back as a path where train data ask for names.
 */
export interface Path {
  readonly kind: "path";
  readonly segments: readonly Ident[];
  readonly separators: readonly ("." | "/")[];
  /** As the user would type it: `hidden/dense/w`. */
  readonly text: string;
  readonly span: Span;
}

export type Expression =
  | IntegerLiteral
  | FloatLiteral
  | BooleanLiteral
  | StringLiteral
  | Reference
  | Call
  | Pipe
  | Index
  | Unary
  | Binary
  | List
  | RecordLiteral
  | Ellipsis;

/**
 * `42`, `1_000`. At most 2 ** 63 - 1; exactly 2 ** 63 only as the operand of a unary minus (the parser has checked).
 * `text` is what the user wrote.
 */
export interface IntegerLiteral {
  readonly kind: "integer";
  readonly value: bigint;
  readonly text: string;
  readonly span: Span;
}

/** `1e-3`, `0.5`, `inf`, `nan`; finite literals are within the range of f64. */
export interface FloatLiteral {
  readonly kind: "float";
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}

export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly span: Span;
}

/** `"Hello"`; `value` has the escapes resolved. */
export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

/** A name or a dotted path: `x`, `metrics.loss`. `segments` is never empty; `text` is `metrics.loss`. */
export interface Reference {
  readonly kind: "reference";
  readonly segments: readonly Ident[];
  readonly text: string;
  readonly span: Span;
}

/** `dense(x, units=10, name="first")`: a fn, an op, an optimizer or an initialiser. */
export interface Call {
  readonly kind: "call";
  readonly callee: Reference;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

/** `x` or `units=10`; a positional argument never follows a named one (the parser has checked). */
export interface Argument {
  readonly kind: "argument";
  readonly name: Ident | undefined;
  readonly value: Expression;
  readonly span: Span;
}

/** `input |> f(a)` is `f(input, a)`. A bare `|> relu` is a call without arguments. */
export interface Pipe {
  readonly kind: "pipe";
  readonly input: Expression;
  readonly call: Call;
  readonly span: Span;
}

/** `z[..., 0:32:2]`; `items` is never empty. */
export interface Index {
  readonly kind: "index";
  readonly target: Expression;
  readonly items: readonly IndexItem[];
  readonly span: Span;
}

/** `i`, `...` (an `Ellipsis`), or a `Slice`. */
export type IndexItem = Expression | Slice;

/** `start:stop:step`, each part optional. */
export interface Slice {
  readonly kind: "slice";
  readonly start: Expression | undefined;
  readonly stop: Expression | undefined;
  readonly step: Expression | undefined;
  readonly span: Span;
}

export type UnaryOperator = "-" | "+" | "not";

export interface Unary {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operatorSpan: Span;
  readonly operand: Expression;
  readonly span: Span;
}

export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

export type BinaryOperator = "or" | "and" | ComparisonOperator | "+" | "-" | "*" | "/" | "//" | "%" | "@" | "**";

export interface Binary {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
  /** A comparison whose left side is one, without brackets: reported by the parser, and of unknown value. */
  readonly chained?: true;
}

/** `[1, 2]`, `[N, 28 * 28]`, `[..., 10]`: its meaning (tensor, shape, list) depends on the parameter it is given to. */
export interface List {
  readonly kind: "list";
  readonly items: readonly Expression[];
  readonly span: Span;
}

/** `{ every = 500, to = "ckpt" }`: train data. Field names are distinct (the parser has checked). */
export interface RecordLiteral {
  readonly kind: "record";
  readonly fields: readonly Field[];
  readonly span: Span;
}

export interface Field {
  readonly kind: "field";
  readonly doc: Doc | undefined;
  readonly name: Path;
  readonly value: Expression;
  readonly span: Span;
}

/** `...`: one pack of leading dims; only as an item of a list, of a type's sizes or of an index. */
export interface Ellipsis {
  readonly kind: "ellipsis";
  readonly span: Span;
}
