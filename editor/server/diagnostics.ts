import {
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic as EditorDiagnostic,
  type Range,
} from "vscode-languageserver";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import { uriOf } from "./paths.js";
import { rangeOf } from "./ranges.js";
import type { Workspace } from "./workspace.js";

const top: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** A problem as editors show it. */
export function editorDiagnostic(workspace: Workspace, diagnostic: Diagnostic): EditorDiagnostic {
  const { code, severity, message, label, hint, notes, span, tag } = diagnostic;
  const related = notes.flatMap((note) => {
    const range = note.span === undefined ? undefined : rangeIn(workspace, note.span);
    if (note.span === undefined || range === undefined) return [];
    return [{ location: { uri: uriOf(note.span.file), range }, message: note.message }];
  });
  const lines = [message, ...(label === undefined ? [] : [label]), ...(hint === undefined ? [] : [`hint: ${hint}`])];
  return {
    range: (span === undefined ? undefined : rangeIn(workspace, span)) ?? top,
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: "graphc",
    message: lines.join("\n"),
    relatedInformation: related,
    ...(tag === undefined ? {} : { tags: [DiagnosticTag.Unnecessary] }),
  };
}

/** A place in a file; undefined where that cannot be read any more. */
export function rangeIn(workspace: Workspace, span: Span): Range | undefined {
  const source = workspace.source(span.file);
  return source === undefined ? undefined : rangeOf(source.document, span);
}
