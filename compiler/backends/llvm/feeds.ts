import type { TensorData } from "../../ir/tensor.js";
import { nativeCalls } from "./native.js";

/** Of fewer bytes a copy takes no longer than to ask where they lie. */
const leastBytes = 1 << 16;

/**
 * The address of a feed's elements where the caller has them, for code that ends before the caller goes on; undefined where they have to
 * be copied into `copy`: few, of another kind of array, or in memory that another thread may write while the code runs, which would make
 * its checks void.
 */
export function placeOfFeed(data: TensorData, copy: TensorData): bigint | undefined {
  const isReadable =
    data.byteLength >= leastBytes &&
    data.length === copy.length &&
    data.constructor === copy.constructor &&
    data.buffer instanceof ArrayBuffer;
  return isReadable ? nativeCalls().address(data) : undefined;
}
