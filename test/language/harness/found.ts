/** Diagnostics as the directives write them. */
import { relative } from "node:path";
import type { Diagnostic } from "../../../compiler/ir/diagnostic.js";
import { indexLines, lineIndex, locate } from "../../../dsl/source-text.js";
import { languageFolder, root } from "./folder.js";

/** A diagnostic with its line, from 0; undefined where it stands in no line of the file. */
export interface Found {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly line: number | undefined;
  /** As a directive has it: `at 7-11`, `in parts/library.graph:3:7`, or nothing. */
  readonly place: string;
  readonly message: string;
}

export function describe(diagnostic: Diagnostic, path: string, textOf: (file: string) => string | undefined): Found {
  const { severity, code, span } = diagnostic;
  // A message that names a file on this machine names it from the checkout.
  const message = diagnostic.message.replaceAll(`${root}/`, "").replaceAll("\n", " ");
  const text = span === undefined ? undefined : textOf(span.file);
  if (span === undefined || text === undefined) return { severity, code, message, line: undefined, place: "" };
  const source = indexLines(text);
  const start = locate(source, span.start);
  if (span.file !== path) {
    const place = `in ${relative(languageFolder, span.file)}:${start.line}:${start.column}`;
    return { severity, code, message, line: undefined, place };
  }
  const end = locate(source, Math.max(span.start, span.end - 1));
  const columns =
    end.line !== start.line
      ? `${start.column}-`
      : end.column === start.column
        ? `${start.column}`
        : `${start.column}-${end.column}`;
  return { severity, code, message, line: lineIndex(source, span.start), place: `at ${columns}` };
}

/** The directive that a diagnostic asks for. */
export function directiveText({ severity, code, place, message }: Found): string {
  return `# ${severity} ${code}${place === "" ? "" : ` ${place}`}: ${message}`;
}
