import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { ParsedSource, SourceFile } from "./ast.js";
import { fileTooLarge, limitDiagnostics, maximumFileLength, strayDocumentation } from "./diagnostics.js";
import type { Earlier, ReadPart } from "./earlier.js";
import { GraphParser } from "./grammar.js";
import { lex } from "./lex.js";
import { checkPlacement } from "./placement.js";

export interface ParseResult {
  /** Always a tree; what could not be read is an `invalid` node in it. */
  readonly ast: SourceFile;
  /** Sorted by place; errors, and warnings such as a `##` that documents nothing. */
  readonly diagnostics: readonly Diagnostic[];
  readonly source: ParsedSource;
  /** What need not be read again in the next text of the file, where it is as it is here. */
  readonly parts: readonly ReadPart[];
  /** No error was found (warnings aside): the tree holds all that the text says. */
  readonly ok: boolean;
}

let parser: GraphParser | undefined;

/**
 * Parses the text of one file. Never throws for any text; `file` is only what spans and messages show. What the `earlier` text of an editor
 * still holds is not read again, and is not looked for in `source.parenthesized`.
 */
export function parse(text: string, file: string, earlier?: Earlier): ParseResult {
  if (text.length > maximumFileLength) return refused(text, file, [fileTooLarge(file, text.length)]);
  const { tokens, comments, diagnostics: lexical } = earlier?.lex(text, file) ?? lex(text, file);
  parser ??= new GraphParser();
  const grammar = parser.parse(text, file, tokens, comments, earlier);
  const { ast, diagnostics: grammatical, parenthesized, unusedDocs, parts } = grammar;
  // What stands where a sign was refused is no second problem.
  const refusedAt = new Set(lexical.map((d) => d.span?.start));
  const understood = (d: Diagnostic): boolean => !refusedAt.has(d.span?.start);
  const diagnostics = grammatical.filter(understood);
  const trailing = comments.filter((c) => c.doc && !c.ownLine).map((c) => c.span);
  const lastToken = tokens.at(-1)?.startOffset ?? -1;
  const last = comments.filter((c) => c.doc && c.ownLine && c.span.start > lastToken).map((c) => c.span);
  // Where the text is not understood, what its documentation stands before is not known either.
  const failed = lexical.length + diagnostics.length > 0;
  const stray = failed ? [] : [...trailing, ...last, ...unusedDocs.map((d) => d.span)];
  const all = [
    ...lexical,
    ...diagnostics,
    ...checkPlacement(ast).filter(understood),
    ...stray.map((span) => strayDocumentation(span, text)),
  ];
  const ok = all.every((d) => d.severity !== "error");
  return { ast, diagnostics: limitDiagnostics(all), source: { text, comments, parenthesized }, parts, ok };
}

function refused(text: string, file: string, diagnostics: readonly Diagnostic[]): ParseResult {
  const span = { file, start: 0, end: text.length };
  const ast: SourceFile = { kind: "file", file, doc: undefined, items: [], span };
  return {
    ast,
    diagnostics: limitDiagnostics(diagnostics),
    source: { text, comments: [], parenthesized: new Set() },
    parts: [],
    ok: false,
  };
}
