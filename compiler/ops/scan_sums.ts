import type { Value } from "../ir/node.js";
import { add } from "./arithmetic.js";
import { dotGeneral } from "./contraction.js";
import { reapply } from "./define.js";
import { sum } from "./reduction.js";

/** Values of one iteration whose stacks over all iterations are there. */
export type Stacks = ReadonlyMap<Value, Value>;

/** A sum over all iterations as an expression of stacks. */
export interface SumPlan {
  /** What has to be stacked. */
  readonly factors: readonly Value[];
  readonly build: (stackOf: (value: Value) => Value) => Value;
}

/** Ops that are linear in their one operand: the sum over the iterations may be taken before them. */
const linear: ReadonlySet<string> = new Set(["neg", "transpose", "reshape", "broadcast_in_dim"]);

/**
 * How the sum over all iterations of `term` can be computed after the loop: products of matrices contract over the iterations too,
 * sums sum over them, and linear ops come after the sum. Undefined where the term is of another form.
 */
export function planSum(term: Value, isVarying: (value: Value) => boolean): SumPlan | undefined {
  const { node } = term;
  const operands = node.inputs;
  const [first, second] = operands;
  if (first === undefined) return undefined;
  if (node.op === "add" && second !== undefined) {
    const left = planSum(first, isVarying);
    const right = planSum(second, isVarying);
    if (left === undefined || right === undefined) return undefined;
    return {
      factors: [...left.factors, ...right.factors],
      build: (stackOf) => add(left.build(stackOf), right.build(stackOf)),
    };
  }
  if (linear.has(node.op)) {
    const inner = planSum(first, isVarying);
    if (inner === undefined) return undefined;
    return {
      factors: inner.factors,
      build: (stackOf) => reapply(node, [inner.build(stackOf)])[0] as Value,
    };
  }
  if (node.op === "sum" && isVarying(first)) {
    const axes = axesOf(node.attributes["axes"]);
    return {
      factors: [first],
      build: (stackOf) => sum(stackOf(first), { axes: [0, ...axes.map((axis) => axis + 1)] }),
    };
  }
  if (node.op === "dot_general" && second !== undefined && isVarying(first) && isVarying(second)) {
    const shifted = (name: string): readonly number[] => axesOf(node.attributes[name]).map((axis) => axis + 1);
    return {
      factors: [first, second],
      build: (stackOf) =>
        dotGeneral(stackOf(first), stackOf(second), {
          lhs_batch: shifted("lhs_batch"),
          rhs_batch: shifted("rhs_batch"),
          lhs_contract: [0, ...shifted("lhs_contract")],
          rhs_contract: [0, ...shifted("rhs_contract")],
        }),
    };
  }
  return undefined;
}

function axesOf(attribute: unknown): readonly number[] {
  return Array.isArray(attribute) ? attribute.filter((axis): axis is number => typeof axis === "number") : [];
}
