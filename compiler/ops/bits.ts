/** Shifts and counts of the bits of integers, in two's complement. */
import type { NumericDType } from "../ir/dtype.js";
import { type BinaryOp, defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { integers, operand } from "./operands.js";
import { sameShape } from "./rules.js";
import { binarySamples, unarySamples, wholeNumbers } from "./samples.js";

const noBits = "integers have no gradient";

export const shiftLeft: BinaryOp = defineOp({
  name: "shift_left",
  doc: "The bits of x moved up by y places; 0 where y is negative or not below the number of bits.",
  stablehlo: "shift_left",
  inputs: [operand("x", integers), operand("y", integers)],
  attributes: {},
  infer: (types) => sameShape("shift_left", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "shift_left" },
  reference: shiftEvaluator((x, y, bits) => (y < 0n || y >= bits ? 0n : x << y)),
  samples: binarySamples(wholeNumbers(-100, 100), wholeNumbers(-1, 70)),
});

export const shiftRightArithmetic: BinaryOp = defineOp({
  name: "shift_right_arithmetic",
  doc:
    "The bits of x moved down by y places, copies of its sign coming in: x / 2^y, rounded down. Where y is negative or not below the " +
    "number of bits, all bits are the sign's. A u8 has no sign.",
  stablehlo: "shift_right_arithmetic",
  inputs: [operand("x", integers), operand("y", integers)],
  attributes: {},
  infer: (types) => sameShape("shift_right_arithmetic", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "shift_right_arithmetic" },
  reference: shiftEvaluator((x, y, bits) => x >> (y < 0n || y >= bits ? bits : y)),
  samples: binarySamples(wholeNumbers(-100, 100), wholeNumbers(-1, 70)),
});

export const shiftRightLogical: BinaryOp = defineOp({
  name: "shift_right_logical",
  doc: "The bits of x moved down by y places, zeros coming in; 0 where y is negative or not below the number of bits.",
  stablehlo: "shift_right_logical",
  inputs: [operand("x", integers), operand("y", integers)],
  attributes: {},
  infer: (types) => sameShape("shift_right_logical", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "shift_right_logical" },
  reference: shiftEvaluator((x, y, bits) => (y < 0n || y >= bits ? 0n : BigInt.asUintN(Number(bits), x) >> y)),
  samples: binarySamples(wholeNumbers(-100, 100), wholeNumbers(-1, 70)),
});

export const popcnt: UnaryOp = defineOp({
  name: "popcnt",
  doc: "How many bits of each element are set, in its own dtype.",
  stablehlo: "popcnt",
  inputs: [operand("x", integers)],
  attributes: {},
  infer: (types) => sameShape("popcnt", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "popcnt" },
  reference: bitsEvaluator((digits) => [...digits].filter((digit) => digit === "1").length),
  samples: unarySamples(wholeNumbers(-100, 100)),
});

export const countLeadingZeros: UnaryOp = defineOp({
  name: "count_leading_zeros",
  doc: "How many zero bits stand above the highest set bit of each element, in its own dtype; all of them for 0.",
  stablehlo: "count_leading_zeros",
  inputs: [operand("x", integers)],
  attributes: {},
  infer: (types) => sameShape("count_leading_zeros", types),
  vjp: noBits,
  kernel: { kind: "elementwise", scalar: "count_leading_zeros" },
  reference: bitsEvaluator((digits) => (digits.includes("1") ? digits.indexOf("1") : digits.length)),
  samples: unarySamples(wholeNumbers(-100, 100)),
});

/** Bits of an integer. */
export function widthOf(dtype: NumericDType): number {
  return dtype === "i64" ? 64 : dtype === "i32" ? 32 : 8;
}

type Call = { readonly inputs: readonly ReferenceTensor[] };

/** The evaluator of a shift on numbers without limit; the result is cut to the dtype. */
function shiftEvaluator(shift: (x: bigint, y: bigint, bits: bigint) => bigint) {
  return ({ inputs }: Call) => {
    const [x, y] = inputs as readonly [ReferenceTensor, ReferenceTensor];
    const bits = widthOf(x.dtype);
    const at = (i: number): bigint => {
      const shifted = shift(BigInt(x.data[i] as number | bigint), BigInt(y.data[i] as number | bigint), BigInt(bits));
      return x.dtype === "u8" ? BigInt.asUintN(bits, shifted) : BigInt.asIntN(bits, shifted);
    };
    return [mapped(x.data, at)];
  };
}

/** The evaluator of a count over the binary digits, all of them, the highest first. */
function bitsEvaluator(count: (digits: string) => number) {
  return ({ inputs }: Call) => {
    const [x] = inputs as readonly [ReferenceTensor];
    const bits = widthOf(x.dtype);
    const at = (i: number): bigint => {
      const digits = BigInt.asUintN(bits, BigInt(x.data[i] as number | bigint)).toString(2);
      return BigInt(count(digits.padStart(bits, "0")));
    };
    return [mapped(x.data, at)];
  };
}

function mapped(data: Float64Array | BigInt64Array, at: (i: number) => bigint): Float64Array | BigInt64Array {
  return data instanceof BigInt64Array ? data.map((_, i) => at(i)) : data.map((_, i) => Number(at(i)));
}
