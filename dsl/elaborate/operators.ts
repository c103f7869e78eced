import { type Dim, dimEquals, dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { isFloat, isInteger } from "../../compiler/ir/dtype.js";
import { castTo, type Hint } from "../../compiler/ir/fix.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeText, tensorType, typeText } from "../../compiler/ir/type.js";
import type { Binary, BinaryOperator, Unary } from "../ast.js";
import { foldBinary, foldUnary } from "./arithmetic.js";
import { expand, requireEqual, unify, unifyDTypes } from "./broadcast.js";
import { silence, toTensor } from "./convert.js";
import { doubtComparison } from "./doubts.js";
import { type Item, type Meaning, poisoned, tensor } from "./meaning.js";
import { applyOp, type Env, originNote, refusal, type Site } from "./state.js";

const opOf: Readonly<Record<Exclude<BinaryOperator, "@">, string>> = {
  or: "or",
  and: "and",
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floor_div",
  "%": "mod",
  "**": "pow",
};

/** `left op right`, the operands evaluated. */
export function binary(env: Env, expression: Binary, left: Meaning, right: Meaning): Meaning {
  silence(left);
  silence(right);
  const { operator, operatorSpan, span } = expression;
  if (expression.chained === true) return poisoned;
  doubtComparison(env, expression);
  const folded = foldBinary(env, operator, left, right, operatorSpan);
  if (folded !== undefined) return folded;
  const items: readonly Item[] = [
    { meaning: left, span: expression.left.span },
    { meaning: right, span: expression.right.span },
  ];
  // What is wrong is shown at the operator; the node stands for the whole expression.
  const site: Site = { span: operatorSpan, operands: [expression.left.span, expression.right.span] };
  if (operator === "@") return tensor(matmul(env, items, site, span));
  if (operator === "and" || operator === "or") requireBools(env, operator, items, site);
  const values = unify(env, items, operator, site);
  checkOperands(env, operator, items, values, site);
  return tensor(applyOp(env, opOf[operator], values, {}, { ...site, span })[0] as Value);
}

/** A float that is joined with a bool is no matter of conversion. */
function requireBools(env: Env, operator: "and" | "or", items: readonly Item[], site: Site): void {
  const other = items.find(({ meaning }) => meaning.kind === "tensor" && meaning.value.type.dtype !== "bool");
  if (other?.meaning.kind !== "tensor") return;
  const { type } = other.meaning.value;
  const shown = env.state.shared.texts.shown(other.span);
  const compared = `compare first: \`${shown === "..." ? "x" : shown} != 0\``;
  throw refusal(env, "G024", site.span, `\`${operator}\` joins bools, not ${type.dtype}`, {
    label: labelOf(env, operator, items),
    hint: isInteger(type.dtype) ? `${compared}; the bits are joined by \`bitwise_${operator}\`` : compared,
  });
}

/** `u8[N, 28] / 255`: the types of tensors, and literals as they are written. */
function labelOf(env: Env, operator: BinaryOperator, items: readonly Item[]): string {
  const shown = items.map(({ meaning, span }) =>
    meaning.kind === "tensor" ? typeText(meaning.value.type) : env.state.shared.texts.shown(span),
  );
  return shown.join(` ${operator} `);
}

/** What divides integers, or makes floats of them. */
function divisionHint(env: Env, items: readonly Item[]): Hint {
  const [only, other] = items.filter(({ meaning }) => meaning.kind === "tensor");
  const words = "`//` divides integers and rounds down; ";
  if (only === undefined || other !== undefined) return `${words}\`cast(x, to=f32)\` of both divides exactly`;
  const shown = env.state.shared.texts.shown(only.span);
  const { fix } = castTo("f32", shown, only.span);
  return {
    text: `${words}\`cast(${shown}, to=f32)\` divides exactly`,
    fix: (at) => (env.frame.standard ? undefined : fix(at)),
  };
}

function checkOperands(
  env: Env,
  operator: BinaryOperator,
  items: readonly Item[],
  values: readonly Value[],
  site: Site,
): void {
  const dtype = values[0]?.type.dtype;
  if (dtype === undefined) return;
  const label = labelOf(env, operator, items);
  if (operator === "/" && !isFloat(dtype)) {
    throw refusal(env, "G024", site.span, `\`/\` divides floats, not ${dtype}`, {
      label,
      hint: dtype === "bool" ? undefined : divisionHint(env, items),
    });
  }
  if ((operator === "and" || operator === "or") && dtype !== "bool") {
    throw refusal(env, "G024", site.span, `\`${operator}\` joins bools, not ${dtype}`, {
      label,
      hint: "compare first: `x != 0`",
    });
  }
  const arithmetic = ["+", "-", "*", "//", "%", "**", "<", "<=", ">", ">="].includes(operator);
  if (arithmetic && dtype === "bool") {
    throw refusal(env, "G024", site.span, `\`${operator}\` is for numbers, not for bool`, {
      label,
      hint: "`cast(…, to=f32)` converts; `and`, `or`, `not` work on bools",
    });
  }
}

export function unary(env: Env, expression: Unary, operand: Meaning): Meaning {
  silence(operand);
  const { operator, span } = expression;
  const folded = foldUnary(operator, operand);
  if (folded !== undefined) return folded;
  const value = toTensor(env, { meaning: operand, span: expression.operand.span });
  const { dtype } = value.type;
  const label = typeText(value.type);
  if (operator === "not" && dtype !== "bool") {
    throw refusal(env, "G024", expression.operatorSpan, `\`not\` is for bools, not for ${dtype}`, {
      label,
      hint: isInteger(dtype) ? "compare first: `x == 0`; `bitwise_not` flips the bits" : "compare first: `x == 0`",
    });
  }
  if (operator !== "not" && dtype === "bool") {
    throw refusal(env, "G024", expression.operatorSpan, `\`${operator}\` is for numbers, not for bool`, { label });
  }
  if (operator === "+") return tensor(value);
  const site = { span, operands: [expression.operand.span] };
  return tensor(applyOp(env, operator === "-" ? "neg" : "not", [value], {}, site)[0] as Value);
}

/** numpy.matmul: the last axis of the left with the last but one of the right; leading axes are batches that broadcast. */
export function matmul(env: Env, items: readonly Item[], site: Site, span: Span): Value {
  const [left, right] = unifyDTypes(env, items, site) as readonly [Value, Value];
  const a = left.type.shape;
  const b = right.type.shape;
  if (a.length === 0 || b.length === 0) {
    throw refusal(env, "G025", site.span, "a matrix product needs two tensors, not a scalar", {
      label: `${typeText(left.type)} @ ${typeText(right.type)}`,
      hint: "`*` multiplies by a scalar",
    });
  }
  const inner = a[a.length - 1] as Dim;
  const depth = b[Math.max(0, b.length - 2)] as Dim;
  const [lhs, rhs] = matchInner(env, left, right, inner, depth, site);
  const whole = { span, operands: site.operands };
  if (b.length <= 2) return contract(env, lhs, rhs, [a.length - 1], [0], [], whole);
  // The left vector or the right stack first: dot_general puts the free axes of its first operand first.
  if (a.length === 1)
    return contract(env, rhs, lhs, [b.length - 2], [0], [], { span, operands: [...site.operands].reverse() });
  const [x, y] = broadcastBatches(env, lhs, rhs, site);
  const rank = x.type.shape.length;
  const batch = Array.from({ length: rank - 2 }, (_, axis) => axis);
  return contract(env, x, y, [rank - 1], [rank - 2], batch, whole);
}

function contract(
  env: Env,
  lhs: Value,
  rhs: Value,
  lhsContract: readonly number[],
  rhsContract: readonly number[],
  batch: readonly number[],
  site: Site,
): Value {
  const attributes = { lhs_batch: batch, rhs_batch: batch, lhs_contract: lhsContract, rhs_contract: rhsContract };
  return applyOp(env, "dot_general", [lhs, rhs], attributes, site)[0] as Value;
}

function matchInner(env: Env, left: Value, right: Value, inner: Dim, depth: Dim, site: Site): readonly [Value, Value] {
  if (dimEquals(inner, depth)) return [left, right];
  const details = {
    label: `${typeText(left.type)} @ ${typeText(right.type)}`,
    notes: [
      originNote(env, left, site.operands[0] ?? site.span),
      originNote(env, right, site.operands[1] ?? site.span),
    ],
    hint: matmulHint(env, site.operands[1] ?? site.span, left, right, inner),
  };
  if (!isSymbolic(inner) && !isSymbolic(depth)) {
    throw refusal(env, "G021", site.span, `inner dimensions ${inner} and ${depth} differ`, details);
  }
  requireEqual(env, inner, depth, site.span, details, "inner dimensions");
  const known = isSymbolic(inner) ? depth : inner;
  const restate = (value: Value, axis: number, use: number): Value => {
    const shape = value.type.shape.map((dim, i) => (i === axis ? known : dim));
    const span = site.operands[use] ?? site.span;
    return applyOp(env, "reshape", [value], { shape }, { span, operands: [span] })[0] as Value;
  };
  const a = dimEquals(inner, known) ? left : restate(left, left.type.shape.length - 1, 0);
  const b = dimEquals(depth, known) ? right : restate(right, Math.max(0, right.type.shape.length - 2), 1);
  return [a, b];
}

function matmulHint(env: Env, use: Span, left: Value, right: Value, inner: Dim): string {
  const shape = right.type.shape;
  const transposed = shape.length === 2 ? [shape[1] as Dim, shape[0] as Dim] : undefined;
  if (transposed !== undefined && dimEquals(transposed[0] as Dim, inner)) {
    return `\`transpose(${env.state.shared.texts.shown(use)})\` would be ${typeText(tensorType(right.type.dtype, transposed))}, which fits`;
  }
  const wanted = shape.length === 1 ? [inner] : [...shape.slice(0, -2), inner, shape[shape.length - 1] as Dim];
  return `the second would have to be ${left.type.dtype}${shapeText(wanted)}, with ${dimText(inner)} as in the first`;
}

function broadcastBatches(env: Env, left: Value, right: Value, site: Site): readonly [Value, Value] {
  // The batch axes broadcast alone: stand-ins that have only those find the common shape.
  const batchOf = (value: Value): readonly Dim[] => value.type.shape.slice(0, -2);
  const rank = Math.max(left.type.shape.length, right.type.shape.length) - 2;
  const leftBatch = batchOf(left);
  const rightBatch = batchOf(right);
  const batch = Array.from({ length: rank }, (_, axis): Dim => {
    const a = leftBatch[axis - (rank - leftBatch.length)] ?? 1;
    const b = rightBatch[axis - (rank - rightBatch.length)] ?? 1;
    if (dimEquals(a, b) || b === 1) return a;
    if (a === 1) return b;
    requireEqual(env, a, b, site.span, {
      label: `${typeText(left.type)} @ ${typeText(right.type)}`,
      notes: [
        originNote(env, left, site.operands[0] ?? site.span),
        originNote(env, right, site.operands[1] ?? site.span),
      ],
      hint: "the leading axes are batches: equal, or one of them 1",
    });
    return isSymbolic(a) ? b : a;
  });
  const to = (value: Value, use: number): Value =>
    expand(env, value, [...batch, ...value.type.shape.slice(-2)], site.operands[use] ?? site.span);
  return [to(left, 0), to(right, 1)];
}
