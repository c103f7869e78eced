import { type DocumentSymbol, SymbolKind } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Source } from "./analysis.js";
import type { Binder, BinderKind } from "./binders.js";

/** The outline of a file: what it declares, as it nests. */
export function outlineOf({ binders, document, text }: Source): readonly DocumentSymbol[] {
  return binders.filter(({ kind }) => kind !== "import").map((one) => entry(one, document, text));
}

function entry(binder: Binder, document: TextDocument, text: string): DocumentSymbol {
  const { name, span, statement, type, kind, children, declaration } = binder;
  const range = { start: document.positionAt(statement.start), end: document.positionAt(statement.end) };
  const written = type === undefined ? undefined : text.slice(type.span.start, type.span.end);
  const detail = declaration === undefined ? written : kind;
  const shown = children.filter((child) => child.kind !== "type parameter");
  return {
    name,
    kind: symbolKinds[kind],
    range,
    selectionRange: { start: document.positionAt(span.start), end: document.positionAt(span.end) },
    ...(detail === undefined ? {} : { detail }),
    children: shown.map((child) => entry(child, document, text)),
  };
}

const symbolKinds: Readonly<Record<BinderKind, SymbolKind>> = {
  import: SymbolKind.Module,
  fn: SymbolKind.Function,
  optimizer: SymbolKind.Function,
  graph: SymbolKind.Class,
  constant: SymbolKind.Constant,
  "type parameter": SymbolKind.TypeParameter,
  parameter: SymbolKind.Variable,
  dim: SymbolKind.Number,
  placeholder: SymbolKind.Property,
  variable: SymbolKind.Field,
  binding: SymbolKind.Variable,
  scope: SymbolKind.Namespace,
  update: SymbolKind.Event,
  signature: SymbolKind.Interface,
  sequence: SymbolKind.Variable,
  carry: SymbolKind.Variable,
};
