import { InternalError } from "../../../ir/diagnostic.js";
import { operandsOf } from "../../../kernels/access.js";
import type { AccumulatorId, LoopId, LoopStatement, NestKernel, ScalarExpr, Statement } from "../../../kernels/form.js";
import { lanesAlong, lanesOfNest } from "../../../kernels/lanes.js";
import type { Value } from "../value.js";
import {
  type Copy,
  combineCopies,
  finishPartial,
  flatten,
  identityCopy,
  type Partial,
  startPartial,
  unflatten,
} from "./accumulators.js";
import {
  type Counter,
  ExpressionEmitter,
  type KernelScope,
  type Position,
  type VectorPosition,
  widen,
} from "./expressions.js";
import { bodyFacts, FactTable, rootExpressions } from "./facts.js";

/** Writes the loops, reductions and stores of a nest kernel into its function. */
export function emitNest(scope: KernelScope, kernel: NestKernel): void {
  new NestEmitter(scope, kernel).emit();
}

class NestEmitter {
  readonly #scope: KernelScope;
  readonly #kernel: NestKernel;
  readonly #expressions: ExpressionEmitter;
  readonly #facts = new FactTable();
  readonly #registerLanes: number;
  readonly #loops: Map<LoopId, Counter>;
  /** Reductions under way and finished ones; the latter have one value. */
  readonly #partials = new Map<AccumulatorId, Partial>();
  readonly #finished = new Map<AccumulatorId, Value>();
  #vector: VectorPosition | undefined;
  /** Which copy of an unrolled body is being written: it has registers of its own in each reduction. */
  #replica = 0;

  constructor(scope: KernelScope, kernel: NestKernel) {
    this.#scope = scope;
    this.#loops = new Map(scope.around);
    this.#kernel = kernel;
    this.#expressions = new ExpressionEmitter(scope);
    this.#registerLanes = lanesOfNest(kernel.body, scope.b.target.vectorBytes);
  }

  emit(): void {
    for (const expr of reachable(rootExpressions(this.#kernel.body))) {
      if (expr.kind === "random") this.#expressions.prepareDraw(expr);
    }
    this.#statements(this.#kernel.body);
  }

  #statements(statements: readonly Statement[]): void {
    for (const statement of statements) {
      switch (statement.kind) {
        case "loop":
          this.#loop(statement);
          break;
        case "store": {
          const value = this.#value(statement.value);
          this.#expressions.store(statement, value, this.#position());
          break;
        }
        case "accumulate":
          this.#accumulate(statement);
          break;
      }
    }
  }

  #loop(loop: LoopStatement): void {
    const { b } = this.#scope;
    for (const accumulator of loop.accumulators) {
      const { lanes, copies } = this.#partialShape(loop, accumulator.id);
      this.#partials.set(accumulator.id, startPartial(b, accumulator, lanes, copies));
    }
    if (loop.extent > 0) {
      this.#hoist(loop);
      if (loop.schedule.vector) this.#vectorLoop(loop);
      else this.#scalarLoop(loop);
    }
    for (const accumulator of loop.accumulators) {
      const partial = this.#partials.get(accumulator.id);
      if (partial === undefined) throw new InternalError("a reduction was lost");
      // Lanes outside the loop belong to different results; lanes of the loop itself are parts of one.
      const acrossLanes = this.#vector === undefined;
      this.#finished.set(accumulator.id, finishPartial(b, partial, acrossLanes));
      this.#partials.delete(accumulator.id);
    }
  }

  /** Registers of lanes that a reduction needs: those of the vector loop around it or within it, one for each unrolled copy. */
  #partialShape(loop: LoopStatement, id: AccumulatorId): { readonly lanes: number; readonly copies: number } {
    let lanes = this.#vector?.lanes ?? 1;
    let copies = 1;
    const visit = (statement: LoopStatement, around: number): void => {
      const own = statement.schedule.vector ? this.#lanesOf(statement) : around;
      for (const inner of statement.body) {
        if (inner.kind === "loop") visit(inner, own);
        else if (inner.kind === "accumulate" && inner.accumulator === id) {
          lanes = Math.max(lanes, own);
          copies = Math.max(copies, statement.schedule.unroll);
        }
      }
    };
    visit(loop, lanes);
    return { lanes, copies };
  }

  #lanesOf(loop: LoopStatement): number {
    return lanesAlong(loop.extent, this.#registerLanes);
  }

  #vectorLoop(loop: LoopStatement): void {
    if (this.#vector !== undefined) throw new InternalError("a vector loop within a vector loop");
    const { b } = this.#scope;
    const lanes = this.#lanesOf(loop);
    const unroll = Math.max(1, loop.schedule.unroll);
    const registers = Math.floor(loop.extent / lanes);
    const unrolled = registers - (registers % unroll);
    const rows = new Set(loop.schedule.rows);
    const full = (base: Value, plus: number): VectorPosition => {
      return { loop: loop.id, first: { base, plus }, lanes, active: lanes, mask: undefined, rows };
    };
    this.#counted(loop, 0, unrolled * lanes, unroll * lanes, (base) => {
      for (let copy = 0; copy < unroll; copy++) this.#body(loop, copy, full(base, copy * lanes));
    });
    this.#counted(loop, unrolled * lanes, registers * lanes, lanes, (base) => this.#body(loop, 0, full(base, 0)));
    const active = loop.extent - registers * lanes;
    if (active === 0) return;
    const mask = b.firstLanes(active, lanes);
    const first = { base: b.index(registers * lanes), plus: 0 };
    this.#body(loop, 0, { loop: loop.id, first, lanes, active, mask, rows });
  }

  #scalarLoop(loop: LoopStatement): void {
    const unroll = Math.max(1, loop.schedule.unroll);
    const unrolled = loop.extent - (loop.extent % unroll);
    const once = (base: Value, copy: number): void => {
      this.#loops.set(loop.id, { base, plus: copy });
      this.#body(loop, copy, this.#vector);
      this.#loops.delete(loop.id);
    };
    this.#counted(loop, 0, unrolled, unroll, (base) => {
      for (let copy = 0; copy < unroll; copy++) once(base, copy);
    });
    this.#counted(loop, unrolled, loop.extent, 1, (base) => once(base, 0));
  }

  /** A counted loop that carries the reductions that its body adds to. A single turn is written without a loop. */
  #counted(loop: LoopStatement, from: number, to: number, step: number, turn: (first: Value) => void): void {
    if (from >= to) return;
    const { b } = this.#scope;
    if (to - from <= step) {
      turn(b.index(from));
      return;
    }
    const carried = [...bodyFacts(loop).accumulated].filter((id) => this.#partials.has(id));
    const partials = (): readonly Partial[] => carried.map((id) => this.#partials.get(id) as Partial);
    const restore = (values: readonly Value[]): void => {
      unflatten(partials(), values).forEach((partial, index) => {
        this.#partials.set(carried[index] as AccumulatorId, partial);
      });
    };
    const results = b.loop(
      from,
      to,
      step,
      (index, state) => {
        restore(state);
        this.#expressions.within(() => turn(index));
        return flatten(partials());
      },
      flatten(partials()),
    );
    restore(results);
  }

  #body(loop: LoopStatement, replica: number, vector: VectorPosition | undefined): void {
    const outer = { vector: this.#vector, replica: this.#replica };
    this.#vector = vector;
    this.#replica = replica;
    this.#expressions.within(() => this.#statements(loop.body));
    this.#vector = outer.vector;
    this.#replica = outer.replica;
  }

  /**
   * Computes before the loop what does not change in it. LLVM would move arithmetic out by itself, but not a load that it
   * cannot prove safe, nor what stands behind one.
   */
  #hoist(loop: LoopStatement): void {
    const inside = bodyFacts(loop);
    const seen = new Set<ScalarExpr>();
    const stack = [...rootExpressions(loop.body)];
    while (stack.length > 0) {
      const expr = stack.pop();
      if (expr === undefined || seen.has(expr)) continue;
      seen.add(expr);
      if (expr.kind === "constant") continue;
      const facts = this.#facts.of(expr);
      const fixed =
        disjoint(facts.loops, inside.loops) &&
        disjoint(facts.loads, inside.stored) &&
        // One that is declared in here may be finished already: from the copy of this body that was written before.
        disjoint(facts.accumulators, inside.declared) &&
        [...facts.accumulators].every((id) => this.#finished.has(id));
      if (fixed) this.#value(expr);
      else stack.push(...operandsOf(expr));
    }
  }

  #accumulate(statement: Extract<Statement, { kind: "accumulate" }>): void {
    const { b } = this.#scope;
    const partial = this.#partials.get(statement.accumulator);
    if (partial === undefined) throw new InternalError("an accumulation outside its loop");
    const given = this.#value(statement.value);
    const index = statement.index === undefined ? undefined : this.#value(statement.index);
    const step = this.#step(partial, given, index);
    const slot = Math.min(this.#replica, partial.copies.length - 1);
    const copies = partial.copies.map((copy, i) =>
      i === slot ? combineCopies(b, partial.accumulator, copy, step) : copy,
    );
    this.#partials.set(statement.accumulator, { ...partial, copies });
  }

  /** The element to add, as wide as the reduction; lanes that are not active, or not there, are neutral. */
  #step(partial: Partial, given: Value, index: Value | undefined): Copy {
    const { b } = this.#scope;
    const neutral = identityCopy(b, partial.accumulator, partial.lanes);
    const step: Copy = index === undefined ? { value: given, key: undefined } : { value: index, key: given };
    const here = this.#vector?.lanes ?? 1;
    const wide = mapCopy(step, (value) => widen(b, value, here));
    if (here === partial.lanes) {
      const mask = this.#vector?.mask;
      if (mask === undefined || here === 1) return wide;
      return mapCopies(wide, neutral, (value, identity) => b.select(mask, value, identity));
    }
    // A part of the nest with narrower registers adds its own total to the first lane.
    const narrow = { ...partial, lanes: here, copies: [this.#masked(partial, wide, here)] };
    const total = this.#total(narrow);
    return mapCopies(total, neutral, (value, identity) => b.insertLane(identity, value, 0));
  }

  #masked(partial: Partial, copy: Copy, lanes: number): Copy {
    const mask = this.#vector?.mask;
    if (mask === undefined) return copy;
    const neutral = identityCopy(this.#scope.b, partial.accumulator, lanes);
    return mapCopies(copy, neutral, (value, identity) => this.#scope.b.select(mask, value, identity));
  }

  #total(partial: Partial): Copy {
    const { b } = this.#scope;
    let [rest] = partial.copies;
    if (rest === undefined) throw new InternalError("a reduction without a copy");
    while (rest.value.type.lanes > 1) {
      const low = mapCopy(rest, (value) => b.half(value, "low"));
      const high = mapCopy(rest, (value) => b.half(value, "high"));
      rest = combineCopies(b, partial.accumulator, low, high);
    }
    return rest;
  }

  #value(expr: ScalarExpr): Value {
    return this.#expressions.emit(expr, this.#position());
  }

  #position(): Position {
    return {
      loops: this.#loops,
      vector: this.#vector,
      accumulated: (id) => {
        const value = this.#finished.get(id);
        if (value === undefined) throw new InternalError("a reduction is read before it is complete");
        return value;
      },
    };
  }
}

function mapCopy(copy: Copy, change: (value: Value) => Value): Copy {
  return { value: change(copy.value), key: copy.key === undefined ? undefined : change(copy.key) };
}

function mapCopies(x: Copy, y: Copy, join: (x: Value, y: Value) => Value): Copy {
  const key = x.key === undefined || y.key === undefined ? undefined : join(x.key, y.key);
  return { value: join(x.value, y.value), key };
}

function disjoint(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const element of a) if (b.has(element)) return false;
  return true;
}

function reachable(roots: readonly ScalarExpr[]): ReadonlySet<ScalarExpr> {
  const seen = new Set<ScalarExpr>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop();
    if (expr === undefined || seen.has(expr)) continue;
    seen.add(expr);
    stack.push(...operandsOf(expr));
  }
  return seen;
}
