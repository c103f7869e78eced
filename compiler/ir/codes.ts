import { dataCodes, importCodes } from "./codes/files.js";
import { nameCodes } from "./codes/names.js";
import type { CodeRow } from "./codes/row.js";
import { checkpointCodes, limitCodes, sessionCodes } from "./codes/running.js";
import { syntaxCodes } from "./codes/syntax.js";
import { gradientCodes, updateCodes } from "./codes/training.js";
import { functionCodes, typeCodes } from "./codes/types.js";
import { windowCodes } from "./codes/windows.js";
import type { Diagnostic, Note } from "./diagnostic.js";
import type { Span } from "./span.js";

export type { CodeRow } from "./codes/row.js";

/** Every diagnostic that graphc can give, by code. To add one, add a row to its group's file in `codes/`. */
const rows = [
  ...syntaxCodes,
  ...nameCodes,
  ...typeCodes,
  ...functionCodes,
  ...updateCodes,
  ...gradientCodes,
  ...importCodes,
  ...dataCodes,
  ...sessionCodes,
  ...checkpointCodes,
  ...limitCodes,
  ...windowCodes,
] as const;

export type Code = (typeof rows)[number]["code"];

export const catalogue: readonly CodeRow[] = rows;

/** The row of a code, or undefined. */
export function describeCode(code: string): CodeRow | undefined {
  return catalogue.find((row) => row.code === code);
}

/** What a diagnostic may have beyond its code, place and message. */
export interface Details {
  /** What stands under the caret. */
  readonly label?: string | undefined;
  readonly notes?: readonly Note[];
  readonly hint?: string | undefined;
  readonly severity?: Diagnostic["severity"];
}

/** A diagnostic whose code is a row of the catalogue; an unknown code does not compile. */
export function problem(code: Code, span: Span | undefined, message: string, details: Details = {}): Diagnostic {
  const { label, notes = [], hint, severity = "error" } = details;
  return {
    code,
    severity,
    message,
    span,
    ...(label === undefined ? {} : { label }),
    notes,
    ...(hint === undefined ? {} : { hint }),
  };
}
