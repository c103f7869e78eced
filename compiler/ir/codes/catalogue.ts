import { doubtCodes } from "./doubts.js";
import { equationCodes } from "./equations.js";
import { dataCodes, importCodes } from "./files.js";
import { nameCodes } from "./names.js";
import { regionCodes } from "./regions.js";
import type { CodeRow } from "./row.js";
import { checkpointCodes, limitCodes, sessionCodes } from "./running.js";
import { syntaxCodes } from "./syntax.js";
import { gradientCodes, updateCodes } from "./training.js";
import { functionCodes, typeCodes } from "./types.js";
import { windowCodes } from "./windows.js";

/** Every diagnostic that graphc can give, by code. To add one, add a row to its group's file in this folder. */
export const rows = [
  ...syntaxCodes,
  ...nameCodes,
  ...typeCodes,
  ...functionCodes,
  ...updateCodes,
  ...gradientCodes,
  ...regionCodes,
  ...importCodes,
  ...dataCodes,
  ...sessionCodes,
  ...checkpointCodes,
  ...limitCodes,
  ...windowCodes,
  ...equationCodes,
  ...doubtCodes,
] as const;

export const catalogue: readonly CodeRow[] = rows;

/** The row of a code, or undefined. */
export function describeCode(code: string): CodeRow | undefined {
  return catalogue.find((row) => row.code === code);
}
