import type { FixEdit } from "../compiler/ir/fix.js";
import type { Import, SourceFile } from "./ast.js";

/** The edit that imports a name: into an import of that file where there is one. */
export function importEdit({ file, items }: SourceFile, name: string, from: string): FixEdit {
  const imports = items.filter((item): item is Import => item.kind === "import");
  const at = (offset: number, text: string): FixEdit => ({ span: { file, start: offset, end: offset }, text });
  const last = imports.find(({ source }) => source.value === from)?.names.at(-1);
  if (last !== undefined) return at(last.span.end, `, ${name}`);
  const line = `import { ${name} } from "${from}"`;
  const end = imports.at(-1)?.span.end;
  if (end !== undefined) return at(end, `\n${line}`);
  const [first] = items;
  const doc = first === undefined || !("doc" in first) ? undefined : first.doc;
  return at(doc?.span.start ?? first?.span.start ?? 0, `${line}\n\n`);
}
