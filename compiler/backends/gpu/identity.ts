import type { NumericDType } from "../../ir/dtype.js";
import type { Accumulator } from "../../kernels/form.js";

/** What an accumulator starts from. */
export function identityOf({ combiner, dtype }: Accumulator): number {
  switch (combiner) {
    case "sum":
    case "or":
    case "arg_max":
    case "arg_min":
      return 0;
    case "product":
    case "and":
      return 1;
    case "max":
      return leastOf.get(dtype) ?? Number.NEGATIVE_INFINITY;
    case "min":
      return greatestOf.get(dtype) ?? Number.POSITIVE_INFINITY;
  }
}

/** Where an extreme of nothing lies, of the integers that kernels reduce. */
const leastOf: ReadonlyMap<NumericDType, number> = new Map([
  ["bool", 0],
  ["u8", 0],
  ["i8", -128],
]);
const greatestOf: ReadonlyMap<NumericDType, number> = new Map([
  ["bool", 1],
  ["u8", 255],
  ["i8", 127],
]);

/** What the first key of argmax or argmin is compared with. */
export function extremeOf({ combiner }: Accumulator): number {
  return combiner === "arg_max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
