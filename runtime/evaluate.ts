import type { Executable } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError, InternalError } from "../compiler/ir/diagnostic.js";
import { bindDims, type FedShape } from "../compiler/ir/specialise.js";
import { elementCount } from "../compiler/ir/tensor.js";
import type { Prepared, Selection } from "../compiler/program.js";
import { elementNumber } from "./data/write.js";
import { type ColumnValue, type DataFolders, type Dataset, loadDataset } from "./dataset.js";
import { runFailure } from "./failure.js";
import { checkFeeds } from "./requests.js";
import { isScalar, ResultFiles } from "./result_files.js";
import { runBound } from "./run_bound.js";
import type { Session } from "./session.js";
import { requireCount } from "./train_options.js";

export interface EvaluateOptions extends DataFolders {
  /** Rows at a time; without it 1024. */
  readonly batch?: number | undefined;
  /**
   * Files for results, by name: .npy, .csv or .safetensors. A result with a row for each row of the data (its first axis is the
   * placeholders') is written whole, batch by batch; a scalar's mean as f64. Nothing is there unless all went well.
   */
  readonly output?: Readonly<Record<string, string>> | undefined;
  /** Ends it with the means so far; with `output` it rejects with the signal's reason, and writes nothing. */
  readonly signal?: AbortSignal | undefined;
}

/** Rows at a time where nobody says: enough to keep the core busy, and little memory. */
const usualBatch = 1024;

/** The means of a signature's scalars over data: what `Session.evaluate` and `graphc run --data` do. */
export async function evaluateData(
  session: Session,
  signature: string,
  data: Readonly<Record<string, ColumnValue>>,
  options: EvaluateOptions,
): Promise<Readonly<Record<string, number>>> {
  const { graph, backend } = session.program;
  const wanted = options.batch ?? usualBatch;
  requireCount("batch", wanted, 1);
  const evaluator = await Evaluator.create(session, { kind: "signature", name: signature });
  const dataset = await loadDataset(graph, backend.memory, new Map(Object.entries(data)), options);
  try {
    const batch = Math.max(1, Math.min(wanted, dataset.rows));
    const output = new Map(Object.entries(options.output ?? {}));
    return Object.fromEntries(await evaluator.evaluate(dataset, batch, options.signal, output));
  } finally {
    dataset.free();
  }
}

/** Batches one after another, from a row on. */
interface Part {
  readonly batch: number;
  readonly start: number;
  readonly steps: number;
}

/** Means of a selection's scalar outputs over a whole data set, weighted by rows. */
export class Evaluator {
  readonly #session: Session;
  readonly #prepared: Prepared;
  readonly #scalars: ReadonlySet<string>;

  private constructor(session: Session, prepared: Prepared) {
    this.#session = session;
    this.#prepared = prepared;
    this.#scalars = new Set(prepared.outputs.filter(isScalar).map(({ name }) => name));
  }

  /** Rejects with GraphError for what cannot be evaluated. */
  static async create(session: Session, selection: Selection): Promise<Evaluator> {
    const prepared = await session.program.prepare(selection);
    const { name, assigned } = prepared;
    if (assigned.length > 0) {
      const message = `\`${name}\` assigns variables: an evaluation must leave them as they are`;
      throw new GraphError([problem("G047", undefined, message, { hint: "evaluate a signature without `does`" })]);
    }
    return new Evaluator(session, prepared);
  }

  /**
   * Batches in file order; the last one may be smaller. An aborted signal ends it, with the means so far; where results go to files
   * it rejects with the signal's reason. Throws GraphError G083 and G025 for what cannot be written so, G071 and G092.
   */
  async evaluate(
    dataset: Dataset,
    batch: number,
    signal?: AbortSignal,
    output: ReadonlyMap<string, string> = new Map(),
  ): Promise<ReadonlyMap<string, number>> {
    if (output.size === 0)
      return this.#means(dataset, batch, (part, sums) => this.#part(dataset, part, sums, signal), signal);
    const files = await ResultFiles.create(this.#prepared, dataset, output, await this.#executable(dataset, batch));
    try {
      const means = await this.#means(
        dataset,
        batch,
        (part, sums) => this.#write(dataset, part, sums, files, signal),
        signal,
      );
      signal?.throwIfAborted();
      await files.finish(means);
      return means;
    } catch (error) {
      await files.discard();
      throw error;
    }
  }

  async #means(
    dataset: Dataset,
    batch: number,
    evaluate: (part: Part, sums: Map<string, number>) => Promise<number>,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, number>> {
    const sums = new Map<string, number>();
    const whole = Math.floor(dataset.rows / batch);
    const rest = dataset.rows - whole * batch;
    let rows = 0;
    if (whole > 0) rows += await evaluate({ batch, start: 0, steps: whole }, sums);
    if (rest > 0 && signal?.aborted !== true)
      rows += await evaluate({ batch: rest, start: whole * batch, steps: 1 }, sums);
    return new Map([...sums].map(([name, sum]) => [name, sum / rows]));
  }

  async #part(
    dataset: Dataset,
    part: Part,
    sums: Map<string, number>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { executable, feeds } = await this.#executable(dataset, part.batch);
    const { progress, seed } = this.#session;
    const outcome = await executable.loop({
      columns: dataset.columns,
      feeds,
      rows: dataset.rows,
      batch: part.batch,
      shuffle: false,
      state: { seed, step: BigInt(progress.step), runsSinceStep: BigInt(progress.runsSinceStep) },
      epoch: 0n,
      position: part.start,
      steps: part.steps,
      stopAtEpochEnd: true,
      every: 0,
      advance: false,
      signal,
    });
    if (outcome.failure !== undefined) throw runFailure(outcome.failure);
    this.#session.advance({ ...progress, runsSinceStep: progress.runsSinceStep + outcome.steps });
    // What the loop takes for numbers may be rows, where a batch has one.
    const numbers = executable.info.outputs.filter(({ shape }) => shape.every((size) => size === 1));
    for (const [i, { name }] of numbers.entries()) {
      if (this.#scalars.has(name)) sums.set(name, (sums.get(name) ?? 0) + (outcome.sums[i] ?? 0));
    }
    return outcome.steps * part.batch;
  }

  /** The same, run by run, since the loop of a target keeps numbers only. */
  async #write(
    dataset: Dataset,
    { batch, start, steps }: Part,
    sums: Map<string, number>,
    files: ResultFiles,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { executable, feeds } = await this.#executable(dataset, batch);
    const { placeholders, outputs } = executable.info;
    for (let first = start; first < start + steps * batch; first += batch) {
      const rows = new Map(feeds);
      for (const { name, shape } of placeholders) {
        const width = elementCount(shape) / batch;
        const column = dataset.columns.get(name)?.data;
        if (column !== undefined) rows.set(name, column.subarray(first * width, (first + batch) * width));
      }
      const results = await runBound(this.#session, executable, rows, signal);
      for (const [i, { name, dtype }] of outputs.entries()) {
        const data = results[i];
        if (data === undefined) throw new InternalError(`a run gave no ${name}`);
        if (this.#scalars.has(name)) sums.set(name, (sums.get(name) ?? 0) + elementNumber(dtype, data[0] ?? 0) * batch);
        await files.append(name, data);
      }
    }
    return steps * batch;
  }

  async #executable(dataset: Dataset, batch: number) {
    const { program } = this.#session;
    const { placeholders, dims } = this.#prepared;
    const shapes = new Map<string, FedShape>();
    for (const [name, shape] of dataset.shapes) shapes.set(name, { shape: [batch, ...shape.slice(1)] });
    const unfed = placeholders.filter(({ name }) => !dataset.columns.has(name));
    const fixed = checkFeeds(program, { ...this.#prepared, placeholders: unfed }, {});
    for (const [name, feed] of fixed) shapes.set(name, feed);
    const executable: Executable = await this.#session.executable(
      this.#prepared,
      bindDims(program.graph, dims, shapes),
    );
    return { executable, feeds: new Map([...fixed].map(([name, feed]) => [name, feed.data])) };
  }
}
