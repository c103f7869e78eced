import type { Tensor } from "../../compiler/ir/tensor.js";
import type { ByteReader } from "../files/bytes.js";
import { fileError, quotePath } from "../files/errors.js";
import { checkClaim, cutShort, type LoadRequest, readArray, type StoredType } from "./elements.js";

/** The element types of the IDX format by their code (http://yann.lecun.com/exdb/mnist, "the IDX file format"). */
const types: ReadonlyMap<number, StoredType> = new Map<number, StoredType>([
  [0x08, { dtype: "u8", bytes: 1 }],
  [0x09, { dtype: "i8", bytes: 1 }],
  [0x0b, { dtype: "i32", bytes: 2, widened: "i16" }],
  [0x0c, { dtype: "i32", bytes: 4 }],
  [0x0d, { dtype: "f32", bytes: 4 }],
  [0x0e, { dtype: "f64", bytes: 8 }],
]);

/**
 * Reads an IDX array: two zero bytes, the element type, the rank, then the sizes and the elements, big-endian.
 * 16-bit integers become i32.
 * @throws GraphError G072 (cut short or too long), G071 (not IDX), G075 (rows), G102 (memory).
 */
export async function readIdx(reader: ByteReader, request: LoadRequest): Promise<Tensor> {
  const magic = new Uint8Array(4);
  const found = await reader.fill(magic);
  const [zero, zeroToo, code = 0, rank = 0] = magic;
  const type = types.get(code);
  if (found < 4 || zero !== 0 || zeroToo !== 0 || type === undefined || rank === 0) {
    const start = [...magic.subarray(0, found)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fileError(
      "G071",
      `${quotePath(reader.name)} is not an IDX file: it begins with ${found === 0 ? "nothing" : `bytes ${start}`}, expected 00 00, a type from 08 to 0e and the rank`,
      "IDX files are those of MNIST, such as train-images-idx3-ubyte, plain or .gz",
    );
  }
  const sizes = new Uint8Array(4 * rank);
  if ((await reader.fill(sizes)) !== sizes.length) {
    throw cutShort(reader.name, `a header of rank ${rank} has ${4 + sizes.length} bytes`, undefined);
  }
  const view = new DataView(sizes.buffer);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 * axis));
  const array = { type, shape, bigEndian: true };
  checkClaim(reader, 4 + sizes.length, array);
  return readArray(reader, array, request);
}
