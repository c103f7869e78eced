import type { TextEdit } from "vscode-languageserver";
import type { Span } from "../../compiler/ir/span.js";
import { importEdit } from "../../dsl/import_edit.js";
import { standardFile } from "../../dsl/standard.js";
import type { Analysis, Source } from "./analysis.js";
import { importedSource } from "./context.js";
import { libraryFiles } from "./library.js";
import { rangeOf } from "./ranges.js";
import type { Workspace } from "./workspace.js";

/** What a completion brings along: the import of its name. */
export function importTextEdit({ parsed, document }: Source, name: string, from: string): TextEdit {
  const { span, text } = importEdit(parsed.ast, name, from);
  return { range: rangeOf(document, span), newText: text };
}

/** The beginning of the file that the path at a place names; undefined where no import's path stands there, or no such file is read. */
export function importedFileAt(workspace: Workspace, { source }: Analysis, offset: number): Span | undefined {
  for (const item of source.parsed.ast.items) {
    if (item.kind !== "import") continue;
    const { value, span } = item.source;
    if (offset < span.start || offset > span.end) continue;
    const file = value.startsWith("std/") ? standardFileOf(value) : importedSource(workspace, source, value)?.file;
    return file === undefined ? undefined : { file, start: 0, end: 0 };
  }
  return undefined;
}

function standardFileOf(name: string): string | undefined {
  const short = name.slice("std/".length).replace(/\.graph$/, "");
  return libraryFiles().includes(short) ? standardFile(short) : undefined;
}
