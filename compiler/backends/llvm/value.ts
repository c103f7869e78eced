import type * as Llvm from "llvm-bindings";
import { InternalError } from "../../ir/diagnostic.js";
import { isFloatElement, isIntegerElement, type LlvmType } from "./types.js";

/** A typed value of a function under construction. `constant` is set for splats of a known number. */
export interface Value {
  readonly type: LlvmType;
  readonly handle: Llvm.Value;
  readonly constant?: number | bigint;
}

/** The checks that stand before each call of LLVM, which would otherwise end the process on a wrong type. */
export function requireSame(operation: string, a: Value, b: Value): void {
  if (a.type !== b.type) throw new InternalError(`${operation}: operands ${a.type.text} and ${b.type.text} differ`);
}

export function requireType(operation: string, value: Value, type: LlvmType): void {
  if (value.type !== type) throw new InternalError(`${operation}: ${value.type.text} where ${type.text} belongs`);
}

export function requireFloat(operation: string, value: Value): void {
  if (!isFloatElement(value.type.element)) throw new InternalError(`${operation}: ${value.type.text} is not of floats`);
}

export function requireInteger(operation: string, value: Value): void {
  if (!isIntegerElement(value.type.element)) {
    throw new InternalError(`${operation}: ${value.type.text} is not of integers`);
  }
}
