import { InternalError } from "../../compiler/ir/diagnostic.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import type { ByteReader } from "../files/bytes.js";
import { fileError, quoteName, quotePath } from "../files/errors.js";
import { allocateArray, ensureMemory, safeProduct } from "../files/memory.js";
import {
  checkClaim,
  cutShort,
  hostIsBigEndian,
  type LoadRequest,
  readArray,
  requestedShape,
  type StoredArray,
  type StoredType,
} from "./elements.js";

/** NumPy's type codes (`dtype.str` without the byte order). Narrow integers that graphc lacks are widened. */
const types: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ["f8", { dtype: "f64", bytes: 8 }],
  ["f4", { dtype: "f32", bytes: 4 }],
  ["f2", { dtype: "f16", bytes: 2 }],
  ["i8", { dtype: "i64", bytes: 8 }],
  ["i4", { dtype: "i32", bytes: 4 }],
  ["i2", { dtype: "i32", bytes: 2, widened: "i16" }],
  ["i1", { dtype: "i8", bytes: 1 }],
  ["u4", { dtype: "i64", bytes: 4, widened: "u32" }],
  ["u2", { dtype: "i32", bytes: 2, widened: "u16" }],
  ["u1", { dtype: "u8", bytes: 1 }],
  ["b1", { dtype: "bool", bytes: 1 }],
]);

/** NumPy's own readers refuse longer headers too (numpy.lib.format, max_header_size). */
const longestHeader = 10_000;

/**
 * Reads a .npy array, versions 1 to 3, row-major or Fortran order, either byte order
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 * @throws GraphError G072, G071 (not .npy), G077 (element type), G075 (rows), G071 (header), G102 (memory).
 */
export async function readNpy(reader: ByteReader, request: LoadRequest): Promise<Tensor> {
  const { headerBytes, array, fortranOrder } = await readNpyHeader(reader);
  checkClaim(reader, headerBytes, array);
  if (!fortranOrder || array.shape.length < 2) {
    return readArray(reader, array, request);
  }
  return readFortranOrder(reader, array, request);
}

interface NpyHeader {
  readonly headerBytes: number;
  readonly array: StoredArray;
  readonly fortranOrder: boolean;
}

async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
  const start = new Uint8Array(8);
  const found = await reader.fill(start);
  if (found < 8 || Buffer.from(start.subarray(0, 6)).toString("latin1") !== "\x93NUMPY") {
    throw fileError("G071", `${quotePath(reader.name)} is not a .npy file: it does not begin with "\\x93NUMPY"`);
  }
  const version = start[6] ?? 0;
  if (version < 1 || version > 3) {
    throw fileError(
      "G071",
      `${quotePath(reader.name)} is a .npy file of version ${version}; versions 1 to 3 are known`,
    );
  }
  const lengthField = new Uint8Array(version === 1 ? 2 : 4);
  const lengthFound = await reader.fill(lengthField);
  const view = new DataView(lengthField.buffer);
  const length = version === 1 ? view.getUint16(0, true) : view.getUint32(0, true);
  if (lengthFound === lengthField.length && length > longestHeader) {
    throw badHeader(reader.name, `it claims ${length} bytes, at most ${longestHeader} are accepted`);
  }
  const text = new Uint8Array(length);
  if (lengthFound < lengthField.length || (await reader.fill(text)) < length) {
    throw cutShort(reader.name, `the .npy header has ${length} bytes`, undefined);
  }
  const { descr, fortranOrder, shape } = parseNpyHeader(reader.name, Buffer.from(text).toString("utf8"));
  const order = descr.charAt(0);
  const type = types.get(descr.slice(1));
  if (type === undefined || !"<>=|".includes(order)) {
    throw fileError(
      "G077",
      `${quotePath(reader.name)} has elements of NumPy type ${quoteName(descr)}, which graphc does not have`,
      'convert it first, for example array.astype("float32")',
    );
  }
  const bigEndian = order === ">" || (order === "=" && hostIsBigEndian);
  return { headerBytes: 8 + lengthField.length + length, array: { type, shape, bigEndian }, fortranOrder };
}

/** Python's literal of a dict with the keys descr, fortran_order and shape, in any order, and nothing else. */
function parseNpyHeader(
  name: string,
  text: string,
): { readonly descr: string; readonly fortranOrder: boolean; readonly shape: readonly number[] } {
  let rest = text.trim();
  const take = (pattern: RegExp): string | undefined => {
    const match = pattern.exec(rest);
    if (match === null) {
      return undefined;
    }
    rest = rest.slice(match[0].length).trimStart();
    return match[1] ?? match[0];
  };
  const found = new Map<string, string>();
  let closed = take(/^\{/) === undefined;
  while (!closed) {
    const key = take(/^['"](descr|fortran_order|shape)['"]\s*:/);
    if (key === undefined) {
      break;
    }
    if (key === "descr" && /^[[(]/.test(rest)) {
      throw fileError(
        "G077",
        `${quotePath(name)} has structured elements (several named fields), which graphc does not have`,
        "save each field as an array of its own",
      );
    }
    const value = take(
      key === "descr" ? /^['"]([^'"]*)['"]/ : key === "shape" ? /^\(([\d\sL,]*)\)/ : /^(?:True|False)/,
    );
    if (value === undefined || found.has(key)) {
      throw badHeader(name, `the value of ${key} is not understood: ${quoteName(rest)}`);
    }
    found.set(key, value);
    take(/^,/);
    closed = take(/^\}/) !== undefined;
  }
  const descr = found.get("descr");
  const order = found.get("fortran_order");
  const sizes = found.get("shape");
  if (!closed || rest !== "" || descr === undefined || order === undefined || sizes === undefined) {
    throw badHeader(
      name,
      `expected {'descr': ..., 'fortran_order': ..., 'shape': ...}, found ${quoteName(text.trim())}`,
    );
  }
  return { descr, fortranOrder: order === "True", shape: parseShape(name, sizes) };
}

function parseShape(name: string, text: string): readonly number[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.at(-1) === "") {
    parts.pop();
  }
  return parts.map((part) => {
    // Python 2 wrote long integers with an L.
    const size = /^\d+L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN;
    if (!Number.isSafeInteger(size)) {
      throw badHeader(name, `the shape (${text}) is not one`);
    }
    return size;
  });
}

function badHeader(name: string, reason: string): Error {
  return fileError("G071", `${quotePath(name)} has a header that is not right: ${reason}`);
}

/** Reads column-major elements whole, then writes the rows asked for in row-major order. */
async function readFortranOrder(reader: ByteReader, array: StoredArray, request: LoadRequest): Promise<Tensor> {
  const { start, stop, shape, rowSize } = requestedShape(array.shape, request, reader.name);
  const total = safeProduct(array.shape) * array.type.bytes;
  ensureMemory(2 * total, `the data of ${quotePath(reader.name)} (in Fortran order, so it is rearranged)`);
  const whole = await readArray(reader, array, { ...request, rows: undefined, into: allocateArray });
  const data = request.into(array.type.dtype, (stop - start) * rowSize);
  transpose(whole.data, array.shape, start, data);
  return { dtype: array.type.dtype, shape, data };
}

/** Copies column-major `source` of `shape`, from row `start` on, into row-major `target`. */
function transpose(source: TensorData, shape: readonly number[], start: number, target: TensorData): void {
  const strides = shape.map((_, axis) => safeProduct(shape.slice(0, axis)));
  const index = shape.map((_, axis) => (axis === 0 ? start : 0));
  let offset = start;
  const copy = copier(source, target);
  for (let position = 0; position < target.length; position++) {
    copy(offset, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      const stride = strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0) || axis === 0) {
        index[axis] = next;
        offset += stride;
        break;
      }
      index[axis] = 0;
      offset -= (next - 1) * stride;
    }
  }
}

function copier(source: TensorData, target: TensorData): (from: number, to: number) => void {
  if (source instanceof BigInt64Array && target instanceof BigInt64Array) {
    return (from, to) => {
      target[to] = source[from] ?? 0n;
    };
  }
  if (source instanceof BigInt64Array || target instanceof BigInt64Array) {
    throw new InternalError("an allocator gave storage of another dtype");
  }
  return (from, to) => {
    target[to] = source[from] ?? 0;
  };
}
