import { type Code, type Details, problem } from "../compiler/ir/codes.js";
import type { Diagnostic, Note } from "../compiler/ir/diagnostic.js";
import { type Advice, type Hint, insert, writeInstead } from "../compiler/ir/fix.js";
import { levenshtein } from "../compiler/ir/nearest.js";
import type { Span } from "../compiler/ir/span.js";

/** The diagnostics of the syntax, as data. The catalogue of codes is `compiler/ir/codes/`, the text `render.ts`. */

/** At most this many problems of one file are reported. */
export const maximumDiagnostics = 100;

/** A source file has at most this many UTF-16 code units. */
export const maximumFileLength = 4 * 1024 * 1024;

/** Brackets nest at most this deep, so that no stage can run out of stack. */
export const maximumNesting = 100;

/** One expression's tree has at most this many levels. */
export const maximumExpressionDepth = 500;

/** `text` as it may stand in a message: shortened, control characters and stray surrogates written out. */
export function quote(text: string): string {
  const points = [...text];
  const shown = points.length > 32 ? [...points.slice(0, 29), "..."] : points;
  return `\`${shown.map(visible).join("")}\``;
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const odd =
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(character) || (code > 0x20 && /\p{Zs}/u.test(character));
  return odd ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : character;
}

/** The nearest of `candidates` to `name`, or undefined where none is near enough to be a slip of the pen. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const list = [...candidates];
  if (list.length === 0 || name.length > 64) return undefined;
  const { closest, distance } = levenshtein();
  const best = closest(name, list);
  // Any other single letter is one edit away: only its case can be a slip.
  const limit = name.length <= 1 ? 0 : name.length <= 3 ? 1 : name.length <= 6 ? 2 : 3;
  return distance(name.toLowerCase(), best.toLowerCase()) <= limit ? best : undefined;
}

/** "did you mean `softmax`?" or undefined; it stands where the problem's place is, as `write` writes it. */
export function didYouMean(
  name: string,
  candidates: Iterable<string>,
  write: (best: string) => string = (best) => best,
): Advice | undefined {
  const best = suggest(name, candidates);
  return best === undefined ? undefined : meant(best, write(best));
}

export function meant(name: string, written = name): Advice {
  return writeInstead(written, `did you mean \`${name}\`?`);
}

export function unexpectedCharacter(span: Span, text: string, hint: Hint | undefined): Diagnostic {
  return problem("G001", span, `${quote(text)} is not part of the language`, { hint });
}

/** A comment of another language: `//` or `/*`. */
export function foreignComment(span: Span, sign: string): Diagnostic {
  return problem("G001", span, `${quote(sign)} begins no comment`, {
    hint: sign === "//" ? writeInstead("#", commentHint) : "a comment starts with `#`, on each of its lines",
  });
}

export const commentHint = "a comment starts with `#`";

/** What other languages write for a size that is not known yet. */
export const openSizeHint = "a size that feeds decide is a dim: `dim N <= 1024`, then `f32[N, 3]`";

/** `expected` is a phrase such as "`,` or `)`"; `found` another such as "`=`" or "the end of the file". */
export function unexpectedToken(span: Span, expected: string, found: string, details: Details): Diagnostic {
  return problem("G002", span, `expected ${expected}, found ${found}`, details);
}

export function unclosedBracket(
  span: Span,
  opening: { readonly text: string; readonly span: Span },
  expected: string,
  found: string,
  hint: Hint | undefined,
  notes: readonly Note[] = [],
): Diagnostic {
  return problem("G003", span, `\`${opening.text}\` is not closed`, {
    label: `expected ${expected}, found ${found}`,
    notes: [{ span: opening.span, message: "opened here" }, ...notes],
    // Where something stands instead, what is missing may be a comma.
    hint: hint ?? (span.start === span.end ? insert(closerOf(opening.text), undefined) : undefined),
  });
}

function closerOf(opening: string): string {
  return opening === "(" ? ")" : opening === "[" ? "]" : "\n}\n";
}

export function strayBracket(span: Span, text: string): Diagnostic {
  return problem("G003", span, `\`${text}\` closes nothing`, {
    hint: writeInstead("", "remove it, or add the bracket that it closes"),
  });
}

export function unknownStatement(span: Span, message: string, hint: Hint | undefined): Diagnostic {
  return problem("G004", span, message, { hint });
}

export function misplacedStatement(span: Span, message: string, hint: Hint | undefined): Diagnostic {
  return problem("G005", span, message, { hint });
}

export function chainedComparison(first: Span, second: Span, hint: Hint): Diagnostic {
  return problem("G006", second, "comparisons do not chain", {
    notes: [{ span: first, message: "the first comparison" }],
    hint,
  });
}

export function malformedNumber(span: Span, message: string, hint: Hint | undefined): Diagnostic {
  return problem("G007", span, message, { hint });
}

export function malformedString(span: Span, message: string, hint: Hint | undefined): Diagnostic {
  return problem("G008", span, message, { hint });
}

/** `text` is the whole file's: each line of the documentation gets a comment's `#`. */
export function strayDocumentation(span: Span, text: string): Diagnostic {
  const signs = [...text.slice(span.start, span.end).matchAll(/(?<=^[ \t]*)##+/gm)];
  const edits = signs.map(({ index, 0: sign }) => {
    const start = span.start + index;
    return { span: { file: span.file, start, end: start + sign.length }, text: "#" };
  });
  return problem("G009", span, "`##` documents nothing here", {
    severity: "warning",
    hint: {
      text: "it documents the declaration on the next line; use `#` for a comment",
      fix: () => ({ title: "change to `#`", edits }),
    },
  });
}

export function reservedName(span: Span, word: string): Diagnostic {
  return problem("G014", span, `\`${word}\` is a word of the language and cannot be a name`, {
    hint: writeInstead(`${word}_`, `another name, such as \`${word}_\``),
  });
}

/** `what` is "argument", "parameter", "field", ... */
export function givenTwice(span: Span, first: Span, what: string, name: string): Diagnostic {
  return problem("G015", span, `${what} ${quote(name)} is given twice`, {
    notes: [{ span: first, message: "first here" }],
    hint: what === "name" ? "use another name; `_` drops an output" : "leave one of them out",
  });
}

export function positionalAfterNamed(span: Span, named: Span): Diagnostic {
  return problem("G039", span, "a positional argument follows a named one", {
    notes: [{ span: named, message: "the named argument" }],
    hint: "name it, or move it before the named ones",
  });
}

export function assignmentOutside(span: Span, hint: Hint): Diagnostic {
  return problem("G040", span, "`:=` stands only in an update block, an optimizer, or a fn that owns the variable", {
    hint,
  });
}

export function wrongNumberOfGraphs(span: Span, first: Span): Diagnostic {
  return problem("G065", span, "a file holds one graph", {
    notes: [{ span: first, message: "the first graph" }],
    hint: "move the other into a file of its own",
  });
}

export function fileTooLarge(file: string, length: number): Diagnostic {
  return problem(
    "G100",
    { file, start: 0, end: 0 },
    `the file has ${length} characters; the limit is ${maximumFileLength}`,
    {
      hint: "large constants belong in a data file",
    },
  );
}

export function nestingTooDeep(span: Span): Diagnostic {
  return problem("G101", span, `brackets nest deeper than ${maximumNesting}`, {
    hint: "bind the inner parts to names",
  });
}

export function expressionTooDeep(span: Span): Diagnostic {
  return problem("G101", span, `the expression has more than ${maximumExpressionDepth} levels`, {
    hint: "bind parts of it to names",
  });
}

/** The first problems in the order of the text, at most `maximumDiagnostics` and one line that says how many are left out. */
export function limitDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const place = (d: Diagnostic): number => d.span?.start ?? 0;
  const sorted = [...diagnostics].sort((a, b) => place(a) - place(b));
  if (sorted.length <= maximumDiagnostics) return sorted;
  const more = sorted.length - maximumDiagnostics;
  const last = sorted[maximumDiagnostics];
  const code: Code = "G103";
  return [...sorted.slice(0, maximumDiagnostics), problem(code, last?.span, `${more} more problems are not shown`)];
}
