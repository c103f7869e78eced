import type { Span } from "../../compiler/ir/span.js";
import type { TensorType } from "../../compiler/ir/type.js";

/** What hover and completion show of a name. */
export interface SymbolInfo {
  readonly kind:
    | "dim"
    | "placeholder"
    | "variable"
    | "constant"
    | "binding"
    | "update"
    | "signature"
    | "scope"
    | "string";
  readonly type: TensorType | undefined;
  readonly doc: string | undefined;
  readonly span: Span;
}

export type NamedSymbol = readonly [path: string, info: SymbolInfo];

/** By path, what was bound first under it. It is put in order when it is asked for: in an editor, most elaborations do not ask. */
export class SymbolTable {
  readonly #all = new Map<string, SymbolInfo>();
  #waiting: (readonly NamedSymbol[])[] = [];

  addAll(symbols: readonly NamedSymbol[]): void {
    if (symbols.length > 0) this.#waiting.push(symbols);
  }

  get all(): ReadonlyMap<string, SymbolInfo> {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const symbols of waiting)
      for (const [path, info] of symbols) if (!this.#all.has(path)) this.#all.set(path, info);
    return this.#all;
  }
}
