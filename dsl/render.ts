import { styleText } from "node:util";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Fix, FixEdit } from "../compiler/ir/fix.js";
import type { Span } from "../compiler/ir/span.js";
import { displayWidth, indexLines, lineIndex, lineText, locate, printable, type SourceText } from "./source-text.js";

export interface RenderOptions {
  /** The text of a file, undefined where it is not at hand (then only the file's name is shown). */
  readonly source: (file: string) => string | undefined;
  readonly color?: boolean;
  /** Columns of source text that are shown of one line; longer lines are clipped around the caret. */
  readonly width?: number;
}

/** A diagnostic for machines, as the CLI's `--json` prints it; null where the place or the hint is unknown. */
export interface DiagnosticJson {
  readonly code: string;
  readonly severity: Diagnostic["severity"];
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  readonly label: string | null;
  readonly hint: string | null;
  readonly notes: readonly NoteJson[];
  /** Each mends the problem by itself. */
  readonly fixes: readonly FixJson[];
}

/** A change of the source texts; its edits do not overlap, and all of them count in the text as it is. */
export interface FixJson {
  readonly title: string;
  readonly edits: readonly EditJson[];
}

/** What stands from the first place to before the second becomes `text`. Lines and columns count as those of the diagnostic. */
export interface EditJson {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly end_line: number;
  readonly end_column: number;
  readonly text: string;
}

export interface NoteJson {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
}

type Paint = (role: "error" | "warning" | "gutter" | "note" | "strong", text: string) => string;

const colors = {
  error: ["bold", "red"],
  warning: ["bold", "yellow"],
  gutter: ["blue"],
  note: ["cyan"],
  strong: ["bold"],
} as const;

/** One marked place on one line. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly primary: boolean;
  readonly label: string;
}

/** All diagnostics as text, an empty line between them; no line end after the last. */
export function renderText(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  const find = sourceFinder(options.source);
  return diagnostics.map((d) => renderOne(d, find, options)).join("\n\n");
}

/** "2 errors, 1 warning", or "" for none. */
export function summarize(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic["severity"]): string[] => {
    const n = diagnostics.filter((d) => d.severity === severity).length;
    return n === 0 ? [] : [`${n} ${severity}${n === 1 ? "" : "s"}`];
  };
  return [...count("error"), ...count("warning")].join(", ");
}

export function renderJson(
  diagnostics: readonly Diagnostic[],
  source: (file: string) => string | undefined,
): readonly DiagnosticJson[] {
  const find = sourceFinder(source);
  const place = (span: Span | undefined): Omit<NoteJson, "message"> => {
    const text = span === undefined ? undefined : find(span.file);
    if (span === undefined || text === undefined) return { file: span?.file ?? null, line: null, column: null };
    return { file: span.file, ...locate(text, span.start) };
  };
  const edit = ({ span, text }: FixEdit): readonly EditJson[] => {
    const source = find(span.file);
    if (source === undefined) return [];
    const end = locate(source, span.end);
    return [{ file: span.file, ...locate(source, span.start), end_line: end.line, end_column: end.column, text }];
  };
  // Half a change is worse than none.
  const fixes = (all: readonly Fix[]): readonly FixJson[] =>
    all.flatMap(({ title, edits }) => {
      const placed = edits.flatMap(edit);
      return placed.length === edits.length ? [{ title, edits: placed }] : [];
    });
  return diagnostics.map((d) => ({
    code: d.code,
    severity: d.severity,
    ...place(d.span),
    message: d.message,
    label: d.label ?? null,
    hint: d.hint ?? null,
    notes: d.notes.map((note) => ({ ...place(note.span), message: note.message })),
    fixes: fixes(d.fixes ?? []),
  }));
}

function sourceFinder(source: (file: string) => string | undefined): (file: string) => SourceText | undefined {
  const known = new Map<string, SourceText | undefined>();
  return (file) => {
    if (!known.has(file)) {
      const text = source(file);
      known.set(file, text === undefined ? undefined : indexLines(text));
    }
    return known.get(file);
  };
}

function renderOne(d: Diagnostic, find: (file: string) => SourceText | undefined, options: RenderOptions): string {
  const paint: Paint = (role, text) =>
    options.color === true && text !== "" ? styleText([...colors[role]], text) : text;
  const head = `${paint(d.severity, `${d.severity} ${d.code}`)}${paint("strong", `: ${printable(d.message)}`)}`;
  const here = d.span;
  const same = d.notes.filter((n) => n.span !== undefined && n.span.file === here?.file);
  const other = d.notes.filter((n) => n.span !== undefined && n.span.file !== here?.file);
  const loose = d.notes.filter((n) => n.span === undefined);
  const places = [here, ...d.notes.map((n) => n.span)].filter((s) => s !== undefined);
  const gutter = Math.max(1, ...places.map((s) => String(lastLine(s, find)).length));
  const lines = [head];
  const block = (
    main: Span,
    marks: readonly { readonly span: Span; readonly label: string; readonly primary: boolean }[],
  ) => {
    const text = find(main.file);
    const at = text === undefined ? undefined : locate(text, main.start);
    const suffix = at === undefined ? "" : `:${at.line}:${at.column}`;
    lines.push(`${" ".repeat(gutter)}${paint("gutter", "-->")} ${printable(main.file)}${suffix}`);
    if (text === undefined) {
      for (const mark of marks)
        if (mark.label !== "") lines.push(`${" ".repeat(gutter + 1)}= ${printable(mark.label)}`);
      return;
    }
    lines.push(paint("gutter", `${" ".repeat(gutter + 1)}|`));
    const byLine = new Map<number, Mark[]>();
    for (const { span, label, primary } of marks) {
      const index = lineIndex(text, span.start);
      const base = text.starts[index] ?? 0;
      const mark = {
        start: span.start - base,
        end: Math.max(span.end, span.start) - base,
        primary,
        label: printable(label),
      };
      byLine.set(index, [...(byLine.get(index) ?? []), mark]);
    }
    for (const [index, group] of [...byLine].sort(([a], [b]) => a - b)) {
      const shown = showLine(lineText(text, index), group, options.width ?? 100);
      lines.push(`${paint("gutter", `${String(index + 1).padStart(gutter)} |`)} ${shown.text}`.trimEnd());
      for (const row of shown.rows) {
        const role = row.primary ? d.severity : "note";
        const marked = `${row.indent}${paint(role, `${row.signs}${row.label === "" ? "" : ` ${row.label}`}`)}`;
        lines.push(`${paint("gutter", `${" ".repeat(gutter + 1)}|`)} ${marked}`);
      }
    }
  };
  if (here !== undefined) {
    const notes = same.flatMap((n) =>
      n.span === undefined ? [] : [{ span: n.span, label: n.message, primary: false }],
    );
    block(here, [{ span: here, label: d.label ?? "", primary: true }, ...notes]);
  }
  for (const note of other) {
    if (note.span !== undefined) block(note.span, [{ span: note.span, label: note.message, primary: false }]);
  }
  const indent = " ".repeat(gutter + 1);
  for (const note of loose) lines.push(`${indent}${paint("note", "= note:")} ${printable(note.message)}`);
  if (d.hint !== undefined) lines.push(`${indent}${paint("note", "= hint:")} ${printable(d.hint)}`);
  return lines.join("\n");
}

function lastLine(span: Span, find: (file: string) => SourceText | undefined): number {
  const text = find(span.file);
  return text === undefined ? 1 : lineIndex(text, span.start) + 1;
}

interface Row {
  readonly indent: string;
  readonly signs: string;
  readonly label: string;
  readonly primary: boolean;
}

/** A line as the terminal shows it (tabs as spaces, clipped to `width`) and its rows of carets, the main one first. */
function showLine(
  whole: string,
  wholeMarks: readonly Mark[],
  width: number,
): { readonly text: string; readonly rows: readonly Row[] } {
  const { line, marks } = nearMain(whole, wholeMarks, 8 * width);
  // columns[i] is where the UTF-16 unit i stands on the screen.
  const columns: number[] = [];
  let text = "";
  let column = 0;
  for (const character of line) {
    const shown = character === "\t" ? " ".repeat(4 - (column % 4)) : printable(character);
    columns.push(...new Array<number>(character.length).fill(column));
    text += shown;
    column += character === "\t" ? shown.length : displayWidth(shown);
  }
  columns.push(column);
  const columnOf = (offset: number): number => columns[Math.min(Math.max(offset, 0), line.length)] ?? column;
  const main = marks.find((m) => m.primary) ?? marks[0];
  const clip = clipWindow(column, columnOf(main?.start ?? 0), columnOf(main?.end ?? 0), width);
  const rows = [...marks]
    .sort((a, b) => Number(b.primary) - Number(a.primary))
    .map((mark): Row => {
      const start = Math.min(Math.max(columnOf(mark.start), clip.from), clip.to);
      const end = Math.min(Math.max(columnOf(Math.min(mark.end, line.length)), start), clip.to);
      const signs = (mark.primary ? "^" : "-").repeat(Math.max(1, end - start));
      const indent = " ".repeat(start - clip.from + (clip.from > 0 ? 3 : 0));
      return { indent, signs, label: mark.label, primary: mark.primary };
    });
  return { text: clip.from === 0 && clip.to >= column ? text : cut(text, clip.from, clip.to, column), rows };
}

/** A line of a megabyte is first cut to `reach` units on both sides of its main mark, so that each caret costs little. */
function nearMain(
  line: string,
  marks: readonly Mark[],
  reach: number,
): { readonly line: string; readonly marks: readonly Mark[] } {
  const main = marks.find((m) => m.primary) ?? marks[0];
  if (main === undefined || line.length <= 2 * reach) return { line, marks };
  const from = Math.max(0, main.start - reach);
  const move = (offset: number): number => Math.max(0, offset - from);
  const near = marks.map((m) => ({ ...m, start: move(m.start), end: move(m.end) }));
  return { line: line.slice(from, main.start + reach), marks: near };
}

/** Which columns of a line of `total` are shown so that `start` to `end` is among them. */
function clipWindow(
  total: number,
  start: number,
  end: number,
  width: number,
): { readonly from: number; readonly to: number } {
  if (total <= width) return { from: 0, to: total + 1 };
  const marked = Math.min(end - start, width);
  const from = Math.max(0, Math.min(start - Math.floor((width - marked) / 2), total - width));
  return { from, to: Math.min(total + 1, from + width) };
}

function cut(text: string, from: number, to: number, total: number): string {
  let column = 0;
  let kept = "";
  for (const character of text) {
    const next = column + displayWidth(character);
    if (column >= from && next <= to) kept += character;
    // A wide character across the edge leaves its place empty, so that the carets stay under theirs.
    else if (next > from && column < to) kept += " ".repeat(Math.min(next, to) - Math.max(column, from));
    column = next;
  }
  return `${from > 0 ? "..." : ""}${kept}${to < total ? "..." : ""}`;
}
