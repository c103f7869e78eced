import type { NumericDType } from "./dtype.js";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./half.js";

interface Digits {
  /** Any two decimal numbers of so many digits are apart in the dtype, beside subnormals. */
  readonly least: number;
  /** So many digits tell any two values of the dtype apart. */
  readonly most: number;
  /** Below it are the subnormals, which have fewer. */
  readonly smallestNormal: number;
  readonly round: (value: number) => number;
}

const digitsOf: ReadonlyMap<NumericDType, Digits> = new Map<NumericDType, Digits>([
  ["f32", { least: 6, most: 9, smallestNormal: 2 ** -126, round: Math.fround }],
  ["f16", { least: 3, most: 5, smallestNormal: 2 ** -14, round: (value) => decodeF16(encodeF16(value)) }],
  ["bf16", { least: 2, most: 4, smallestNormal: 2 ** -126, round: (value) => decodeBF16(encodeBF16(value)) }],
]);

/**
 * The number with the fewest decimal digits that is this value once it is rounded to the dtype: 0.3 for the f32 0.30000001192092896.
 * As text it is short, and reads back exactly.
 */
export function shortestNumber(dtype: NumericDType, value: number): number {
  const digits = digitsOf.get(dtype);
  // Whole numbers of a size that people read stay as they are: 65504 is 65500, too, in f16, and looks wrong.
  if (digits === undefined || !Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 2 ** 24))
    return value;
  const { least, most, smallestNormal, round } = digits;
  for (let precision = Math.abs(value) < smallestNormal ? 1 : least; precision < most; precision++) {
    const short = Number(value.toPrecision(precision));
    if (round(short) === value) return short;
  }
  return Number(value.toPrecision(most));
}
