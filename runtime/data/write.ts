import { byteSize, type NumericDType } from "../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16, halvesToFloat32 } from "../../compiler/ir/half.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { writeFileAtomic } from "../files/atomic.js";
import { fileError, quotePath } from "../files/errors.js";
import { bytesOf, safeProduct } from "../files/memory.js";
import { writeSafetensors } from "../files/safetensors.js";
import { hostIsBigEndian } from "./elements.js";

/** NumPy's type codes; bf16 has none and is written as f32, which holds all its values. */
const descriptions: ReadonlyMap<NumericDType, string> = new Map([
  ["f64", "f8"],
  ["f32", "f4"],
  ["f16", "f2"],
  ["i64", "i8"],
  ["i32", "i4"],
  ["i8", "i1"],
  ["u8", "u1"],
  ["bool", "b1"],
]);

/**
 * Writes a tensor to a file, atomically, in the format of its extension: .npy, .safetensors (under `name`) or .csv (a
 * scalar, a vector as one column, a matrix as rows; the header is `name`, or `name.0`, `name.1`, ...).
 * @throws GraphError G092 (also for a tensor of higher rank as .csv), G071 for another extension.
 */
export async function writeTensor(path: string, name: string, tensor: Tensor): Promise<void> {
  switch (/\.[a-z0-9]+$/.exec(path.toLowerCase())?.[0]) {
    case ".npy":
      return writeFileAtomic(path, encodeNpy(tensor));
    case ".safetensors":
      return writeSafetensors(path, { tensors: new Map([[name, tensor]]), metadata: new Map() });
    case ".csv":
      return writeFileAtomic(path, encodeCsv(path, name, tensor));
    default:
      throw fileError(
        "G071",
        `no format is known for writing ${quotePath(path)}`,
        "the name ends in .npy, .safetensors or .csv",
      );
  }
}

/** The pieces of a .npy file, version 1, row-major; the elements start aligned to 64 bytes, as NumPy writes them. */
export function encodeNpy(tensor: Tensor): readonly Uint8Array[] {
  if (tensor.dtype === "bf16" && tensor.data instanceof Uint16Array) {
    return encodeNpy({ dtype: "f32", shape: tensor.shape, data: halvesToFloat32("bf16", tensor.data) });
  }
  const order = byteSize(tensor.dtype) === 1 ? "|" : hostIsBigEndian ? ">" : "<";
  const shape = tensor.shape.length === 1 ? `(${tensor.shape[0]},)` : `(${tensor.shape.join(", ")})`;
  const text = `{'descr': '${order}${descriptions.get(tensor.dtype)}', 'fortran_order': False, 'shape': ${shape}, }`;
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(total, " ");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(total - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", total - 1, "latin1");
  return [header, bytesOf(tensor.data)];
}

/** The pieces of a CSV file, made a few rows at a time. Numbers are written so that they read back exactly. */
function* encodeCsv(path: string, name: string, tensor: Tensor): Generator<Uint8Array> {
  const [rows = 1, columns = 1, ...rest] = tensor.shape;
  if (rest.length > 0) {
    throw fileError(
      "G092",
      `cannot save ${quotePath(path)}: a tensor of rank ${tensor.shape.length} is not a table`,
      "reshape it to a matrix, or save it as .npy",
    );
  }
  const names = tensor.shape.length < 2 ? [name] : Array.from({ length: columns }, (_, index) => `${name}.${index}`);
  yield Buffer.from(`${names.map(quoteField).join(",")}\n`);
  const rowsAtOnce = Math.max(1, Math.floor(65536 / Math.max(1, columns)));
  for (let row = 0; row < rows && safeProduct(tensor.shape) > 0; row += rowsAtOnce) {
    const lines: string[] = [];
    for (let index = row; index < Math.min(rows, row + rowsAtOnce); index++) {
      const fields = Array.from({ length: columns }, (_, column) => showElement(tensor, index * columns + column));
      lines.push(`${fields.join(",")}\n`);
    }
    yield Buffer.from(lines.join(""));
  }
}

function showElement(tensor: Tensor, index: number): string {
  const value = tensor.data[index] ?? 0;
  if (typeof value === "bigint") {
    return String(value);
  }
  const number = tensor.dtype === "f16" ? decodeF16(value) : tensor.dtype === "bf16" ? decodeBF16(value) : value;
  return Object.is(number, -0) ? "-0" : String(number);
}

function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
