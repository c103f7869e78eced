import { byteSize, isFloat, type NumericDType } from "../ir/dtype.js";
import { scalarFacts } from "../ops/scalar.js";
import { dynamicValues, forEachExpression } from "./access.js";
import type {
  Access,
  AccumulatorId,
  Affine,
  Buffer,
  BufferId,
  ContractKernel,
  LeafKernel,
  LoopId,
  NestKernel,
  RoutineKernel,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "./form.js";

/**
 * What one call of a kernel does, whatever machine code it becomes: the two sides of a roofline (Williams, Waterman and Patterson,
 * "Roofline: an insightful visual performance model", 2009). Counted as XLA counts: one for each arithmetic operation on floats,
 * functions such as `exp` apart, nothing for comparisons, selections, casts and integers.
 */
export interface KernelWork {
  /** Undefined for an algorithm that iterates until it has converged. */
  readonly operations: number | undefined;
  readonly transcendentals: number;
  /** Bytes of distinct elements: what would cross to and from memory if the caches were empty before and large enough. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** The float that most of the operations are done in; undefined without any. */
  readonly dtype: "f32" | "f64" | undefined;
}

export function workOf(kernel: LeafKernel, buffers: readonly Buffer[]): KernelWork {
  const counter = new WorkCounter(buffers);
  switch (kernel.kind) {
    case "nest":
      counter.nest(kernel);
      return counter.work();
    case "contract":
      counter.contract(kernel);
      return counter.work();
    case "routine":
      return routineWork(kernel, buffers);
  }
}

/** What the work would take at least: seconds at the machine's peaks, whichever of the two is longer. */
export function rooflineSeconds(work: KernelWork, machine: MachinePeaks): number {
  const peak = work.dtype === "f64" ? machine.gigaflops.f64 : machine.gigaflops.f32;
  const computing = ((work.operations ?? 0) + work.transcendentals) / (peak * 1e9);
  return Math.max(computing, (work.readBytes + work.writtenBytes) / (machine.gigabytesPerSecond * 1e9));
}

/** Measured on the machine that runs: multiply-adds a second (each two operations), and bytes a second to and from memory. */
export interface MachinePeaks {
  readonly gigaflops: { readonly f32: number; readonly f64: number };
  readonly gigabytesPerSecond: number;
}

type Loops = ReadonlySet<LoopId>;

const noLoops: Loops = new Set();

/** Distinct elements of each buffer that are read, or written, by each form of access. */
type Traffic = Map<BufferId, Map<string, number>>;

class WorkCounter {
  readonly #buffers: readonly Buffer[];
  /** Loops of this kernel; one around it has no extent here, since a call sees one value of it. */
  readonly #extents = new Map<LoopId, number>();
  /** The loops around the one that declares an accumulator: what its result depends on. */
  readonly #outside = new Map<AccumulatorId, Loops>();
  readonly #seen = new Set<ScalarExpr>();
  readonly #dependences = new Map<ScalarExpr, Loops>();
  readonly #numbers = new Map<ScalarExpr, number>();
  readonly #reads: Traffic = new Map();
  readonly #writes: Traffic = new Map();
  /** Rows and packed panels, which stay in the innermost caches. */
  readonly #scratch = new Set<BufferId>();
  readonly #operations = { f32: 0, f64: 0 };
  #transcendentals = 0;

  constructor(buffers: readonly Buffer[]) {
    this.#buffers = buffers;
  }

  work(): KernelWork {
    const { f32, f64 } = this.#operations;
    return {
      operations: f32 + f64,
      transcendentals: this.#transcendentals,
      readBytes: this.#bytes(this.#reads),
      writtenBytes: this.#bytes(this.#writes),
      dtype: f32 + f64 === 0 ? undefined : f64 > f32 ? "f64" : "f32",
    };
  }

  nest({ body }: NestKernel): void {
    this.#declare(body, noLoops);
    this.#statements(body, noLoops);
  }

  contract(kernel: ContractKernel): void {
    const { batch, m, n, k, lhs, rhs, accumulator, epilogue, scratch } = kernel;
    for (const { id, extent } of [...batch, ...m, ...n, ...k]) this.#extents.set(id, extent);
    for (const id of scratch) this.#scratch.add(id);
    const outside = new Set([...batch, ...m, ...n].map(({ id }) => id));
    this.#outside.set(accumulator.id, outside);
    this.#evaluate(lhs);
    this.#evaluate(rhs);
    const all = new Set([...outside, ...k.map(({ id }) => id)]);
    this.#count(accumulator.dtype, 2 * this.#turns(all));
    for (const store of epilogue) this.#store(store, outside);
  }

  #declare(body: readonly Statement[], around: Loops): void {
    for (const statement of body) {
      if (statement.kind !== "loop") continue;
      this.#extents.set(statement.id, statement.extent);
      for (const { id } of statement.accumulators) this.#outside.set(id, around);
      for (const id of statement.schedule.rows) this.#scratch.add(id);
      this.#declare(statement.body, new Set([...around, statement.id]));
    }
  }

  #statements(body: readonly Statement[], around: Loops): void {
    for (const statement of body) {
      switch (statement.kind) {
        case "loop":
          this.#statements(statement.body, new Set([...around, statement.id]));
          break;
        case "store":
          this.#store(statement, around);
          break;
        case "accumulate":
          this.#evaluate(statement.value);
          if (statement.index === undefined) this.#count(statement.value.dtype, this.#turns(around));
          else this.#evaluate(statement.index);
          break;
      }
    }
  }

  #store({ target, value, combiner }: StoreStatement, around: Loops): void {
    this.#evaluate(value);
    for (const position of dynamicValues(target)) this.#evaluate(position);
    this.#touch(this.#writes, target);
    if (combiner === undefined) return;
    this.#touch(this.#reads, target);
    if (combiner !== "and" && combiner !== "or") this.#count(value.dtype, this.#turns(around));
  }

  /** Counts what is new in an expression, each object once for each point of the loops that it depends on. */
  #evaluate(root: ScalarExpr): void {
    forEachExpression(root, this.#seen, (expression) => {
      const loops = this.#loopsOf(expression);
      this.#dependences.set(expression, loops);
      if (expression.kind === "load") this.#touch(this.#reads, expression.access);
      if (expression.kind !== "apply") return;
      const { op, dtype } = expression;
      if (!isFloat(dtype)) return;
      const { work } = scalarFacts[op];
      if (work === "function") this.#transcendentals += this.#turns(loops);
      else if (work === "operation") this.#count(dtype, this.#turns(loops));
    });
  }

  /** The loops that an expression's value depends on; its operands have been visited. */
  #loopsOf(expression: ScalarExpr): Loops {
    const of = (expressions: readonly ScalarExpr[], ...indices: readonly Affine[]): Loops =>
      new Set([
        ...indices.flatMap(({ terms }) => terms.map(({ loop }) => loop)),
        ...expressions.flatMap((operand) => [...(this.#dependences.get(operand) ?? noLoops)]),
      ]);
    switch (expression.kind) {
      case "constant":
        return noLoops;
      case "load":
        return of(dynamicValues(expression.access), expression.access.index);
      case "index":
        return of([], expression.value);
      case "random":
        return of(expression.loopIndices, expression.position);
      case "accumulated":
        return this.#outside.get(expression.accumulator) ?? noLoops;
      case "apply":
        return of(expression.args);
      case "check_index":
      case "check_nonzero":
      case "check_finite":
        return of([expression.value]);
    }
  }

  #count(dtype: NumericDType, operations: number): void {
    if (isFloat(dtype)) this.#operations[dtype === "f64" ? "f64" : "f32"] += operations;
  }

  #turns(loops: Loops): number {
    let turns = 1;
    for (const loop of loops) turns *= this.#extents.get(loop) ?? 1;
    return turns;
  }

  #touch(traffic: Traffic, access: Access): void {
    const known = traffic.get(access.buffer) ?? new Map<string, number>();
    traffic.set(access.buffer, known);
    const positions = dynamicValues(access);
    const terms = access.index.terms.map(({ loop, stride }) => `${loop}*${stride}`).sort();
    const key = `${access.index.offset} ${terms.join(" ")} ${positions.map((value) => this.#number(value)).join(" ")}`;
    known.set(key, this.#distinct(access));
  }

  #number(expression: ScalarExpr): number {
    const known = this.#numbers.get(expression) ?? this.#numbers.size;
    this.#numbers.set(expression, known);
    return known;
  }

  /** How many elements an access reaches: no more than it has turns, and, as windows overlap, than lie between its ends. */
  #distinct({ index, dynamic = [] }: Access): number {
    const inner = index.terms.filter(({ loop, stride }) => stride !== 0 && this.#extents.has(loop));
    if (dynamic.length > 0) {
      const positions = dynamic.flatMap(({ value }) => [...(this.#dependences.get(value) ?? noLoops)]);
      return this.#turns(new Set([...inner.map(({ loop }) => loop), ...positions]));
    }
    const turns = this.#turns(new Set(inner.map(({ loop }) => loop)));
    const step = inner.reduce((divisor, { stride }) => greatestDivisor(divisor, Math.abs(stride)), 0);
    const reach = inner.reduce(
      (sum, { loop, stride }) => sum + Math.abs(stride) * (this.#turns(new Set([loop])) - 1),
      0,
    );
    return Math.min(turns, step === 0 ? 1 : reach / step + 1);
  }

  #bytes(traffic: Traffic): number {
    let bytes = 0;
    for (const [id, elements] of traffic) {
      const buffer = this.#buffers[id];
      if (buffer === undefined || this.#scratch.has(id)) continue;
      const sum = [...elements.values()].reduce((total, count) => total + count, 0);
      bytes += Math.min(sum, buffer.length) * byteSize(buffer.dtype);
    }
    return bytes;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Leading terms, as LAPACK's working notes count them (Anderson et al., "LAPACK users' guide", 1999, table 3.13). */
function routineWork(kernel: RoutineKernel, buffers: readonly Buffer[]): KernelWork {
  const size = (name: string): number => kernel.parameters.get(name) ?? 1;
  const bytes = (ids: readonly BufferId[]): number =>
    [...new Set(ids)].reduce((sum, id) => {
      const buffer = buffers[id];
      return sum + (buffer === undefined ? 0 : buffer.length * byteSize(buffer.dtype));
    }, 0);
  const operations = routineOperations(kernel.routine, size);
  const isCounted = isFloat(kernel.dtype) && operations !== 0;
  return {
    operations: isFloat(kernel.dtype) ? operations : 0,
    transcendentals: 0,
    readBytes: bytes(kernel.operands),
    writtenBytes: bytes(kernel.results),
    dtype: isCounted ? (kernel.dtype === "f64" ? "f64" : "f32") : undefined,
  };
}

function routineOperations(routine: string, size: (name: string) => number): number | undefined {
  const along = size("batch") * size("length") * size("inner");
  const [rows, columns, sides] = [size("rows"), size("columns"), size("sides")];
  const short = Math.min(rows, columns);
  const long = Math.max(rows, columns);
  switch (routine) {
    case "cumsum":
    case "cumprod":
    case "cummax":
    case "cummin":
      return along;
    case "linear_recurrence":
      return 2 * along;
    case "argsort":
      return 0;
    case "cholesky":
      return size("batch") * (rows ** 3 / 3);
    case "triangular_solve":
      return size("batch") * rows ** 2 * sides;
    case "solve":
      return size("batch") * ((2 / 3) * rows ** 3 + 2 * rows ** 2 * sides);
    case "det":
    case "slogdet":
      return size("batch") * (2 / 3) * rows ** 3;
    case "qr":
      // The factorisation, and as much again to write the orthogonal factor out.
      return size("batch") * 4 * short ** 2 * (long - short / 3);
    default:
      return undefined;
  }
}
