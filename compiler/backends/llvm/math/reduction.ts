import type { Builder } from "../builder.js";
import { i64, typeOf } from "../types.js";
import type { Value } from "../value.js";
import type { Reduced } from "./trigonometry.js";

/** A word of zeros, then the first 1280 bits of 2/pi after the binary point. */
const twoOverPi: readonly bigint[] = [
  0n,
  0xa2f9836e4e441529n,
  0xfc2757d1f534ddc0n,
  0xdb6295993c439041n,
  0xfe5163abdebbc561n,
  0xb7246e3a424dd2e0n,
  0x06492eea09d1921cn,
  0xfe1deb1cb129a73en,
  0xe88235f52ebb4484n,
  0xe99c7026b45f7e41n,
  0x3991d639835339f4n,
  0x9c845f8bbdf9283bn,
  0x1ff897ffde05980fn,
  0xef2f118b5a0a6d1fn,
  0x6d367ecf27cb09b7n,
  0x4f463f669e5fea2dn,
  0x7527bac7ebe5f17bn,
  0x3d0739f78a5292ean,
  0x6bfb5fb11f8d5d08n,
  0x56033046fc7b6babn,
  0xf0cfbc209af4361dn,
];

/** pi/2 x 2^63. */
const halfPiFixed = 0xc90fdaa22168c234n;

/**
 * Payne and Hanek's reduction of one finite f64 of at least 2^20, in integers: x = m 2^e; the bits of 2/pi that can matter
 * start at bit e - 1 (earlier ones give multiples of 4 quadrants); 192 of them times m, modulo 2^192, are the quadrant
 * (2 bits) and the fraction of a quadrant (190 bits), of which 128 are kept. No double lies nearer than about 2^-61 to a
 * multiple of pi/2, so at least 64 bits of the remainder are right.
 */
export function reduceLarge(b: Builder, x: Value): Reduced {
  const wide = typeOf("i128");
  const word = (value: number | bigint): Value => b.constant(i64, value);
  const low64 = (value: Value): Value => b.resizeInteger(value, "i64");
  const high64 = (value: Value): Value => low64(b.shiftRight(value, b.constant(wide, 64)));
  const widen = (value: Value): Value => b.resizeInteger(value, "i128", "unsigned");

  const bits = b.bitsOf(b.abs(x));
  const exponent = b.sub(b.shiftRight(bits, word(52)), word(1075));
  const mantissa = b.or(b.and(bits, word(0xfffffffffffffn)), word(2n ** 52n));

  // The window's first bit is bit e - 1 of 2/pi, 1-based; the table starts 64 zero bits earlier.
  const start = b.add(exponent, word(62));
  const table = b.offsetElements(b.constantWords("two.over.pi", twoOverPi), "i64", b.shiftRight(start, word(6)));
  const shift = b.and(start, word(63));
  const words = [0, 1, 2, 3].map((index) => b.load(i64, b.offsetElements(table, "i64", index)));
  const window = (index: number): Value => {
    const [upper, lower] = [words[index] ?? x, words[index + 1] ?? x];
    const carried = b.shiftRight(b.shiftRight(lower, word(1)), b.sub(word(63), shift));
    return b.or(b.shiftLeft(upper, shift), carried);
  };

  const factor = widen(mantissa);
  const lowest = b.mul(factor, widen(window(2)));
  const middle = b.add(b.mul(factor, widen(window(1))), widen(high64(lowest)));
  const highest = b.add(b.mul(mantissa, window(0)), high64(middle));

  const fractionHigh = b.or(b.shiftLeft(highest, word(2)), b.shiftRight(low64(middle), word(62)));
  const fractionLow = b.or(b.shiftLeft(low64(middle), word(2)), b.shiftRight(low64(lowest), word(62)));
  // A fraction of a half or more belongs to the next quadrant, with a negative remainder.
  const isUpper = b.compare("lt", fractionHigh, word(0));
  const quadrant = b.add(b.shiftRight(highest, word(62)), b.resizeInteger(isUpper, "i64"));
  const fraction = b.or(b.shiftLeft(widen(fractionHigh), b.constant(wide, 64)), widen(fractionLow));
  const size = b.select(isUpper, b.neg(fraction), fraction);

  const zeros = b.leadingZeros(size);
  const leading = high64(b.shiftLeft(size, zeros));
  const product = b.mul(widen(leading), widen(word(halfPiFixed)));
  const more = b.leadingZeros(product);
  const digits = high64(b.shiftLeft(product, more));
  const down = b.add(low64(zeros), low64(more));

  // remainder = digits 2^(-63 - down), in a word of 53 bits and one of 11
  const power = (offset: number): Value => {
    const biased = b.sub(word(1023 + offset), down);
    return b.bitcast(b.shiftLeft(biased, word(52)), "f64");
  };
  const upper = b.mul(b.integerToFloat(b.shiftRight(digits, word(11)), "f64"), power(-52));
  const lower = b.mul(b.integerToFloat(b.and(digits, word(0x7ff)), "f64"), power(-63));
  const isNegative = b.xor(isUpper, b.compare("lt", b.bitsOf(x), word(0)));
  const signed = (value: Value): Value => b.select(isNegative, b.neg(value), value);
  // -x = -quadrant pi/2 - remainder
  const signedQuadrant = b.select(b.compare("lt", b.bitsOf(x), word(0)), b.neg(quadrant), quadrant);
  return { quadrant: signedQuadrant, high: signed(upper), low: signed(lower) };
}
