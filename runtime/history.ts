import type { Report, TrainReport } from "./train_options.js";

/** Reports of which the metrics have the same names: a row of numbers each, its step first. */
interface Block {
  readonly names: readonly string[];
  readonly numbers: Float64Array;
  rows: number;
}

const rowsOfBlock = 4096;

/** The reports of a training, as numbers: an object for each of a million reports would take more memory than most models. */
export class History {
  readonly #blocks: Block[] = [];
  #lastStep = Number.NEGATIVE_INFINITY;

  get lastStep(): number {
    return this.#lastStep;
  }

  add({ step, metrics }: Report): void {
    this.#lastStep = step;
    const block = this.#room([...metrics.keys()]);
    block.numbers.set([step, ...metrics.values()], block.rows * (block.names.length + 1));
    block.rows += 1;
  }

  /** An object for each report. */
  rows(): TrainReport["history"] {
    return this.#blocks.flatMap(({ names, numbers, rows }) =>
      Array.from({ length: rows }, (_, row) => {
        const [step = 0, ...values] = numbers.subarray(row * (names.length + 1), (row + 1) * (names.length + 1));
        return { ...Object.fromEntries(names.map((name, i) => [name, values[i] ?? Number.NaN])), step };
      }),
    );
  }

  /** The last block, or a new one where it is full or has other names: an output may be a scalar in the rest of an epoch only. */
  #room(names: readonly string[]): Block {
    const last = this.#blocks.at(-1);
    const isSame = last?.names.length === names.length && last.names.every((name, i) => name === names[i]);
    if (last !== undefined && isSame && last.rows < rowsOfBlock) return last;
    const block = { names, numbers: new Float64Array(rowsOfBlock * (names.length + 1)), rows: 0 };
    this.#blocks.push(block);
    return block;
  }
}
