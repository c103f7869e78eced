import { InternalError } from "../../ir/diagnostic.js";
import type { NumericDType } from "../../ir/dtype.js";

/** Element kinds of native values. `ptr` is a byte pointer (`i8*` in LLVM 14); i128 exists for wide multiplications. */
export const elementKinds = ["i1", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "ptr"] as const;
export type ElementKind = (typeof elementKinds)[number];

/**
 * The type of a native value: an element kind and a number of lanes (1 = a scalar). Types are interned, so two of
 * them are the same type exactly when they are the same object.
 */
export interface LlvmType {
  readonly element: ElementKind;
  readonly lanes: number;
  /** As LLVM writes it: `float`, `<16 x float>`, `i8*`. */
  readonly text: string;
}

const elementText: Readonly<Record<ElementKind, string>> = {
  i1: "i1",
  i8: "i8",
  i16: "i16",
  i32: "i32",
  i64: "i64",
  i128: "i128",
  f32: "float",
  f64: "double",
  ptr: "i8*",
};

/** The widest vector: 64 lanes of i8 fill one 512-bit register; wider elements are split by LLVM. */
export const maximumLanes = 64;

const interned = new Map<string, LlvmType>();

/** The type of `lanes` elements; lanes is a power of two of at most 64. Throws InternalError for what LLVM would not take. */
export function typeOf(element: ElementKind, lanes = 1): LlvmType {
  const key = `${element}x${lanes}`;
  const known = interned.get(key);
  if (known !== undefined) return known;
  const isPowerOfTwo = Number.isInteger(lanes) && lanes >= 1 && (lanes & (lanes - 1)) === 0;
  if (!isPowerOfTwo || lanes > maximumLanes) throw new InternalError(`no vector type has ${lanes} lanes`);
  if (lanes > 1 && (element === "ptr" || element === "i128")) {
    throw new InternalError(`no vectors of ${element}`);
  }
  const text = lanes === 1 ? elementText[element] : `<${lanes} x ${elementText[element]}>`;
  const type: LlvmType = Object.freeze({ element, lanes, text });
  interned.set(key, type);
  return type;
}

export const i1 = typeOf("i1");
export const i8 = typeOf("i8");
export const i16 = typeOf("i16");
export const i32 = typeOf("i32");
export const i64 = typeOf("i64");
export const f32 = typeOf("f32");
export const f64 = typeOf("f64");
export const ptr = typeOf("ptr");

/** The same element kind with another number of lanes. */
export function withLanes(type: LlvmType, lanes: number): LlvmType {
  return typeOf(type.element, lanes);
}

/** The same number of lanes of another element kind: the type of a lane-wise conversion. */
export function withElement(type: LlvmType, element: ElementKind): LlvmType {
  return typeOf(element, type.lanes);
}

/** Bits of one element. */
export function elementBits(element: ElementKind): number {
  switch (element) {
    case "i1":
      return 1;
    case "i8":
      return 8;
    case "i16":
      return 16;
    case "i32":
    case "f32":
      return 32;
    case "i64":
    case "f64":
    case "ptr":
      return 64;
    case "i128":
      return 128;
  }
}

export function isFloatElement(element: ElementKind): element is "f32" | "f64" {
  return element === "f32" || element === "f64";
}

export function isIntegerElement(element: ElementKind): boolean {
  return !isFloatElement(element) && element !== "ptr";
}

/** The integer element as wide as a float or integer element: what a bit pattern is held in. */
export function integerOfSameWidth(element: ElementKind): ElementKind {
  if (element === "f32") return "i32";
  if (element === "f64") return "i64";
  if (element === "ptr") throw new InternalError("a pointer has no bit pattern here");
  return element;
}

/** `v16f32` or `f32`: how LLVM names the type inside an intrinsic's name. */
export function intrinsicSuffix(type: LlvmType): string {
  return type.lanes === 1 ? type.element : `v${type.lanes}${type.element}`;
}

/** What an element of `dtype` is in memory: f16 and bf16 are bit patterns, a bool is a byte of 0 or 1. */
export function storageElement(dtype: NumericDType): ElementKind {
  switch (dtype) {
    case "f16":
    case "bf16":
      return "i16";
    case "u8":
    case "bool":
      return "i8";
    case "f64":
    case "f32":
    case "i64":
    case "i32":
    case "i8":
      return dtype;
  }
}

/** What an element of `dtype` is in a register: half precision computes in f32, a bool is one bit. */
export function registerElement(dtype: NumericDType): ElementKind {
  switch (dtype) {
    case "f16":
    case "bf16":
      return "f32";
    case "bool":
      return "i1";
    case "u8":
      return "i8";
    case "f64":
    case "f32":
    case "i64":
    case "i32":
    case "i8":
      return dtype;
  }
}
