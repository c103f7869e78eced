import type { Diagnostic } from "../ir/diagnostic.js";
import { binaryScalars } from "../ops/scalar.js";
import {
  buffersOf,
  canFail,
  dynamicValues,
  innerKernels,
  isLeaf,
  operandsOf,
  strideAlong,
  writtenBy,
} from "./access.js";
import { affineRange } from "./affine.js";
import { Bounds } from "./bounds.js";
import { tileAxes } from "./contract_scratch.js";
import type {
  Access,
  Accumulator,
  AccumulatorId,
  Affine,
  BufferId,
  ContractKernel,
  Extent,
  Kernel,
  KernelProgram,
  LeafKernel,
  LoopId,
  ReadyPanel,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "./form.js";
import { verifyMemory } from "./verify_memory.js";

/**
 * Checks what back ends rely on: every access lies within its buffer (by interval arithmetic over the loops' extents and the bounds
 * that checks give run-time positions); loops and
 * accumulators are used where they are open and complete; dtypes agree; at most one loop on a path has lanes and its stores go to
 * different places; only `commit` writes variables, and nothing that can fail is in it; inputs and constants are never written;
 * temporaries are written before they are read, and those that live at the same time do not overlap in the arena.
 */
export function verifyKernels(program: KernelProgram): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const report = (kernel: Kernel | undefined, message: string): void => {
    const where = kernel === undefined ? program.name : `kernel ${kernel.name}`;
    problems.push({
      code: "G905",
      severity: "error",
      message: `${where}: ${message}`,
      span: kernel?.spans[0],
      notes: [],
    });
  };
  program.buffers.forEach((buffer, i) => {
    if (buffer.id !== i) report(undefined, `buffer ${buffer.id} stands at place ${i}`);
  });
  const bounds = new Bounds(program);
  for (const kernel of [...program.compute, ...program.commit]) {
    verifyTree({ program, bounds, report }, kernel, []);
    for (const id of writtenBy(kernel)) {
      const storage = program.buffers[id]?.storage.kind;
      if (storage === "placeholder" || storage === "constant" || storage === "run_state")
        report(kernel, `writes the ${storage} b${id}`);
    }
  }
  for (const kernel of program.compute) {
    for (const id of writtenBy(kernel)) {
      if (program.buffers[id]?.storage.kind === "variable")
        report(kernel, `writes the variable b${id} before all checks have passed`);
    }
  }
  for (const kernel of program.commit)
    if (canFail(kernel)) report(kernel, "can fail after variables have been written");
  for (const { name, buffer, dtype, shape } of program.outputs) {
    const found = program.buffers[buffer];
    if (
      found === undefined ||
      found.dtype !== dtype ||
      found.length !== shape.reduce((product, size) => product * size, 1)
    ) {
      report(undefined, `the output ${name} is not what b${buffer} holds`);
    }
  }
  verifyMemory(program, report);
  return problems;
}

/** A loop without a bound, as an extent: nothing may be indexed by it. */
const endless = Number.MAX_SAFE_INTEGER;

interface Verification {
  readonly program: KernelProgram;
  readonly bounds: Bounds;
  readonly report: (kernel: Kernel, message: string) => void;
}

/** A kernel and those inside it, with the loops around. */
function verifyTree(verification: Verification, kernel: Kernel, around: readonly Extent[]): void {
  const { program, bounds, report } = verification;
  const verifier = new KernelVerifier(program, bounds, (message) => report(kernel, message), around);
  if (isLeaf(kernel)) {
    verifier.verify(kernel);
    return;
  }
  if (kernel.kind !== "loop") verifier.predicate(kernel.predicate);
  const own =
    kernel.kind === "loop" ? [kernel.loop] : kernel.kind === "while" ? [{ id: kernel.loop, extent: endless }] : [];
  for (const inner of innerKernels(kernel)) verifyTree(verification, inner, [...around, ...own]);
}

class KernelVerifier {
  readonly #program: KernelProgram;
  readonly #bounds: Bounds;
  readonly #report: (message: string) => void;
  readonly #loops = new Map<LoopId, number>();
  readonly #open = new Map<AccumulatorId, Accumulator>();
  readonly #complete = new Map<AccumulatorId, Accumulator>();
  /** An extent of 0 around: nothing runs, so no access can be wrong. */
  #idle = 0;

  /** `around` are the loops whose kernels contain this one. */
  constructor(program: KernelProgram, bounds: Bounds, report: (message: string) => void, around: readonly Extent[]) {
    this.#program = program;
    this.#bounds = bounds;
    this.#report = report;
    for (const { id, extent } of around) {
      if (this.#loops.has(id)) report(`the loop i${id} is open twice`);
      this.#loops.set(id, extent);
      if (extent === 0) this.#idle++;
    }
  }

  /** What a while or a branch reads before its kernels. */
  predicate(access: Access): void {
    this.#access(access);
    if (this.#program.buffers[access.buffer]?.dtype !== "bool") this.#report(`its predicate is no bool`);
  }

  verify(kernel: LeafKernel): void {
    for (const id of buffersOf(kernel))
      if (this.#program.buffers[id] === undefined) this.#report(`there is no buffer b${id}`);
    switch (kernel.kind) {
      case "nest":
        this.#body(kernel.body, undefined);
        return;
      case "contract":
        this.#contract(kernel);
        return;
      case "routine":
        // A sort gives positions of elements of another dtype.
        for (const id of [
          ...(kernel.routine === "argsort" ? [] : kernel.operands),
          ...kernel.results,
          ...kernel.scratch,
        ]) {
          if (this.#program.buffers[id]?.dtype !== kernel.dtype) this.#report(`b${id} is not ${kernel.dtype}`);
        }
        this.#failure(kernel.failure);
        return;
    }
  }

  #body(body: readonly Statement[], lanes: LoopId | undefined, rows: readonly BufferId[] = []): void {
    const completed: AccumulatorId[] = [];
    for (const statement of body) {
      switch (statement.kind) {
        case "loop": {
          const { id, extent, accumulators, schedule } = statement;
          if (!Number.isSafeInteger(extent) || extent < 0) this.#report(`the loop i${id} has the extent ${extent}`);
          if (this.#loops.has(id)) this.#report(`the loop i${id} is open twice`);
          if (schedule.vector && lanes !== undefined) this.#report(`lanes along i${id} inside lanes along i${lanes}`);
          if (schedule.rows.length > 0 && !schedule.vector) this.#report(`i${id} has no lanes to give a line each`);
          if (!Number.isSafeInteger(schedule.unroll) || schedule.unroll < 1)
            this.#report(`i${id} is unrolled ${schedule.unroll} times`);
          for (const accumulator of accumulators) {
            if (this.#open.has(accumulator.id) || this.#complete.has(accumulator.id))
              this.#report(`a${accumulator.id} is declared twice`);
            this.#open.set(accumulator.id, accumulator);
          }
          this.#within([{ id, extent }], () =>
            this.#body(statement.body, schedule.vector ? id : lanes, [...rows, ...schedule.rows]),
          );
          for (const accumulator of accumulators) {
            this.#open.delete(accumulator.id);
            this.#complete.set(accumulator.id, accumulator);
            completed.push(accumulator.id);
          }
          break;
        }
        case "store":
          this.#store(statement);
          if (lanes !== undefined && !rows.includes(statement.target.buffer)) {
            const stride = strideAlong(statement.target, lanes);
            if (stride === 0)
              this.#report(`all lanes along i${lanes} store to one element of b${statement.target.buffer}`);
            if (stride === undefined)
              this.#report(`lanes along i${lanes} may meet at a run-time position in b${statement.target.buffer}`);
          }
          break;
        case "accumulate": {
          const accumulator = this.#open.get(statement.accumulator);
          if (accumulator === undefined) {
            this.#report(`a${statement.accumulator} is added to outside its loop`);
            break;
          }
          this.#expression(statement.value);
          const indexed = accumulator.combiner === "arg_max" || accumulator.combiner === "arg_min";
          if (indexed !== (statement.index !== undefined)) this.#report(`a${accumulator.id} and its index do not fit`);
          if (statement.index !== undefined) this.#expression(statement.index);
          const expected = indexed ? accumulator.keyDtype : accumulator.dtype;
          if (statement.value.dtype !== expected)
            this.#report(`a${accumulator.id} of ${expected} takes ${statement.value.dtype}`);
          break;
        }
      }
    }
    // What was completed in this body is reset by the next iteration: it is not readable outside.
    for (const id of completed) this.#complete.delete(id);
  }

  #within(loops: readonly Extent[], visit: () => void): void {
    for (const { id, extent } of loops) {
      this.#loops.set(id, extent);
      if (extent === 0) this.#idle++;
    }
    visit();
    for (const { id, extent } of loops) {
      this.#loops.delete(id);
      if (extent === 0) this.#idle--;
    }
  }

  #contract(kernel: Extract<Kernel, { kind: "contract" }>): void {
    const { batch, m, n, k, accumulator, schedule } = kernel;
    this.#within([...batch, ...m, ...k], () => this.#expression(kernel.lhs));
    this.#within([...batch, ...n, ...k], () => this.#expression(kernel.rhs));
    for (const operand of [kernel.lhs, kernel.rhs]) {
      if (operand.dtype !== accumulator.dtype)
        this.#report(`an operand is ${operand.dtype}, the sum ${accumulator.dtype}`);
    }
    this.#complete.set(accumulator.id, accumulator);
    this.#within([...batch, ...m, ...n], () => {
      for (const store of kernel.epilogue) this.#store(store);
    });
    if (kernel.epilogue.length === 0) this.#report("a contraction that stores nothing");
    for (const size of [
      schedule.rows,
      schedule.vectors,
      schedule.blockRows,
      schedule.blockColumns,
      schedule.blockDepth,
    ]) {
      if (!Number.isSafeInteger(size) || size < 1) this.#report(`the schedule has the size ${size}`);
    }
    const vectorOperand = schedule.vectorAxis === "n" ? kernel.rhs : kernel.lhs;
    const scalarOperand = schedule.vectorAxis === "n" ? kernel.lhs : kernel.rhs;
    if (vectorOperand.kind !== "load" && !schedule.packVectorOperand) this.#report("an expression is read in place");
    if (scalarOperand.kind !== "load" && !schedule.packScalarOperand) this.#report("an expression is read in place");
    const { columns, turns } = tileAxes(kernel);
    const inBlocks = schedule.packVectorOperand && schedule.blockColumns < columns.extent;
    if (inBlocks && (turns.length > 0 || kernel.panel !== undefined))
      this.#report("columns in blocks, where the panel or the sums are those of all");
    if (kernel.panel !== undefined) this.#panel(kernel, kernel.panel);
  }

  #panel(kernel: ContractKernel, { buffer: id, width }: ReadyPanel): void {
    const { columns, depth, turns } = tileAxes(kernel);
    if (!kernel.schedule.packVectorOperand || turns.length > 0) this.#report(`nothing reads the panel b${id} as it is`);
    const length = depth.reduce((product, { extent }) => product * extent, Math.ceil(columns.extent / width) * width);
    const buffer = this.#program.buffers[id];
    if (buffer?.dtype !== kernel.accumulator.dtype || buffer.length !== length)
      this.#report(`the panel b${id} is no ${kernel.accumulator.dtype}[${length}]`);
  }

  #store({ target, value, combiner }: StoreStatement): void {
    this.#access(target);
    for (const position of dynamicValues(target)) this.#expression(position);
    this.#expression(value);
    const isBit = combiner === "and" || combiner === "or";
    if (combiner !== undefined && isBit !== (value.dtype === "bool"))
      this.#report(`${value.dtype} is combined by ${combiner}`);
    const buffer = this.#program.buffers[target.buffer];
    if (buffer !== undefined && buffer.dtype !== value.dtype)
      this.#report(`${value.dtype} is stored to b${buffer.id}: ${buffer.dtype}`);
  }

  #access({ buffer: id, index, dynamic = [] }: Access): void {
    const buffer = this.#program.buffers[id];
    if (buffer === undefined) return;
    this.#affine(index);
    if (this.#idle > 0) return;
    let { min, max } = affineRange(index, (loop) => this.#loops.get(loop) ?? 1);
    for (const { value, stride } of dynamic) {
      if (value.dtype !== "i64") this.#report(`a position in b${id} is ${value.dtype}`);
      const range = this.#bounds.of(value);
      if (range === undefined) {
        this.#report(`no check bounds a position in b${id}`);
        return;
      }
      min += Math.min(range.least * stride, range.most * stride);
      max += Math.max(range.least * stride, range.most * stride);
    }
    if (min < 0 || max >= buffer.length)
      this.#report(`b${id} has ${buffer.length} elements; ${min} to ${max} are touched`);
  }

  #affine(index: Affine): void {
    for (const { loop, stride } of index.terms) {
      if (!this.#loops.has(loop)) this.#report(`the loop i${loop} is mentioned outside itself`);
      if (!Number.isSafeInteger(stride) || stride === 0) this.#report(`i${loop} has the stride ${stride}`);
    }
    if (!Number.isSafeInteger(index.offset)) this.#report(`an index has the offset ${index.offset}`);
  }

  #failure(failure: number | undefined): void {
    if (failure !== undefined && this.#program.failures[failure] === undefined)
      this.#report(`there is no failure ${failure}`);
  }

  #expression(root: ScalarExpr): void {
    const seen = new Set<ScalarExpr>();
    const stack = [root];
    for (let e = stack.pop(); e !== undefined; e = stack.pop()) {
      if (seen.has(e)) continue;
      seen.add(e);
      this.#check(e);
      stack.push(...operandsOf(e));
    }
  }

  #check(e: ScalarExpr): void {
    switch (e.kind) {
      case "load":
        this.#access(e.access);
        if (this.#program.buffers[e.access.buffer]?.dtype !== e.dtype)
          this.#report(`b${e.access.buffer} is loaded as ${e.dtype}`);
        return;
      case "constant":
        if ((typeof e.value === "bigint") !== (e.dtype === "i64"))
          this.#report(`the constant ${e.value} is no ${e.dtype}`);
        return;
      case "index":
        this.#affine(e.value);
        return;
      case "random":
        this.#affine(e.position);
        return;
      case "accumulated": {
        const accumulator = this.#complete.get(e.accumulator);
        if (accumulator === undefined) this.#report(`a${e.accumulator} is read where it is not complete`);
        else if (accumulator.dtype !== e.dtype)
          this.#report(`a${e.accumulator} is ${accumulator.dtype}, not ${e.dtype}`);
        return;
      }
      case "check_index":
      case "check_finite":
      case "check_nonzero":
        this.#failure(e.failure);
        if (e.value.dtype !== e.dtype) this.#report(`${e.kind} of ${e.value.dtype} gives ${e.dtype}`);
        return;
      case "apply":
        this.#apply(e);
        return;
    }
  }

  #apply(e: Extract<ScalarExpr, { kind: "apply" }>): void {
    const dtypes = e.args.map((arg) => arg.dtype);
    const [first] = dtypes;
    const comparisons = ["eq", "ne", "lt", "le", "gt", "ge"];
    const arity = e.op === "select" ? 3 : comparisons.includes(e.op) || binaryOps.has(e.op) ? 2 : 1;
    if (dtypes.length !== arity) this.#report(`${e.op} takes ${arity} operands, not ${dtypes.length}`);
    if (e.op === "cast") return;
    if (e.op === "select") {
      if (first !== "bool" || dtypes[1] !== e.dtype || dtypes[2] !== e.dtype)
        this.#report(`select of ${dtypes.join(", ")} gives ${e.dtype}`);
    } else if (comparisons.includes(e.op) || e.op === "is_finite") {
      if (e.dtype !== "bool" || dtypes.some((dtype) => dtype !== first))
        this.#report(`${e.op} of ${dtypes.join(", ")} gives ${e.dtype}`);
    } else if (dtypes.some((dtype) => dtype !== e.dtype))
      this.#report(`${e.op} of ${dtypes.join(", ")} gives ${e.dtype}`);
  }
}

const binaryOps: ReadonlySet<string> = new Set(binaryScalars);
