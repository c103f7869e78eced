/**
 * Layout of text in a given width, after Wadler, "A prettier printer" (2003), as a loop with a stack of its own so that
 * deep documents cannot overflow. A `group` stands on one line where it fits, else all its own lines break.
 */
export type Layout =
  | string
  | readonly Layout[]
  | { readonly kind: "indent"; readonly body: Layout }
  | { readonly kind: "group"; readonly body: Layout }
  /** A line break where the group breaks, else `flat`. */
  | { readonly kind: "line"; readonly flat: string }
  | { readonly kind: "hard-line" }
  | { readonly kind: "empty-line" }
  /** `text` only where the group breaks, such as the comma after the last item. */
  | { readonly kind: "if-broken"; readonly text: string }
  /** Items with `, ` between them, as many on a line as fit. */
  | { readonly kind: "fill"; readonly items: readonly string[] }
  /** A comment at the end of the line, whatever is still to come on it; its group breaks. */
  | { readonly kind: "line-end"; readonly text: string };

export const line: Layout = { kind: "line", flat: " " };
export const softLine: Layout = { kind: "line", flat: "" };
export const hardLine: Layout = { kind: "hard-line" };
export const emptyLine: Layout = { kind: "empty-line" };
export const indent = (body: Layout): Layout => ({ kind: "indent", body });
export const group = (body: Layout): Layout => ({ kind: "group", body });
export const ifBroken = (text: string): Layout => ({ kind: "if-broken", text });
export const lineEnd = (text: string): Layout => ({ kind: "line-end", text });

const step = 2;

interface Task {
  readonly layout: Layout;
  readonly indent: number;
  readonly flat: boolean;
}

function isList(layout: Layout): layout is readonly Layout[] {
  return Array.isArray(layout);
}

/** The text of `layout`, lines up to `width` where that can be. */
export function render(layout: Layout, width: number): string {
  const out: string[] = [];
  let column = 0;
  let atStart = true;
  let ends: string[] = [];
  const write = (text: string, indentation: number): void => {
    if (text === "") return;
    if (atStart) {
      out.push(" ".repeat(indentation));
      column = indentation;
      atStart = false;
    }
    out.push(text);
    column += text.length;
  };
  const newLine = (): void => {
    if (ends.length > 0) {
      out.push(atStart ? "" : "  ", ends.join(" "));
      ends = [];
    }
    out.push("\n");
    column = 0;
    atStart = true;
  };
  const tasks: Task[] = [{ layout, indent: 0, flat: false }];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { layout: now, flat } = task;
    if (typeof now === "string") write(now, task.indent);
    else if (isList(now)) {
      for (let i = now.length - 1; i >= 0; i -= 1) tasks.push({ ...task, layout: now[i] ?? "" });
    } else {
      switch (now.kind) {
        case "indent":
          tasks.push({ layout: now.body, indent: task.indent + step, flat });
          break;
        case "group": {
          const start = atStart ? task.indent : column;
          tasks.push({ layout: now.body, indent: task.indent, flat: flat || fits(now.body, width - start, tasks) });
          break;
        }
        case "line":
          if (flat) write(now.flat, task.indent);
          else newLine();
          break;
        case "hard-line":
          newLine();
          break;
        case "empty-line":
          newLine();
          newLine();
          break;
        case "if-broken":
          if (!flat) write(now.text, task.indent);
          break;
        case "fill":
          for (const [index, item] of now.items.entries()) {
            const text = index < now.items.length - 1 ? `${item},` : item;
            if (index > 0 && !atStart && column + 1 + text.length > width && !flat) newLine();
            write(index > 0 && !atStart ? ` ${text}` : text, task.indent);
          }
          break;
        case "line-end":
          ends.push(now.text);
          break;
      }
    }
  }
  newLine();
  return out
    .join("")
    .replace(/[ \t]+\n/g, "\n")
    .replace(/\n+$/, "\n")
    .replace(/^\n+/, "");
}

/** Whether `body`, and what follows it up to the next possible break, fits in `room` columns on one line. */
function fits(body: Layout, room: number, rest: readonly Task[]): boolean {
  let left = room;
  let next = rest.length - 1;
  const tasks: Task[] = [{ layout: body, indent: 0, flat: true }];
  while (left >= 0) {
    const task = tasks.pop() ?? rest[next--];
    if (task === undefined) return true;
    const { layout: now, flat } = task;
    if (typeof now === "string") left -= now.length;
    else if (isList(now)) {
      for (let i = now.length - 1; i >= 0; i -= 1) tasks.push({ ...task, layout: now[i] ?? "" });
    } else {
      switch (now.kind) {
        case "indent":
        case "group":
          tasks.push({ ...task, layout: now.body });
          break;
        case "line":
          if (!flat) return true;
          left -= now.flat.length;
          break;
        case "hard-line":
        case "empty-line":
          return !flat;
        case "line-end":
          if (flat) return false;
          break;
        case "if-broken":
          if (!flat) left -= now.text.length;
          break;
        case "fill":
          for (const item of now.items) left -= item.length + 2;
          left += 2;
          break;
      }
    }
  }
  return false;
}
