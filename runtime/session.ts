import type { Executable } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { GraphTypes } from "../compiler/ir/graph_types.js";
import type { Bindings } from "../compiler/ir/specialise.js";
import type { Tensor, TensorData } from "../compiler/ir/tensor.js";
import type { Prepared, Program } from "../compiler/program.js";
import { version } from "../compiler/version.js";
import type { ColumnValue } from "./dataset.js";
import type { EvaluateOptions } from "./evaluate.js";
import { type ComputationProfile, Executables } from "./executables.js";
import { runFailure } from "./failure.js";
import type { Checkpoint, LoadedWeights } from "./files/checkpoint.js";
import { checkFeeds, freeSelection, signatureSelection } from "./requests.js";
import { runBound } from "./run_bound.js";
import type { TrainOptions, TrainReport } from "./train.js";
import type { Transfer } from "./transfer.js";
import type {
  Checked,
  CheckedFeeds,
  ColumnsOf,
  FedEdges,
  Feeds,
  FeedsOf,
  Fetched,
  FetchName,
  MeansOf,
  ResultsOf,
  SignatureName,
  Unfed,
  VariableOf,
  VariablePath,
} from "./typed.js";
import { VariableStore } from "./variables.js";

export interface SessionOptions {
  /** The seed of all randomness, a 64-bit integer; without it the file's. */
  readonly seed?: number | bigint | undefined;
  /** A safetensors file that sets every variable (and, from a checkpoint, the step). Read before the first run. */
  readonly weights?: string | undefined;
}

export interface RunOptions {
  /** Ends a run that waits for its turn or is in a `while`. */
  readonly signal?: AbortSignal | undefined;
}

/** Where training stands: with the variables and the seed, all that a resumed run needs. */
export interface Progress {
  /** Updates done so far. */
  readonly step: number;
  /** Runs without an update since the last step; random ops count them. */
  readonly runsSinceStep: number;
  /** Whole passes over the training data, and rows of the current one already used. */
  readonly epoch: number;
  readonly row: number;
}

// What reads files and what trains is loaded when it is first asked for.

/**
 * A program with its state: variables, step, seed. Runs are atomic (all of a run's assignments or none) and happen one after
 * another, in the order they were asked for.
 */
export class Session<out G extends GraphTypes = GraphTypes> implements AsyncDisposable {
  readonly program: Program<G>;
  /** Resolves when the variables have their first values; every operation waits for it. Rejects when the weights do not fit. */
  readonly ready: Promise<void>;
  readonly variables: VariableStore;
  #seed: bigint;
  #progress: Progress = { step: 0, runsSinceStep: 0, epoch: 0, row: 0 };
  #metadata: ReadonlyMap<string, string> = new Map();
  readonly #executables: Executables;
  #tail: Promise<unknown>;
  #state: "loading" | "open" | "closed" = "open";

  /** Throws GraphError when the machine has too little memory for the variables. */
  constructor(program: Program<G>, options: SessionOptions = {}) {
    this.program = program;
    this.#seed = wholeSeed(options.seed ?? program.graph.seed);
    this.variables = new VariableStore(program.graph, program.backend.memory);
    this.#executables = new Executables(program, this.variables);
    const { weights } = options;
    if (weights === undefined) {
      this.#initialise();
      this.ready = Promise.resolve();
    } else {
      this.#state = "loading";
      this.ready = this.#load(weights, options.seed !== undefined);
      // Whoever runs something hears of it there.
      this.ready.catch(() => undefined);
    }
    this.#tail = this.ready.catch(() => undefined);
  }

  /** Updates done so far. */
  get step(): number {
    return this.#progress.step;
  }

  get seed(): bigint {
    return this.#seed;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /**
   * Runs a signature by its name, or computes any fetchable names (an update's name among them is performed). Feeds are
   * tensors, flat typed arrays or nested arrays, by placeholder. Throws GraphError for wrong names and feeds, and for a check
   * that fails while it runs; nothing has been assigned then. Rejects with the signal's reason where it is aborted before the
   * run is done: what has not begun does not begin, and a `while` is left after its current iteration.
   */
  run<T extends GraphTypes, const R extends Unfed<T>>(this: Session<T>, request: R): Promise<ResultsOf<T, R>>;
  run<
    T extends GraphTypes,
    const R extends SignatureName<T> | readonly FetchName<T>[],
    const F extends FeedsOf<FedEdges<T, R>>,
  >(
    this: Session<T>,
    request: R,
    feeds: F & CheckedFeeds<F, FedEdges<T, R>>,
    options?: RunOptions,
  ): Promise<ResultsOf<T, R>>;
  run(
    request: string | readonly string[],
    feeds: Feeds = {},
    options: RunOptions = {},
  ): Promise<Readonly<Record<string, Fetched>>> {
    return this.#enqueue(() => this.#run(request, feeds, options.signal));
  }

  /** Trains as the graph's `train` block says, with `options` over it. */
  train<T extends GraphTypes>(this: Session<T>, options: TrainOptions<T> = {}): Promise<TrainReport> {
    return this.#enqueue(async () => (await import("./train.js")).train(this, options));
  }

  /**
   * Runs a signature over a whole data set in batches and gives the mean of each scalar output, weighted by rows; `output` writes
   * what has a value for each row to files. Nothing may be updated. Throws GraphError as `run` and for data that do not fit.
   */
  evaluate<T extends GraphTypes, const N extends SignatureName<T>>(
    this: Session<T>,
    signature: N,
    data: ColumnsOf<FedEdges<T, N>>,
    options?: EvaluateOptions,
  ): Promise<MeansOf<T, N>>;
  evaluate(
    signature: string,
    data: Readonly<Record<string, ColumnValue>>,
    options: EvaluateOptions = {},
  ): Promise<Readonly<Record<string, number>>> {
    return this.#enqueue(async () => {
      const { evaluateData } = await import("./evaluate.js");
      return evaluateData(this, signature, data, options);
    });
  }

  /**
   * A copy of a variable's value, after the runs that were asked for, wherever it lies. Rejects with GraphError G083 for an unknown
   * path.
   */
  read(path: string): Promise<Tensor> {
    return this.#enqueue(async () => {
      await this.variables.pull(path);
      return this.variables.get(path);
    });
  }

  /**
   * A copy of a variable's value. Throws GraphError: G083 for an unknown path; G123 where a run on a device has changed it (`read`
   * works everywhere).
   */
  get<T extends GraphTypes, const P extends VariablePath<T>>(this: Session<T>, path: P): VariableOf<T, P>;
  get(path: string): Tensor {
    this.#requireOpen();
    return this.variables.get(path);
  }

  /** Overwrites a variable. Throws GraphError when its name, dtype or shape is wrong. */
  set<T extends GraphTypes, const P extends VariablePath<T>, const V extends Tensor>(
    this: Session<T>,
    path: P,
    value: V & Checked<V, P, T["variables"][P]>,
  ): void;
  set(path: string, value: Tensor): void {
    this.#requireOpen();
    this.variables.set(path, value);
  }

  /** Writes all variables, the step and the random state to a safetensors file, atomically. Throws GraphError G092 where another kind of file stands there. */
  save(path: string): Promise<void> {
    return this.#enqueue(async () => {
      const { writeCheckpoint } = await import("./files/checkpoint.js");
      const { requireWritable } = await import("./files/atomic.js");
      const { checkpointFile, requireReplaceable } = await import("./files/replace.js");
      await requireWritable(path);
      await requireReplaceable(path, checkpointFile);
      return writeCheckpoint(path, await this.checkpoint());
    });
  }

  /** Reads what `save` wrote, or plain weights. Throws GraphError, and changes nothing, when the file does not fit. */
  restore(path: string): Promise<void> {
    return this.#enqueue(async () => {
      const { readWeights } = await import("./files/checkpoint.js");
      return this.apply(path, await readWeights(path));
    });
  }

  /** Sets the variables that a file has under the same paths, and says which: weights of a similar model. Throws GraphError G090. */
  transfer(path: string): Promise<Transfer> {
    const { graph } = this.program;
    return this.#enqueue(async () => (await import("./transfer.js")).transfer(graph, this.variables, path));
  }

  /**
   * What each kernel took in all runs so far, where the program was compiled with `profile`; empty otherwise. Waits for the
   * runs that were asked for.
   */
  profile(): Promise<readonly ComputationProfile[]> {
    return this.#enqueue(async () => this.#executables.profiles());
  }

  /** Ends the session and frees its memory, after the runs that were asked for. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    await this.#tail.catch(() => undefined);
    this.#state = "closed";
    this.#executables.close();
    this.variables.free();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** All state as data: what `save` writes. */
  async checkpoint(): Promise<Checkpoint> {
    await this.variables.pull();
    const { step, runsSinceStep, epoch, row } = this.#progress;
    return {
      variables: this.variables.snapshot(),
      graph: this.program.graph.name,
      version,
      seed: this.#seed,
      step,
      runsSinceStep,
      position: { epoch, row },
      metadata: this.#metadata,
    };
  }

  /** For training, which has the session to itself: replaces all variables and, from a checkpoint, the whole state. */
  async apply(path: string, loaded: LoadedWeights): Promise<void> {
    const { compareWithModel } = await import("./files/compare.js");
    const variables = loaded.kind === "checkpoint" ? loaded.checkpoint.variables : loaded.variables;
    const problems = compareWithModel(path, variables, this.variables.expected());
    if (problems.length > 0) throw new GraphError(problems);
    for (const [name, tensor] of variables) this.variables.set(name, tensor);
    if (loaded.kind !== "checkpoint") return;
    const { seed, step, runsSinceStep, position, metadata } = loaded.checkpoint;
    this.#seed = seed;
    this.#progress = { step, runsSinceStep, epoch: position.epoch, row: position.row };
    this.#metadata = metadata;
  }

  /** For training: what it has to know again after a resume, kept with every checkpoint. */
  remember(metadata: ReadonlyMap<string, string>): void {
    this.#metadata = metadata;
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#metadata;
  }

  /** For training: moves on. */
  advance(progress: Progress): void {
    this.#progress = progress;
  }

  /** For training: the code of a selection with these dims, bound to this session's variables. */
  executable(prepared: Prepared, dims: Bindings): Promise<Executable> {
    return this.#executables.forDims(prepared, dims);
  }

  async #run(
    request: string | readonly string[],
    feeds: Feeds,
    signal: AbortSignal | undefined,
  ): Promise<Readonly<Record<string, Fetched>>> {
    signal?.throwIfAborted();
    const { program } = this;
    const { graph } = program;
    const asked = typeof request === "string" ? signatureSelection(graph, request) : freeSelection(graph, request);
    const prepared = await program.prepare(asked.selection);
    const fed = checkFeeds(program, prepared, feeds);
    const executable = await this.#executables.forFeeds(prepared, fed);
    const data = new Map<string, TensorData>();
    for (const [name, feed] of fed) data.set(name, feed.data);
    const outputs = await runBound(this, executable, data, signal);
    const tensors = executable.info.outputs.map(({ name, dtype, shape }, index): [string, Fetched] => [
      name,
      { dtype, shape, data: outputs[index] as TensorData },
    ]);
    const strings = asked.strings.map(([name, text]): [string, Fetched] => [
      name,
      { dtype: "string", shape: [], data: [text] },
    ]);
    // fromEntries defines own properties, so that a tensor named `__proto__` is just a name.
    return Object.fromEntries([...tensors, ...strings]);
  }

  #initialise(): void {
    const outcome = this.program.initialise(this.variables.blocks(), this.#seed);
    if (outcome.kind === "failed") throw runFailure(outcome.failure);
    this.variables.written();
  }

  /** An explicit seed stands, whatever seed the checkpoint was made with. */
  async #load(path: string, keepSeed: boolean): Promise<void> {
    const { readWeights } = await import("./files/checkpoint.js");
    const loaded = await readWeights(path);
    const seed = this.#seed;
    await this.apply(path, loaded);
    if (keepSeed) this.#seed = seed;
    this.#state = "open";
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      // The weights could not be loaded: that is what each operation rejects with.
      if (this.#state === "loading") return this.ready.then(work);
      this.#requireOpen();
      return work();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #requireOpen(): void {
    if (this.#state === "open") return;
    const message = this.#state === "closed" ? "the session is closed" : "the session's weights are not loaded yet";
    const hint = this.#state === "closed" ? undefined : "`await session.ready` first";
    throw new GraphError([problem("G088", undefined, message, { hint })]);
  }
}

/** As the 64 bits that random ops count from. Throws GraphError G046 for what is no whole number of 64 bits. */
function wholeSeed(seed: number | bigint): bigint {
  const whole = typeof seed === "bigint" ? seed : Number.isInteger(seed) ? BigInt(seed) : undefined;
  if (whole !== undefined && whole >= -(2n ** 63n) && whole < 2n ** 64n) return BigInt.asIntN(64, whole);
  throw new GraphError([problem("G046", undefined, `\`seed\` must be a whole number of 64 bits, not ${seed}`)]);
}
