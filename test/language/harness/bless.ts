/** Rewrites a test file's diagnostics and printed forms to what they are now. Values are never touched. */
import { writeFileSync } from "node:fs";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { Directive } from "./directives.js";
import { formOf } from "./forms.js";
import { directiveText, type Found } from "./found.js";
import { directivesOf, type LoadedTest, loadText } from "./load.js";
import { failureOn } from "./run.js";

/** Longer lines get their diagnostics on lines of their own. */
const lineWidth = 120;

/** The text as it should be. */
export async function blessed(file: LoadedTest): Promise<string> {
  const lines: (string | undefined)[] = file.text.split("\n");
  for (const directive of file.directives) {
    if (directive.kind === "error" || directive.kind === "warning") remove(lines, directive);
  }
  const { graph } = file;
  if (graph !== undefined) {
    for (const one of directivesOf(file, "fails")) {
      const found = await failureOn(file, graph, referenceBackend(), one);
      if (found === undefined) continue;
      const place = found.place === "" ? "" : ` ${found.place}`;
      const name = one.ownLine ? `${one.name} ` : "";
      replaceFrom(lines, one.first, "# fails ", `# fails ${name}${found.code}${place}: ${found.message}`);
    }
    for (const form of directivesOf(file, "form")) {
      const text = formOf(graph, form.stage, form.signature);
      const indent = /^\s*/.exec(lines[form.first] ?? "")?.[0] ?? "";
      for (let i = form.first + 1; i <= form.last; i++) lines[i] = undefined;
      lines[form.first] = [lines[form.first], ...text.split("\n").map((line) => `${indent}#   ${line}`)].join("\n");
    }
  }
  return withDiagnostics(file.path, lines.filter((line) => line !== undefined).join("\n"));
}

function remove(lines: (string | undefined)[], { first, ownLine }: Directive): void {
  if (ownLine) lines[first] = undefined;
  else lines[first] = lines[first]?.replace(/\s*# (error|warning) G\d{3}.*$/, "").replace(/\s*# (error|warning)$/, "");
}

function replaceFrom(lines: (string | undefined)[], line: number, mark: string, text: string): void {
  const old = lines[line] ?? "";
  lines[line] = old.slice(0, old.lastIndexOf(mark)) + text;
}

/** Adds the directives of a text without any. */
function withDiagnostics(path: string, text: string): string {
  const bare = loadText(path, text);
  const lines = text.split("\n");
  const byLine = new Map<number, Found[]>();
  for (const one of bare.found) {
    const line = one.line ?? lines.length - 2;
    byLine.set(line, [...(byLine.get(line) ?? []), one]);
  }
  return lines
    .map((line, i) => {
      const [first, ...others] = byLine.get(i) ?? [];
      if (first === undefined) return line;
      const indent = /^\s*/.exec(line)?.[0] ?? "";
      const trailing = `${line}  ${directiveText(first)}`;
      // What stands in a string or behind another comment is no directive.
      const fits =
        first.line !== undefined && trailing.length <= lineWidth && !line.includes("#") && first.code !== "G008";
      const below = (fits ? others : [first, ...others]).map((one) => `${indent}${directiveText(one)}`);
      return [fits ? trailing : line, ...below].join("\n");
    })
    .join("\n");
}

export async function bless(file: LoadedTest): Promise<boolean> {
  const text = await blessed(file);
  if (text === file.text) return false;
  writeFileSync(file.path, text);
  return true;
}
