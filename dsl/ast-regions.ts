/** What only the right side of a binding can be: a scan, a while or an if, around blocks of statements. */
import type { Span } from "../compiler/ir/span.js";
import type { Block } from "./ast.js";
import type { Argument, Expression, Ident } from "./ast-expressions.js";

export type Value = Expression | Region;

export type Region = Scan | While | If;

/** `scan(reverse=false) x in xs with h = h0 { ... }`. */
export interface Scan {
  readonly kind: "scan";
  readonly options: readonly Argument[];
  readonly sequences: readonly Sequence[];
  readonly carries: readonly Carry[];
  readonly body: Block;
  readonly span: Span;
}

/** `x in xs`. */
export interface Sequence {
  readonly kind: "sequence";
  readonly name: Ident;
  readonly value: Expression;
  readonly span: Span;
}

/** `h = h0` after `with`. */
export interface Carry {
  readonly kind: "carry";
  readonly name: Ident;
  readonly value: Expression;
  readonly span: Span;
}

/** `while condition with x = 1.0, i = 0 { ... }`. */
export interface While {
  readonly kind: "while";
  readonly condition: Expression;
  readonly carries: readonly Carry[];
  readonly body: Block;
  readonly span: Span;
}

/** `if a { ... } else if b { ... } else { ... }`: `branches` in order, then `otherwise`. */
export interface If {
  readonly kind: "if";
  readonly branches: readonly IfBranch[];
  readonly otherwise: Block;
  readonly span: Span;
}

export interface IfBranch {
  readonly kind: "if-branch";
  readonly condition: Expression;
  readonly body: Block;
  readonly span: Span;
}
