/** Elements of tensors as text that reads back to the same bits. */
import type { NumericDType } from "./dtype.js";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./half.js";
import { elementCount, type Tensor, type TensorData } from "./tensor.js";
import { shapeText } from "./type.js";

/** The NaN that `nan` alone stands for; any other is printed with its bits. */
export const canonicalNaN: ReadonlyMap<NumericDType, bigint> = new Map([
  ["f64", 0x7ff8000000000000n],
  ["f32", 0x7fc00000n],
  ["f16", 0x7e00n],
  ["bf16", 0x7fc0n],
]);

/** A number as JavaScript reads it back: `-0`, `inf` and `nan` are words of the printed form. */
export function numberText(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (x === Number.POSITIVE_INFINITY) return "inf";
  if (x === Number.NEGATIVE_INFINITY) return "-inf";
  return Object.is(x, -0) ? "-0" : String(x);
}

/**
 * `f32[2](0.5, 1)`; a tensor whose elements are all the same bits is `f32[784, 10] splat 0`. With `elide`, a longer one shows
 * its first elements and how many there are: for people, it does not parse.
 */
export function literalText(tensor: Tensor, elide: number | undefined): string {
  const type = tensor.shape.length === 0 ? tensor.dtype : `${tensor.dtype}${shapeText(tensor.shape)}`;
  const bits = bitsOf(tensor.data);
  const count = elementCount(tensor.shape);
  if (count > 1 && isSplat(bits)) return `${type} splat ${elementText(tensor.dtype, tensor.data, bits, 0)}`;
  const shown = elide !== undefined && count > elide ? Math.min(3, elide) : count;
  const elements: string[] = [];
  for (let i = 0; i < shown; i++) elements.push(elementText(tensor.dtype, tensor.data, bits, i));
  if (shown < count) elements.push(`... ${count - shown} more`);
  return `${type}(${elements.join(", ")})`;
}

type Bits = BigUint64Array | Uint32Array | Uint16Array | Uint8Array;

/** The same storage as unsigned words of the elements' size. */
export function bitsOf(data: TensorData): Bits {
  const { buffer, byteOffset, length } = data;
  switch (data.BYTES_PER_ELEMENT) {
    case 8:
      return new BigUint64Array(buffer, byteOffset, length);
    case 4:
      return new Uint32Array(buffer, byteOffset, length);
    case 2:
      return new Uint16Array(buffer, byteOffset, length);
    default:
      return new Uint8Array(buffer, byteOffset, length);
  }
}

function isSplat(bits: Bits): boolean {
  const first = bits[0];
  for (let i = 1; i < bits.length; i++) if (bits[i] !== first) return false;
  return true;
}

function elementText(dtype: NumericDType, data: TensorData, bits: Bits, index: number): string {
  const element = data[index] ?? 0;
  switch (dtype) {
    case "bool":
      return element === 0 ? "false" : element === 1 ? "true" : String(element);
    case "i64":
    case "i32":
    case "i8":
    case "u8":
      return String(element);
    case "f64":
      return floatText(dtype, Number(element), bits, index, (x) => x);
    case "f32":
      return floatText(dtype, Number(element), bits, index, Math.fround);
    case "f16":
      return floatText(dtype, decodeF16(Number(element)), bits, index, (x) => decodeF16(encodeF16(x)));
    case "bf16":
      return floatText(dtype, decodeBF16(Number(element)), bits, index, (x) => decodeBF16(encodeBF16(x)));
  }
}

function floatText(dtype: NumericDType, x: number, bits: Bits, index: number, round: (x: number) => number): string {
  if (Number.isNaN(x)) {
    const pattern = BigInt(bits[index] ?? 0);
    return pattern === canonicalNaN.get(dtype) ? "nan" : `nan:0x${pattern.toString(16)}`;
  }
  if (dtype === "f64" || x === 0 || !Number.isFinite(x)) return numberText(x);
  // Six digits identify every short decimal in f32, nine every f32 (and so every half).
  for (let digits = 3; digits <= 9; digits++) {
    const decimal = Number(x.toPrecision(digits));
    if (round(decimal) === x) return numberText(decimal);
  }
  return numberText(x);
}
