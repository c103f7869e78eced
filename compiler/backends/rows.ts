import { InternalError } from "../ir/diagnostic.js";
import { elementCount } from "../ir/tensor.js";
import type { LoopRequest, TensorSlot } from "./executable.js";

/** Whole passes over the data, and the rows of the current pass that have been used. */
export interface Place {
  readonly epoch: bigint;
  readonly position: number;
}

/**
 * Where the first step of a loop stands, or undefined where there is none: fewer rows than a batch are left of the epoch (after a
 * resume with another batch size, say), and the caller wants to end there. Otherwise such a remainder is dropped. Throws
 * InternalError for a request that would read beyond its columns.
 */
export function firstPlace(request: LoopRequest, placeholders: readonly TensorSlot[]): Place | undefined {
  const { rows, batch, steps, epoch, position, stopAtEpochEnd } = request;
  const counts = { rows, batch, steps, position, every: request.every };
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) throw new InternalError(`a loop of ${count} ${name}`);
  }
  if (rows === 0) return { epoch, position };
  if (batch < 1 || batch > rows) throw new InternalError(`batches of ${batch} from ${rows} rows`);
  for (const { name, shape } of placeholders) {
    const column = request.columns.get(name);
    if (column === undefined) continue;
    if (shape[0] !== batch) throw new InternalError(`${name} takes ${shape[0]} rows, not batches of ${batch}`);
    const needed = (elementCount(shape) / batch) * rows;
    if (column.data.length !== needed)
      throw new InternalError(`${name}: ${column.data.length} elements, not ${needed}`);
  }
  if (position + batch <= rows) return { epoch, position };
  return stopAtEpochEnd ? undefined : { epoch: epoch + 1n, position: 0 };
}
