/** Rules on bools, comparisons and select. All are exact; NaN is why only eq and ne are opposites of each other on floats. */
import { isFloat } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { constantLike, fill } from "../ops/build.js";
import { eq, ge, gt, le, lt, ne } from "../ops/comparison.js";
import type { BinaryOp } from "../ops/define.js";
import { and, not, or, select, xor } from "../ops/logic.js";
import { opNamed } from "../ops/table.js";
import { constant, either, is, number, some } from "./pattern.js";
import { type Rule, rule, ruleForAny } from "./rule.js";
import { scalarOf, splatOf } from "./values.js";

const x = some("x");
const y = some("y");
const condition = some("condition");

const isBool = (value: Value): boolean => value.type.dtype === "bool";
const ordered = (value: Value): boolean => !isFloat(value.type.dtype);

const selects: readonly Rule[] = [
  rule("select-constant", is(select, constant("c"), x, y), (b) => (splatOf(b.c) === 0 ? b.y : b.x)),
  rule("select-same", is(select, condition, x, x), (b) => b.x),
  rule("select-not", is(select, is(not, condition), x, y), (b) => select(b.condition, b.y, b.x)),
  rule("select-select-left", is(select, condition, is(select, condition, x, some("z")), y), (b) =>
    select(b.condition, b.x, b.y),
  ),
  rule("select-select-right", is(select, condition, x, is(select, condition, some("z"), y)), (b) =>
    select(b.condition, b.x, b.y),
  ),
  rule(
    "select-true-false",
    is(select, condition, number(1), some("no")),
    (b) => b.condition,
    ({ no }) => isBool(no) && splatOf(no) === 0,
  ),
  rule(
    "select-false-true",
    is(select, condition, number(0), some("yes")),
    (b) => not(b.condition),
    ({ yes }) => isBool(yes) && splatOf(yes) === 1,
  ),
];

/** An op on two numbers that are chosen between is a choice between two numbers. */
const choices: readonly Rule[] = [
  ruleForAny("elementwise-of-constant-select", (y) => {
    const op = opNamed(y.node.op);
    const varying = y.node.inputs.filter((input) => scalarOf(input) === undefined);
    const [choice] = varying;
    if (op.kernel.kind !== "elementwise" || choice?.node.op !== select.opName || varying.length !== 1) return undefined;
    const [condition, taken, other] = choice.node.inputs;
    if (condition === undefined || taken === undefined || other === undefined) return undefined;
    if (scalarOf(taken) === undefined || scalarOf(other) === undefined) return undefined;
    const [left, right] = [taken, other].map((number) => {
      const inputs = y.node.inputs.map((input) => (input === choice ? number : input));
      return op.apply(inputs, y.node.attributes)[0];
    });
    return left === undefined || right === undefined ? undefined : select(condition, left, right);
  }),
];

const negations: readonly Rule[] = [
  rule("not-not", is(not, is(not, x)), (b) => b.x),
  rule("not-eq", is(not, is(eq, x, y)), (b) => ne(b.x, b.y)),
  rule("not-ne", is(not, is(ne, x, y)), (b) => eq(b.x, b.y)),
  ...opposites([lt, ge], [ge, lt], [gt, le], [le, gt]),
];

function opposites(...pairs: readonly (readonly [BinaryOp, BinaryOp])[]): readonly Rule[] {
  return pairs.map(([op, opposite]) =>
    rule(
      `not-${op.opName}`,
      is(not, is(op, x, y)),
      (b) => opposite(b.x, b.y),
      (b) => ordered(b.x),
    ),
  );
}

const connectives: readonly Rule[] = [
  rule("and-self", is(and, x, x), (b) => b.x),
  rule("or-self", is(or, x, x), (b) => b.x),
  rule("xor-self", is(xor, x, x), (b) => constantLike(b.x, 0)),
  rule(
    "and-true",
    either(and, x, number(1)),
    (b) => b.x,
    (b) => isBool(b.x),
  ),
  rule(
    "or-true",
    either(or, x, number(1)),
    (b) => constantLike(b.x, 1),
    (b) => isBool(b.x),
  ),
  rule(
    "xor-true",
    either(xor, x, number(1)),
    (b) => not(b.x),
    (b) => isBool(b.x),
  ),
  rule("and-zero", either(and, x, number(0)), (b) => constantLike(b.x, 0)),
  rule("or-zero", either(or, x, number(0)), (b) => b.x),
  rule("xor-zero", either(xor, x, number(0)), (b) => b.x),
];

/** Of integers and bools, which equal themselves. */
const comparisons: readonly Rule[] = [
  ...[eq, le, ge].map((op) => selfComparison(op, 1)),
  ...[ne, lt, gt].map((op) => selfComparison(op, 0)),
];

function selfComparison(op: BinaryOp, holds: number): Rule {
  return rule(
    `${op.opName}-self`,
    is(op, x, x),
    (b) => fill({ dtype: "bool", shape: b.x.type.shape }, holds),
    (b) => ordered(b.x),
  );
}

export const logicRules: readonly Rule[] = [...selects, ...choices, ...negations, ...connectives, ...comparisons];
