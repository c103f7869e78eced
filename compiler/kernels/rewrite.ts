import { substituteAffine } from "./affine.js";
import type {
  Access,
  AccumulatorId,
  Affine,
  BufferId,
  ContractKernel,
  DynamicTerm,
  LoopId,
  LoopSchedule,
  LoopStatement,
  NestKernel,
  ScalarExpr,
  Statement,
} from "./form.js";

/** What becomes of names; what is not mentioned stays. */
export interface Renaming {
  readonly loop?: (loop: LoopId) => Affine | undefined;
  readonly buffer?: (buffer: BufferId) => BufferId;
  readonly accumulator?: (accumulator: AccumulatorId) => AccumulatorId;
  /** What is read in place of a sum's result. */
  readonly accumulated?: (accumulator: AccumulatorId) => ScalarExpr | undefined;
}

/**
 * Rewrites expressions and statements, keeping sharing: an object that does not change stays itself, and one that does becomes
 * one new object. Recursion is as deep as an expression, which the plan bounds.
 */
export class Rewriter {
  readonly #renaming: Renaming;
  readonly #memo = new Map<ScalarExpr, ScalarExpr>();

  constructor(renaming: Renaming) {
    this.#renaming = renaming;
  }

  affine(index: Affine): Affine {
    const { loop } = this.#renaming;
    return loop === undefined ? index : substituteAffine(index, loop);
  }

  access(access: Access): Access {
    const index = this.affine(access.index);
    const buffer = this.#renaming.buffer?.(access.buffer) ?? access.buffer;
    const dynamic = access.dynamic?.map((term): DynamicTerm => {
      const value = this.expression(term.value);
      return value === term.value ? term : { ...term, value };
    });
    const isSame = dynamic === undefined || dynamic.every((term, i) => term === access.dynamic?.[i]);
    if (index === access.index && buffer === access.buffer && isSame) return access;
    return dynamic === undefined ? { buffer, index } : { buffer, index, dynamic };
  }

  expression(expression: ScalarExpr): ScalarExpr {
    const known = this.#memo.get(expression);
    if (known !== undefined) return known;
    const result = this.#rewrite(expression);
    this.#memo.set(expression, result);
    return result;
  }

  #rewrite(expression: ScalarExpr): ScalarExpr {
    switch (expression.kind) {
      case "constant":
        return expression;
      case "load": {
        const access = this.access(expression.access);
        return access === expression.access ? expression : { ...expression, access };
      }
      case "index": {
        const value = this.affine(expression.value);
        return value === expression.value ? expression : { ...expression, value };
      }
      case "random": {
        const position = this.affine(expression.position);
        const loopIndices = this.#list(expression.loopIndices);
        return position === expression.position && loopIndices === expression.loopIndices
          ? expression
          : { ...expression, position, loopIndices };
      }
      case "accumulated": {
        const instead = this.#renaming.accumulated?.(expression.accumulator);
        if (instead !== undefined) return instead;
        const accumulator = this.#renaming.accumulator?.(expression.accumulator) ?? expression.accumulator;
        return accumulator === expression.accumulator ? expression : { ...expression, accumulator };
      }
      case "apply": {
        const args = this.#list(expression.args);
        return args === expression.args ? expression : { ...expression, args };
      }
      case "check_index":
      case "check_finite":
      case "check_nonzero": {
        const value = this.expression(expression.value);
        return value === expression.value ? expression : { ...expression, value };
      }
    }
  }

  #list(list: readonly ScalarExpr[]): readonly ScalarExpr[] {
    const rewritten = list.map((item) => this.expression(item));
    return rewritten.every((item, i) => item === list[i]) ? list : rewritten;
  }

  #schedule(schedule: LoopSchedule): LoopSchedule {
    const { buffer } = this.#renaming;
    return buffer === undefined || schedule.rows.length === 0
      ? schedule
      : { ...schedule, rows: schedule.rows.map(buffer) };
  }

  /** Loop statements keep their own ids: `loopId` renames those. */
  statements(body: readonly Statement[], loopId: (loop: LoopId) => LoopId = (loop) => loop): readonly Statement[] {
    return body.map((statement): Statement => {
      switch (statement.kind) {
        case "loop":
          return {
            ...statement,
            id: loopId(statement.id),
            accumulators: statement.accumulators.map((a) => ({ ...a, id: this.#renaming.accumulator?.(a.id) ?? a.id })),
            schedule: this.#schedule(statement.schedule),
            body: this.statements(statement.body, loopId),
          };
        case "store":
          return { ...statement, target: this.access(statement.target), value: this.expression(statement.value) };
        case "accumulate":
          return {
            ...statement,
            accumulator: this.#renaming.accumulator?.(statement.accumulator) ?? statement.accumulator,
            value: this.expression(statement.value),
            index: statement.index === undefined ? undefined : this.expression(statement.index),
          };
      }
    });
  }
}

/** A nest or a contraction with all that it reads and writes rewritten. */
export function rewriteLeaf(rewriter: Rewriter, kernel: NestKernel | ContractKernel): NestKernel | ContractKernel {
  if (kernel.kind === "nest") return { ...kernel, body: rewriter.statements(kernel.body) };
  return {
    ...kernel,
    lhs: rewriter.expression(kernel.lhs),
    rhs: rewriter.expression(kernel.rhs),
    epilogue: kernel.epilogue.map((store) => ({
      ...store,
      target: rewriter.access(store.target),
      value: rewriter.expression(store.value),
    })),
  };
}

/** All loop statements below (and with) a body. */
export function loopsIn(body: readonly Statement[]): readonly LoopStatement[] {
  return body.flatMap((statement) => (statement.kind === "loop" ? [statement, ...loopsIn(statement.body)] : []));
}
