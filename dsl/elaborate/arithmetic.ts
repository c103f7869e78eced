import { compareDims } from "../../compiler/ir/condition.js";
import {
  addDims,
  type Dim,
  dimText,
  floorDivideDims,
  moduloDims,
  multiplyDims,
  subtractDims,
} from "../../compiler/ir/dim.js";
import type { Span } from "../../compiler/ir/span.js";
import type { BinaryOperator } from "../ast.js";
import { demand } from "./constraints.js";
import { declarationNotes } from "./dim_bounds.js";
import { dimOf, type IntMeaning, int, isLiteral, isStaticInt, type Meaning, poisoned } from "./meaning.js";
import { type Env, refusal } from "./state.js";

/** Arithmetic of the compiler on ints, floats and bools: `28 * 28`, `N // 2`, `1 - rate`. */

/** The result, or undefined where the operands are not both known to the compiler (or a dim meets a float). */
export function foldBinary(
  env: Env,
  operator: BinaryOperator,
  left: Meaning,
  right: Meaning,
  span: Span,
): Meaning | undefined {
  if (left.kind === "bool" && right.kind === "bool") return foldBools(operator, left.value, right.value);
  if (left.kind === "dtype" && right.kind === "dtype") return equality(operator, left.value === right.value);
  if (left.kind === "int" && right.kind === "int") {
    const folded = foldInts(env, operator, left, right, span);
    return folded === undefined && env.state.generic ? poisoned : folded;
  }
  const [a, b] = [left, right].map(env.state.generic ? standInOf : numberOf);
  if (a === undefined || b === undefined) return undefined;
  const folded = foldFloats(operator, a, b);
  return folded?.kind === "bool" && env.state.generic && Number.isNaN(a + b) ? poisoned : folded;
}

/** The number that stands for what only a call would give is NaN: a float, of which nothing else is known. */
function standInOf(meaning: Meaning): number | undefined {
  return meaning.kind === "int" && typeof meaning.value !== "bigint" ? Number.NaN : numberOf(meaning);
}

function numberOf(meaning: Meaning): number | undefined {
  if (meaning.kind === "float") return meaning.value;
  return meaning.kind === "int" && typeof meaning.value === "bigint" ? Number(meaning.value) : undefined;
}

function equality(operator: BinaryOperator, equal: boolean): Meaning | undefined {
  if (operator === "==") return { kind: "bool", value: equal };
  return operator === "!=" ? { kind: "bool", value: !equal } : undefined;
}

function foldBools(operator: BinaryOperator, left: boolean, right: boolean): Meaning | undefined {
  if (operator === "and") return { kind: "bool", value: left && right };
  if (operator === "or") return { kind: "bool", value: left || right };
  return equality(operator, left === right);
}

function foldFloats(operator: BinaryOperator, a: number, b: number): Meaning | undefined {
  const float = (value: number): Meaning => ({ kind: "float", value });
  const bool = (value: boolean): Meaning => ({ kind: "bool", value });
  switch (operator) {
    case "+":
      return float(a + b);
    case "-":
      return float(a - b);
    case "*":
      return float(a * b);
    case "/":
      return float(a / b);
    case "//":
      return float(Math.floor(a / b));
    case "%":
      return float(a - b * Math.floor(a / b));
    case "**":
      return float(a ** b);
    case "==":
      return bool(a === b);
    case "!=":
      return bool(a !== b);
    case "<":
      return bool(a < b);
    case "<=":
      return bool(a <= b);
    case ">":
      return bool(a > b);
    case ">=":
      return bool(a >= b);
    case "@":
    case "and":
    case "or":
      return undefined;
  }
}

function foldInts(
  env: Env,
  operator: BinaryOperator,
  left: IntMeaning,
  right: IntMeaning,
  span: Span,
): Meaning | undefined {
  if (operator === "/") {
    throw refusal(env, "G024", span, "`/` divides floats only", {
      hint: "`//` divides integers and rounds down; a decimal, as in `1.0 / 2`, divides exactly",
    });
  }
  if ((operator === "//" || operator === "%") && right.value === 0n) {
    throw refusal(env, "G089", span, `\`${operator}\` divides an integer by zero`, {
      hint: "a divisor is not 0; floats divide by 0, and give inf or nan",
    });
  }
  if (typeof left.value === "bigint" && typeof right.value === "bigint") {
    return checkedInt(env, foldBigints(env, operator, left.value, right.value, span), span);
  }
  const a = dimOf(left);
  const b = dimOf(right);
  if (a === undefined || b === undefined) return undefined;
  if (operator === "//" || operator === "%") requireDivisor(env, operator, b, span);
  return checkedSize(env, foldDims(operator, a, b), span);
}

/** A size that divides must not turn out 0. */
function requireDivisor(env: Env, operator: BinaryOperator, divisor: Dim, span: Span): void {
  const message = `\`${operator}\` divides an integer by zero`;
  demand(env, compareDims(divisor, "unequal", 0), (dims) =>
    refusal(env, "G089", span, message, {
      notes: declarationNotes(env, dims),
      hint: `\`require ${dimText(divisor)} > 0, "..."\` says what is fed wrongly`,
    }),
  );
}

/** Longest text of a size: `(N + M) ** 8`, squared again and again, would not end. */
const longestSize = 2000;

function checkedSize(env: Env, result: Meaning | undefined, span: Span): Meaning | undefined {
  if (result?.kind !== "int" || typeof result.value === "bigint" || result.value.key.length <= longestSize)
    return result;
  throw refusal(env, "G102", span, "the size is too large an expression over dims");
}

function foldDims(operator: BinaryOperator, a: Dim, b: Dim): Meaning | undefined {
  switch (operator) {
    case "+":
      return int(addDims(a, b));
    case "-":
      return int(subtractDims(a, b));
    case "*":
      return int(multiplyDims(a, b));
    case "//":
      return int(floorDivideDims(a, b));
    case "%":
      return int(moduloDims(a, b));
    case "**": {
      if (typeof b !== "number" || b < 0 || b > 4) return undefined;
      return int(Array.from({ length: b }, () => a).reduce(multiplyDims, 1));
    }
    default:
      return undefined;
  }
}

const largest = 2n ** 63n;

function checkedInt(env: Env, result: Meaning | undefined, span: Span): Meaning | undefined {
  if (result?.kind !== "int" || typeof result.value !== "bigint") return result;
  if (result.value >= -largest && result.value < largest) return result;
  throw refusal(env, "G028", span, "the result does not fit i64");
}

function foldBigints(env: Env, operator: BinaryOperator, a: bigint, b: bigint, span: Span): Meaning | undefined {
  const bool = (value: boolean): Meaning => ({ kind: "bool", value });
  switch (operator) {
    case "+":
      return int(a + b);
    case "-":
      return int(a - b);
    case "*":
      return int(a * b);
    case "//":
      return int(floorDivide(a, b));
    case "%":
      return int(a - b * floorDivide(a, b));
    case "**":
      // Beyond 64 only 0, 1 and -1 stay in range, and their powers are not worth a wait.
      if (b < 0n) return { kind: "float", value: Number(a) ** Number(b) };
      if (b > 64n && a * a > 1n) throw refusal(env, "G028", span, "the result does not fit i64");
      return int(b > 64n ? (b % 2n === 0n ? a * a : a) : a ** b);
    case "==":
      return bool(a === b);
    case "!=":
      return bool(a !== b);
    case "<":
      return bool(a < b);
    case "<=":
      return bool(a <= b);
    case ">":
      return bool(a > b);
    case ">=":
      return bool(a >= b);
    case "/":
    case "@":
    case "and":
    case "or":
      return undefined;
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** `-x`, `+x`, `not x` of what the compiler knows. */
export function foldUnary(operator: "-" | "+" | "not", meaning: Meaning): Meaning | undefined {
  if (operator === "not") return meaning.kind === "bool" ? { kind: "bool", value: !meaning.value } : undefined;
  if (meaning.kind === "float") return operator === "-" ? { kind: "float", value: -meaning.value } : meaning;
  if (meaning.kind !== "int") return undefined;
  if (operator === "+") return meaning;
  if (typeof meaning.value === "bigint") return int(-meaning.value);
  return int(multiplyDims(-1, meaning.value));
}

const functions: ReadonlyMap<string, (x: number) => number> = new Map([
  ["sqrt", Math.sqrt],
  ["rsqrt", (x) => 1 / Math.sqrt(x)],
  ["exp", Math.exp],
  ["expm1", Math.expm1],
  ["log", Math.log],
  ["log1p", Math.log1p],
  ["sin", Math.sin],
  ["cos", Math.cos],
  ["tanh", Math.tanh],
]);

/** An elementwise function of a number that the compiler knows; undefined where it has to be an edge. */
export function foldFunction(env: Env, name: string, args: readonly Meaning[]): Meaning | undefined {
  const [x, y] = args;
  if (x === undefined) return undefined;
  if (env.state.generic && args.every(isLiteral) && args.some((one) => one.kind === "int" && !isStaticInt(one)))
    return functions.has(name) ? { kind: "float", value: Number.NaN } : poisoned;
  if (name === "maximum" || name === "minimum") return y === undefined ? undefined : foldExtreme(name, x, y);
  if (name === "abs" && x.kind === "int" && typeof x.value === "bigint") return int(x.value < 0n ? -x.value : x.value);
  if (name === "abs" && x.kind === "float") return { kind: "float", value: Math.abs(x.value) };
  const f = functions.get(name);
  const value = numberOf(x);
  return f === undefined || value === undefined || args.length !== 1 ? undefined : { kind: "float", value: f(value) };
}

function foldExtreme(name: "maximum" | "minimum", x: Meaning, y: Meaning): Meaning | undefined {
  const a = numberOf(x);
  const b = numberOf(y);
  if (a === undefined || b === undefined) return undefined;
  if (x.kind === "int" && y.kind === "int") return (name === "maximum") === a >= b ? x : y;
  return { kind: "float", value: name === "maximum" ? Math.max(a, b) : Math.min(a, b) };
}
