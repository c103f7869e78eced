import type { Diagnostic, Note } from "../../compiler/ir/diagnostic.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { nearestName } from "../data/columns.js";
import { showShape } from "../data/elements.js";
import { fileDiagnostic, quoteName, quotePath } from "./errors.js";

/** A variable as the model declares it. */
export interface ExpectedVariable {
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
}

/** Of each kind of difference, at most this many are listed: a file of another model differs in everything. */
const mostListed = 10;

/**
 * How the variables in a file differ from those of a model: one G090 whose notes list the missing (each with the nearest
 * left-over name), the left over, and those of another dtype or shape; nothing where they agree.
 * With `allowUnexpected`, left-over keys are no fault: a model for inference takes what it needs of a checkpoint that
 * also holds optimizer slots.
 */
export function compareWithModel(
  path: string,
  variables: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, ExpectedVariable>,
  options: { readonly allowUnexpected?: boolean } = {},
): readonly Diagnostic[] {
  const missing = [...expected.keys()].filter((name) => !variables.has(name));
  const leftOver = [...variables.keys()].filter((name) => !expected.has(name));
  const unexpected = options.allowUnexpected === true ? [] : leftOver;
  const different = [...expected].flatMap(([name, wanted]) => {
    const found = variables.get(name);
    return found === undefined || agrees(found, wanted) ? [] : [{ name, found, wanted }];
  });
  if (missing.length + unexpected.length + different.length === 0) {
    return [];
  }
  const counts = [
    ...(missing.length === 0 ? [] : [`${missing.length} missing`]),
    ...(unexpected.length === 0 ? [] : [`${unexpected.length} that the model does not have`]),
    ...(different.length === 0 ? [] : [`${different.length} of another type`]),
  ];
  const notes = [
    ...bounded(missing, "missing", (name) => {
      const near = nearestName(name, leftOver);
      return `missing: ${quoteName(name)} ${showType(expected.get(name))}${near === undefined ? "" : `; the file has ${quoteName(near)} ${showType(variables.get(near))}`}`;
    }),
    ...bounded(
      unexpected,
      "not in the model",
      (name) => `not in the model: ${quoteName(name)} ${showType(variables.get(name))}`,
    ),
    ...bounded(
      different,
      "of another type",
      ({ name, found, wanted }) =>
        `${quoteName(name)} is ${showType(found)} in the file and ${showType(wanted)} in the model`,
    ),
  ];
  const agreeing = expected.size - missing.length - different.length;
  return [
    {
      ...fileDiagnostic(
        "G090",
        `${quotePath(path)} does not fit this model: ${agreeing} of its ${expected.size} variables agree; ${counts.join(", ")}`,
        "load it into the model that saved it, or give the variables the same names and shapes",
      ),
      notes,
    },
  ];
}

function bounded<T>(items: readonly T[], what: string, say: (item: T) => string): readonly Note[] {
  const notes = items.slice(0, mostListed).map((item) => ({ span: undefined, message: say(item) }));
  const rest = items.length - notes.length;
  return rest === 0 ? notes : [...notes, { span: undefined, message: `and ${rest} more ${what}` }];
}

function agrees(found: Tensor, wanted: ExpectedVariable): boolean {
  return (
    found.dtype === wanted.dtype &&
    found.shape.length === wanted.shape.length &&
    found.shape.every((size, axis) => size === wanted.shape[axis])
  );
}

function showType(variable: ExpectedVariable | undefined): string {
  if (variable === undefined) {
    return "";
  }
  return variable.shape.length === 0 ? variable.dtype : `${variable.dtype}${showShape(variable.shape)}`;
}
