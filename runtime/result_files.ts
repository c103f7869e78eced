import type { Executable } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { type Dim, dimEquals, dimText, isSymbolic, symbolsOf } from "../compiler/ir/dim.js";
import type { Parameter } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import { typeText } from "../compiler/ir/type.js";
import type { Prepared } from "../compiler/program.js";
import { TensorFile } from "./data/write.js";
import type { Dataset } from "./dataset.js";
import { listNames } from "./files/errors.js";

/** Whether an output is one number, whatever the batch. */
export function isScalar({ type }: Parameter): boolean {
  return type.shape.every((dim) => dim === 1);
}

/** The results of an evaluation that go to files: rows as the batches come, means in the end. All get their names, or none. */
export class ResultFiles {
  readonly #rows: ReadonlyMap<string, TensorFile>;
  readonly #means: ReadonlyMap<string, TensorFile>;

  private constructor(rows: ReadonlyMap<string, TensorFile>, means: ReadonlyMap<string, TensorFile>) {
    this.#rows = rows;
    this.#means = means;
  }

  /** Sees that all can be written. `bound` says how large rows are. Throws GraphError G083, G025, G071 and G092. */
  static async create(
    prepared: Prepared,
    dataset: Dataset,
    output: ReadonlyMap<string, string>,
    bound: { readonly executable: Executable },
  ): Promise<ResultFiles> {
    requireWritableResults(prepared, dataset, output);
    const isMean = (name: string): boolean => prepared.outputs.some((one) => one.name === name && isScalar(one));
    const rows = new Map<string, TensorFile>();
    const means = new Map<string, TensorFile>();
    const files = new ResultFiles(rows, means);
    try {
      for (const { name, dtype, shape } of bound.executable.info.outputs) {
        const path = output.get(name);
        if (path === undefined) continue;
        if (isMean(name)) means.set(name, await TensorFile.create(path, name, { dtype: "f64", shape: [] }));
        else rows.set(name, await TensorFile.create(path, name, { dtype, shape: [dataset.rows, ...shape.slice(1)] }));
      }
    } catch (error) {
      await files.discard();
      throw error;
    }
    return files;
  }

  /** The next rows of a result, where it is written. */
  async append(name: string, data: TensorData): Promise<void> {
    await this.#rows.get(name)?.append(data);
  }

  /** All batches have been appended. */
  async finish(means: ReadonlyMap<string, number>): Promise<void> {
    for (const [name, file] of this.#means) await file.append(Float64Array.of(means.get(name) ?? Number.NaN));
    const files = [...this.#rows.values(), ...this.#means.values()];
    for (const file of files) await file.finish();
    await TensorFile.publishAll(files);
  }

  /** Leaves nothing behind of what has not its name yet. Never throws. */
  async discard(): Promise<void> {
    for (const file of [...this.#rows.values(), ...this.#means.values()]) await file.discard();
  }
}

function requireWritableResults(prepared: Prepared, dataset: Dataset, output: ReadonlyMap<string, string>): void {
  const batchDims = prepared.placeholders.flatMap(({ name, type }) => {
    const [first] = type.shape;
    return dataset.columns.has(name) && first !== undefined ? [first] : [];
  });
  for (const name of output.keys()) {
    const result = prepared.outputs.find((candidate) => candidate.name === name);
    if (result === undefined) {
      const names = prepared.outputs.map((candidate) => candidate.name);
      const nearest = nearestName(name, names);
      const hint = nearest === undefined ? `the results are ${listNames(names)}` : `did you mean \`${nearest}\`?`;
      throw new GraphError([
        problem("G083", undefined, `\`${name}\` is to be written, and is no result of this run`, { hint }),
      ]);
    }
    const { type } = result;
    if (isScalar(result) || hasRowForRow(type.shape, batchDims)) continue;
    const message = `\`${name}\` is ${typeText(type)}, which has not one row for each row of the data`;
    const named = batchDims.find(isSymbolic);
    const hint =
      named === undefined
        ? "the first dim of the placeholders is a number: declare it (`dim N`), so that results tell that they have it"
        : `what has rows begins with \`${dimText(named)}\`, and its rows have one shape in every batch; a run on feeds writes any result`;
    throw new GraphError([problem("G025", undefined, message, { hint })]);
  }
}

/** A dim that is a number may be the batch's by chance: only one that is declared says that it is. */
function hasRowForRow([first, ...rest]: readonly Dim[], batchDims: readonly Dim[]): boolean {
  if (first === undefined || !isSymbolic(first) || !batchDims.some((dim) => dimEquals(dim, first))) return false;
  const batch = new Set(batchDims.flatMap((dim) => [...symbolsOf(dim)]));
  return !rest.some((dim) => [...symbolsOf(dim)].some((symbol) => batch.has(symbol)));
}
