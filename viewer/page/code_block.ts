import type { SourcePlace, ViewerDocument } from "../model.js";
import { statementFrom } from "../statements.js";
import { button, element } from "./dom.js";

/** Statements of one box that are shown. */
const mostShown = 4;

/** A statement of the text, with what of it is marked. */
interface Quoted {
  readonly address: string;
  readonly file: string;
  readonly line: number;
  readonly lines: readonly string[];
  readonly isCut: boolean;
  /** The line in it, the column from 1, and the length. */
  readonly marks: SourcePlace[];
}

/** The statements of the text, each once, with what the places mark; a press copies `file:line`. */
export function places(
  given: readonly SourcePlace[],
  { document, copy }: { readonly document: ViewerDocument; readonly copy: (text: string) => void },
): HTMLElement | undefined {
  const items = quotedAt(given, document.lines)
    .slice(0, mostShown)
    .map((quoted) =>
      element(
        "li",
        {},
        button(quoted.address, `copy ${quoted.address}`, () => copy(quoted.address), "address"),
        element("pre", { class: "line" }, ...markedText(quoted)),
      ),
    );
  return items.length === 0 ? undefined : element("ul", { class: "places" }, ...items);
}

function quotedAt(given: readonly SourcePlace[], lines: ViewerDocument["lines"]): readonly Quoted[] {
  const found: Quoted[] = [];
  for (const [at, column, length] of given) {
    const source = lines[at];
    if (source === undefined) continue;
    const { file, line } = source;
    const around = found.find((one) => one.file === file && line >= one.line && line < one.line + one.lines.length);
    if (around !== undefined) {
      around.marks.push([line - around.line, column, length]);
      continue;
    }
    const lineAt = (after: number): string | undefined =>
      after === 0 ? source.text : lines.find((one) => one.file === file && one.line === line + after)?.text;
    const statement = statementFrom(lineAt, column, length);
    found.push({ address: `${file}:${line}`, file, line, ...statement, marks: [[0, column, length]] });
  }
  return found;
}

/** Without the indent of its first line; a mark leaves out what indents the lines that it goes over. */
function markedText({ lines, marks, isCut }: Quoted): readonly (HTMLElement | string)[] {
  const starts: number[] = [];
  let size = 0;
  for (const line of lines) {
    starts.push(size);
    size += line.length + 1;
  }
  const isMarked = (at: number): boolean =>
    marks.some(([line, column, length]) => {
      const from = (starts[line] ?? 0) + column - 1;
      return at >= from && at < from + length;
    });
  const indentOf = (line: string): number => line.length - line.trimStart().length;
  const indent = indentOf(lines[0] ?? "");
  const parts: { readonly marked: boolean; text: string }[] = [];
  const add = (text: string, marked: boolean): void => {
    const last = parts.at(-1);
    if (last?.marked === marked) last.text += text;
    else parts.push({ marked, text });
  };
  lines.forEach((line, i) => {
    if (i > 0) add("\n", false);
    const text = line.trimEnd();
    for (let at = Math.min(indent, indentOf(line)); at < text.length; at++)
      add(text.charAt(at), at >= indentOf(line) && isMarked((starts[i] ?? 0) + at));
  });
  if (isCut) add("\n…", false);
  return parts.map(({ marked, text }) => (marked ? element("mark", {}, text) : text));
}

/** Code that scrolls where it is wide, by keys too, with a button that copies all of it. */
export function codeBlock(text: string, copy: (text: string) => void): HTMLElement {
  return element(
    "div",
    { class: "code" },
    button("copy", "copy all of it", () => copy(text), "copy"),
    element("pre", { attributes: { tabindex: "0" } }, text),
  );
}

/** A sentence of the manual, what stands in backquotes as code. */
export function quoted(text: string): readonly (HTMLElement | string)[] {
  return text.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? element("code", {}, part) : part));
}
