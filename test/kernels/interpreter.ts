import { InternalError } from "../../compiler/ir/diagnostic.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import type {
  Access,
  Accumulator,
  Affine,
  BufferId,
  Failure,
  Kernel,
  KernelProgram,
  LoopId,
  ReadyPanel,
  RoutineKernel,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "../../compiler/kernels/form.js";
import type { ReferenceContext, ReferenceTensor } from "../../compiler/ops/define.js";
import { type ReferenceData, referenceFromTensor, roundTo } from "../../compiler/ops/precision.js";
import { streamKey, uniformAt } from "../../compiler/ops/threefry.js";
import { routineResults } from "./interpreter_routines.js";
import { type Element, identityOf, scalar } from "./scalars.js";

/**
 * A tiny interpreter of the Kernels form: what a back end must make of a program. Temporaries live in one arena as the memory
 * plan says, so that a plan that lets lives overlap gives wrong numbers here. Slow, and for tests only.
 */
export interface Interpretation {
  readonly outputs: readonly ReferenceTensor[];
  readonly variables: ReadonlyMap<string, ReferenceTensor>;
  readonly failure: Failure | undefined;
}

class Failed extends Error {
  readonly number: number;
  constructor(number: number) {
    super(`check ${number} failed`);
    this.number = number;
  }
}

export function interpretKernels(program: KernelProgram, context: ReferenceContext): Interpretation {
  const machine = new Machine(program, context);
  let failure: Failure | undefined;
  try {
    for (const kernel of program.compute) machine.run(kernel);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    failure = program.failures[error.number];
  }
  if (failure === undefined) for (const kernel of program.commit) machine.run(kernel);
  return {
    failure,
    variables: machine.variables(),
    outputs: program.outputs.map(({ buffer, dtype, shape }) => ({
      dtype,
      shape,
      data: failure === undefined ? machine.output(buffer, elementCount(shape)) : machine.read(buffer),
    })),
  };
}

class Machine {
  readonly #program: KernelProgram;
  readonly #context: ReferenceContext;
  readonly #data = new Map<BufferId, ReferenceData>();
  /** Which buffer last wrote each byte of the arena: reading another's bytes is a fault of the plan. */
  readonly #owner: Int32Array;
  readonly #loops = new Map<LoopId, number>();
  readonly #sums = new Map<number, { readonly accumulator: Accumulator; value: Element; key: Element | undefined }>();

  constructor(program: KernelProgram, context: ReferenceContext) {
    this.#program = program;
    this.#context = context;
    this.#owner = new Int32Array(program.memory.arenaBytes).fill(-1);
    for (const { id, dtype, length, storage } of program.buffers) {
      switch (storage.kind) {
        case "placeholder":
          this.#data.set(id, given(context.feeds.get(storage.name)).slice());
          break;
        case "variable":
          this.#data.set(id, given(context.variables.get(storage.path)).slice());
          break;
        case "constant":
          this.#data.set(id, referenceFromTensor({ dtype, shape: [length], data: storage.data }).data);
          break;
        case "run_state":
          this.#data.set(id, BigInt64Array.of(context.seed, context.step, context.runsSinceStep));
          break;
        case "temporary":
          this.#data.set(id, dtype === "i64" ? new BigInt64Array(length) : new Float64Array(length).fill(Number.NaN));
          break;
      }
    }
  }

  read(buffer: BufferId): ReferenceData {
    const data = this.#data.get(buffer);
    if (data === undefined) throw new InternalError(`there is no buffer ${buffer}`);
    return data;
  }

  /** What an output holds at the end, which must still be its own. */
  output(buffer: BufferId, count: number): ReferenceData {
    for (let at = 0; at < count; at++) this.#touch(buffer, at, false);
    return this.read(buffer).slice(0, count);
  }

  variables(): ReadonlyMap<string, ReferenceTensor> {
    const found = new Map<string, ReferenceTensor>();
    for (const { id, dtype, length, storage } of this.#program.buffers) {
      if (storage.kind === "variable") found.set(storage.path, { dtype, shape: [length], data: this.read(id) });
    }
    return found;
  }

  run(kernel: Kernel): void {
    switch (kernel.kind) {
      case "nest":
        this.#body(kernel.body, new Map());
        return;
      case "contract":
        this.#contract(kernel);
        return;
      case "routine":
        this.#routine(kernel);
        return;
      case "loop":
        for (let at = 0; at < kernel.loop.extent; at++) this.#within(kernel.loop.id, at, kernel.body);
        return;
      case "while":
        for (let turn = 0; ; turn++) {
          this.#within(kernel.loop, turn, kernel.condition);
          if (!this.#isTrue(kernel.predicate)) return;
          this.#within(kernel.loop, turn, kernel.body);
        }
      case "branch":
        for (const inner of this.#isTrue(kernel.predicate) ? kernel.whenTrue : kernel.whenFalse) this.run(inner);
        return;
    }
  }

  #within(loop: LoopId, at: number, kernels: readonly Kernel[]): void {
    this.#loops.set(loop, at);
    for (const inner of kernels) this.run(inner);
    this.#loops.delete(loop);
  }

  #isTrue(access: Access): boolean {
    return Number(this.#load(access.buffer, this.#at(access, new Map()))) !== 0;
  }

  /** The element that an access means. */
  #at({ index, dynamic = [] }: Access, known: Map<ScalarExpr, Element>): number {
    return dynamic.reduce(
      (sum, { value, stride }) => sum + Number(this.#evaluate(value, known)) * stride,
      this.#affine(index),
    );
  }

  #affine(index: Affine): number {
    let sum = index.offset;
    for (const { loop, stride } of index.terms) {
      const at = this.#loops.get(loop);
      if (at === undefined) throw new InternalError(`the loop ${loop} is mentioned outside itself`);
      sum += stride * at;
    }
    return sum;
  }

  /** Byte span of an element of a temporary in the arena; undefined for another buffer. */
  #touch(buffer: BufferId, at: number, write: boolean): void {
    const offset = this.#program.memory.offsets.get(buffer);
    const { dtype, storage } = this.#program.buffers[buffer] ?? {};
    if (dtype === undefined || storage?.kind !== "temporary") return;
    if (offset === undefined) throw new InternalError(`the temporary ${buffer} has no place in the arena`);
    const size =
      dtype === "f64" || dtype === "i64" ? 8 : dtype === "f32" || dtype === "i32" ? 4 : dtype.endsWith("16") ? 2 : 1;
    for (let byte = offset + at * size; byte < offset + (at + 1) * size; byte++) {
      if (byte >= this.#owner.length) throw new InternalError(`the temporary ${buffer} reaches beyond the arena`);
      if (write) this.#owner[byte] = buffer;
      else if (this.#owner[byte] !== buffer) {
        throw new InternalError(
          `element ${at} of temporary ${buffer} was overwritten by temporary ${this.#owner[byte]}`,
        );
      }
    }
  }

  #load(buffer: BufferId, at: number): Element {
    const value = this.read(buffer)[at];
    if (value === undefined)
      throw new InternalError(`element ${at} of buffer ${buffer} is read: it has ${this.read(buffer).length}`);
    this.#touch(buffer, at, false);
    return value;
  }

  #store(buffer: BufferId, at: number, value: Element): void {
    const data = this.read(buffer);
    if (at < 0 || at >= data.length)
      throw new InternalError(`element ${at} of buffer ${buffer} is written: it has ${data.length}`);
    this.#touch(buffer, at, true);
    if (data instanceof BigInt64Array) data[at] = value as bigint;
    else data[at] = value as number;
  }

  /** One run through statements; expressions are evaluated once for each point, at their first mention. */
  #body(body: readonly Statement[], outer: ReadonlyMap<ScalarExpr, Element>): void {
    const known = new Map(outer);
    for (const statement of body) {
      switch (statement.kind) {
        case "loop": {
          for (const accumulator of statement.accumulators) this.#start(accumulator);
          for (let i = 0; i < statement.extent; i++) {
            this.#loops.set(statement.id, i);
            this.#body(statement.body, known);
          }
          this.#loops.delete(statement.id);
          break;
        }
        case "store":
          this.#update(statement, known);
          break;
        case "accumulate": {
          const index = statement.index === undefined ? undefined : this.#evaluate(statement.index, known);
          this.#accumulate(statement.accumulator, this.#evaluate(statement.value, known), index);
          break;
        }
      }
    }
  }

  #update({ target, value: { dtype }, value, combiner }: StoreStatement, known: Map<ScalarExpr, Element>): void {
    const given = this.#evaluate(value, known);
    const at = this.#at(target, known);
    const old = combiner === undefined ? undefined : this.#load(target.buffer, at);
    const stored =
      combiner === undefined || old === undefined ? given : scalar(combiner, dtype, [old, given], [dtype, dtype]);
    this.#store(target.buffer, at, stored);
  }

  #start(accumulator: Accumulator): void {
    this.#sums.set(accumulator.id, { accumulator, value: identityOf(accumulator), key: undefined });
  }

  #accumulate(id: number, value: Element, index: Element | undefined): void {
    const sum = this.#sums.get(id);
    if (sum === undefined) throw new InternalError(`the accumulator ${id} is not declared here`);
    const { accumulator } = sum;
    switch (accumulator.combiner) {
      case "arg_max":
      case "arg_min": {
        const better =
          accumulator.combiner === "arg_max" ? (a: Element, b: Element) => a > b : (a: Element, b: Element) => a < b;
        const first = sum.key === undefined;
        if (first || (!Number.isNaN(sum.key) && (Number.isNaN(value) || better(value, sum.key as Element)))) {
          sum.key = value;
          sum.value = index as Element;
        }
        return;
      }
      case "sum":
        sum.value = scalar("add", accumulator.dtype, [sum.value, value], [accumulator.dtype, accumulator.dtype]);
        return;
      case "product":
        sum.value = scalar("mul", accumulator.dtype, [sum.value, value], [accumulator.dtype, accumulator.dtype]);
        return;
      case "max":
      case "min":
      case "and":
      case "or":
        sum.value = scalar(
          accumulator.combiner,
          accumulator.dtype,
          [sum.value, value],
          [accumulator.dtype, accumulator.dtype],
        );
        return;
    }
  }

  #evaluate(expression: ScalarExpr, known: Map<ScalarExpr, Element>): Element {
    const found = known.get(expression);
    if (found !== undefined) return found;
    const value = this.#compute(expression, known);
    if ((typeof value === "bigint") !== (expression.dtype === "i64")) {
      throw new InternalError(`a ${expression.kind} of ${expression.dtype} gave the ${typeof value} ${value}`);
    }
    known.set(expression, value);
    return value;
  }

  #compute(expression: ScalarExpr, known: Map<ScalarExpr, Element>): Element {
    switch (expression.kind) {
      case "load":
        return this.#load(expression.access.buffer, this.#at(expression.access, known));
      case "constant":
        return expression.value;
      case "index":
        return BigInt(this.#affine(expression.value));
      case "random": {
        const { seed, step, runsSinceStep } = this.#context;
        const loopIndices = expression.loopIndices.map((index) => this.#evaluate(index, known) as bigint);
        const { path, index, dtype } = expression;
        const key = streamKey({ seed, step, runsSinceStep, path, index, loopIndices });
        return uniformAt(key, this.#affine(expression.position), dtype);
      }
      case "accumulated": {
        const sum = this.#sums.get(expression.accumulator);
        if (sum === undefined)
          throw new InternalError(`the accumulator ${expression.accumulator} is read before its loop`);
        return sum.value;
      }
      case "apply":
        return scalar(
          expression.op,
          expression.dtype,
          expression.args.map((arg) => this.#evaluate(arg, known)),
          expression.args.map((arg) => arg.dtype),
        );
      case "check_index": {
        const given = this.#evaluate(expression.value, known);
        const value = expression.fromEnd && given < 0 ? BigInt(given) + BigInt(expression.limit) : given;
        if (value < 0 || value >= expression.limit) throw new Failed(expression.failure);
        return value;
      }
      case "check_nonzero": {
        const value = this.#evaluate(expression.value, known);
        if (Number(value) === 0) throw new Failed(expression.failure);
        return value;
      }
      case "check_finite": {
        const value = this.#evaluate(expression.value, known);
        if (!Number.isFinite(Number(value))) throw new Failed(expression.failure);
        return value;
      }
    }
  }

  #contract(kernel: Extract<Kernel, { kind: "contract" }>): void {
    const element = (): void => {
      this.#start(kernel.accumulator);
      const { dtype } = kernel.accumulator;
      this.#over(kernel.k, () => {
        const point = new Map<ScalarExpr, Element>();
        const operand = (side: "lhs" | "rhs"): Element =>
          kernel.panel !== undefined && side === (kernel.schedule.vectorAxis === "n" ? "rhs" : "lhs")
            ? this.#inPanel(kernel, kernel.panel)
            : this.#evaluate(kernel[side], point);
        const pair = [operand("lhs"), operand("rhs")];
        this.#accumulate(kernel.accumulator.id, scalar("mul", dtype, pair, [dtype, dtype]), undefined);
      });
      this.#body(kernel.epilogue, new Map());
    };
    this.#over([...kernel.batch, ...kernel.m, ...kernel.n], element);
  }

  /** The vector operand's element at the current loops: strip by strip of columns, in each k by k. */
  #inPanel(kernel: Extract<Kernel, { kind: "contract" }>, { buffer, width }: ReadyPanel): Element {
    const column = this.#loops.get((kernel.schedule.vectorAxis === "n" ? kernel.n : kernel.m).at(-1)?.id ?? -1) ?? 0;
    const depth = kernel.k.reduce((product, { extent }) => product * extent, 1);
    const row = kernel.k.reduce((sum, { id, extent }) => sum * extent + (this.#loops.get(id) ?? 0), 0);
    return this.#load(buffer, (Math.floor(column / width) * depth + row) * width + (column % width));
  }

  #over(loops: readonly { readonly id: LoopId; readonly extent: number }[], visit: () => void, depth = 0): void {
    const loop = loops[depth];
    if (loop === undefined) {
      visit();
      return;
    }
    for (let i = 0; i < loop.extent; i++) {
      this.#loops.set(loop.id, i);
      this.#over(loops, visit, depth + 1);
    }
    this.#loops.delete(loop.id);
  }

  #routine(kernel: RoutineKernel): void {
    const dtypeOf = (id: BufferId): NumericDType => {
      const buffer = this.#program.buffers[id];
      if (buffer === undefined) throw new InternalError(`there is no buffer ${id}`);
      return buffer.dtype;
    };
    const operands = kernel.operands.map((id) => ({ dtype: dtypeOf(id), data: this.read(id) }));
    routineResults(kernel, operands, this.#context).forEach((data, i) => {
      const id = kernel.results[i] as BufferId;
      roundTo(kernel.dtype, data).forEach((value: Element, at: number) => this.#store(id, at, value));
    });
  }
}

function given(tensor: ReferenceTensor | undefined): ReferenceData {
  if (tensor === undefined) throw new InternalError("a feed or variable is missing");
  return tensor.data;
}
