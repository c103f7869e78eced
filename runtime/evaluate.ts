import type { Executable } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { bindDims, type FedShape } from "../compiler/ir/specialise.js";
import type { Prepared, Selection } from "../compiler/program.js";
import { type ColumnValue, type DataFolders, type Dataset, loadDataset } from "./dataset.js";
import { runFailure } from "./failure.js";
import { checkFeeds } from "./requests.js";
import type { Session } from "./session.js";
import { requireCount } from "./train_options.js";

export interface EvaluateOptions extends DataFolders {
  /** Rows at a time; without it 1024. */
  readonly batch?: number | undefined;
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
    return Object.fromEntries(await evaluator.evaluate(dataset, batch, options.signal));
  } finally {
    dataset.free();
  }
}

/** Means of a selection's scalar outputs over a whole data set, weighted by rows. */
export class Evaluator {
  readonly #session: Session;
  readonly #prepared: Prepared;

  private constructor(session: Session, prepared: Prepared) {
    this.#session = session;
    this.#prepared = prepared;
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

  /** Batches in file order; the last one may be smaller. An aborted signal ends it, with the means so far. */
  async evaluate(dataset: Dataset, batch: number, signal?: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const sums = new Map<string, number>();
    const whole = Math.floor(dataset.rows / batch);
    const rest = dataset.rows - whole * batch;
    let rows = 0;
    if (whole > 0) rows += await this.#part(dataset, { batch, start: 0, steps: whole }, sums, signal);
    if (rest > 0 && signal?.aborted !== true) {
      rows += await this.#part(dataset, { batch: rest, start: whole * batch, steps: 1 }, sums, signal);
    }
    return new Map([...sums].map(([name, sum]) => [name, sum / rows]));
  }

  async #part(
    dataset: Dataset,
    part: { readonly batch: number; readonly start: number; readonly steps: number },
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
    const names = executable.info.outputs
      .filter(({ shape }) => shape.every((size) => size === 1))
      .map(({ name }) => name);
    names.forEach((name, i) => {
      sums.set(name, (sums.get(name) ?? 0) + (outcome.sums[i] ?? 0));
    });
    return outcome.steps * part.batch;
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
