import type { NumericDType } from "../ir/dtype.js";
import type { Span } from "../ir/span.js";
import type { TensorData } from "../ir/tensor.js";
import type { Combiner, ScalarOp } from "../ops/scalar.js";

/**
 * The Kernels form: a specialised computation as loop nests over flat buffers. All sizes are numbers. Each kernel says what is
 * computed (loops, affine accesses, scalar expressions) and carries its schedule as data; a back end only spells it out.
 */
export interface KernelProgram {
  readonly name: string;
  readonly buffers: readonly Buffer[];
  /** In order. None of these writes a variable; all checks that can fail are here. */
  readonly compute: readonly Kernel[];
  /** In order, run only when no check has failed: the only kernels that write variables. */
  readonly commit: readonly Kernel[];
  readonly outputs: readonly ProgramOutput[];
  /** What a run-time check reports, by its number. */
  readonly failures: readonly Failure[];
  readonly memory: MemoryPlan;
}

export type BufferId = number;
export type LoopId = number;
export type AccumulatorId = number;

/** Row-major storage of `length` elements. */
export interface Buffer {
  readonly id: BufferId;
  readonly dtype: NumericDType;
  readonly length: number;
  readonly storage: Storage;
  /** For people: the edge or variable that lives here. */
  readonly label: string;
}

export type Storage =
  /** Fed by the run; read only; aligned to its element size alone, because a batch may start anywhere in a data set. */
  | { readonly kind: "placeholder"; readonly name: string }
  /** The session's variable; 64-byte aligned. */
  | { readonly kind: "variable"; readonly path: string }
  | { readonly kind: "constant"; readonly data: TensorData }
  /** seed, step, runs since the last step: i64[3], given by the run. */
  | { readonly kind: "run_state" }
  /** In the arena, 64-byte aligned; temporaries whose lives don't overlap share bytes. */
  | { readonly kind: "temporary" };

export interface ProgramOutput {
  readonly name: string;
  readonly buffer: BufferId;
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
}

export interface Failure {
  readonly code: string;
  /** `{value}` and `{limit}` stand for what the check saw. */
  readonly message: string;
  readonly spans: readonly Span[];
}

export interface MemoryPlan {
  readonly arenaBytes: number;
  /** Byte offsets of the temporaries in the arena. */
  readonly offsets: ReadonlyMap<BufferId, number>;
  /** Arena, variables and constants together: what `graphc check` and `compile` print. */
  readonly peakBytes: number;
}

/** offset + sum of stride x loop variable, in elements. */
export interface Affine {
  readonly offset: number;
  readonly terms: readonly { readonly loop: LoopId; readonly stride: number }[];
}

export interface Access {
  readonly buffer: BufferId;
  readonly index: Affine;
  /** Added to the index: positions that are known only at run time. */
  readonly dynamic?: readonly DynamicTerm[];
}

/** stride x value, an i64 whose range a check bounds (see bounds.ts), so that no access leaves its buffer whatever the run is fed. */
export interface DynamicTerm {
  readonly value: ScalarExpr;
  readonly stride: number;
}

/**
 * A scalar computation at one point of the loops. A DAG: the same object stands for the same value and is computed once per
 * point of the loops that it depends on (back ends memoise by identity and hoist by the loops it mentions).
 */
export type ScalarExpr =
  | { readonly kind: "load"; readonly dtype: NumericDType; readonly access: Access }
  | { readonly kind: "constant"; readonly dtype: NumericDType; readonly value: number | bigint }
  /** The value of an affine index, as i64: iota. */
  | { readonly kind: "index"; readonly dtype: "i64"; readonly value: Affine }
  /** One element of `random_uniform`: see the op for key and counter; `position` is the element's row-major index. */
  | {
      readonly kind: "random";
      readonly dtype: "f32" | "f64";
      readonly path: string;
      readonly index: number;
      readonly position: Affine;
      readonly loopIndices: readonly ScalarExpr[];
    }
  /** The result of a reduction that is complete at this point. */
  | { readonly kind: "accumulated"; readonly dtype: NumericDType; readonly accumulator: AccumulatorId }
  | {
      readonly kind: "apply";
      readonly dtype: NumericDType;
      readonly op: ScalarOp;
      readonly args: readonly ScalarExpr[];
    }
  /**
   * `value` (an integer), which must be in [0, limit), or in [-limit, limit) and counted `fromEnd` where negative; otherwise the
   * run fails with `failure`, and the result is 0, so that what reads memory at it stays inside.
   */
  | {
      readonly kind: "check_index";
      readonly dtype: NumericDType;
      readonly value: ScalarExpr;
      readonly limit: number;
      readonly fromEnd: boolean;
      readonly failure: number;
    }
  /** `value` (an integer divisor), which must not be 0. */
  | {
      readonly kind: "check_nonzero";
      readonly dtype: NumericDType;
      readonly value: ScalarExpr;
      readonly failure: number;
    }
  /** `value` (a float), which must be finite (`--check-numerics`). */
  | {
      readonly kind: "check_finite";
      readonly dtype: NumericDType;
      readonly value: ScalarExpr;
      readonly failure: number;
    };

export type ReductionCombiner = Combiner | "arg_max" | "arg_min";

/** A reduction: set to the combiner's identity where the loop that declares it starts, complete where that loop ends. */
export interface Accumulator {
  readonly id: AccumulatorId;
  readonly combiner: ReductionCombiner;
  /** The dtype it holds; for arg_max and arg_min i64 (the index), compared in `keyDtype`. */
  readonly dtype: NumericDType;
  readonly keyDtype: NumericDType;
}

export type Statement =
  | LoopStatement
  | StoreStatement
  /** `index` is given for arg_max and arg_min only. */
  | {
      readonly kind: "accumulate";
      readonly accumulator: AccumulatorId;
      readonly value: ScalarExpr;
      readonly index: ScalarExpr | undefined;
    };

export interface StoreStatement {
  readonly kind: "store";
  readonly target: Access;
  readonly value: ScalarExpr;
  /** Combines the value with the element that is there, and rounds; undefined to put it in its place. */
  readonly combiner?: UpdateCombiner;
}

export type UpdateCombiner = "add" | "mul" | "max" | "min" | "and" | "or";

export interface LoopStatement {
  readonly kind: "loop";
  readonly id: LoopId;
  readonly extent: number;
  /** Declared here: initialised before the first iteration, readable (`accumulated`) after the last one. */
  readonly accumulators: readonly Accumulator[];
  readonly schedule: LoopSchedule;
  readonly body: readonly Statement[];
}

export interface LoopSchedule {
  /**
   * Lanes run along this loop; at most one loop on any path to a statement. Loops inside a vector loop run once per register
   * of lanes. The extent need not be a multiple: the rest is masked.
   */
  readonly vector: boolean;
  /** Registers of lanes (or iterations, when not a vector loop) handled together, with an accumulator each: hides latency. */
  readonly unroll: number;
  /**
   * Row buffers that every iteration of this vector loop writes before it reads them. Each lane has a line of its own: lane l of
   * element e is at e x lanes + l, and the buffer is as much longer than its indices say.
   */
  readonly rows: readonly BufferId[];
}

export type Kernel = LeafKernel | LoopKernel | WhileKernel | BranchKernel;

/** A kernel that is code of its own; the others say how often, and which, others run. */
export type LeafKernel = NestKernel | ContractKernel | RoutineKernel;

/** Its kernels, one after another, for each value of the loop. They may mention the loop in their accesses. */
export interface LoopKernel {
  readonly kind: "loop";
  readonly name: string;
  readonly loop: Extent;
  readonly body: readonly Kernel[];
  readonly spans: readonly Span[];
}

/** `condition`, then, as long as the one element that it leaves at `predicate` is true, `body` and `condition` again. */
export interface WhileKernel {
  readonly kind: "while";
  readonly name: string;
  /** The number of the iteration, which has no bound: kernels may count with it, and not index by it. */
  readonly loop: LoopId;
  readonly condition: readonly Kernel[];
  readonly predicate: Access;
  readonly body: readonly Kernel[];
  readonly spans: readonly Span[];
}

/** `whenTrue` where the element at `predicate` is true, else `whenFalse`. */
export interface BranchKernel {
  readonly kind: "branch";
  readonly name: string;
  readonly predicate: Access;
  readonly whenTrue: readonly Kernel[];
  readonly whenFalse: readonly Kernel[];
  readonly spans: readonly Span[];
}

/** Fused element-wise work and reductions. */
export interface NestKernel {
  readonly kind: "nest";
  readonly name: string;
  readonly body: readonly Statement[];
  readonly spans: readonly Span[];
}

export interface Extent {
  readonly id: LoopId;
  readonly extent: number;
}

/**
 * For each batch, m, n: accumulated = sum over k of lhs x rhs; then the epilogue's stores, which may mention `accumulated`
 * and any access over batch, m and n. `lhs` mentions batch, m, k only; `rhs` batch, k, n only: each is an expression, read once
 * while packing (or in place when it is a plain load that needs none).
 */
export interface ContractKernel {
  readonly kind: "contract";
  readonly name: string;
  readonly batch: readonly Extent[];
  readonly m: readonly Extent[];
  readonly n: readonly Extent[];
  readonly k: readonly Extent[];
  readonly lhs: ScalarExpr;
  readonly rhs: ScalarExpr;
  /** Its dtype is the one that is multiplied and summed in. */
  readonly accumulator: Accumulator;
  readonly epilogue: readonly StoreStatement[];
  readonly schedule: ContractSchedule;
  /** Scratch temporaries for packed panels, sized by the schedule. */
  readonly scratch: readonly BufferId[];
  /** The vector operand's panel where a kernel before the loop around has filled it; else it is in `scratch`, if there is one. */
  readonly panel?: ReadyPanel;
  readonly spans: readonly Span[];
}

/**
 * The vector operand as the tiles read it: strips of `width` columns, one after another, in each of them k by k. Columns of the last
 * strip that the operand has not are 0.
 */
export interface ReadyPanel {
  readonly buffer: BufferId;
  readonly width: number;
}

/** All decisions of a contraction in one place; made by kernels/schedule.ts from the shapes, the strides and the target. */
export interface ContractSchedule {
  /** Which of m and n runs along the lanes of a register. */
  readonly vectorAxis: "m" | "n";
  /** Read the operand with vectors (or by broadcast scalars) in place, or through a packed panel. */
  readonly packVectorOperand: boolean;
  readonly packScalarOperand: boolean;
  /** The register tile: `rows` broadcast scalars by `vectors` registers of lanes. */
  readonly rows: number;
  readonly vectors: number;
  /** Cache blocks, in elements; a block that covers the whole extent means no blocking there. */
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly blockDepth: number;
  /**
   * How many of the outer loops of k run outside the tiles: what is left of k then reads what fits the caches, and the sums wait
   * in memory between two turns.
   */
  readonly outerDepth: number;
}

/** A checked hand-written loop nest of the back end (linear algebra) on contiguous row-major operands. */
export interface RoutineKernel {
  readonly kind: "routine";
  readonly name: string;
  readonly routine: string;
  readonly dtype: NumericDType;
  readonly operands: readonly BufferId[];
  readonly results: readonly BufferId[];
  readonly scratch: readonly BufferId[];
  /** Sizes and switches that the routine is specialised for (batch, n, columns, lower, ...). */
  readonly parameters: ReadonlyMap<string, number>;
  /** What it reports when it can't be done (a singular matrix); undefined when it can't fail. */
  readonly failure: number | undefined;
  readonly spans: readonly Span[];
}
