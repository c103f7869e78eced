import { TextDocument } from "vscode-languageserver-textdocument";
import { problem } from "../../compiler/ir/codes.js";
import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import { Facts, type NameFact } from "../../dsl/elaborate/facts.js";
import type { Loaded } from "../../dsl/load.js";
import type { ParseResult } from "../../dsl/parse.js";
import { type Binder, bindersOf, everyBinder } from "./binders.js";

/** A file as it is written: text, places, syntax. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly document: TextDocument;
  readonly parsed: ParseResult;
  readonly binders: readonly Binder[];
}

export function sourceOf(file: string, text: string, parsed: ParseResult): Source {
  return {
    file,
    text,
    document: TextDocument.create(file, "graph", 0, text),
    parsed,
    binders: bindersOf(parsed.ast),
  };
}

/** What is known of a file as the main one, with all that it imports. */
export interface Analysis {
  readonly source: Source;
  readonly loaded: Pick<Loaded, "diagnostics" | "files">;
  readonly facts: Facts;
  /** Every file that it asked for, also those that are not there. */
  readonly asked: ReadonlySet<string>;
  readonly milliseconds: number;
}

/** What stands in for an analysis that failed by a defect of graphc. */
export function failedAnalysis(source: Source, asked: ReadonlySet<string>, error: unknown): Analysis {
  const message = `graphc could not analyse the file: ${error instanceof Error ? error.message : String(error)}`;
  const span: Span = { file: source.file, start: 0, end: 0 };
  const diagnostic: Diagnostic = problem("G101", span, message, { hint: "this is a defect of graphc" });
  return {
    source,
    loaded: { diagnostics: [diagnostic], files: new Map([[source.file, source.text]]) },
    facts: new Facts(),
    asked,
    milliseconds: 0,
  };
}

/** The word that a place stands in or behind. */
export interface WordAt {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export function wordAt(text: string, offset: number): WordAt | undefined {
  let start = offset;
  let end = offset;
  while (start > 0 && /\w/.test(text[start - 1] ?? "")) start--;
  while (end < text.length && /\w/.test(text[end] ?? "")) end++;
  const word = text.slice(start, end);
  return /^[A-Za-z_]/.test(word) ? { text: word, start, end } : undefined;
}

/** What the elaborator knows of a word of the main file. */
export function factAt(analysis: Analysis, word: WordAt): NameFact | undefined {
  return analysis.facts.namesIn(analysis.source.file).get(word.start);
}

export function binderAt(source: Source, start: number): Binder | undefined {
  for (const one of everyBinder(source.binders)) if (one.span.start === start) return one;
  return undefined;
}
