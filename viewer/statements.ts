/** Lines of one statement that a document quotes. */
const mostLines = 8;

export interface Statement {
  readonly lines: readonly string[];
  /** Whether it goes on after the last of them. */
  readonly isCut: boolean;
}

/**
 * The lines of a statement that begins in the first: as long as brackets are open, or `length` characters from `column` (from 1) are not
 * over. A block that is opened is not a part of it. `lineAt` gives the line so many after the first.
 */
export function statementFrom(
  lineAt: (after: number) => string | undefined,
  column: number,
  length: number,
): Statement {
  const lines: string[] = [];
  let open = 0;
  let left = column - 1 + length;
  for (;;) {
    const line = lineAt(lines.length);
    if (line === undefined || lines.length === mostLines) return { lines, isCut: true };
    lines.push(line);
    const code = line.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/#.*$/, "");
    for (const character of code) open += /[([]/.test(character) ? 1 : /[)\]]/.test(character) ? -1 : 0;
    // With the end of the line.
    left -= line.length + 1;
    if (open <= 0 && (left <= 0 || /\{\s*$/.test(code))) return { lines, isCut: false };
  }
}
