import { type CompletionItem, CompletionItemKind } from "vscode-languageserver";
import type { Analysis } from "./analysis.js";
import type { Binder, BinderKind } from "./binders.js";
import { meaningTexts } from "./describe.js";

export const itemKinds: Readonly<Record<BinderKind, CompletionItemKind>> = {
  import: CompletionItemKind.Function,
  fn: CompletionItemKind.Function,
  optimizer: CompletionItemKind.Function,
  graph: CompletionItemKind.Class,
  constant: CompletionItemKind.Constant,
  "type parameter": CompletionItemKind.TypeParameter,
  parameter: CompletionItemKind.Variable,
  dim: CompletionItemKind.Unit,
  placeholder: CompletionItemKind.Property,
  variable: CompletionItemKind.Field,
  binding: CompletionItemKind.Variable,
  scope: CompletionItemKind.Module,
  update: CompletionItemKind.Event,
  signature: CompletionItemKind.Interface,
  sequence: CompletionItemKind.Variable,
  carry: CompletionItemKind.Variable,
};

/** A name with its type and documentation. */
export function nameItem({ source, facts }: Analysis, { name, kind, doc, span }: Binder): CompletionItem {
  const [type] = meaningTexts(facts.namesIn(source.file).get(span.start));
  return {
    label: name,
    kind: itemKinds[kind],
    detail: type ?? kind,
    sortText: `1${name}`,
    ...(doc === undefined ? {} : { documentation: { kind: "markdown", value: doc } }),
  };
}
