import type { Item, Statement } from "./ast.js";
import type { Lexed } from "./lex.js";

/** What a tree is kept by: an item of a file, or a statement of a graph, or of a scope or an `on` block in one. */
export type Part = Item | Statement;

/** A part that was read without a problem, and the text that its reading rested on. */
export interface ReadPart {
  readonly part: Part;
  /** The end of the token before it; -1 where there is none. */
  readonly from: number;
  /** Where its first token starts, and its last one ends. */
  readonly start: number;
  readonly end: number;
  /** The end of the second token behind it, which is as far as the grammar looks; infinite where the text ends before. */
  readonly to: number;
}

/** An earlier text of the same file, whose parts need not be read again where the text is as it was. */
export interface Earlier {
  /** The tokens of the new text. */
  lex(text: string, file: string): Lexed;
  /**
   * The part whose first token starts at an offset of the new text, behind a token that ends at `previous`; its spans are those of the
   * new text. Undefined where nothing such is known, or a character that its reading rested on has changed.
   */
  take(start: number, previous: number): { readonly part: Part; readonly end: number } | undefined;
}

export function isItem(part: Part): part is Item {
  return ["import", "fn", "optimizer", "graph", "constant", "invalid"].includes(part.kind);
}

export function isStatement(part: Part): part is Statement {
  return !["import", "fn", "optimizer", "graph"].includes(part.kind);
}
