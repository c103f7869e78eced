import { type Condition, compareDims, decidedCondition, dimsIn, every, negated } from "../../compiler/ir/condition.js";
import type { Dim } from "../../compiler/ir/dim.js";
import { shapeText } from "../../compiler/ir/type.js";
import type { BinaryOperator, Expression, Require } from "../ast.js";
import { quote } from "../diagnostics.js";
import { demand } from "./constraints.js";
import { declarationNotes } from "./dim_bounds.js";
import { perform } from "./effects.js";
import { attempt, evaluate } from "./expressions.js";
import { knownValue } from "./known.js";
import { describe, dimOf, floatText, intText, isStaticInt, type Meaning } from "./meaning.js";
import { type Env, type Refusal, refusal } from "./state.js";

/**
 * `require CONDITION, "message"`: decided when the graph is typed, or, where it compares sizes over dims, when these are bound. In a call
 * the problem is shown at the argument, and ends the expansion of the call, so that nothing that would follow from it is reported.
 */
export function requirement(env: Env, one: Require): void {
  const meaning = evaluate(env, one.condition);
  if (env.state.generic || meaning.kind === "poisoned") return;
  const check = (): void => {
    const condition = meaning.kind === "tensor" ? overSizes(env, one.condition) : known(meaning);
    if (condition === undefined) throw undecided(env, one, meaning);
    demand(env, condition, (dims) => unmet(env, one, dims));
    if (dimsIn(condition).length === 0) return;
    const requirement = { condition, span: one.condition.span };
    if (env.frame.kind === "graph") perform(env.state, ({ required }) => required.push(requirement));
    else env.frame.required.push(requirement);
  };
  if (env.frame.call !== undefined) check();
  else attempt(env, check);
}

function known(meaning: Meaning): Condition | undefined {
  return meaning.kind === "bool" ? decidedCondition(meaning.value) : undefined;
}

/** A condition that hangs on sizes over dims; undefined for any other. */
function overSizes(env: Env, expression: Expression): Condition | undefined {
  if (expression.kind === "unary" && expression.operator === "not") {
    const operand = overSizes(env, expression.operand);
    return operand === undefined ? undefined : negated(operand);
  }
  if (expression.kind !== "binary") return known(evaluate(env, expression));
  const { operator } = expression;
  if (operator === "and" || operator === "or") {
    const [left, right] = [overSizes(env, expression.left), overSizes(env, expression.right)];
    if (left === undefined || right === undefined) return undefined;
    return operator === "and" ? every(left, right) : { kind: "some", conditions: [left, right] };
  }
  const [left, right] = [sizeOf(evaluate(env, expression.left)), sizeOf(evaluate(env, expression.right))];
  const compared = left === undefined || right === undefined ? undefined : comparison(operator, left, right);
  return compared ?? known(evaluate(env, expression));
}

function sizeOf(meaning: Meaning): Dim | undefined {
  return meaning.kind === "int" ? dimOf(meaning) : undefined;
}

function comparison(operator: BinaryOperator, left: Dim, right: Dim): Condition | undefined {
  switch (operator) {
    case "==":
      return compareDims(left, "equal", right);
    case "!=":
      return compareDims(left, "unequal", right);
    case "<":
      return compareDims(left, "less", right);
    case "<=":
      return compareDims(left, "at_most", right);
    case ">":
      return compareDims(right, "less", left);
    case ">=":
      return compareDims(right, "at_most", left);
    default:
      return undefined;
  }
}

function undecided(env: Env, one: Require, condition: Meaning): Error {
  if (condition.kind !== "tensor")
    return refusal(env, "G031", one.condition.span, `a requirement is a bool, not ${describe(condition)}`);
  const open = namesIn(one.condition).find((name) => {
    const meaning = env.names.lookup(name)?.meaning;
    return meaning?.kind === "int" && !isStaticInt(meaning);
  });
  if (open !== undefined) {
    const message = `a requirement is decided when the graph is compiled, and the size ${quote(open)} is known in a run only`;
    return refusal(env, "G031", one.condition.span, message);
  }
  const what = "a requirement is decided when the graph is compiled, and this tensor is computed in the run";
  return refusal(env, "G031", one.condition.span, what, {
    hint: "`known(x, otherwise)` is the number that x is written as, or `otherwise` where it is computed",
  });
}

/** `dims`: those that decide it when they are bound. */
function unmet(env: Env, one: Require, dims: readonly string[]): Refusal {
  const { call } = env.frame;
  const message = one.message.value;
  const names = [...new Set(namesIn(one.condition))];
  const named = names.flatMap((name) => {
    const meaning = env.names.lookup(name)?.meaning;
    const text = meaning === undefined ? undefined : valueText(meaning);
    return text === undefined || text === name ? [] : [`${name} is ${text}`];
  });
  const label = named.join(", ");
  const declared = declarationNotes(env, dims);
  if (call === undefined) return refusal(env, "G038", one.condition.span, message, { label, notes: declared });
  const at = names.map((name) => call.items.get(name)?.span).find((span) => span !== undefined) ?? call.span;
  // It is the caller who can mend it.
  const caller: Env = { ...env, frame: call.caller };
  return refusal(caller, "G038", at, `${quote(call.name)}: ${message}`, {
    label,
    notes: [{ span: one.span, message: "required here" }, ...declared],
  });
}

/** The names that a condition reads, in the order of the text. */
function namesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "reference":
      return expression.segments.slice(0, 1).map(({ name }) => name);
    case "unary":
      return namesIn(expression.operand);
    case "binary":
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    case "call":
      return expression.arguments.flatMap(({ value }) => namesIn(value));
    case "pipe":
      return [...namesIn(expression.input), ...namesIn(expression.call)];
    case "index":
      return namesIn(expression.target);
    case "list":
      return expression.items.flatMap(namesIn);
    case "integer":
    case "float":
    case "boolean":
    case "string":
    case "record":
    case "ellipsis":
      return [];
  }
}

/** A value as it may stand in a message; undefined for what the message would not be clearer by. */
function valueText(meaning: Meaning): string | undefined {
  switch (meaning.kind) {
    case "int":
      return intText(meaning);
    case "float":
      return floatText(meaning.value);
    case "bool":
    case "string":
    case "dtype":
      return String(meaning.value);
    case "shape":
      return shapeText(meaning.value);
    case "tensor": {
      const number = knownValue(meaning);
      return number === undefined ? `a tensor of shape ${shapeText(meaning.value.type.shape)}` : valueText(number);
    }
    default:
      return undefined;
  }
}
