/** Steps of random graphs that ask for gradients, where they do not hang on the last digits of what they are taken of. */
import { differentiateValues } from "../../compiler/autodiff/differentiate.js";
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import { type Node, nodesBelow, type Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { gradients } from "../../compiler/ops/pseudo.js";
import { reachedByGradient } from "../../compiler/ops/reach.js";
import type { Choices } from "./choices.js";

const dtypeOf = (value: Value): NumericDType => numericDType(value.type.dtype);

/** The gradient of one value in one or two that it is made of; gradients of gradients once. */
export function gradientOf(choices: Choices, values: readonly Value[], exact: ReadonlySet<Value>): readonly Value[] {
  // The first of a few that has one.
  for (let attempt = 0; attempt < 4; attempt++) {
    const y = values[values.length - 1 - choices.below(Math.min(12, values.length))] as Value;
    const below = differentiableIn(y, values, exact);
    if (below.length === 0) continue;
    const xs = [...new Set(Array.from({ length: 1 + choices.below(2) }, () => choices.of(below)))];
    const made = gradients.apply([y, ...xs], {});
    // A gradient that depends on nothing has no gradient itself, and an operand of a loop may not lead to its result.
    if (differentiateValues(made, new SourceTable()).diagnostics.length === 0) return made;
  }
  return [];
}

function differentiableIn(y: Value, values: readonly Value[], exact: ReadonlySet<Value>): readonly Value[] {
  if (!isFloat(dtypeOf(y))) return [];
  const nodes = nodesBelow([y]);
  if (nodes.filter(({ op }) => op === gradients.opName).length > 1 || nodes.length > 120) return [];
  if (!nodes.every((node) => isStable(node, exact))) return [];
  const reached = reachedByGradient(y);
  // In what is computed, a gradient hangs on the way that the graph is written: two values that are equal by a rule become one.
  return values.filter((value) => value !== y && value.node.inputs.length === 0 && reached.has(value));
}

/** Ops whose gradient jumps: where two operands are equal on one back end and a digit apart on the other, it differs. */
const jumps = new Set([
  "maximum",
  "minimum",
  "max",
  "min",
  "abs",
  "reduce_window",
  "select_and_gather",
  "select_and_scatter",
  "cummax",
  "cummin",
  "cumprod",
  "prod",
]);
/** Their gradients divide by differences that may be small, or compare results. */
const refused = new Set(["svd", "eigh", "qr", "pow"]);

function isStable({ op, inputs, attributes }: Node, exact: ReadonlySet<Value>): boolean {
  if (refused.has(op)) return false;
  const isJump =
    jumps.has(op) || (op === "scatter" && attributes["combiner"] !== "add" && attributes["combiner"] !== "set");
  return !isJump || inputs.every((input) => exact.has(input));
}
