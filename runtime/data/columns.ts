import { nearestName as nearestOf } from "../../compiler/ir/nearest.js";
import { fileError, listNames, quoteName, quotePath } from "../files/errors.js";

/** The column that is meant: the one asked for, else the only one, else the one named like the placeholder. */
export function chooseColumn(
  file: string,
  names: readonly string[],
  column: string | undefined,
  preferred: string | undefined,
): string {
  if (column !== undefined) {
    if (!names.includes(column)) {
      throw missingColumn(file, names, column);
    }
    return column;
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) {
    return only;
  }
  if (preferred !== undefined && names.includes(preferred)) {
    return preferred;
  }
  if (only === undefined) {
    throw fileError("G079", `${quotePath(file)} holds no columns`);
  }
  throw fileError(
    "G079",
    `${quotePath(file)} has ${names.length} columns${preferred === undefined ? "" : `, none named ${quoteName(preferred)}`}; which is meant?`,
    `name one of ${listNames(names)}: \`column="..."\` in a graph, \`NAME=PATH:COLUMN\` on the command line`,
  );
}

/** G079, with the nearest name and all that there are. */
export function missingColumn(file: string, names: readonly string[], column: string): Error {
  const near = nearestName(column, names);
  const hint = `${near === undefined ? "it" : `did you mean ${quoteName(near)}? It`} has ${listNames(names, 20)}`;
  return fileError("G079", `${quotePath(file)} has no column ${quoteName(column)}`, hint);
}

/** The name that `wanted` is most likely a slip of, if any is near enough. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  // Long lists come from files: the search stays short whatever they hold.
  const candidates = names.slice(0, 2000).filter((name) => name.length <= 200);
  return wanted.length > 200 ? undefined : nearestOf(wanted, candidates);
}
