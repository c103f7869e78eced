import type { Span } from "../compiler/ir/span.js";
import type {
  BooleanLiteral,
  Doc,
  Expression,
  Field,
  Ident,
  IntegerLiteral,
  Path,
  StringLiteral,
} from "./ast-expressions.js";
import type { Value } from "./ast-regions.js";

export type {
  Argument,
  Binary,
  BinaryOperator,
  BooleanLiteral,
  Call,
  ComparisonOperator,
  Doc,
  Ellipsis,
  Expression,
  Field,
  FloatLiteral,
  Ident,
  Index,
  IndexItem,
  IntegerLiteral,
  List,
  Path,
  Pipe,
  RecordLiteral,
  Reference,
  Slice,
  StringLiteral,
  Unary,
  UnaryOperator,
} from "./ast-expressions.js";
export type { Carry, If, IfBranch, Region, Scan, Sequence, Value, While } from "./ast-regions.js";

/**
 * The syntax tree of a `.graph` file: what `parse` returns and `resolve`, `elaborate` and `format` read. Every node has a
 * `kind` and a `span`; nothing here is resolved (a name is text with a place). Redundant brackets and comments are not in
 * the tree: they stand beside it in `ParsedSource`, for the formatter only.
 */

// ---------------------------------------------------------------- file level

/** A main file holds one graph, a library none; the parser reports a second graph and keeps both in `items`. */
export interface SourceFile {
  readonly kind: "file";
  readonly file: string;
  /** The `##` lines at the top of a file that starts with an import. */
  readonly doc: Doc | undefined;
  readonly items: readonly Item[];
  readonly span: Span;
}

export type Item = Import | FunctionDeclaration | OptimizerDeclaration | Constant | GraphDeclaration | Invalid;

/**
 * A statement or item that has a syntax error, which is already reported. `names` are those that it would have bound, so
 * that their uses are not reported as unknown: bind them to a value of unknown type.
 */
export interface Invalid {
  readonly kind: "invalid";
  readonly names: readonly Ident[];
  /** The word that it starts with, where that says that it binds no name a statement could read. */
  readonly word?: BindingNothing | undefined;
  readonly span: Span;
}

/** Words of statements that bind no name which another statement reads; that of a signature is read by `train` alone. */
export type BindingNothing = "signature" | "train" | "require" | "seed" | "next" | "yield";

/** `import { adam, sgd as descent } from "std/optimizers"`. */
export interface Import {
  readonly kind: "import";
  readonly names: readonly ImportedName[];
  readonly source: StringLiteral;
  readonly span: Span;
}

export interface ImportedName {
  readonly kind: "imported-name";
  /** The name in the other file. */
  readonly name: Ident;
  /** The name here: the `as` name, else `name` itself. */
  readonly local: Ident;
  readonly span: Span;
}

/** `graph NAME { ... }`. */
export interface GraphDeclaration {
  readonly kind: "graph";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly body: Block;
  readonly span: Span;
}

/** `fn NAME[T: float, I](x: T[..., I], units: int) -> (y: T[..., units]) { ... }`. */
export interface FunctionDeclaration {
  readonly kind: "fn";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly typeParameters: readonly TypeParameter[];
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly Output[];
  /** What it gives could not be read, which has been reported; `outputs` is empty. */
  readonly incomplete?: true;
  readonly body: Block;
  readonly span: Span;
}

/** `optimizer NAME(p, g, learning_rate: f32 = 1e-3) { ... }`; it has no outputs, it assigns `p` and its own variables. */
export interface OptimizerDeclaration {
  readonly kind: "optimizer";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly typeParameters: readonly TypeParameter[];
  readonly parameters: readonly Parameter[];
  readonly body: Block;
  readonly span: Span;
}

/** `T: float` is a type parameter with a bound, `I` alone a size. */
export interface TypeParameter {
  readonly kind: "type-parameter";
  readonly name: Ident;
  readonly bound: Ident | undefined;
  readonly span: Span;
}

export interface Parameter {
  readonly kind: "parameter";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  /** A tensor type, or one of the words shape, int, float, bool, string, dtype, fn, list. */
  readonly type: TypeExpression | undefined;
  readonly default: Expression | undefined;
  readonly span: Span;
}

export interface Output {
  readonly kind: "output";
  readonly name: Ident;
  readonly type: TypeExpression | undefined;
  readonly span: Span;
}

// ---------------------------------------------------------------- types

export type TypeExpression = NamedType | ListType;

/**
 * `f32[N, 28 * 28]`, `T[..., I]`, `f32`, `int`: a word and, where brackets stand, its sizes (`[]` is a scalar too).
 * A size is an expression over dims and integers; `...` is an `Ellipsis`.
 */
export interface NamedType {
  readonly kind: "named-type";
  readonly name: Ident;
  readonly dims: readonly Expression[] | undefined;
  readonly span: Span;
}

/** `list` or `list[T[..., N]]`: a list of tensors as a parameter. */
export interface ListType {
  readonly kind: "list-type";
  readonly element: TypeExpression | undefined;
  readonly span: Span;
}

// ---------------------------------------------------------------- statements

/** `{ ... }` around statements: a graph, fn, optimizer, scope, update or region body. The span includes the braces. */
export interface Block {
  readonly kind: "block";
  readonly statements: readonly Statement[];
  readonly span: Span;
}

/** All that may stand in some block; `parse` has already reported statements that stand in the wrong kind of block. */
export type Statement =
  | Seed
  | DimDeclaration
  | Placeholder
  | Variable
  | Constant
  | Binding
  | Assignment
  | Scope
  | Placed
  | Update
  | Signature
  | Train
  | Require
  | Next
  | Yield
  | Invalid;

/** `seed 42`; only in a graph. */
export interface Seed {
  readonly kind: "seed";
  readonly doc: Doc | undefined;
  readonly value: IntegerLiteral;
  readonly span: Span;
}

/** `dim N <= 1024`; only in a graph. */
export interface DimDeclaration {
  readonly kind: "dim";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly bound: Expression | undefined;
  readonly span: Span;
}

/** `placeholder image: u8[N, 28, 28]`, with `= value` where feeding it is optional. */
export interface Placeholder {
  readonly kind: "placeholder";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly type: TypeExpression;
  readonly default: Expression | undefined;
  readonly span: Span;
}

/** `variable w: T[I, units] = glorot_uniform() frozen`. Without a type it takes the initial value's. */
export interface Variable {
  readonly kind: "variable";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly type: TypeExpression | undefined;
  readonly initial: Expression;
  readonly frozen: boolean;
  /** `on "gpu"`: where it is computed. */
  readonly on: StringLiteral | undefined;
  readonly span: Span;
}

/** `constant k: f32[2, 2] = [[1, 2], [3, 4]]`; also at the top of a file. */
export interface Constant {
  readonly kind: "constant";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly type: TypeExpression | undefined;
  readonly value: Expression;
  readonly span: Span;
}

/** `y = ...`, `logits: f32[N, 10] = ...`, `dw, db = ...`, `_, states = ...`. */
export interface Binding {
  readonly kind: "binding";
  readonly doc: Doc | undefined;
  readonly targets: readonly BindingTarget[];
  readonly value: Value;
  /** `on "gpu"`: where it is computed. */
  readonly on: StringLiteral | undefined;
  readonly span: Span;
}

export interface BindingTarget {
  readonly kind: "target";
  /** `_` drops the output. */
  readonly name: Ident;
  readonly type: TypeExpression | undefined;
  readonly span: Span;
}

/** `w := w - rate * dw`. */
export interface Assignment {
  readonly kind: "assignment";
  readonly doc: Doc | undefined;
  readonly target: Path;
  readonly value: Expression;
  /** `on "gpu"`: where it is computed. */
  readonly on: StringLiteral | undefined;
  readonly span: Span;
}

/** `scope metrics { ... }`, `scope encoder on "gpu" { ... }`. */
export interface Scope {
  readonly kind: "scope";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  /** `on "gpu"`: where it is computed. */
  readonly on: StringLiteral | undefined;
  readonly body: Block;
  readonly span: Span;
}

/** `on "gpu" { ... }`: where its statements are computed. Their names are those of the block around. */
export interface Placed {
  readonly kind: "on";
  readonly doc: Doc | undefined;
  readonly on: StringLiteral;
  readonly body: Block;
  readonly span: Span;
}

/** `update learn = minimize(...)` (body is an expression) or `update learn { w := ... }` (body is a block). */
export interface Update {
  readonly kind: "update";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly body: Expression | Block;
  /** `on "gpu"`: where it is computed. */
  readonly on: StringLiteral | undefined;
  readonly span: Span;
}

/** `signature fit(image, label) does learn training=true -> (metrics.loss)`. */
export interface Signature {
  readonly kind: "signature";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly inputs: readonly Path[];
  readonly does: readonly Path[];
  /** The `training=BOOL` attribute; undefined where the signature leaves it to the rule. */
  readonly training: BooleanLiteral | undefined;
  readonly outputs: readonly Path[];
  /** What it gives could not be read, which has been reported; `outputs` is empty. */
  readonly incomplete?: true;
  readonly span: Span;
}

/** `train { run = fit  batch = 32 ... }`: data, not code. */
export interface Train {
  readonly kind: "train";
  readonly doc: Doc | undefined;
  readonly fields: readonly Field[];
  readonly span: Span;
}

/** `require rate >= 0 and rate < 1, "rate must be at least 0 and below 1"`: decided when the graph is typed. */
export interface Require {
  readonly kind: "require";
  readonly doc: Doc | undefined;
  readonly condition: Expression;
  readonly message: StringLiteral;
  readonly span: Span;
}

/** `next h = s` in a scan or while. */
export interface Next {
  readonly kind: "next";
  readonly doc: Doc | undefined;
  readonly name: Ident;
  readonly value: Expression;
  readonly span: Span;
}

/** `yield a, b` in a scan or if. */
export interface Yield {
  readonly kind: "yield";
  readonly doc: Doc | undefined;
  readonly values: readonly Expression[];
  readonly span: Span;
}

// ---------------------------------------------------------------- beside the tree

/** One `#` comment; `text` includes its marks. */
export interface Comment {
  readonly text: string;
  /** `##`: documentation. */
  readonly doc: boolean;
  /** No code stands before it on its line. */
  readonly ownLine: boolean;
  readonly span: Span;
}

/** What the formatter needs beside the tree, and tests in the language (`# expect ...`) read. */
export interface ParsedSource {
  readonly text: string;
  readonly comments: readonly Comment[];
  /** Expressions that the source put in brackets: the formatter keeps those that are not needed, too. */
  readonly parenthesized: ReadonlySet<Expression>;
}
