import type { NumericDType } from "../ir/dtype.js";
import type { Span } from "../ir/span.js";
import type { TensorData } from "../ir/tensor.js";
import type { ExecutionProfile } from "./profile.js";

/** Where a target keeps variables and data sets, so that its code reads them in place. */
export interface TargetMemory {
  /** Zero-filled, 64-byte aligned where the target needs it. Throws GraphError (G10x) when the machine has not that much. */
  readonly allocate: (dtype: NumericDType, length: number) => StorageBlock;
}

export interface StorageBlock {
  /** A view of the target's own memory: what is written here is what the code reads. */
  readonly data: TensorData;
  readonly free: () => void;
  /** Where `data` is a copy of what a device holds. */
  readonly mirror?: Mirror;
}

/** A copy, in this process's memory, of what lies on a device. */
export interface Mirror {
  /** The copy, as code of the processor reads and writes it. */
  readonly host: StorageBlock;
  /** Whether it is what the device has: runs on the device change that, and only that. */
  readonly isCurrent: boolean;
  /** Brings it up to date. */
  readonly pull: () => Promise<void>;
  /** To be called when its first value has been written to it: it counts from now on. */
  readonly written: () => void;
  /** Gives it another value, of as many elements. */
  readonly overwrite: (values: TensorData) => void;
}

export interface TensorSlot {
  readonly name: string;
  readonly dtype: NumericDType;
  readonly shape: readonly number[];
}

/** What is known of a compiled computation; the numbers are what `graphc compile` and `check` print. */
export interface ExecutableInfo {
  readonly target: "cpu" | "gpu" | "reference";
  readonly placeholders: readonly TensorSlot[];
  /** Variables that it reads or assigns. */
  readonly variables: readonly TensorSlot[];
  readonly assigned: readonly string[];
  readonly outputs: readonly TensorSlot[];
  readonly kernels: number;
  readonly codeBytes: number;
  readonly arenaBytes: number;
  readonly peakBytes: number;
  readonly compileSeconds: number;
  /** There is a `while` in it, so nobody knows how long a run takes: it is done off the JavaScript thread, and can be interrupted. */
  readonly unbounded: boolean;
  /** The code came from the disk cache. */
  readonly cached: boolean;
}

/** What a device has been asked to do. */
export interface DeviceCounts {
  readonly launches: number;
  /** Moved to the device and from it. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Copied from the device so that nothing is lost with it, apart from `bytesDown`. */
  readonly bytesKept: number;
  /** Kernels that were built: one for each source, length and kind of arguments. */
  readonly kernels: number;
  /** Arrays that are there now. */
  readonly arrays: number;
}

/** Whether runs have to be awaited: `runAside` does them, and `run` does not. */
export function runsAside({ target, unbounded }: ExecutableInfo): boolean {
  return unbounded || target === "gpu";
}

/** seed, step and runs since the last step: the key of all randomness of a run. */
export interface RunState {
  readonly seed: bigint;
  readonly step: bigint;
  readonly runsSinceStep: bigint;
}

/** A run-time check that failed; nothing has been assigned. */
export interface RunFailure {
  readonly code: string;
  readonly message: string;
  readonly spans: readonly Span[];
  /** Steps of a loop that were done before the failing one. */
  readonly stepsDone: number;
}

export type RunOutcome =
  | { readonly kind: "done"; readonly outputs: readonly TensorData[] }
  | { readonly kind: "failed"; readonly failure: RunFailure };

/** A run that was told to end before it was done has assigned nothing. */
export type InterruptibleOutcome = RunOutcome | { readonly kind: "interrupted" };

/** n steps over a data set, done wholly by the target: row order, batches, reports. */
export interface LoopRequest {
  /** Whole columns, one row after another; a row has the placeholder's shape less its first axis. */
  readonly columns: ReadonlyMap<string, StorageBlock>;
  /** Feeds that stay the same for each step. */
  readonly feeds: ReadonlyMap<string, TensorData>;
  readonly rows: number;
  readonly batch: number;
  /** By (seed, epoch): a Fisher-Yates shuffle with Threefry draws (see runtime/shuffle.ts). Otherwise in file order. */
  readonly shuffle: boolean;
  readonly state: RunState;
  /** Whole passes over the data before this call, and rows of the current one already used. */
  readonly epoch: bigint;
  readonly position: number;
  readonly steps: number;
  /** End where a pass over the data ends, even when steps are left: for validation and for partial batches. */
  readonly stopAtEpochEnd: boolean;
  /** Record the scalar outputs at steps that are multiples of this (of the global step count); 0 for never. */
  readonly every: number;
  /**
   * Assigns variables (training); false evaluates a computation without assignments: the step count stays, the outputs' sums
   * are what counts.
   */
  readonly advance: boolean;
  /** Aborted: end after the current step. */
  readonly signal: AbortSignal | undefined;
}

export interface LoopOutcome {
  readonly steps: number;
  readonly epoch: bigint;
  readonly position: number;
  /** One row a report: the step count after the step, then each scalar output as a number. */
  readonly reports: readonly { readonly step: bigint; readonly values: readonly number[] }[];
  /** Each scalar output at the last step done. */
  readonly last: readonly number[];
  /** Sums over the steps of each scalar output x batch rows: for the means of an evaluation. */
  readonly sums: readonly number[];
  readonly failure: RunFailure | undefined;
}

/** One computation, specialised and loaded, bound to the session's variables. Not re-entrant. */
export interface Executable {
  readonly info: ExecutableInfo;
  /** Feeds have been checked against `info.placeholders`. Outputs are owned by the caller. Not on a gpu: see `runsAside`. */
  readonly run: (feeds: ReadonlyMap<string, TensorData>, state: RunState) => RunOutcome;
  /** `run` off the JavaScript thread where the target can; an aborted signal ends it in the middle of a `while`. */
  readonly runAside: (
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
  ) => Promise<InterruptibleOutcome>;
  /** Off the JavaScript thread where the target can; ends early when aborted, on a failure, or when its report room is full. */
  readonly loop: (request: LoopRequest) => Promise<LoopOutcome>;
  /** What was measured so far, where it was compiled with `profile`; absent on a target that cannot measure. */
  readonly profile?: () => ExecutionProfile | undefined;
  readonly close: () => void;
}
