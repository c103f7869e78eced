import { displayWidth } from "../dsl/source-text.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Rows under their titles, two spaces between columns; no lines, so that it can be cut and pasted. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? "";
        const space = " ".repeat((widths[index] ?? 0) - width(cell));
        return align === "right" ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join("\n");
}

/** Columns of the terminal that a text takes. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text) columns += displayWidth(character);
  return columns;
}
