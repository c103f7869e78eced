import { InternalError } from "../../ir/diagnostic.js";
import { isFloat, type NumericDType } from "../../ir/dtype.js";
import { ArithmeticBuilder } from "./builder-arithmetic.js";
import { helperFunction } from "./prelude.js";
import {
  type ElementKind,
  elementBits,
  integerOfSameWidth,
  intrinsicSuffix,
  isFloatElement,
  registerElement,
  storageElement,
  withElement,
} from "./types.js";
import { requireFloat, requireInteger, type Value } from "./value.js";

/** Conversions between element kinds, lane by lane, with the language's meaning. */
export class ConvertBuilder extends ArithmeticBuilder {
  /** Integers to a wider or narrower integer: narrowing wraps; widening extends the sign, or zeros. */
  resizeInteger(value: Value, element: ElementKind, signedness: "signed" | "unsigned" = "signed"): Value {
    requireInteger("resizeInteger", value);
    const from = elementBits(value.type.element);
    const to = elementBits(element);
    const type = withElement(value.type, element);
    if (isFloatElement(element) || element === "ptr") throw new InternalError(`resizeInteger to ${element}`);
    if (from === to) return value;
    if (from > to) return this.cast("CreateTrunc", value, type);
    // One bit is a truth value: it is never extended by its sign.
    const isSigned = signedness === "signed" && value.type.element !== "i1";
    return this.cast(isSigned ? "CreateSExt" : "CreateZExt", value, type);
  }

  /** An integer to the nearest float, ties to even. */
  integerToFloat(value: Value, element: "f32" | "f64", signedness: "signed" | "unsigned" = "signed"): Value {
    requireInteger("integerToFloat", value);
    const isSigned = signedness === "signed" && value.type.element !== "i1";
    return this.cast(isSigned ? "CreateSIToFP" : "CreateUIToFP", value, withElement(value.type, element));
  }

  /** A float to an integer: truncates, saturates at the ends, NaN gives 0. */
  floatToInteger(value: Value, element: "i8" | "i32" | "i64", signedness: "signed" | "unsigned" = "signed"): Value {
    requireFloat("floatToInteger", value);
    const bits = elementBits(element);
    const isSigned = signedness === "signed";
    if (!isSigned && element !== "i8") throw new InternalError(`no unsigned ${element}`);
    const least = isSigned ? -(2 ** (bits - 1)) : 0;
    const bound = 2 ** (isSigned ? bits - 1 : bits); // exact in either float, as the greatest integer is not
    const { type } = value;
    if (bits < 32) {
      // Clamp among floats, where that is one instruction a side; the ends are exact.
      const low = this.select(this.compare("gt", value, this.constant(type, least)), value, this.constant(type, least));
      const clamped = this.select(
        this.compare("lt", low, this.constant(type, bound - 1)),
        low,
        this.constant(type, bound - 1),
      );
      const known = this.select(this.isNaN(value), this.constant(type, 0), clamped);
      return this.resizeInteger(this.cast("CreateFPToSI", known, withElement(type, "i32")), element);
    }
    const integer = withElement(type, element);
    const tooHigh = this.compare("ge", value, this.constant(type, bound));
    const inRange = this.and(
      this.compare("lt", value, this.constant(type, bound)),
      this.compare("ge", value, this.constant(type, least)),
    );
    // Out of range the instruction's result is poison to LLVM: convert a zero there, then put the ends in.
    const safe = this.select(inRange, value, this.constant(type, 0));
    const plain = this.cast("CreateFPToSI", safe, integer);
    const greatest = this.constant(integer, 2n ** BigInt(bits - 1) - 1n);
    const below = this.compare("lt", value, this.constant(type, least));
    return this.select(tooHigh, greatest, this.select(below, this.constant(integer, -(2n ** BigInt(bits - 1))), plain));
  }

  /** f32 to f64 (exact) or f64 to f32 (nearest, ties to even). */
  resizeFloat(value: Value, element: "f32" | "f64"): Value {
    requireFloat("resizeFloat", value);
    if (value.type.element === element) return value;
    return this.cast(element === "f64" ? "CreateFPExt" : "CreateFPTrunc", value, withElement(value.type, element));
  }

  /** The same bits as another element kind of the same width. */
  bitcast(value: Value, element: ElementKind): Value {
    if (elementBits(value.type.element) !== elementBits(element) || element === "ptr") {
      throw new InternalError(`bitcast: ${value.type.text} to ${element}`);
    }
    if (value.type.element === element) return value;
    return this.cast("CreateBitCast", value, withElement(value.type, element));
  }

  /** A float's bit pattern as an integer of its width. */
  bitsOf(value: Value): Value {
    return this.bitcast(value, integerOfSameWidth(value.type.element));
  }

  /** bf16 bits (i16) to f32: the upper half of an f32. */
  bf16ToFloat(bits: Value): Value {
    const wide = this.resizeInteger(bits, "i32", "unsigned");
    return this.bitcast(this.shiftLeft(wide, this.constant(wide.type, 16)), "f32");
  }

  /** f32 to bf16 bits: nearest, ties to even; a NaN stays a (quiet) NaN. */
  floatToBf16(value: Value): Value {
    const bits = this.bitcast(value, "i32");
    const k = (x: number): Value => this.constant(bits.type, x);
    const odd = this.and(this.shiftRight(bits, k(16)), k(1));
    const rounded = this.shiftRight(this.add(bits, this.add(odd, k(0x7fff))), k(16));
    const quiet = this.or(this.shiftRight(bits, k(16)), k(0x40));
    return this.resizeInteger(this.select(this.isNaN(value), quiet, rounded), "i16");
  }

  /** f16 bits (i16) to f32, exactly. */
  f16ToFloat(bits: Value): Value {
    const result = withElement(bits.type, "f32");
    if (!this.target.f16c || bits.type.lanes < 4) return this.#f16ToFloatByIntegers(bits);
    const half = `<${bits.type.lanes} x half>`;
    const name = `f16.to.f32.${intrinsicSuffix(result)}`;
    return this.helperValue(name, [bits], () =>
      helperFunction(name, [bits.type], result, [
        `%h = bitcast ${bits.type.text} %p0 to ${half}`,
        `%r = fpext ${half} %h to ${result.text}`,
        `ret ${result.text} %r`,
      ]),
    );
  }

  /** f32 to f16 bits: nearest, ties to even; above 65504 infinity; small results are subnormal halves. */
  floatToF16(value: Value): Value {
    return this.#floatToF16ByIntegers(value);
  }

  /**
   * Exponent and mantissa shift into place; multiplying by 2^112 moves the exponent's bias. The product is done on
   * normal floats only: a subnormal half is built from its integer value times 2^-24, since a flushing unit would lose it.
   */
  #f16ToFloatByIntegers(bits: Value): Value {
    const wide = this.resizeInteger(bits, "i32", "unsigned");
    const k = (x: number): Value => this.constant(wide.type, x);
    const sign = this.shiftLeft(this.and(wide, k(0x8000)), k(16));
    const magnitude = this.and(wide, k(0x7fff));
    const shifted = this.shiftLeft(magnitude, k(13));
    const normal = this.add(shifted, k(112 << 23));
    const special = this.or(shifted, k(0x7f800000));
    const small = this.integerToFloat(magnitude, "f32");
    const subnormal = this.bitsOf(this.mul(small, this.constant(small.type, 2 ** -24)));
    const isSubnormal = this.compare("lt", magnitude, k(0x400));
    const isSpecial = this.compare("ge", magnitude, k(0x7c00));
    const positive = this.select(isSubnormal, subnormal, this.select(isSpecial, special, normal));
    return this.bitcast(this.or(positive, sign), "f32");
  }

  #floatToF16ByIntegers(value: Value): Value {
    const bits = this.bitcast(value, "i32");
    const k = (x: number): Value => this.constant(bits.type, x);
    const sign = this.and(this.shiftRight(bits, k(16)), k(0x8000));
    const magnitude = this.and(bits, k(0x7fffffff));
    const odd = this.and(this.shiftRight(magnitude, k(13)), k(1));
    const rebased = this.sub(magnitude, k(112 << 23));
    const normal = this.shiftRight(this.add(rebased, this.add(odd, k(0xfff))), k(13));
    // Below 2^-14: adding 0.5 puts the half's last bit at the float's last bit, so that the addition rounds.
    const half = this.constant(value.type, 0.5);
    const aligned = this.add(this.bitcast(magnitude, "f32"), half);
    const subnormal = this.sub(this.bitsOf(aligned), this.bitsOf(half));
    const finite = this.select(this.compare("lt", magnitude, k(113 << 23)), subnormal, normal);
    // 65520 is the first value that rounds to infinity.
    const overflow = this.compare("ge", magnitude, k(0x477ff000));
    const nan = this.compare("gt", magnitude, k(0x7f800000));
    const result = this.select(nan, k(0x7e00), this.select(overflow, k(0x7c00), finite));
    return this.resizeInteger(this.or(result, sign), "i16");
  }

  /** A value as it is in memory (see `storageElement`) to how it is computed with (`registerElement`). */
  fromStorage(value: Value, dtype: NumericDType): Value {
    if (value.type.element !== storageElement(dtype)) throw new InternalError(`${value.type.text} stores no ${dtype}`);
    if (dtype === "f16") return this.f16ToFloat(value);
    if (dtype === "bf16") return this.bf16ToFloat(value);
    if (dtype === "bool") return this.compare("ne", value, this.constant(value.type, 0));
    return value;
  }

  /** The reverse of `fromStorage`; f16 and bf16 round here. */
  toStorage(value: Value, dtype: NumericDType): Value {
    if (value.type.element !== registerElement(dtype)) throw new InternalError(`${value.type.text} is no ${dtype}`);
    if (dtype === "f16") return this.floatToF16(value);
    if (dtype === "bf16") return this.floatToBf16(value);
    if (dtype === "bool") return this.resizeInteger(value, "i8");
    return value;
  }

  /** Rounds a register value to the precision of its dtype: f16 and bf16 compute in f32 but round after each op. */
  roundTo(value: Value, dtype: NumericDType): Value {
    return dtype === "f16" || dtype === "bf16" ? this.fromStorage(this.toStorage(value, dtype), dtype) : value;
  }

  /**
   * f64 to an f32 that rounds on to a half as the f64 itself would: inexact results are truncated and made odd (Boldo and
   * Melquiond 2008).
   */
  #toOddSingle(value: Value): Value {
    const nearest = this.resizeFloat(value, "f32");
    const back = this.resizeFloat(nearest, "f64");
    const bits = this.bitsOf(nearest);
    const one = this.constant(bits.type, 1);
    const isBeyond = this.compare("gt", this.abs(back), this.abs(value));
    const odd = this.or(this.select(isBeyond, this.sub(bits, one), bits), one);
    return this.bitcast(this.select(this.compare("ne", back, value), odd, bits), "f32");
  }

  /** The language's `cast` between register values: truncating and saturating to integers, wrapping among them. */
  convert(value: Value, from: NumericDType, to: NumericDType): Value {
    if (value.type.element !== registerElement(from)) throw new InternalError(`${value.type.text} is no ${from}`);
    if (from === to) return value;
    const target = registerElement(to);
    const signedness = from === "u8" || from === "bool" ? "unsigned" : "signed";
    if (to === "bool") return this.compare("ne", value, this.constant(value.type, 0));
    if (isFloat(to)) {
      const element = target === "f64" ? "f64" : "f32";
      const toHalf = to === "f16" || to === "bf16";
      if (from === "f64" && toHalf) return this.roundTo(this.#toOddSingle(value), to);
      const wide = isFloat(from) ? this.resizeFloat(value, element) : this.integerToFloat(value, element, signedness);
      return this.roundTo(wide, to);
    }
    if (!isFloat(from)) return this.resizeInteger(value, target, signedness);
    const width = to === "i64" ? "i64" : to === "i32" ? "i32" : "i8";
    return this.floatToInteger(value, width, to === "u8" ? "unsigned" : "signed");
  }
}
