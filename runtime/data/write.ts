import { byteSize, type NumericDType } from "../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16, halvesToFloat32 } from "../../compiler/ir/half.js";
import { shortestNumber } from "../../compiler/ir/shortest.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import { AtomicFile, publishAll } from "../files/atomic.js";
import { fileError, quotePath } from "../files/errors.js";
import { bytesOf } from "../files/memory.js";
import { requireReplaceable, resultFiles } from "../files/replace.js";
import { littleEndianBytes, SafetensorsDigest, startSafetensors } from "../files/safetensors.js";
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

/** A tensor, and the file that it goes to. */
export interface NamedTensor {
  readonly path: string;
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * Writes tensors to files, all or none, each in the format of its extension: .npy, .safetensors (under `name`) or .csv (a
 * scalar, a vector as one column, a matrix as rows; the header is `name`, or `name.0`, `name.1`, ...).
 * @throws GraphError G092 (also for a tensor of higher rank as .csv, and where a file of another kind would be lost), G071 for another
 * extension.
 */
export async function writeTensors(tensors: readonly NamedTensor[]): Promise<void> {
  const files: TensorFile[] = [];
  try {
    for (const { path, name, tensor } of tensors) {
      const file = await TensorFile.create(path, name, tensor);
      files.push(file);
      await file.append(tensor.data);
      await file.finish();
    }
    await TensorFile.publishAll(files);
  } catch (error) {
    for (const file of files) await file.discard();
    throw error;
  }
}

/** The dtype and shape of a tensor whose elements are still to come. */
type TensorType = Pick<Tensor, "dtype" | "shape">;

/** A format as a file is written in it: what comes first, then whole rows, then what the beginning is in the end. */
interface Writing {
  readonly start: Uint8Array;
  readonly pieces: (data: TensorData) => Iterable<Uint8Array>;
  /** What overwrites the beginning once all has been written. */
  readonly finish?: () => Uint8Array;
}

/** A tensor's file that is written some rows at a time, as `writeTensors` writes them at once. The methods throw GraphError G092. */
export class TensorFile {
  readonly #file: AtomicFile;
  readonly #writing: Writing;

  private constructor(file: AtomicFile, writing: Writing) {
    this.#file = file;
    this.#writing = writing;
  }

  /** @throws GraphError as `writeTensors`; nothing is there then. */
  static async create(path: string, name: string, type: TensorType): Promise<TensorFile> {
    const writing = writingOf(path, name, type);
    await requireReplaceable(path, resultFiles[requireTensorFormat(path)]);
    const file = new TensorFile(await AtomicFile.create(path), writing);
    await file.#file.append(writing.start);
    return file;
  }

  /** The next elements: whole rows, or the whole of a scalar. They must not change until it is done. */
  async append(data: TensorData): Promise<void> {
    for (const piece of this.#writing.pieces(data)) await this.#file.append(piece);
  }

  /** All has been written: it is on the disk, still without its name. */
  async finish(): Promise<void> {
    const start = this.#writing.finish?.();
    if (start !== undefined) await this.#file.writeAt(0, start);
    await this.#file.finish();
  }

  /** Gives finished files their names, all or none. */
  static publishAll(files: readonly TensorFile[]): Promise<void> {
    return publishAll(files.map((file) => file.#file));
  }

  /** Leaves nothing behind, unless it was published. Never throws. */
  discard(): Promise<void> {
    return this.#file.discard();
  }
}

type TensorFormat = ".npy" | ".safetensors" | ".csv";

/** The format that a file's name asks for. @throws GraphError G071 where it asks for none that is written. */
export function requireTensorFormat(path: string): TensorFormat {
  const ending = /\.[a-z0-9]+$/.exec(path.toLowerCase())?.[0];
  if (ending === ".npy" || ending === ".safetensors" || ending === ".csv") return ending;
  const hint = "the name ends in .npy, .safetensors or .csv";
  throw fileError("G071", `no format is known for writing ${quotePath(path)}`, hint);
}

function writingOf(path: string, name: string, type: TensorType): Writing {
  switch (requireTensorFormat(path)) {
    case ".npy":
      return npyWriting(type);
    case ".safetensors":
      return safetensorsWriting(name, type);
    case ".csv":
      return csvWriting(path, name, type);
  }
}

/** A .npy file, version 1, row-major; the elements start aligned to 64 bytes, as NumPy writes them. */
function npyWriting({ dtype, shape }: TensorType): Writing {
  if (dtype === "bf16") {
    const widened = npyWriting({ dtype: "f32", shape });
    const pieces = (data: TensorData): Iterable<Uint8Array> =>
      data instanceof Uint16Array ? widened.pieces(halvesToFloat32("bf16", data)) : [];
    return { start: widened.start, pieces };
  }
  const order = byteSize(dtype) === 1 ? "|" : hostIsBigEndian ? ">" : "<";
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${order}${descriptions.get(dtype)}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(total, " ");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(total - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", total - 1, "latin1");
  return { start: header, pieces: (data) => [bytesOf(data)] };
}

/** A safetensors file of one tensor. Its header has a digest of all, which stands there in the end. */
function safetensorsWriting(name: string, type: TensorType): Writing {
  const start = startSafetensors(new Map([[name, type]]), new Map());
  const digest = new SafetensorsDigest(start);
  const pieces = (data: TensorData): Iterable<Uint8Array> => {
    const bytes = littleEndianBytes({ dtype: type.dtype, data });
    digest.update(bytes);
    return [bytes];
  };
  return { start: start.bytes, pieces, finish: () => digest.finish() };
}

/** A CSV file, made a few rows at a time. Numbers have the fewest digits with which they read back exactly. */
function csvWriting(path: string, name: string, { dtype, shape }: TensorType): Writing {
  const [, columns = 1, ...rest] = shape;
  if (rest.length > 0) {
    throw fileError(
      "G092",
      `cannot save ${quotePath(path)}: a tensor of rank ${shape.length} is not a table`,
      "reshape it to a matrix, or save it as .npy",
    );
  }
  const names = shape.length < 2 ? [name] : Array.from({ length: columns }, (_, index) => `${name}.${index}`);
  const rowsAtOnce = Math.max(1, Math.floor(65536 / Math.max(1, columns)));
  function* pieces(data: TensorData): Generator<Uint8Array> {
    const rows = columns === 0 ? 0 : data.length / columns;
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const lines: string[] = [];
      for (let index = row; index < Math.min(rows, row + rowsAtOnce); index++) {
        const fields = Array.from({ length: columns }, (_, column) =>
          elementText(dtype, data[index * columns + column] ?? 0),
        );
        lines.push(`${fields.join(",")}\n`);
      }
      yield Buffer.from(lines.join(""));
    }
  }
  return { start: Buffer.from(`${names.map(quoteField).join(",")}\n`), pieces };
}

function elementText(dtype: NumericDType, element: number | bigint): string {
  if (typeof element === "bigint") return String(element);
  const number = shortestNumber(dtype, elementNumber(dtype, element));
  return Object.is(number, -0) ? "-0" : String(number);
}

/** The value of an element as arrays hold it: halves as bit patterns. */
export function elementNumber(dtype: NumericDType, element: number | bigint): number {
  const value = Number(element);
  return dtype === "f16" ? decodeF16(value) : dtype === "bf16" ? decodeBF16(value) : value;
}

function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
