import type { Executable } from "../compiler/backends/executable.js";
import { bindDims, type FedShape } from "../compiler/ir/specialise.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import type { Prepared } from "../compiler/program.js";
import type { Dataset } from "./dataset.js";
import { checkFeeds } from "./requests.js";
import type { Session } from "./session.js";

/** The code of a training's steps, compiled for each size of a batch that comes. */
export class StepCode {
  readonly #session: Session;
  readonly #prepared: Prepared;
  readonly #dataset: Dataset;
  /** What preparing and compiling took so far. */
  #seconds: number;

  constructor(session: Session, prepared: Prepared, dataset: Dataset, prepareSeconds: number) {
    this.#session = session;
    this.#prepared = prepared;
    this.#dataset = dataset;
    this.#seconds = prepareSeconds;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** The code for a batch of this many rows, and the feeds that stay the same. Rejects with GraphError for sizes that do not fit. */
  async of(
    rows: number,
  ): Promise<{ readonly executable: Executable; readonly feeds: ReadonlyMap<string, TensorData> }> {
    const { program } = this.#session;
    const shapes = new Map<string, FedShape>();
    for (const [name, shape] of this.#dataset.shapes) shapes.set(name, { shape: [rows, ...shape.slice(1)] });
    const unfed = this.#prepared.placeholders.filter(({ name }) => !this.#dataset.columns.has(name));
    const fixed = checkFeeds(program, { ...this.#prepared, placeholders: unfed }, {});
    for (const [name, feed] of fixed) shapes.set(name, feed);
    const start = performance.now();
    const dims = bindDims(program.graph, this.#prepared.dims, shapes);
    const executable = await this.#session.executable(this.#prepared, dims);
    this.#seconds += (performance.now() - start) / 1000;
    return { executable, feeds: new Map([...fixed].map(([name, feed]) => [name, feed.data])) };
  }
}
