import { InternalError } from "../../ir/diagnostic.js";
import { isFloat, isInteger, type NumericDType } from "../../ir/dtype.js";
import type { ScalarOp } from "../../ops/scalar.js";

/** A scalar in the kernels' language: a number, or a condition where `bool` is all that is asked. */
export interface Operand {
  readonly dtype: NumericDType;
  /** As a number: 0 or 1 for a bool. */
  readonly number: () => string;
  /** As a condition; only of a bool. */
  readonly condition: () => string;
  /** What it is, where that is known. */
  readonly constant: number | undefined;
}

export interface Text {
  readonly text: string;
  readonly kind: "number" | "condition";
}

/** Integers of few bits wrap round: where they begin, and how many there are. */
const wrapping: ReadonlyMap<NumericDType, { readonly low: number; readonly size: number }> = new Map([
  ["i8", { low: -128, size: 256 }],
  ["u8", { low: 0, size: 256 }],
]);

/** What a float saturates at. f32 holds no i64 beyond 2^24 exactly: placement keeps those that may get there on the processor. */
const saturation: ReadonlyMap<NumericDType, readonly [number, number]> = new Map([
  ["i8", [-128, 127]],
  ["u8", [0, 255]],
  ["i32", [-(2 ** 31), 2 ** 31]],
  ["i64", [-(2 ** 63), 2 ** 63]],
]);

/** Ops that kernels have no spelling for: placement keeps them on the processor. */
export const unspelt: ReadonlySet<ScalarOp> = new Set<ScalarOp>([
  "popcnt",
  "count_leading_zeros",
  "shift_left",
  "shift_right_arithmetic",
  "shift_right_logical",
]);

/** The largest exponent that is spelt out as multiplications. */
const longestPower = 64;

/** One scalar function in the kernels' language; `call` names a function of the prelude. */
export function spell(
  op: ScalarOp,
  dtype: NumericDType,
  args: readonly Operand[],
  call: (name: string, ...args: readonly string[]) => string,
): Text {
  const at = (i: number): Operand => {
    const arg = args[i];
    if (arg === undefined) throw new InternalError(`${op} lacks the operand ${i}`);
    return arg;
  };
  const n = (i: number): string => at(i).number();
  const number = (text: string): Text => ({ text, kind: "number" });
  const condition = (text: string): Text => ({ text, kind: "condition" });
  const wrapped = (text: string): Text => {
    const range = wrapping.get(dtype);
    return number(range === undefined ? text : call("wrap", text, literal(range.low), literal(range.size)));
  };
  const infix = (sign: string): string => `(${n(0)} ${sign} ${n(1)})`;
  const bits = (sign: string, name: string): string => (dtype === "u8" ? infix(sign) : call(name, n(0), n(1)));
  const isBool = dtype === "bool";
  switch (op) {
    case "identity":
      return isBool ? condition(at(0).condition()) : number(n(0));
    case "neg":
      return wrapped(`(-${n(0)})`);
    case "abs":
      return wrapped(`Math.abs(${n(0)})`);
    case "sign":
      return number(call("sign_of", n(0)));
    case "not":
      if (isBool) return condition(`!${at(0).condition()}`);
      return number(dtype === "u8" ? `(255 - ${n(0)})` : `(-1 - ${n(0)})`);
    case "floor":
      return number(`Math.floor(${n(0)})`);
    case "ceil":
      return number(`Math.ceil(${n(0)})`);
    case "round":
      return number(call("round_even", n(0)));
    case "sqrt":
      return number(`Math.sqrt(${n(0)})`);
    case "rsqrt":
      return number(`(1 / Math.sqrt(${n(0)}))`);
    case "exp":
      return number(call("exponential", n(0)));
    case "expm1":
      return number(call("exp_less_one", n(0)));
    case "log":
      return number(call("natural_log", n(0)));
    case "log1p":
      return number(call("log_of_one_more", n(0)));
    case "sin":
      return number(call("sine", n(0)));
    case "cos":
      return number(call("cosine", n(0)));
    case "tanh":
      return number(call("hyperbolic_tangent", n(0)));
    case "sigmoid":
      return number(call("logistic", n(0)));
    case "erf":
      return number(call("error_function", n(0)));
    case "erfc":
      return number(call("complementary_error", n(0)));
    case "cbrt":
      return number(call("cube_root", n(0)));
    case "is_finite":
      return condition(`(Math.abs(${n(0)}) <= 3.4028234663852886e38)`);
    case "cast":
      return cast(at(0), dtype, call);
    case "add":
      return wrapped(infix("+"));
    case "sub":
      return wrapped(infix("-"));
    case "mul":
      return wrapped(infix("*"));
    case "div":
      return number(infix("/"));
    case "floor_div":
      if (isInteger(dtype)) return wrapped(call("floor_division", n(0), n(1)));
      return number(call("floor_quotient", n(0), n(1)));
    case "mod":
      return number(call(isInteger(dtype) ? "integer_modulo" : "float_modulo", n(0), n(1)));
    case "pow":
      return power(dtype, at(0), at(1), call);
    case "atan2":
      return number(call("arc_tangent", n(0), n(1)));
    case "max":
      return number(isFloat(dtype) ? call("larger", n(0), n(1)) : `Math.max(${n(0)}, ${n(1)})`);
    case "min":
      return number(isFloat(dtype) ? call("smaller", n(0), n(1)) : `Math.min(${n(0)}, ${n(1)})`);
    case "and":
      return isBool ? condition(`(${at(0).condition()} && ${at(1).condition()})`) : number(bits("&", "bit_and"));
    case "or":
      return isBool ? condition(`(${at(0).condition()} || ${at(1).condition()})`) : number(bits("|", "bit_or"));
    case "xor":
      return isBool ? condition(infix("!=")) : number(bits("^", "bit_xor"));
    case "eq":
      return condition(infix("=="));
    case "ne":
      return condition(infix("!="));
    case "lt":
      return condition(infix("<"));
    case "le":
      return condition(infix("<="));
    case "gt":
      return condition(infix(">"));
    case "ge":
      return condition(infix(">="));
    case "select":
      return number(`(${at(0).condition()} ? ${n(1)} : ${n(2)})`);
    case "popcnt":
    case "count_leading_zeros":
    case "shift_left":
    case "shift_right_arithmetic":
    case "shift_right_logical":
      throw new InternalError(`kernels of devices have no ${op}`);
  }
}

function cast(from: Operand, to: NumericDType, call: (name: string, ...args: readonly string[]) => string): Text {
  if (to === "bool") {
    return from.dtype === "bool"
      ? { text: from.condition(), kind: "condition" }
      : { text: `(${from.number()} != 0)`, kind: "condition" };
  }
  const range = wrapping.get(to);
  const limits = saturation.get(to);
  const isSame = from.dtype === to || from.dtype === "bool" || isFloat(to);
  if (isSame) return { text: from.number(), kind: "number" };
  if (isFloat(from.dtype) && limits !== undefined)
    return {
      text: call("to_integer", from.number(), literal(limits[0]), literal(limits[1])),
      kind: "number",
    };
  const holdsAll = range === undefined || (from.dtype === "u8" && to !== "i8");
  return {
    text: holdsAll ? from.number() : call("wrap", from.number(), literal(range.low), literal(range.size)),
    kind: "number",
  };
}

/** Small whole exponents are multiplications, which are right for negative numbers everywhere. */
function power(
  dtype: NumericDType,
  base: Operand,
  exponent: Operand,
  call: (name: string, ...args: readonly string[]) => string,
): Text {
  const by = exponent.constant;
  if (by === 0.5) return { text: `Math.sqrt(${base.number()})`, kind: "number" };
  if (by === undefined || !Number.isInteger(by) || Math.abs(by) > longestPower || by === 0) {
    if (isInteger(dtype)) throw new InternalError("kernels of devices have no integer power");
    return { text: call("power", base.number(), exponent.number()), kind: "number" };
  }
  const text = product(base.number(), Math.abs(by));
  return { text: by < 0 ? `(1 / ${text})` : text, kind: "number" };
}

function product(x: string, times: number): string {
  if (times === 1) return x;
  const half = product(x, Math.floor(times / 2));
  return times % 2 === 0 ? `(${half} * ${half})` : `(${half} * ${half} * ${x})`;
}

/** A finite number as the kernels' language has it. */
export function literal(value: number): string {
  if (!Number.isFinite(value)) throw new InternalError(`${value} has no spelling in kernels`);
  return value < 0 || Object.is(value, -0) ? `(-${String(-value)})` : String(value);
}
