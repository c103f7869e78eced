/** The rows of each step of a loop, in the order that every back end uses. */
import { InternalError } from "../ir/diagnostic.js";
import { elementCount, type TensorData } from "../ir/tensor.js";
import type { LoopRequest, TensorSlot } from "./executable.js";
import type { Place } from "./rows.js";
import { shuffleKey, shuffleRows } from "./shuffle.js";

/** The row order of one epoch at a time. */
export class RowOrder {
  #key: string | undefined;
  #order = new Int32Array();

  of(rows: number, seed: bigint, epoch: bigint): Int32Array {
    const key = `${rows} ${seed} ${epoch}`;
    if (key === this.#key) return this.#order;
    this.#key = key;
    this.#order = new Int32Array(rows);
    shuffleRows(this.#order, shuffleKey(seed, epoch));
    return this.#order;
  }
}

/** The feeds of one step: the constant ones, and `batch` rows of each column. */
export function batchRows(
  request: LoopRequest,
  { epoch, position }: Place,
  order: RowOrder,
  placeholders: readonly TensorSlot[],
): ReadonlyMap<string, TensorData> {
  if (request.rows === 0) return request.feeds;
  const feeds = new Map(request.feeds);
  for (const { name, shape } of placeholders) {
    const column = request.columns.get(name)?.data;
    if (column === undefined) continue;
    const width = elementCount(shape) / request.batch;
    const places = request.shuffle ? order.of(request.rows, request.state.seed, epoch) : undefined;
    feeds.set(
      name,
      places === undefined
        ? column.subarray(position * width, (position + request.batch) * width)
        : gather(column, places, position, request.batch, width),
    );
  }
  return feeds;
}

/** After a batch. A remainder of the rows is dropped, or left to the caller, who asks to stop at the end of the epoch. */
export function movedOn(
  { rows, batch, stopAtEpochEnd }: LoopRequest,
  { epoch, position }: Place,
): { readonly place: Place; readonly going: boolean } {
  if (rows === 0) return { place: { epoch, position }, going: true };
  const next = position + batch;
  if (next + batch <= rows) return { place: { epoch, position: next }, going: true };
  if (stopAtEpochEnd) return { place: { epoch, position: next }, going: false };
  return { place: { epoch: epoch + 1n, position: 0 }, going: true };
}

function gather(column: TensorData, places: Int32Array, position: number, batch: number, width: number): TensorData {
  const rows = column.slice(0, batch * width);
  for (let row = 0; row < batch; row++) {
    const from = (places[position + row] as number) * width;
    const source = column.subarray(from, from + width);
    if (rows instanceof BigInt64Array) {
      if (!(source instanceof BigInt64Array)) throw new InternalError("a column changed its dtype");
      rows.set(source, row * width);
    } else if (!(source instanceof BigInt64Array)) rows.set(source, row * width);
  }
  return rows;
}
