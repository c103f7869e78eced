import { InternalError } from "../../ir/diagnostic.js";
import { isFloat } from "../../ir/dtype.js";
import { expressionsOfStatement, forEachExpression, operandsOf } from "../../kernels/access.js";
import type {
  Accumulator,
  Affine,
  BufferId,
  LoopId,
  LoopStatement,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "../../kernels/form.js";
import { type Base, isAmong, largestBase } from "./bases.js";
import { longestLoop, type NumberArgument } from "./form.js";
import { extremeOf, identityOf } from "./identity.js";
import { insideOf, mentionsLoop } from "./invariance.js";
import { NumberArguments } from "./number_arguments.js";
import { literal, type Operand, spell } from "./scalar.js";
import { unrolled } from "./unroll.js";

/** Names and lines of one kernel while it is written. */
export class ThreadWriter {
  readonly #lines: string[] = [];
  #indent = 1;
  #names = 0;
  readonly #arrays: BufferId[] = [];
  readonly #numbers = new NumberArguments();
  readonly #functions = new Set<string>();
  /** What loop variables are called; a loop that is not here runs around the kernel. */
  readonly #loops = new Map<LoopId, string>();
  readonly #accumulators = new Map<number, { readonly accumulator: Accumulator; readonly name: string }>();
  /** Expressions that have a name, innermost block last. */
  readonly #scopes: Map<ScalarExpr, string>[] = [new Map()];
  /** Parts of indices that have a name, block by block. */
  readonly #bases: Base[][] = [[]];
  readonly #isScalar: (buffer: BufferId) => boolean;

  /** `isScalar`: whether a buffer is one number that each launch is given as such. */
  constructor(isScalar: (buffer: BufferId) => boolean) {
    this.#isScalar = isScalar;
  }

  get arrays(): readonly BufferId[] {
    return this.#arrays;
  }

  get numbers(): readonly NumberArgument[] {
    return this.#numbers.list;
  }

  get functions(): ReadonlySet<string> {
    return this.#functions;
  }

  source(): string {
    const parameters = [...this.#arrays.map((_, i) => `a${i}`), ...this.#numbers.list.map((_, i) => `n${i}`)];
    return `function(${parameters.join(", ")}) {\n${this.#lines.join("\n")}\n}`;
  }

  line(text: string): void {
    this.#lines.push(`${"  ".repeat(this.#indent)}${text}`);
  }

  /** A block: names that are made in it end with it. */
  block(head: string, write: () => void): void {
    this.line(`${head} {`);
    this.#indent++;
    this.#scopes.push(new Map());
    this.#bases.push([]);
    write();
    this.#bases.pop();
    this.#scopes.pop();
    this.#indent--;
    this.line("}");
  }

  fresh(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  call = (name: string, ...args: readonly string[]): string => {
    this.#functions.add(name);
    return `${name}(${args.join(", ")})`;
  };

  array(buffer: BufferId): string {
    const known = this.#arrays.indexOf(buffer);
    return `a${known < 0 ? this.#arrays.push(buffer) - 1 : known}`;
  }

  /** With its point, so that the variable is a float from the start. */
  #float(value: number): string {
    return Number.isInteger(value) ? `${value}.0` : this.#constant(value);
  }

  #constant(value: number): string {
    if (Number.isFinite(value)) return literal(value);
    const name = value > 0 ? "Infinity" : value < 0 ? "-Infinity" : "NaN";
    return this.#numbers.name({ kind: "special", value: name });
  }

  nameLoop(loop: LoopId, name: string): void {
    this.#loops.set(loop, name);
  }

  affine(index: Affine): string {
    const base = largestBase(this.#bases, index);
    const offset = index.offset - (base?.index.offset ?? 0);
    const terms = index.terms.filter((term) => !isAmong(term, base?.index));
    const parts = terms.map(({ loop, stride }) => {
      const name = this.#loops.get(loop) ?? this.#numbers.name({ kind: "loop", loop });
      return stride === 1 ? name : `${literal(stride)} * ${name}`;
    });
    if (base !== undefined) parts.unshift(base.name);
    if (offset !== 0 || parts.length === 0) parts.push(literal(offset));
    return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" + ")})`;
  }

  /** Names the part of an index that does not change in loops to come, where it is worth a name. */
  #nameBase(index: Affine, inner: ReadonlySet<LoopId>): void {
    const terms = index.terms.filter(({ loop }) => !inner.has(loop));
    if (terms.length === index.terms.length || terms.every(({ stride }) => stride === 1)) return;
    const outer: Affine = { offset: 0, terms };
    if (largestBase(this.#bases, outer)?.index.terms.length === terms.length) return;
    const name = this.fresh("b");
    this.line(`const ${name} = ${this.affine(outer)};`);
    this.#bases.at(-1)?.push({ index: outer, name });
  }

  /** A number; a bool is 0 or 1. */
  value(expression: ScalarExpr): string {
    const named = this.#named(expression);
    if (named !== undefined) return named;
    const { text, kind } = this.#spell(expression);
    return kind === "condition" ? `(${text} ? 1 : 0)` : text;
  }

  #condition(expression: ScalarExpr): string {
    const named = this.#named(expression);
    if (named !== undefined) return `(${named} > 0.5)`;
    const { text, kind } = this.#spell(expression);
    return kind === "condition" ? text : `(${text} > 0.5)`;
  }

  #named(expression: ScalarExpr): string | undefined {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const name = this.#scopes[i]?.get(expression);
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #spell(expression: ScalarExpr): { readonly text: string; readonly kind: "number" | "condition" } {
    const number = (text: string) => ({ text, kind: "number" as const });
    switch (expression.kind) {
      case "constant":
        return number(this.#constant(Number(expression.value)));
      case "load": {
        const { buffer, index, dynamic = [] } = expression.access;
        if (this.#isScalar(buffer)) return number(this.#numbers.name({ kind: "scalar", buffer }));
        // Within an index gpu.js makes ints of the literals that a call is given, and GL has no such function.
        for (const term of dynamic) this.#name(term.value);
        const terms = dynamic.map((term) => ` + ${literal(term.stride)} * ${this.value(term.value)}`);
        return number(`${this.array(buffer)}[${this.affine(index)}${terms.join("")}]`);
      }
      case "index":
        // A float: GL has no choice between an int and a float.
        return number(`Math.floor(${this.affine(expression.value)})`);
      case "random": {
        const { path, index, position, loopIndices } = expression;
        const parts = ([0, 1, 2, 3, 4, 5] as const).map((part) =>
          this.#numbers.name({ kind: "key", path, index, loopIndices, part }),
        );
        return number(this.call("uniform_at", this.affine(position), ...parts));
      }
      case "accumulated": {
        return number(this.sum(expression.accumulator));
      }
      case "apply":
        return spell(
          expression.op,
          expression.dtype,
          expression.args.map((arg) => this.#operand(arg)),
          this.call,
        );
      case "check_index": {
        const { value, limit, fromEnd } = expression;
        const counted = fromEnd ? this.call("from_end", this.value(value), literal(limit)) : this.value(value);
        // What fails is found apart; the place that is read must be inside all the same.
        return number(this.call("in_range", counted, literal(limit)));
      }
      case "check_nonzero":
      case "check_finite":
        return number(this.value(expression.value));
    }
  }

  /** What the result of a sum is called. */
  sum(id: number): string {
    const known = this.#accumulators.get(id);
    if (known === undefined) throw new InternalError("a sum is read before its loop");
    return known.name;
  }

  #operand(expression: ScalarExpr): Operand {
    return {
      dtype: expression.dtype,
      number: () => this.value(expression),
      condition: () => this.#condition(expression),
      constant: expression.kind === "constant" ? Number(expression.value) : undefined,
    };
  }

  /** Names what several of these expressions, or one several times, mention. */
  share(roots: readonly ScalarExpr[]): void {
    const uses = new Map<ScalarExpr, number>();
    const seen = new Set<ScalarExpr>();
    const count = (expression: ScalarExpr): void => {
      uses.set(expression, (uses.get(expression) ?? 0) + 1);
      if (seen.has(expression) || this.#named(expression) !== undefined) return;
      seen.add(expression);
      operandsOf(expression).forEach(count);
    };
    roots.forEach(count);
    const visited = new Set<ScalarExpr>();
    for (const root of roots) {
      forEachExpression(root, visited, (expression) => {
        // Each exponentiation by squaring mentions its base twice.
        const isPower = expression.kind === "apply" && expression.op === "pow";
        if (isPower) for (const arg of expression.args) this.#name(arg);
        if ((uses.get(expression) ?? 0) > 1) this.#name(expression);
      });
    }
  }

  #name(expression: ScalarExpr): void {
    const isCheap = expression.kind === "constant" || expression.kind === "index" || expression.kind === "accumulated";
    if (isCheap || this.#named(expression) !== undefined) return;
    const text = this.value(expression);
    if (/^\w+$/.test(text)) return;
    const name = this.fresh("t");
    this.line(`const ${name} = ${text};`);
    this.#scopes.at(-1)?.set(expression, name);
  }

  /** Names what a loop computes anew in each iteration though it stays the same. */
  #hoist(body: readonly Statement[], inner: ReadonlySet<LoopId>, sums: ReadonlySet<number>): void {
    const varies = new Map<ScalarExpr, boolean>();
    const isVarying = (expression: ScalarExpr): boolean => {
      const known = varies.get(expression);
      if (known !== undefined) return known;
      const found = mentionsLoop(expression, inner, sums) || operandsOf(expression).some(isVarying);
      varies.set(expression, found);
      return found;
    };
    const visit = (expression: ScalarExpr): void => {
      if (!isVarying(expression)) {
        this.#name(expression);
        return;
      }
      operandsOf(expression).forEach(visit);
      if (expression.kind === "load") this.#nameBase(expression.access.index, inner);
    };
    const statements = (list: readonly Statement[]): void => {
      for (const statement of list) {
        if (statement.kind === "loop") statements(statement.body);
        else expressionsOfStatement(statement).forEach(visit);
      }
    };
    statements(body);
  }

  /** Statements that compute sums; stores are the caller's. */
  statements(body: readonly Statement[]): void {
    // What one turn adds to several sums is read once.
    if (body.every(({ kind }) => kind === "accumulate")) this.share(body.flatMap(expressionsOfStatement));
    for (const statement of body) {
      if (statement.kind === "loop") this.#loop(statement);
      else if (statement.kind === "accumulate") this.#accumulate(statement);
    }
  }

  #loop(given: LoopStatement): void {
    const loop = unrolled(given);
    for (const accumulator of loop.accumulators) this.declare(accumulator);
    const { inner, sums } = insideOf(loop);
    this.#hoist(loop.body, inner, sums);
    this.forEach(loop, () => this.statements(loop.body));
  }

  /** A real loop, in blocks where it is long: some devices stop silently after 65,535 iterations, and long sums lose bits. */
  forEach(loop: LoopStatement, write: () => void): void {
    const { id, extent } = loop;
    if (extent <= longestLoop) {
      const name = this.fresh("i");
      this.nameLoop(id, name);
      this.block(`for (let ${name} = 0; ${name} < ${extent}; ${name}++)`, write);
      return;
    }
    const blocks = Math.ceil(extent / longestLoop);
    const size = Math.ceil(extent / blocks);
    if (blocks > longestLoop) throw new InternalError(`a loop of ${extent} iterations`);
    const outer = this.fresh("i");
    const inside = this.fresh("i");
    this.block(`for (let ${outer} = 0; ${outer} < ${blocks}; ${outer}++)`, () => {
      const parts = loop.accumulators.filter(
        (accumulator) => accumulator.combiner === "sum" && isFloat(accumulator.dtype),
      );
      const totals = parts.map((accumulator) => {
        const total = this.#accumulators.get(accumulator.id)?.name as string;
        this.declare(accumulator);
        return total;
      });
      this.block(`for (let ${inside} = 0; ${inside} < ${size}; ${inside}++)`, () => {
        const name = this.fresh("j");
        this.line(`const ${name} = ${outer} * ${size} + ${inside};`);
        this.nameLoop(id, name);
        if (blocks * size === extent) write();
        else this.block(`if (${name} < ${extent})`, write);
      });
      parts.forEach((accumulator, i) => {
        const total = totals[i] as string;
        this.line(`${total} = ${total} + ${this.#accumulators.get(accumulator.id)?.name};`);
        this.#accumulators.set(accumulator.id, { accumulator, name: total });
      });
    });
  }

  declare(accumulator: Accumulator): void {
    const name = this.fresh("s");
    this.#accumulators.set(accumulator.id, { accumulator, name });
    const { combiner } = accumulator;
    if (combiner === "arg_max" || combiner === "arg_min") {
      this.line(`let ${name} = 0.0;`);
      this.line(`let ${name}k = ${this.#constant(extremeOf(accumulator))};`);
      return;
    }
    this.line(`let ${name} = ${this.#float(identityOf(accumulator))};`);
  }

  #accumulate(statement: Extract<Statement, { kind: "accumulate" }>): void {
    const known = this.#accumulators.get(statement.accumulator);
    if (known === undefined) throw new InternalError("a term of a sum outside its loop");
    const { accumulator, name } = known;
    this.share(expressionsOfStatement(statement));
    const value = this.value(statement.value);
    switch (accumulator.combiner) {
      case "sum":
        this.line(`${name} = ${name} + ${value};`);
        return;
      case "product":
        this.line(`${name} = ${name} * ${value};`);
        return;
      case "max":
      case "or":
        this.line(`${name} = ${this.#extreme(accumulator, "larger", "Math.max", name, value)};`);
        return;
      case "min":
      case "and":
        this.line(`${name} = ${this.#extreme(accumulator, "smaller", "Math.min", name, value)};`);
        return;
      case "arg_max":
      case "arg_min": {
        if (statement.index === undefined) throw new InternalError("argmax without its index");
        const better = accumulator.combiner === "arg_max" ? ">" : "<";
        const key = this.fresh("v");
        this.line(`const ${key} = ${value};`);
        // The first NaN wins: nothing is better than it, and it is neither above nor below 0.
        const isNumber = `(${name}k <= 0 || ${name}k > 0)`;
        const isNaN = `!(${key} <= 0 || ${key} > 0)`;
        this.block(`if (${key} ${better} ${name}k || (${isNaN} && ${isNumber}))`, () => {
          this.line(`${name}k = ${key};`);
          this.line(`${name} = ${this.value(statement.index as ScalarExpr)};`);
        });
      }
    }
  }

  /** Floats pass NaN on, which devices' own functions do not. */
  #extreme({ dtype }: Accumulator, name: string, own: string, sum: string, value: string): string {
    return isFloat(dtype) ? this.call(name, sum, value) : `${own}(${sum}, ${value})`;
  }

  /** The value of a store, combined with `old` where the store says so. */
  stored({ value, combiner }: StoreStatement, old: string): string {
    this.share([value]);
    const text = this.value(value);
    if (combiner === undefined) return text;
    const operand = (dtypeText: () => string): Operand => ({
      dtype: value.dtype,
      number: dtypeText,
      condition: () => `(${dtypeText()} > 0.5)`,
      constant: undefined,
    });
    const spelt = spell(combiner, value.dtype, [operand(() => old), operand(() => text)], this.call);
    return spelt.kind === "condition" ? `(${spelt.text} ? 1 : 0)` : spelt.text;
  }
}
