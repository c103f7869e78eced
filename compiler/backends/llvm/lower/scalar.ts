import { InternalError, unreachable } from "../../../ir/diagnostic.js";
import { isFloat, type NumericDType } from "../../../ir/dtype.js";
import { widthOf } from "../../../ops/bits.js";
import type { ScalarOp } from "../../../ops/scalar.js";
import type { Builder } from "../builder.js";
import { emitMath } from "../math/emit.js";
import { registerElement, typeOf } from "../types.js";
import type { Value } from "../value.js";
import { emitFloatFloorDivision, emitFloatModulo } from "./modulo.js";

/** How integers of a dtype compare, divide and widen. */
export function signednessOf(dtype: NumericDType): "signed" | "unsigned" {
  return dtype === "u8" || dtype === "bool" ? "unsigned" : "signed";
}

/**
 * One scalar function on register values of equal lanes. `operand` is the operands' dtype (of the branches for select),
 * `result` the result's; f16 and bf16 round after each op.
 */
export function emitScalar(
  b: Builder,
  op: ScalarOp,
  operand: NumericDType,
  result: NumericDType,
  args: readonly Value[],
): Value {
  const value = emitExact(b, op, operand, result, args);
  return b.roundTo(value, result);
}

function emitExact(
  b: Builder,
  op: ScalarOp,
  operand: NumericDType,
  result: NumericDType,
  args: readonly Value[],
): Value {
  const [x, y, z] = args as readonly [Value, Value, Value];
  const sign = signednessOf(operand);
  const constant = (value: number): Value => b.constant(typeOf(registerElement(result), x.type.lanes), value);
  switch (op) {
    case "identity":
      return x;
    case "cast":
      return b.convert(x, operand, result);
    case "add":
      return b.add(x, y);
    case "sub":
      return b.sub(x, y);
    case "mul":
      return b.mul(x, y);
    case "div":
      return b.div(x, y);
    case "neg":
      return b.neg(x);
    case "abs":
      return sign === "unsigned" ? x : b.abs(x);
    case "sign":
      return emitSign(b, operand, x);
    case "max":
      return b.max(x, y, sign);
    case "min":
      return b.min(x, y, sign);
    case "not":
      return b.not(x);
    case "and":
      return b.and(x, y);
    case "or":
      return b.or(x, y);
    case "xor":
      return b.xor(x, y);
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return b.compare(op, x, y, sign);
    case "select":
      return b.select(x, y, z);
    case "floor":
      return isFloat(operand) ? b.floor(x) : x;
    case "ceil":
      return isFloat(operand) ? b.ceil(x) : x;
    case "round":
      return isFloat(operand) ? b.roundEven(x) : x;
    case "sqrt":
      return b.sqrt(x);
    case "rsqrt":
      return b.div(constant(1), b.sqrt(x));
    case "is_finite":
      return b.compare("lt", b.abs(x), b.constant(x.type, Number.POSITIVE_INFINITY));
    case "floor_div":
      return isFloat(operand) ? emitFloatFloorDivision(b, x, y) : divideIntegers(b, operand, x, y).quotient;
    case "mod":
      return isFloat(operand) ? emitFloatModulo(b, x, y) : divideIntegers(b, operand, x, y).remainder;
    case "pow":
      return isFloat(operand) ? emitMath(b, "pow", [x, y]) : emitIntegerPower(b, operand, x, y);
    case "exp":
    case "expm1":
    case "log":
    case "log1p":
    case "sin":
    case "cos":
    case "tanh":
    case "sigmoid":
    case "erf":
    case "erfc":
    case "cbrt":
      return emitMath(b, op, [x]);
    case "atan2":
      return emitMath(b, op, [x, y]);
    case "popcnt":
      return b.populationCount(x);
    case "count_leading_zeros":
      return b.leadingZeros(x);
    case "shift_left":
    case "shift_right_arithmetic":
    case "shift_right_logical":
      return emitShift(b, op, operand, x, y);
    default:
      return unreachable(op);
  }
}

/** -1, 0 or 1; a zero keeps its sign and a NaN stays. */
function emitSign(b: Builder, dtype: NumericDType, x: Value): Value {
  const zero = b.constant(x.type, 0);
  const one = b.constant(x.type, 1);
  if (signednessOf(dtype) === "unsigned") return b.select(b.compare("ne", x, zero), one, zero);
  if (!isFloat(dtype)) {
    const negative = b.select(b.compare("lt", x, zero), b.constant(x.type, -1), zero);
    return b.select(b.compare("gt", x, zero), one, negative);
  }
  const magnitude = b.copySign(one, x);
  const nonzero = b.or(b.compare("lt", x, zero), b.compare("gt", x, zero));
  return b.select(nonzero, magnitude, x);
}

/** An amount below 0 or beyond the width moves every bit out; LLVM leaves it undefined. */
function emitShift(b: Builder, op: string, dtype: NumericDType, x: Value, y: Value): Value {
  const zero = b.constant(x.type, 0);
  const inside = b.compare("lt", y, b.constant(x.type, widthOf(dtype)), "unsigned");
  if (op === "shift_right_arithmetic" && signednessOf(dtype) === "signed") {
    return b.shiftRightSigned(x, b.select(inside, y, b.constant(x.type, widthOf(dtype) - 1)));
  }
  const amount = b.select(inside, y, zero);
  return b.select(inside, op === "shift_left" ? b.shiftLeft(x, amount) : b.shiftRight(x, amount), zero);
}

function divideIntegers(b: Builder, dtype: NumericDType, x: Value, y: Value) {
  return signednessOf(dtype) === "unsigned" ? b.divUnsignedGuarded(x, y) : b.divFloor(x, y);
}

/** x ** y by repeated squaring, wrapping; a negative exponent gives 0 except for bases of 1 and -1. */
function emitIntegerPower(b: Builder, dtype: NumericDType, x: Value, y: Value): Value {
  const { type } = x;
  const zero = b.constant(type, 0);
  const one = b.constant(type, 1);
  const bits = type.element === "i64" ? 64 : type.element === "i32" ? 32 : 8;
  const negative = signednessOf(dtype) === "unsigned" ? undefined : b.compare("lt", y, zero);
  let result = one;
  let base = x;
  let exponent = y;
  for (let bit = 0; bit < bits; bit++) {
    const odd = b.compare("ne", b.and(exponent, one), zero);
    result = b.select(odd, b.mul(result, base), result);
    base = b.mul(base, base);
    exponent = b.shiftRight(exponent, one);
  }
  if (negative === undefined) return result;
  const minusOne = b.constant(type, -1);
  const odd = b.compare("ne", b.and(y, one), zero);
  const ofMinusOne = b.select(odd, minusOne, one);
  const inverse = b.select(b.compare("eq", x, one), one, b.select(b.compare("eq", x, minusOne), ofMinusOne, zero));
  return b.select(negative, inverse, result);
}

/** The neutral element of a combiner in a dtype, as a JavaScript number. */
export function identityOf(
  combiner: "sum" | "product" | "max" | "min" | "and" | "or",
  dtype: NumericDType,
): number | bigint {
  switch (combiner) {
    case "sum":
    case "or":
      return 0;
    case "product":
      return 1;
    case "and":
      // All ones: for bool this is true.
      return dtype === "bool" ? 1 : -1;
    case "max":
      return leastOf(dtype);
    case "min":
      return greatestOf(dtype);
  }
}

function leastOf(dtype: NumericDType): number | bigint {
  switch (dtype) {
    case "f64":
    case "f32":
    case "f16":
    case "bf16":
      return Number.NEGATIVE_INFINITY;
    case "i64":
      return -(2n ** 63n);
    case "i32":
      return -(2 ** 31);
    case "i8":
      return -128;
    case "u8":
    case "bool":
      return 0;
  }
}

function greatestOf(dtype: NumericDType): number | bigint {
  switch (dtype) {
    case "f64":
    case "f32":
    case "f16":
    case "bf16":
      return Number.POSITIVE_INFINITY;
    case "i64":
      return 2n ** 63n - 1n;
    case "i32":
      return 2 ** 31 - 1;
    case "i8":
      return 127;
    case "u8":
      return 255;
    case "bool":
      return 1;
  }
}

/** One step of a reduction. */
export function emitCombine(
  b: Builder,
  combiner: "sum" | "product" | "max" | "min" | "and" | "or",
  dtype: NumericDType,
  x: Value,
  y: Value,
): Value {
  const sign = signednessOf(dtype);
  switch (combiner) {
    case "sum":
      return b.add(x, y);
    case "product":
      return b.mul(x, y);
    case "max":
      return b.max(x, y, sign);
    case "min":
      return b.min(x, y, sign);
    case "and":
      return b.and(x, y);
    case "or":
      return b.or(x, y);
    default:
      throw new InternalError(`no combiner ${combiner}`);
  }
}
