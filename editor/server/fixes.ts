import { type CodeAction, CodeActionKind, type TextEdit } from "vscode-languageserver";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import { isStandard } from "../../dsl/standard.js";
import { editorDiagnostic, rangeIn } from "./diagnostics.js";
import { uriOf } from "./paths.js";
import type { Workspace } from "./workspace.js";

/** What mends a problem, as an editor offers it; none that would change the standard library, or a file that cannot be read. */
export function quickFixes(workspace: Workspace, diagnostic: Diagnostic): readonly CodeAction[] {
  return (diagnostic.fixes ?? []).flatMap(({ title, edits }) => {
    const changes: Record<string, TextEdit[]> = {};
    for (const { span, text } of edits) {
      const range = isStandard(span.file) ? undefined : rangeIn(workspace, span);
      if (range === undefined) return [];
      const uri = uriOf(span.file);
      changes[uri] = [...(changes[uri] ?? []), { range, newText: text }];
    }
    const diagnostics = [editorDiagnostic(workspace, diagnostic)];
    return [{ title, kind: CodeActionKind.QuickFix, diagnostics, edit: { changes } }];
  });
}
