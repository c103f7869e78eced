import type { TextEdit } from "vscode-languageserver";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Signature, Statement } from "../../dsl/ast.js";
import type { Source } from "./analysis.js";
import { importEdit } from "./imports.js";
import { rangeOf } from "./ranges.js";

/** A way to mend a problem. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
}

/** What a hint says, and how that is done; `parts` are the groups of the pattern. */
interface Rule {
  readonly name: string;
  readonly hint: RegExp;
  readonly edits: (source: Source, span: Span, parts: readonly string[]) => readonly TextEdit[] | undefined;
}

/** Hints that say exactly what to write. A hint that no rule reads is advice, which people follow by hand. */
export const rules: readonly Rule[] = [
  {
    name: "nearest-name",
    hint: /^did you mean `([^`]+)`\?$/,
    edits: (source, span, [name = ""]) => {
      const quoted = source.text[span.start] === '"';
      return [replace(source, span, quoted ? JSON.stringify(name) : name)];
    },
  },
  {
    name: "import",
    hint: /^`import \{ (\w+) \} from "([^"]+)"`$/,
    edits: (source, _, [name = "", from = ""]) => [importEdit(source, name, from)],
  },
  {
    name: "spelling",
    hint: /^(?:write|a power is written) `([^`]+)`(?: (?:or `[^`]+`|for the curly quotes))?$/,
    edits: (source, span, [text = ""]) =>
      text.includes("...") && text !== "..." ? undefined : respell(source, span, text),
  },
  {
    name: "or-spelling",
    hint: /^write `[^`]+` or `([^`]+)`$/,
    edits: (source, span, [text = ""]) => [replace(source, span, text)],
  },
  {
    name: "semicolon",
    hint: /^statements end at the end of the line, without `;`$/,
    edits: (source, span) => [replace(source, span, "")],
  },
  {
    name: "plain-space",
    hint: /^use a plain space$/,
    edits: (source, span) => [replace(source, span, " ")],
  },
  {
    name: "cast",
    hint: /^`cast\((.+), to=(\w+)\)` converts$/s,
    edits: (source, span, [text, dtype = ""]) => {
      const written = source.text.slice(span.start, span.end);
      const isWhole = text === written || text === "...";
      return isWhole ? [replace(source, span, `cast(${written}, to=${dtype})`)] : undefined;
    },
  },
  {
    name: "declare-dim",
    hint: /^`(dim \w+ <= \d+)` declares it$/,
    edits: (source, span, [text = ""]) => {
      const block = source.parsed.ast.items.find(
        (item) => item.kind === "graph" && item.span.start <= span.start && span.end <= item.span.end,
      );
      if (block?.kind !== "graph") return undefined;
      return [insert(source, block.body.span.start + 1, `\n  ${text}`)];
    },
  },
  {
    name: "signature-inputs",
    hint: /^`signature (\w+)(\([^`]*\))`$/,
    edits: (source, span, [, inputs = ""]) => {
      const signature = signatureAt(source, span.start);
      const end = signature === undefined ? -1 : source.text.indexOf(")", signature.name.span.end);
      return end < 0 ? undefined : [replace(source, { ...span, start: span.end, end: end + 1 }, inputs)];
    },
  },
  {
    name: "own-path",
    hint: /^`\w+\(\.\.\., (name="\w+")\)` gives this one a path of its own$/,
    edits: (source, span, [argument = ""]) => {
      if (source.text[span.end - 1] !== ")") return undefined;
      const isEmpty = /\(\s*\)$/.test(source.text.slice(span.start, span.end));
      return [insert(source, span.end - 1, isEmpty ? argument : `, ${argument}`)];
    },
  },
];

/** The ways to mend a problem that its hint tells exactly. */
export function fixesOf(source: Source, { hint, span }: Diagnostic): readonly Fix[] {
  if (hint === undefined || span === undefined || span.file !== source.file) return [];
  return rules.flatMap((rule) => {
    const match = rule.hint.exec(hint);
    const edits = match === null ? undefined : rule.edits(source, span, match.slice(1));
    return edits === undefined ? [] : [{ title: titleOf(rule, source, edits), edits }];
  });
}

function titleOf({ name }: Rule, source: Source, edits: readonly TextEdit[]): string {
  const [edit] = edits;
  const text = edit?.newText.trim() ?? "";
  if (name === "import") return `import it: \`${text.startsWith(",") ? text.slice(2) : text}\``;
  if (text === "") return "remove it";
  const old = edit === undefined ? "" : source.document.getText(edit.range);
  return old === "" ? `insert \`${text}\`` : `change to \`${text}\``;
}

/** Signs that stand where words must need spaces around them. */
function respell(source: Source, span: Span, text: string): readonly TextEdit[] {
  const isWord = /^\w+$/.test(text);
  const before = isWord && /\w/.test(source.text[span.start - 1] ?? "") ? " " : "";
  const behind = isWord && /[\w(]/.test(source.text[span.end] ?? "") ? " " : "";
  if (text === '"') {
    const inner = source.text.slice(span.start + 1, span.end - 1);
    return [replace(source, span, `"${inner}"`)];
  }
  return [replace(source, span, before + text + behind)];
}

function signatureAt(source: Source, start: number): Signature | undefined {
  const all = source.parsed.ast.items.flatMap((item): readonly Statement[] =>
    item.kind === "graph" ? item.body.statements : [],
  );
  return all.find((one): one is Signature => one.kind === "signature" && one.name.span.start === start);
}

function replace(source: Source, span: { readonly start: number; readonly end: number }, newText: string): TextEdit {
  return { range: rangeOf(source.document, span), newText };
}

function insert(source: Source, at: number, newText: string): TextEdit {
  return replace(source, { start: at, end: at }, newText);
}
