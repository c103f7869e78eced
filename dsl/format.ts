import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { ParsedSource, SourceFile } from "./ast.js";
import { Comments } from "./format-comments.js";
import { render } from "./format-layout.js";
import { printFile } from "./format-statements.js";
import { parse } from "./parse.js";

/** Lines longer than this are wrapped where the language allows it. */
export const lineWidth = 100;

export type FormatResult =
  | { readonly ok: true; readonly text: string; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * The canonical layout of a file: two spaces, lines of at most 100 columns, at most one empty line, every comment kept.
 * Formatting its own result changes nothing. A file with syntax errors is not formatted: `diagnostics` says why.
 */
export function format(text: string, file: string): FormatResult {
  const { ast, source, diagnostics, ok } = parse(text, file);
  if (!ok) return { ok: false, diagnostics };
  return { ok: true, text: printSource(ast, source), diagnostics };
}

/** Prints a tree; one that was not parsed, such as a converted model, has a `source` without text and comments. */
export function printSource(ast: SourceFile, source: ParsedSource = emptySource): string {
  return render(printFile({ comments: new Comments(source), source }, ast), lineWidth);
}

const emptySource: ParsedSource = { text: "", comments: [], parenthesized: new Set() };
