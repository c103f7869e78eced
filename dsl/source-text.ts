/** Lines and columns of a text, both from 1; a column counts characters (code points), so that a wide one counts once. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceText {
  readonly text: string;
  /** The offset at which each line starts. */
  readonly starts: readonly number[];
}

export function indexLines(text: string): SourceText {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  return { text, starts };
}

/** The index, from 0, of the line that holds `offset`. */
export function lineIndex(source: SourceText, offset: number): number {
  let low = 0;
  let high = source.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The text of a line without its end. */
export function lineText(source: SourceText, index: number): string {
  const start = source.starts[index] ?? source.text.length;
  const end = source.starts[index + 1] ?? source.text.length;
  return source.text.slice(start, end).replace(/[\r\n]+$/, "");
}

export function locate(source: SourceText, offset: number): Position {
  const line = lineIndex(source, offset);
  const before = source.text.slice(source.starts[line] ?? 0, offset);
  return { line: line + 1, column: [...before].length + 1 };
}

const zeroWidth = /[\p{Mn}\p{Me}\p{Cf}]/u;
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}\p{Emoji_Presentation}]/u;

/** Columns that a terminal gives to one character (East Asian Width of UAX #11, emoji wide, marks none). */
export function displayWidth(character: string): number {
  if (zeroWidth.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Control characters would move the cursor or colour the terminal: a text from outside is shown without them. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD");
}
