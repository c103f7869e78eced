import type { Affine, LoopId, LoopStatement, ScalarExpr, Statement } from "../../kernels/form.js";

/** Whether an expression itself, its operands aside, depends on one of these loops or sums. */
export function mentionsLoop(expression: ScalarExpr, loops: ReadonlySet<LoopId>, sums: ReadonlySet<number>): boolean {
  const among = (index: Affine): boolean => index.terms.some(({ loop }) => loops.has(loop));
  if (expression.kind === "load") return among(expression.access.index);
  if (expression.kind === "index") return among(expression.value);
  if (expression.kind === "random") return among(expression.position);
  return expression.kind === "accumulated" && sums.has(expression.accumulator);
}

/** The loops and sums that a loop declares, itself included. */
export function insideOf(loop: LoopStatement): {
  readonly inner: ReadonlySet<LoopId>;
  readonly sums: ReadonlySet<number>;
} {
  const inner = new Set<LoopId>();
  const sums = new Set<number>();
  const visit = (statement: Statement): void => {
    if (statement.kind !== "loop") return;
    inner.add(statement.id);
    for (const { id } of statement.accumulators) sums.add(id);
    statement.body.forEach(visit);
  };
  visit(loop);
  return { inner, sums };
}
