/** Where a function or optimizer stands in a file of the standard library, its documentation included. */
export interface Section {
  readonly start: number;
  readonly end: number;
}

export interface Sections {
  readonly functions: ReadonlyMap<string, Section>;
  /** The text without the functions, each character in its place; undefined where nothing but comments is left. */
  readonly rest: string | undefined;
}

/**
 * Finds the functions of a formatted file by its lines alone, so that those which nobody calls need not be parsed: what starts at
 * the margin, other than a closing bracket, starts an item, and the comments right before an item belong to it. Undefined where
 * the file does not look so; it is then parsed whole.
 */
export function sectionsOf(text: string): Sections | undefined {
  const functions = new Map<string, Section>();
  let rest = "";
  let hasRest = false;
  const items = itemsOf(text);
  items.forEach(({ name, start }, i) => {
    const end = items[i + 1]?.start ?? text.length;
    if (name !== undefined) functions.set(name, { start, end });
    rest += name === undefined ? text.slice(start, end) : blank(text.slice(start, end));
    hasRest ||= name === undefined && i > 0;
  });
  const named = items.filter(({ name }) => name !== undefined).length;
  const headers = text.match(/^(?:fn|optimizer)\b/gm)?.length ?? 0;
  if (functions.size !== named || named !== headers) return undefined;
  return { functions, rest: hasRest ? rest : undefined };
}

/** A function alone in its file, at its own place, so that spans are right. */
export function textOfSection(text: string, section: Section): string {
  return " ".repeat(section.start) + text.slice(section.start, section.end);
}

interface Item {
  /** The function's; undefined for anything else, and for what stands before the first item. */
  readonly name: string | undefined;
  readonly start: number;
}

function itemsOf(text: string): readonly Item[] {
  const items: Item[] = [{ name: undefined, start: 0 }];
  let comments: number | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(start, end);
    if (line.startsWith("#")) comments ??= start;
    else {
      if (/^[^\s)}\]]/.test(line)) {
        const name = /^(?:fn|optimizer)\s+([A-Za-z_][A-Za-z0-9_]*)/.exec(line)?.[1];
        items.push({ name, start: comments ?? start });
      }
      comments = undefined;
    }
    start = end;
  }
  return items;
}

function blank(text: string): string {
  return text.replace(/[^\n]+/g, (line) => " ".repeat(line.length));
}
