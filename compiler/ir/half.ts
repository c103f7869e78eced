/**
 * Half-precision numbers as bit patterns: IEEE 754 binary16 (f16) and bfloat16 (bf16). Conversion to a half rounds to
 * the nearest value, ties to even, once, straight from the JavaScript number; every f32 and f64 is therefore rounded
 * correctly. A NaN becomes the quiet NaN of its format, without a payload. Subnormals are kept: flushing them is a
 * matter of the arithmetic, not of the format.
 */
interface HalfFormat {
  readonly fractionBits: number;
  readonly exponentBias: number;
  readonly infinity: number;
  readonly quietNaN: number;
}

const f16Format: HalfFormat = { fractionBits: 10, exponentBias: 15, infinity: 0x7c00, quietNaN: 0x7e00 };
const bf16Format: HalfFormat = { fractionBits: 7, exponentBias: 127, infinity: 0x7f80, quietNaN: 0x7fc0 };

/** The number that an f16 bit pattern stands for (exact). */
export function decodeF16(bits: number): number {
  return decode(f16Format, bits);
}

/** The f16 bit pattern nearest to `value`, ties to even; beyond 65504 + 16 it is an infinity. */
export function encodeF16(value: number): number {
  return encode(f16Format, value);
}

/** The number that a bf16 bit pattern stands for (exact). */
export function decodeBF16(bits: number): number {
  return decode(bf16Format, bits);
}

/** The bf16 bit pattern nearest to `value`, ties to even. */
export function encodeBF16(value: number): number {
  return encode(bf16Format, value);
}

/** Widens a whole tensor's bit patterns to f32 (exact). */
export function halvesToFloat32(dtype: "f16" | "bf16", bits: Uint16Array): Float32Array {
  const format = dtype === "f16" ? f16Format : bf16Format;
  const values = new Float32Array(bits.length);
  for (let index = 0; index < bits.length; index++) {
    values[index] = decode(format, bits[index] ?? 0);
  }
  return values;
}

/** Rounds numbers to bit patterns, each to the nearest, ties to even. */
export function numbersToHalves(dtype: "f16" | "bf16", values: ArrayLike<number>): Uint16Array {
  const format = dtype === "f16" ? f16Format : bf16Format;
  const bits = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    bits[index] = encode(format, values[index] ?? 0);
  }
  return bits;
}

function decode(format: HalfFormat, bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const magnitude = bits & 0x7fff;
  if (magnitude >= format.infinity) {
    return magnitude === format.infinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const scale = 2 ** format.fractionBits;
  const exponent = magnitude >> format.fractionBits;
  const fraction = magnitude & (scale - 1);
  return exponent === 0
    ? sign * fraction * 2 ** (1 - format.exponentBias - format.fractionBits)
    : sign * (scale + fraction) * 2 ** (exponent - format.exponentBias - format.fractionBits);
}

function encode(format: HalfFormat, value: number): number {
  if (Number.isNaN(value)) {
    return format.quietNaN;
  }
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  const smallestExponent = 1 - format.exponentBias;
  if (magnitude >= 2 ** (format.exponentBias + 1)) {
    return sign | format.infinity;
  }
  const exponent = Math.max(binaryExponent(magnitude), smallestExponent);
  // The significand as a multiple of the last place. Both factors are powers of two, so this product is exact (or so
  // deep below the least subnormal that it rounds to 0 either way).
  const significand = roundHalfToEven(magnitude * 2 ** (format.fractionBits - exponent));
  // Adding rather than combining lets a carry out of the significand raise the exponent, up to infinity.
  return sign | (((exponent - smallestExponent) << format.fractionBits) + significand);
}

const doubleView = new DataView(new ArrayBuffer(8));

/** floor(log2(x)) of a positive normal double, read from its exponent field (Math.log2 may round up at 2^n - ulp). */
function binaryExponent(magnitude: number): number {
  doubleView.setFloat64(0, magnitude);
  return ((doubleView.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
