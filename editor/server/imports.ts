import type { TextEdit } from "vscode-languageserver";
import { importEdit } from "../../dsl/import_edit.js";
import type { Source } from "./analysis.js";
import { rangeOf } from "./ranges.js";

/** What a completion brings along: the import of its name. */
export function importTextEdit({ parsed, document }: Source, name: string, from: string): TextEdit {
  const { span, text } = importEdit(parsed.ast, name, from);
  return { range: rangeOf(document, span), newText: text };
}
