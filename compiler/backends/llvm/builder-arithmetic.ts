import type * as Llvm from "llvm-bindings";
import { InternalError } from "../../ir/diagnostic.js";
import { Emitter } from "./emitter.js";
import { helperFunction } from "./prelude.js";
import { elementBits, intrinsicSuffix, isFloatElement, withElement } from "./types.js";
import { requireFloat, requireInteger, requireSame, type Value } from "./value.js";

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

type BinaryName =
  | "CreateAdd"
  | "CreateSub"
  | "CreateMul"
  | "CreateUDiv"
  | "CreateURem"
  | "CreateSDiv"
  | "CreateSRem"
  | "CreateFAdd"
  | "CreateFSub"
  | "CreateFMul"
  | "CreateFDiv"
  | "CreateAnd"
  | "CreateOr"
  | "CreateXor"
  | "CreateShl"
  | "CreateAShr"
  | "CreateLShr";

const signedComparison = {
  eq: "CreateICmpEQ",
  ne: "CreateICmpNE",
  lt: "CreateICmpSLT",
  le: "CreateICmpSLE",
  gt: "CreateICmpSGT",
  ge: "CreateICmpSGE",
} as const;
const unsignedComparison = {
  eq: "CreateICmpEQ",
  ne: "CreateICmpNE",
  lt: "CreateICmpULT",
  le: "CreateICmpULE",
  gt: "CreateICmpUGT",
  ge: "CreateICmpUGE",
} as const;
const floatComparison = {
  eq: "CreateFCmpOEQ",
  ne: "CreateFCmpUNE",
  lt: "CreateFCmpOLT",
  le: "CreateFCmpOLE",
  gt: "CreateFCmpOGT",
  ge: "CreateFCmpOGE",
} as const;

type FastFlag = "reassoc" | "contract";

/** Arithmetic on scalars and, lane by lane, on vectors. Operands of one call have one type. */
export class ArithmeticBuilder extends Emitter {
  #binary(name: BinaryName, a: Value, b: Value): Value {
    requireSame(name, a, b);
    return this.wrap(a.type, this.ir[name](a.handle, b.handle));
  }

  #numeric(ofFloats: BinaryName, ofIntegers: BinaryName, a: Value, b: Value): Value {
    if (isFloatElement(a.type.element)) return this.#binary(ofFloats, a, b);
    requireInteger(ofIntegers, a);
    return this.#binary(ofIntegers, a, b);
  }

  #bits(name: BinaryName, a: Value, b: Value): Value {
    requireInteger(name, a);
    return this.#binary(name, a, b);
  }

  /** a + b; integers wrap. */
  add(a: Value, b: Value): Value {
    return this.#numeric("CreateFAdd", "CreateAdd", a, b);
  }

  sub(a: Value, b: Value): Value {
    return this.#numeric("CreateFSub", "CreateSub", a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.#numeric("CreateFMul", "CreateMul", a, b);
  }

  /** a / b of floats. For integers see `divFloor` and `divUnsigned`. */
  div(a: Value, b: Value): Value {
    requireFloat("div", a);
    return this.#binary("CreateFDiv", a, b);
  }

  neg(a: Value): Value {
    if (isFloatElement(a.type.element)) return this.wrap(a.type, this.ir.CreateFNeg(a.handle));
    requireInteger("neg", a);
    return this.wrap(a.type, this.ir.CreateNeg(a.handle));
  }

  /** a b + c: one rounding where the target fuses, two elsewhere (an emulated fma would be a call for each lane). */
  fma(a: Value, b: Value, c: Value): Value {
    requireFloat("fma", a);
    requireSame("fma", a, b);
    requireSame("fma", a, c);
    if (!this.target.fma) return this.add(this.mul(a, b), c);
    return this.intrinsic(`llvm.fma.${intrinsicSuffix(a.type)}`, [a, b, c], a.type);
  }

  #fast(operation: "fadd" | "fmul", flag: FastFlag, a: Value, b: Value): Value {
    requireFloat(operation, a);
    requireSame(operation, a, b);
    const name = `${operation}.${flag}.${intrinsicSuffix(a.type)}`;
    return this.helperValue(name, [a, b], () =>
      helperFunction(name, [a.type, a.type], a.type, [
        `%r = ${operation} ${flag} ${a.type.text} %p0, %p1`,
        `ret ${a.type.text} %r`,
      ]),
    );
  }

  /** An addition that LLVM may reorder with others of its kind. */
  addReassociable(a: Value, b: Value): Value {
    return this.#fast("fadd", "reassoc", a, b);
  }

  /** A multiplication that LLVM may reorder with others of its kind. */
  mulReassociable(a: Value, b: Value): Value {
    return this.#fast("fmul", "reassoc", a, b);
  }

  /** Unsigned quotient. The caller knows that b is not 0. */
  divUnsigned(a: Value, b: Value): Value {
    return this.#bits("CreateUDiv", a, b);
  }

  /** Unsigned remainder. The caller knows that b is not 0. */
  remUnsigned(a: Value, b: Value): Value {
    return this.#bits("CreateURem", a, b);
  }

  /**
   * Signed quotient and remainder towards zero, for any operands: by 0 the quotient is 0 and the remainder a; the
   * quotient of the least integer by -1 wraps to itself. (The processor would trap at both.)
   */
  divTruncate(a: Value, b: Value): { readonly quotient: Value; readonly remainder: Value } {
    requireInteger("divTruncate", a);
    requireSame("divTruncate", a, b);
    const zero = this.constant(a.type, 0);
    const isZero = this.compare("eq", b, zero);
    const isMinusOne = this.compare("eq", b, this.constant(a.type, -1));
    const safe = this.select(this.or(isZero, isMinusOne), this.constant(a.type, 1), b);
    const plain = this.#truncatingQuotient(a, safe);
    const quotient = this.select(isZero, zero, this.select(isMinusOne, this.neg(a), plain));
    return { quotient, remainder: this.sub(a, this.mul(quotient, b)) };
  }

  /** b is neither 0 nor -1. No vector unit divides integers: up to 32 bits a double's quotient truncates to the exact one. */
  #truncatingQuotient(a: Value, b: Value): Value {
    const { type } = a;
    if (type.lanes === 1 || elementBits(type.element) > 32) return this.#binary("CreateSDiv", a, b);
    const wide = withElement(type, "f64");
    const toDouble = (x: Value): Value => this.wrap(wide, this.ir.CreateSIToFP(x.handle, this.module.llvmType(wide)));
    const quotient = this.div(toDouble(a), toDouble(b));
    return this.wrap(type, this.ir.CreateFPToSI(quotient.handle, this.module.llvmType(type)));
  }

  /** Floor division and its remainder (of b's sign), guarded as `divTruncate`; by 0: quotient 0, remainder a. */
  divFloor(a: Value, b: Value): { readonly quotient: Value; readonly remainder: Value } {
    const { quotient, remainder } = this.divTruncate(a, b);
    const zero = this.constant(a.type, 0);
    const differ = this.compare("lt", this.xor(remainder, b), zero);
    const inexact = this.compare("ne", remainder, zero);
    const isZero = this.compare("eq", b, zero);
    const adjust = this.and(this.and(differ, inexact), this.not(isZero));
    return {
      quotient: this.select(adjust, this.sub(quotient, this.constant(a.type, 1)), quotient),
      remainder: this.select(adjust, this.add(remainder, b), remainder),
    };
  }

  /** The unsigned quotient and remainder; by 0: quotient 0, remainder a. */
  divUnsignedGuarded(a: Value, b: Value): { readonly quotient: Value; readonly remainder: Value } {
    const zero = this.constant(a.type, 0);
    const isZero = this.compare("eq", b, zero);
    const safe = this.select(isZero, this.constant(a.type, 1), b);
    const quotient = this.select(isZero, zero, this.divUnsigned(a, safe));
    return { quotient, remainder: this.sub(a, this.mul(quotient, b)) };
  }

  and(a: Value, b: Value): Value {
    return this.#bits("CreateAnd", a, b);
  }

  or(a: Value, b: Value): Value {
    return this.#bits("CreateOr", a, b);
  }

  xor(a: Value, b: Value): Value {
    return this.#bits("CreateXor", a, b);
  }

  not(a: Value): Value {
    requireInteger("not", a);
    return this.wrap(a.type, this.ir.CreateNot(a.handle));
  }

  /** Shifts; the caller knows that the amount is below the width. */
  shiftLeft(a: Value, amount: Value): Value {
    return this.#bits("CreateShl", a, amount);
  }

  shiftRight(a: Value, amount: Value): Value {
    return this.#bits("CreateLShr", a, amount);
  }

  shiftRightSigned(a: Value, amount: Value): Value {
    return this.#bits("CreateAShr", a, amount);
  }

  /** The number of zero bits above the highest set one; the width for 0. */
  leadingZeros(a: Value): Value {
    return this.#countBits("leading.zeros", "ctlz", a, ", i1 false", ", i1");
  }

  /** The number of set bits. */
  populationCount(a: Value): Value {
    return this.#countBits("population", "ctpop", a, "", "");
  }

  #countBits(label: string, intrinsic: string, a: Value, flag: string, flagType: string): Value {
    requireInteger(label, a);
    const suffix = intrinsicSuffix(a.type);
    const name = `${label}.${suffix}`;
    const { text } = a.type;
    return this.helperValue(name, [a], () =>
      helperFunction(
        name,
        [a.type],
        a.type,
        [`%r = call ${text} @llvm.${intrinsic}.${suffix}(${text} %p0${flag})`, `ret ${text} %r`],
        [`declare ${text} @llvm.${intrinsic}.${suffix}(${text}${flagType})`],
      ),
    );
  }

  /** Comparison lane by lane, giving i1. A NaN is unequal to all and ordered with nothing. */
  compare(relation: Comparison, a: Value, b: Value, signedness: "signed" | "unsigned" = "signed"): Value {
    requireSame(`compare ${relation}`, a, b);
    const result = withElement(a.type, "i1");
    if (isFloatElement(a.type.element))
      return this.wrap(result, this.ir[floatComparison[relation]](a.handle, b.handle));
    requireInteger("compare", a);
    const name = (signedness === "signed" ? signedComparison : unsignedComparison)[relation];
    return this.wrap(result, this.ir[name](a.handle, b.handle));
  }

  isNaN(a: Value): Value {
    requireFloat("isNaN", a);
    return this.compare("ne", a, a);
  }

  /** Where the i1 (one, or one for each lane) is set, a, else b. */
  select(condition: Value, a: Value, b: Value): Value {
    requireSame("select", a, b);
    const matches = condition.type.lanes === 1 || condition.type.lanes === a.type.lanes;
    if (condition.type.element !== "i1" || !matches) {
      throw new InternalError(`select: ${condition.type.text} chooses among ${a.type.text}`);
    }
    return this.wrap(a.type, this.ir.CreateSelect(condition.handle, a.handle, b.handle));
  }

  /** The larger. Of floats, a NaN in either gives NaN; of two zeros of different sign either may come. */
  max(a: Value, b: Value, signedness: "signed" | "unsigned" = "signed"): Value {
    return this.#extreme("max", a, b, signedness);
  }

  /** The smaller, as `max`. */
  min(a: Value, b: Value, signedness: "signed" | "unsigned" = "signed"): Value {
    return this.#extreme("min", a, b, signedness);
  }

  #extreme(which: "min" | "max", a: Value, b: Value, signedness: "signed" | "unsigned"): Value {
    const relation = which === "max" ? "gt" : "lt";
    if (!isFloatElement(a.type.element)) return this.select(this.compare(relation, a, b, signedness), a, b);
    if (a.constant !== undefined && b.constant === undefined) return this.#extreme(which, b, a, signedness);
    if (b.constant !== undefined && !Number.isNaN(Number(b.constant))) {
      // The negated order keeps a NaN of a in one comparison. At equal zeros b is right when it is max's +0 or min's -0.
      const keepsB = Object.is(b.constant, which === "max" ? 0 : -0);
      const ordered = which === "max" ? (keepsB ? "le" : "lt") : keepsB ? "ge" : "gt";
      return this.select(this.compare(ordered, a, b), b, a);
    }
    // The processor's own minimum and maximum give b where either is NaN; the second select restores a NaN of a.
    return this.select(this.isNaN(a), a, this.select(this.compare(relation, a, b), a, b));
  }

  /** |a|; of floats by clearing the sign bit, of integers wrapping at the least one. */
  abs(a: Value): Value {
    if (isFloatElement(a.type.element)) return this.intrinsic(`llvm.fabs.${intrinsicSuffix(a.type)}`, [a], a.type);
    return this.select(this.compare("lt", a, this.constant(a.type, 0)), this.neg(a), a);
  }

  /** The magnitude of a with the sign of b. */
  copySign(a: Value, b: Value): Value {
    requireFloat("copySign", a);
    requireSame("copySign", a, b);
    return this.intrinsic(`llvm.copysign.${intrinsicSuffix(a.type)}`, [a, b], a.type);
  }

  /** The correctly rounded square root; NaN below zero. */
  sqrt(a: Value): Value {
    requireFloat("sqrt", a);
    return this.intrinsic(`llvm.sqrt.${intrinsicSuffix(a.type)}`, [a], a.type);
  }

  floor(a: Value): Value {
    return this.#round("floor", a);
  }

  ceil(a: Value): Value {
    return this.#round("ceil", a);
  }

  truncate(a: Value): Value {
    return this.#round("trunc", a);
  }

  /** To the nearest integer, ties to even. */
  roundEven(a: Value): Value {
    return this.#round("nearbyint", a);
  }

  #round(name: "floor" | "ceil" | "trunc" | "nearbyint", a: Value): Value {
    requireFloat(name, a);
    if (this.target.rounding) return this.intrinsic(`llvm.${name}.${intrinsicSuffix(a.type)}`, [a], a.type);
    return this.#roundWithoutInstruction(name, a);
  }

  /**
   * Before SSE4.1 these would be calls for each lane. Adding and subtracting 2^(p-1) rounds to an integer, ties to even;
   * the others follow by one correction. The sign is restored, so that -0.2 gives -0.
   */
  #roundWithoutInstruction(name: "floor" | "ceil" | "trunc" | "nearbyint", a: Value): Value {
    const magnitude = this.abs(a);
    const limit = this.constant(a.type, a.type.element === "f32" ? 2 ** 23 : 2 ** 52);
    const nearest = this.copySign(this.sub(this.add(magnitude, limit), limit), a);
    const isSmall = this.compare("lt", magnitude, limit);
    const one = this.constant(a.type, 1);
    const rounded = ((): Value => {
      switch (name) {
        case "nearbyint":
          return nearest;
        case "floor":
          return this.select(this.compare("gt", nearest, a), this.sub(nearest, one), nearest);
        case "ceil":
          return this.select(this.compare("lt", nearest, a), this.add(nearest, one), nearest);
        case "trunc": {
          const size = this.abs(nearest);
          return this.select(this.compare("gt", size, magnitude), this.sub(size, one), size);
        }
      }
    })();
    return this.select(isSmall, this.copySign(rounded, a), a);
  }

  /** For subclasses: the raw handle of a conversion. */
  protected cast(name: CastName, value: Value, to: Value["type"]): Value {
    if (value.type.lanes !== to.lanes) throw new InternalError(`${name}: ${value.type.text} to ${to.text}`);
    return this.wrap(to, this.ir[name](value.handle, this.module.llvmType(to)));
  }
}

export type CastName = keyof Pick<
  Llvm.IRBuilder,
  | "CreateTrunc"
  | "CreateZExt"
  | "CreateSExt"
  | "CreateFPTrunc"
  | "CreateFPExt"
  | "CreateSIToFP"
  | "CreateUIToFP"
  | "CreateFPToSI"
  | "CreateBitCast"
>;
