import type { TextEdit } from "vscode-languageserver";
import type { Import } from "../../dsl/ast.js";
import type { Source } from "./analysis.js";
import { rangeOf } from "./ranges.js";

/** The edit that imports a name: into an import of that file where there is one. */
export function importEdit({ parsed, document }: Source, name: string, from: string): TextEdit {
  const { items } = parsed.ast;
  const imports = items.filter((item): item is Import => item.kind === "import");
  const last = imports.find(({ source }) => source.value === from)?.names.at(-1);
  if (last !== undefined) return insertion(document, last.span.end, `, ${name}`);
  const line = `import { ${name} } from "${from}"\n`;
  const end = imports.at(-1)?.span.end;
  if (end !== undefined) return insertion(document, end, `\n${line.trimEnd()}`);
  const [first] = items;
  const doc = first === undefined || !("doc" in first) ? undefined : first.doc;
  return insertion(document, doc?.span.start ?? first?.span.start ?? 0, `${line}\n`);
}

function insertion(document: Source["document"], offset: number, newText: string): TextEdit {
  return { range: rangeOf(document, { start: offset, end: offset }), newText };
}
