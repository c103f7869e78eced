/** How near two results must be, and where the first difference is. */

import type { NumericDType } from "../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16 } from "../../compiler/ir/half.js";
import type { TensorData } from "../../compiler/ir/tensor.js";

/** How far two floats may be apart, and whether the sign of a zero counts. */
export interface Tolerance {
  /** Steps of the dtype from number to number. */
  readonly ulps: number;
  /** Differences up to this are never wrong (sums with cancellation). */
  readonly absolute: number;
  /** Differences up to this times the expected magnitude are never wrong. */
  readonly relative: number;
  readonly zeroSigns: boolean;
}

export const exact: Tolerance = { ulps: 0, absolute: 0, relative: 0, zeroSigns: true };

/** The first element that differs, in words; undefined where all agree. NaN agrees with NaN. */
export function firstDifference(
  dtype: NumericDType,
  actual: TensorData,
  expected: TensorData,
  tolerance: Tolerance = exact,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} elements, not ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [actual[i], expected[i]];
    if (x === y && x !== 0) continue;
    if (typeof x === "bigint" || typeof y === "bigint") {
      if (x !== y) return `[${i}] is ${x}, not ${y}`;
      continue;
    }
    const [number, wanted] = [flushed(dtype, x as number), flushed(dtype, y as number)];
    if (!agrees(dtype, number, wanted, tolerance)) return `[${i}] is ${signed(number)}, not ${signed(wanted)}`;
  }
  return undefined;
}

function agrees(dtype: NumericDType, x: number, y: number, tolerance: Tolerance): boolean {
  if (Object.is(x, y)) return true;
  if (x === 0 && y === 0) return !tolerance.zeroSigns;
  // The processor flushes what is tiny before it is rounded, the reference what is tiny after.
  const { least } = formats[dtype] ?? wholeNumbers;
  const greatest = Math.max(Math.abs(x), Math.abs(y));
  if ((x === 0 || y === 0) && greatest >= least && greatest <= least * (1 + 2 ** -40)) return sameSign(x, y);
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return tolerance.ulps > 0 && isNextToInfinity(dtype, x, y);
  const distance = Math.abs(x - y);
  return distance <= Math.max(tolerance.absolute, tolerance.relative * Math.abs(y), tolerance.ulps * unit(dtype, y));
}

function sameSign(x: number, y: number): boolean {
  return (x < 0 || Object.is(x, -0)) === (y < 0 || Object.is(y, -0));
}

/** The greatest number and infinity are one rounding apart. */
function isNextToInfinity(dtype: NumericDType, x: number, y: number): boolean {
  const { precision, greatest } = formats[dtype] ?? wholeNumbers;
  const [small, large] = Math.abs(x) < Math.abs(y) ? [x, y] : [y, x];
  return Math.sign(small) === Math.sign(large) && Math.abs(small) >= greatest * (1 - 4 * 2 ** -precision);
}

const wholeNumbers = { precision: 64, least: 1, greatest: Number.POSITIVE_INFINITY };
const formats: Partial<Record<NumericDType, typeof wholeNumbers>> = {
  f64: { precision: 53, least: 2 ** -1022, greatest: Number.MAX_VALUE },
  f32: { precision: 24, least: 2 ** -126, greatest: (2 - 2 ** -23) * 2 ** 127 },
  bf16: { precision: 8, least: 2 ** -126, greatest: (2 - 2 ** -7) * 2 ** 127 },
  f16: { precision: 11, least: 2 ** -14, greatest: 65_504 },
};

/** The distance between neighbours of a dtype around a number; at the least normal ones where it is smaller still. */
export function unit(dtype: NumericDType, x: number): number {
  const format = formats[dtype];
  if (format === undefined) return 0;
  const magnitude = Math.max(Math.abs(x), format.least);
  return 2 ** Math.floor(Math.log2(magnitude)) * 2 ** (1 - format.precision);
}

/** An element's number. A subnormal counts as a signed zero, whether the code that moved it flushed it or not. */
function flushed(dtype: NumericDType, element: number): number {
  if (dtype === "f16") return decodeF16(element);
  const x = dtype === "bf16" ? decodeBF16(element) : element;
  const { least } = formats[dtype] ?? wholeNumbers;
  return Math.abs(x) < least ? x * 0 : x;
}

function signed(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
