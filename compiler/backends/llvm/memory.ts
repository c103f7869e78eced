import { problem } from "../../ir/codes.js";
import { GraphError, InternalError } from "../../ir/diagnostic.js";
import { byteSize, type NumericDType } from "../../ir/dtype.js";
import { type TensorData, viewBytes } from "../../ir/tensor.js";
import { type NativeCalls, nativeCalls } from "./native.js";

/** Every buffer starts at a multiple of this: a cache line and the widest vector. */
export const bufferAlignment = 64;

const pageBytes = 4096;
const hugePageBytes = 2 * 1024 * 1024;
const clearedAtOnce = 2 ** 30;

/** The most bytes that Node 20 shows JavaScript at once of memory that is not its own: asked for more, it ends the process. */
export const largestView = 2 ** 32;

/** Memory outside JavaScript's heap, at an address that compiled code can be given. */
export interface NativeBuffer {
  readonly address: bigint;
  readonly byteLength: number;
  /**
   * `length` elements at a byte offset, without a copy. Throws GraphError (G102) where they are more than can be seen at once,
   * InternalError beyond the buffer and after `free`.
   */
  readonly view: (dtype: NumericDType, byteOffset: number, length: number) => TensorData;
  /** Gives the memory back; views of it read as empty or stale and must be dropped before. A second call does nothing. */
  readonly free: () => void;
}

export interface MemoryCounts {
  /** Buffers allocated and not yet freed. */
  readonly live: number;
  readonly liveBytes: number;
  /** Buffers ever allocated: equal before and after a stretch of steps that allocate nothing. */
  readonly total: number;
}

let live = 0;
let liveBytes = 0;
let total = 0;

export function memoryCounts(): MemoryCounts {
  return { live, liveBytes, total };
}

interface Block {
  readonly address: bigint;
  readonly release: () => void;
}

/** Frees what was forgotten; the program itself calls `free`. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

function outOfMemory(bytes: number): GraphError {
  const message = `the machine refused ${(bytes / 2 ** 20).toFixed(0)} MiB of memory`;
  return new GraphError([problem("G102", undefined, message, { hint: "use a smaller batch or smaller variables" })]);
}

function tooLargeToSee(bytes: number): GraphError {
  const message = `a tensor of ${(bytes / 1e9).toFixed(1)} GB cannot be fed, kept or fetched: ${largestView / 2 ** 30} GiB is the most`;
  return new GraphError([problem("G102", undefined, message, { hint: "split it into several" })]);
}

function plainBlock(calls: NativeCalls, bytes: number): Block {
  const rounded = Math.max(bufferAlignment, Math.ceil(bytes / bufferAlignment) * bufferAlignment);
  const large = rounded >= 2 * hugePageBytes;
  const size = large ? Math.ceil(rounded / hugePageBytes) * hugePageBytes : rounded;
  const address = calls.alignedAlloc(large ? hugePageBytes : bufferAlignment, size);
  if (address === 0n) throw outOfMemory(bytes);
  // Shuffled rows of a data set lie on a page each: with small pages every one of them misses the address cache too.
  if (large) calls.adviseHugePages(address, size);
  return { address, release: () => calls.free(address) };
}

/**
 * Between two pages that may not be touched, with its end (but for the alignment) at the second: an overrun is a fault
 * where it happens, not a wrong number later.
 */
function guardedBlock(calls: NativeCalls, bytes: number, alignment: number): Block {
  const rounded = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
  const inner = Math.ceil(rounded / pageBytes) * pageBytes;
  const whole = inner + 2 * pageBytes;
  const start = calls.map(whole);
  if (start === 0n || start === 2n ** 64n - 1n) throw outOfMemory(bytes);
  const page = BigInt(pageBytes);
  const failed = calls.protect(start, pageBytes) !== 0 || calls.protect(start + page + BigInt(inner), pageBytes) !== 0;
  if (failed) throw new InternalError("guard pages could not be protected");
  return { address: start + page + BigInt(inner - rounded), release: () => calls.unmap(start, whole) };
}

/** mmap gives zeros; aligned_alloc (of large blocks too, after reuse) does not. */
function usesGuards(): boolean {
  const { GRAPHC_DEBUG_GUARD: guard } = process.env;
  return guard !== undefined && guard !== "" && guard !== "0";
}

/**
 * New zeroed memory, 64-byte aligned. Throws GraphError (G102) when the machine has not that much. `alignment` is what code may count on
 * where it is less: between guards the memory is then no better aligned, and ends with its last byte.
 */
export function allocateNative(byteLength: number, alignment = bufferAlignment): NativeBuffer {
  if (!Number.isSafeInteger(byteLength) || byteLength < 0) throw new InternalError(`${byteLength} bytes of memory`);
  if (byteLength > 2 ** 46) throw outOfMemory(byteLength);
  const calls = nativeCalls();
  const block = usesGuards() ? guardedBlock(calls, byteLength, alignment) : plainBlock(calls, byteLength);
  const seen = (byteOffset: number, size: number): ArrayBuffer =>
    size === 0 ? new ArrayBuffer(0) : calls.view(block.address + BigInt(byteOffset), size);
  // An arena may be larger than what can be seen of it at once.
  const whole = byteLength <= largestView ? seen(0, byteLength) : undefined;
  if (whole !== undefined) new Uint8Array(whole).fill(0);
  else {
    for (let at = 0; at < byteLength; at += clearedAtOnce)
      new Uint8Array(seen(at, Math.min(clearedAtOnce, byteLength - at))).fill(0);
  }
  live += 1;
  liveBytes += byteLength;
  total += 1;
  let isFree = false;
  const release = (): void => {
    if (isFree) return;
    isFree = true;
    live -= 1;
    liveBytes -= byteLength;
    block.release();
  };
  const buffer: NativeBuffer = {
    address: block.address,
    byteLength,
    view: (dtype, byteOffset, length) => {
      if (isFree) throw new InternalError("view of freed memory");
      const size = byteSize(dtype);
      const isInside = byteOffset >= 0 && length >= 0 && byteOffset + length * size <= byteLength;
      if (!isInside || byteOffset % size !== 0) {
        throw new InternalError(`view of ${length} ${dtype} at ${byteOffset} of ${byteLength} bytes`);
      }
      if (length * size > largestView) throw tooLargeToSee(length * size);
      return whole === undefined
        ? viewBytes(dtype, seen(byteOffset, length * size), 0, length)
        : viewBytes(dtype, whole, byteOffset, length);
    },
    free: () => {
      forgotten.unregister(buffer);
      release();
    },
  };
  forgotten.register(buffer, release, buffer);
  return buffer;
}
