import { endianness } from "node:os";
import type { RowRange } from "../../compiler/ir/data.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import type { ByteReader } from "../files/bytes.js";
import { fileError, quotePath } from "../files/errors.js";
import { type Allocator, bytesOf, ensureMemory, safeProduct } from "../files/memory.js";

/** What a caller wants of a column. */
export interface LoadRequest {
  /** All rows where undefined. */
  readonly rows: RowRange | undefined;
  /** The dtype that text is read as; files that store a dtype keep theirs. */
  readonly dtype: NumericDType | undefined;
  readonly into: Allocator;
}

/** How a file stores one element. Types that graphc lacks are widened to one that holds all their values. */
export interface StoredType {
  readonly dtype: NumericDType;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly widened?: "i16" | "u16" | "u32";
}

/** A row-major array that follows at once in a reader. */
export interface StoredArray {
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
}

export const hostIsBigEndian = endianness() === "BE";

/** How much is read at once where elements change their size on the way. */
const pieceBytes = 1 << 20;

/** Checks a range against the number of rows there are. @throws GraphError G075. */
export function resolveRows(
  rows: RowRange | undefined,
  count: number,
  name: string,
): { readonly start: number; readonly stop: number } {
  const start = rows?.start ?? 0;
  const stop = rows?.stop ?? count;
  if (start > stop || stop > count) {
    throw fileError(
      "G075",
      `rows [${start}:${rows?.stop ?? ""}] are not in ${quotePath(name)}, which has ${count} rows`,
      `ranges count from 0 and leave out their end; all rows are [0:${count}]`,
    );
  }
  return { start, stop };
}

/** The shape and the row range that a request leaves of an array. @throws GraphError G075. */
export function requestedShape(
  shape: readonly number[],
  request: LoadRequest,
  name: string,
): { readonly start: number; readonly stop: number; readonly shape: readonly number[]; readonly rowSize: number } {
  const [count, ...rest] = shape;
  if (count === undefined) {
    if (request.rows !== undefined) {
      throw fileError("G075", `${quotePath(name)} holds a scalar, which has no rows`, "leave the range away");
    }
    return { start: 0, stop: 1, shape: [], rowSize: 1 };
  }
  const { start, stop } = resolveRows(request.rows, count, name);
  return { start, stop, shape: [stop - start, ...rest], rowSize: safeProduct(rest) };
}

/**
 * Checks, before anything is allocated, that the bytes an array claims can be there.
 * @throws GraphError G072 where the file is shorter, or (where its size is known) longer; G071 where the sizes overflow.
 */
export function checkClaim(reader: ByteReader, headerBytes: number, array: StoredArray): void {
  if (!Number.isFinite(safeProduct(array.shape.filter((size) => size !== 0)))) {
    throw fileError(
      "G071",
      `${quotePath(reader.name)} has a header that is not right: no array has the shape ${showShape(array.shape)}`,
    );
  }
  const claimed = headerBytes + safeProduct(array.shape) * array.type.bytes;
  if (claimed > reader.limit || (reader.exact && claimed !== reader.limit)) {
    const promise = `its header promises ${showShape(array.shape)}, ${claimed} bytes in all`;
    throw claimed > reader.limit
      ? cutShort(reader.name, promise, reader.exact ? reader.limit : undefined)
      : surplus(reader.name, promise);
  }
}

/** Reads the rows asked for of an array that starts at the reader's place, then sees that the file ends where it should. */
export async function readArray(reader: ByteReader, array: StoredArray, request: LoadRequest): Promise<Tensor> {
  const { start, stop, shape, rowSize } = requestedShape(array.shape, request, reader.name);
  const count = (stop - start) * rowSize;
  const rowBytes = rowSize * array.type.bytes;
  ensureMemory(count * array.type.bytes, `the data of ${quotePath(reader.name)}`);
  const data = request.into(array.type.dtype, count);
  requireBytes(reader, await reader.skip(start * rowBytes), start * rowBytes);
  if (array.type.widened === undefined) {
    const bytes = bytesOf(data);
    requireBytes(reader, await reader.fill(bytes), bytes.length);
    toHostOrder(bytes, array.type.bytes, array.bigEndian);
    normalizeBools(array.type.dtype, data);
  } else {
    await readWidened(reader, array, array.type.widened, data);
  }
  const rows = array.shape[0] ?? 1;
  requireBytes(reader, await reader.skip((rows - stop) * rowBytes), (rows - stop) * rowBytes);
  if ((await reader.skip(1)) !== 0) {
    throw surplus(reader.name, `its header promises ${showShape(array.shape)}`);
  }
  return { dtype: array.type.dtype, shape, data };
}

function requireBytes(reader: ByteReader, found: number, wanted: number): void {
  if (found !== wanted) {
    throw cutShort(reader.name, `${wanted - found} bytes more were promised`, undefined);
  }
}

async function readWidened(
  reader: ByteReader,
  array: StoredArray,
  widened: "i16" | "u16" | "u32",
  data: TensorData,
): Promise<void> {
  const size = array.type.bytes;
  const piece = new Uint8Array(Math.min(pieceBytes, data.length * size));
  const view = new DataView(piece.buffer);
  for (let done = 0; done < data.length; ) {
    const elements = Math.min(data.length - done, piece.length / size);
    const bytes = elements * size;
    requireBytes(reader, await reader.fill(piece.subarray(0, bytes)), bytes);
    for (let index = 0; index < elements; index++) {
      const value = widenedValue(view, index * size, widened, !array.bigEndian);
      if (data instanceof BigInt64Array) {
        data[done + index] = BigInt(value);
      } else {
        data[done + index] = value;
      }
    }
    done += elements;
  }
}

function widenedValue(view: DataView, offset: number, type: "i16" | "u16" | "u32", littleEndian: boolean): number {
  switch (type) {
    case "i16":
      return view.getInt16(offset, littleEndian);
    case "u16":
      return view.getUint16(offset, littleEndian);
    case "u32":
      return view.getUint32(offset, littleEndian);
  }
}

/** Turns elements of `size` bytes round in place where the file's byte order is not this machine's. */
export function toHostOrder(bytes: Uint8Array, size: number, bigEndian: boolean): void {
  if (bigEndian === hostIsBigEndian || size === 1) {
    return;
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) {
    buffer.swap16();
  } else if (size === 4) {
    buffer.swap32();
  } else {
    buffer.swap64();
  }
}

/** A bool is 0 or 1 in graphc; files may hold any byte, and what is not 0 is true. */
export function normalizeBools(dtype: NumericDType, data: TensorData): void {
  if (dtype === "bool" && data instanceof Uint8Array) {
    for (let index = 0; index < data.length; index++) {
      if ((data[index] ?? 0) > 1) {
        data[index] = 1;
      }
    }
  }
}

export function showShape(shape: readonly number[]): string {
  return shape.length > 16 ? `[${shape.slice(0, 16).join(", ")}, ...]` : `[${shape.join(", ")}]`;
}

/** G072: there are fewer bytes than the header promises. */
export function cutShort(name: string, promise: string, size: number | undefined): Error {
  const found = size === undefined ? "the data ends before" : `the file has ${size}`;
  return fileError(
    "G072",
    `${quotePath(name)} is cut short: ${promise}, ${found}`,
    "get the file again; a download may have stopped early",
  );
}

/** G072: there are more bytes than the header promises. */
export function surplus(name: string, promise: string): Error {
  return fileError(
    "G072",
    `${quotePath(name)} has more bytes than it should: ${promise}, and more follow`,
    "get the file again",
  );
}
