import { totalmem } from "node:os";
import { formatBytes } from "../../compiler/ir/bytes.js";
import { byteSize, type NumericDType } from "../../compiler/ir/dtype.js";
import { allocate, type TensorData } from "../../compiler/ir/tensor.js";
import { fileError } from "./errors.js";

/** Where the elements of a tensor that is being read shall lie: new memory, or native memory of the caller's. */
export type Allocator = (dtype: NumericDType, count: number) => TensorData;

/** Zero-filled memory of JavaScript's own; a request beyond what the engine can give is a GraphError. */
export const allocateArray: Allocator = (dtype, count) => {
  try {
    return allocate(dtype, count);
  } catch (error) {
    if (error instanceof RangeError) {
      throw tooLarge(count * byteSize(dtype), "one array");
    }
    throw error;
  }
};

/**
 * Throws where `bytes` can't lie in this machine's memory, before anything is allocated: a file's header is only a claim.
 * `what` reads "the images of a.idx".
 */
export function ensureMemory(bytes: number, what: string): void {
  if (!(bytes <= totalmem())) {
    throw tooLarge(bytes, what);
  }
}

function tooLarge(bytes: number, what: string): Error {
  return fileError(
    "G102",
    `${what} would need ${formatBytes(bytes)}, this machine has ${formatBytes(totalmem())}`,
    "a range of rows, such as [0:10000], reads only those",
  );
}

/** The product of `sizes` without overflow: 0 where one is 0, infinity where it passes 2^53. */
export function safeProduct(sizes: readonly number[]): number {
  if (sizes.includes(0)) {
    return 0;
  }
  const product = sizes.reduce((total, size) => total * size, 1);
  return Number.isSafeInteger(product) ? product : Number.POSITIVE_INFINITY;
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: TensorData): Uint8Array<ArrayBufferLike> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
