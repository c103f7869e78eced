import { expressionsOfStatement, operandsOf, strideAlong } from "../../../kernels/access.js";
import type { AccumulatorId, BufferId, LoopId, LoopStatement, ScalarExpr, Statement } from "../../../kernels/form.js";

/** What an expression depends on: decides where it is computed. */
export interface Facts {
  readonly loops: ReadonlySet<LoopId>;
  readonly accumulators: ReadonlySet<AccumulatorId>;
  readonly loads: ReadonlySet<BufferId>;
}

const none: ReadonlySet<number> = new Set();

/** Facts of expressions, each computed once; expressions are DAGs, possibly deep ones, hence the explicit stack. */
export class FactTable {
  readonly #facts = new Map<ScalarExpr, Facts>();

  of(expr: ScalarExpr): Facts {
    const known = this.#facts.get(expr);
    if (known !== undefined) return known;
    const stack = [expr];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as ScalarExpr;
      const missing = operandsOf(top).filter((operand) => !this.#facts.has(operand));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (!this.#facts.has(top)) this.#facts.set(top, this.#combine(top));
    }
    return this.#facts.get(expr) as Facts;
  }

  #combine(expr: ScalarExpr): Facts {
    const own = ownFacts(expr);
    const parts = operandsOf(expr).map((operand) => this.#facts.get(operand) as Facts);
    return {
      loops: union([own.loops, ...parts.map((part) => part.loops)]),
      accumulators: union([own.accumulators, ...parts.map((part) => part.accumulators)]),
      loads: union([own.loads, ...parts.map((part) => part.loads)]),
    };
  }
}

function ownFacts(expr: ScalarExpr): Facts {
  switch (expr.kind) {
    case "load":
      return {
        loops: new Set(expr.access.index.terms.map((term) => term.loop)),
        accumulators: none,
        loads: new Set([expr.access.buffer]),
      };
    case "index":
      return { loops: new Set(expr.value.terms.map((term) => term.loop)), accumulators: none, loads: none };
    case "random":
      return { loops: new Set(expr.position.terms.map((term) => term.loop)), accumulators: none, loads: none };
    case "accumulated":
      return { loops: none, accumulators: new Set([expr.accumulator]), loads: none };
    case "constant":
    case "apply":
    case "check_index":
    case "check_nonzero":
    case "check_finite":
      return { loops: none, accumulators: none, loads: none };
  }
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const full = sets.filter((set) => set.size > 0);
  const [only] = full;
  if (only === undefined) return none;
  return full.length === 1 ? only : new Set(full.flatMap((set) => [...set]));
}

/** What happens somewhere inside a loop's body: what must not be moved out of it, and what it carries. */
export interface BodyFacts {
  readonly loops: ReadonlySet<LoopId>;
  readonly declared: ReadonlySet<AccumulatorId>;
  readonly accumulated: ReadonlySet<AccumulatorId>;
  readonly stored: ReadonlySet<BufferId>;
}

export function bodyFacts(loop: LoopStatement): BodyFacts {
  const loops = new Set<LoopId>();
  const declared = new Set<AccumulatorId>();
  const accumulated = new Set<AccumulatorId>();
  const stored = new Set<BufferId>();
  const visit = (statement: Statement): void => {
    if (statement.kind === "store") stored.add(statement.target.buffer);
    else if (statement.kind === "accumulate") accumulated.add(statement.accumulator);
    else {
      loops.add(statement.id);
      for (const accumulator of statement.accumulators) declared.add(accumulator.id);
      statement.body.forEach(visit);
    }
  };
  visit(loop);
  return { loops, declared, accumulated, stored };
}

/** The expressions that stand directly in statements, those of inner loops included that run at all. */
export function rootExpressions(statements: readonly Statement[]): readonly ScalarExpr[] {
  return statements.flatMap((statement): readonly ScalarExpr[] => {
    if (statement.kind !== "loop") return expressionsOfStatement(statement);
    return statement.extent === 0 ? [] : rootExpressions(statement.body);
  });
}

/** The strides by which an expression's loads move with a loop. */
export function loadStrides(expr: ScalarExpr, loop: LoopId): readonly number[] {
  const strides: number[] = [];
  const seen = new Set<ScalarExpr>();
  const stack = [expr];
  while (stack.length > 0) {
    const top = stack.pop();
    if (top === undefined || seen.has(top)) continue;
    seen.add(top);
    if (top.kind === "load") {
      // At run-time positions elements lie anywhere.
      strides.push(strideAlong(top.access, loop) ?? Number.NaN);
    }
    stack.push(...operandsOf(top));
  }
  return strides;
}
