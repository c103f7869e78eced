import type { ViewerDocument } from "../model.js";
import { button, element } from "./dom.js";

export type Places = readonly (readonly [line: number, column: number])[];

/** The lines of the text, each with its column marked; a press copies `file:line`. */
export function places(
  given: Places,
  { document, copy }: { readonly document: ViewerDocument; readonly copy: (text: string) => void },
): HTMLElement | undefined {
  const shown = given.slice(0, 4).flatMap(([line, column]) => {
    const source = document.lines[line];
    if (source === undefined) return [];
    const address = `${source.file}:${source.line}`;
    return [
      element(
        "li",
        {},
        button(address, `copy ${address}`, () => copy(address), "address"),
        sourceLine(source.text, column),
      ),
    ];
  });
  return shown.length === 0 ? undefined : element("ul", { class: "places" }, ...shown);
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

/** One line of a text, wrapped where it is long, with what stands at a column (from 1) marked. */
export function sourceLine(text: string, column: number): HTMLElement {
  const from = Math.max(0, Math.min(column - 1, text.length));
  const marked = /^(?:[\p{L}_][\p{L}\p{N}_]*|.)/u.exec(text.slice(from))?.[0] ?? "";
  return element(
    "pre",
    { class: "line" },
    text.slice(0, from).trimStart(),
    marked === "" ? undefined : element("mark", {}, marked),
    text.slice(from + marked.length).trimEnd(),
  );
}

/** A sentence of the manual, what stands in backquotes as code. */
export function quoted(text: string): readonly (HTMLElement | string)[] {
  return text.split(/`([^`]+)`/).map((part, i) => (i % 2 === 1 ? element("code", {}, part) : part));
}
