import type { Range } from "vscode-languageserver";
import type { TextDocument } from "vscode-languageserver-textdocument";

/** A range as editors have it: lines and UTF-16 columns, from 0. */
export function rangeOf(document: TextDocument, span: { readonly start: number; readonly end: number }): Range {
  return { start: document.positionAt(span.start), end: document.positionAt(span.end) };
}
