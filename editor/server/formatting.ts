import type { TextEdit } from "vscode-languageserver";
import { format } from "../../dsl/format.js";
import type { Source } from "./analysis.js";
import { rangeOf } from "./ranges.js";

/** The edit that lays a file out as `graphc fmt` does; none where it is so already, or has errors of syntax. */
export function formatEdits({ text, file, document }: Source): readonly TextEdit[] {
  const result = format(text, file);
  if (!result.ok || result.text === text) return [];
  const next = result.text;
  // An edit cannot stand between the two characters of a line end.
  const { before, behind } = text.includes("\r") ? { before: 0, behind: 0 } : sameLines(text, next);
  const range = rangeOf(document, { start: before, end: text.length - behind });
  return [{ range, newText: next.slice(before, next.length - behind) }];
}

/** How much of two texts is the same at both ends, in whole lines: there cursors and folds stay. */
function sameLines(a: string, b: string): { readonly before: number; readonly behind: number } {
  const most = Math.min(a.length, b.length);
  let before = 0;
  while (before < most && a[before] === b[before]) before++;
  before = before === 0 ? 0 : a.lastIndexOf("\n", before - 1) + 1;
  let behind = 0;
  while (behind < most - before && a[a.length - 1 - behind] === b[b.length - 1 - behind]) behind++;
  const lineEnd = behind === 0 ? -1 : a.indexOf("\n", a.length - behind);
  return { before, behind: lineEnd < 0 ? 0 : a.length - lineEnd - 1 };
}
