import { createHash, type Hash } from "node:crypto";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import { byteSize } from "../../compiler/ir/dtype.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { hostIsBigEndian, type LoadRequest, normalizeBools, requestedShape, toHostOrder } from "../data/elements.js";
import { writeFileAtomic } from "./atomic.js";
import { InputFile } from "./bytes.js";
import { fileError, listNames, quoteName, quotePath } from "./errors.js";
import { kindOf } from "./kinds.js";
import { allocateArray, bytesOf, ensureMemory, safeProduct } from "./memory.js";
import {
  longestHeader,
  notRight,
  notSafetensors,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  storedTypeName,
  type TensorEntry,
} from "./safetensors_header.js";

/** How much is read and hashed at once. */
const pieceBytes = 1 << 24;

/** An open safetensors file, checked: tensors are read from it by name. */
export interface SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  /** The header as it stands in the file, padding included. */
  readonly headerBytes: Uint8Array;
  /** @throws GraphError G077 (a type graphc lacks), G075 (rows), G079 (no such tensor), G102 (memory). */
  read(name: string, request: LoadRequest, onBytes?: (piece: Uint8Array) => void): Promise<Tensor>;
  close(): Promise<void>;
}

/** Opens a safetensors file and checks its header. @throws GraphError G064, G091. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await InputFile.open(path);
  try {
    const beginning = new Uint8Array(64);
    const found = await file.readAt(0, beginning);
    if (found < 8) {
      throw notRight(path, `it has ${file.size} bytes, too few for a header`);
    }
    const length = new DataView(beginning.buffer).getBigUint64(0, true);
    if (length > BigInt(longestHeader)) {
      const kind = kindOf(beginning.subarray(0, found));
      if (kind !== undefined) throw notSafetensors(path, kind);
      throw notRight(path, `its header claims ${length} bytes, at most ${longestHeader} are allowed`);
    }
    const headerLength = Number(length);
    if (8 + headerLength > file.size) {
      throw notRight(path, `its header claims ${headerLength} bytes, the file has ${file.size}`);
    }
    const headerBytes = new Uint8Array(headerLength);
    if ((await file.readAt(8, headerBytes)) < headerLength) {
      throw notRight(path, "the file became shorter while it was read");
    }
    const dataStart = 8 + headerLength;
    const header = parseSafetensorsHeader(path, headerBytes, file.size - dataStart);
    return {
      path,
      header,
      headerBytes,
      read: (name, request, onBytes) => readTensor(file, header, dataStart, name, request, onBytes),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readTensor(
  file: InputFile,
  header: SafetensorsHeader,
  dataStart: number,
  name: string,
  request: LoadRequest,
  onBytes: ((piece: Uint8Array) => void) | undefined,
): Promise<Tensor> {
  const entry = header.tensors.get(name);
  if (entry === undefined) {
    throw fileError(
      "G079",
      `${quotePath(file.path)} has no tensor ${quoteName(name)}`,
      `it has ${listNames(header.tensors.keys())}`,
    );
  }
  const dtype = requireDType(file.path, entry);
  const { start, stop, shape, rowSize } = requestedShape(entry.shape, request, `${file.path}:${name}`);
  const count = safeProduct([stop - start, rowSize]);
  ensureMemory(count * byteSize(dtype), `the tensor ${quoteName(name)} of ${quotePath(file.path)}`);
  const data = request.into(dtype, count);
  const bytes = bytesOf(data);
  const first = dataStart + entry.begin + start * (count === 0 ? 0 : rowSize) * byteSize(dtype);
  for (let done = 0; done < bytes.length; done += pieceBytes) {
    const piece = bytes.subarray(done, done + pieceBytes);
    if ((await file.readAt(first + done, piece)) < piece.length) {
      throw notRight(file.path, "the file became shorter while it was read");
    }
    onBytes?.(piece);
  }
  toHostOrder(bytes, byteSize(dtype), false);
  normalizeBools(dtype, data);
  return { dtype, shape, data };
}

function requireDType(path: string, entry: TensorEntry): NumericDType {
  if (entry.dtype === undefined) {
    throw fileError(
      "G077",
      `${quoteName(entry.name)} of ${quotePath(path)} has type ${entry.storedType}, which graphc does not have`,
      "convert it first, for example to F32",
    );
  }
  return entry.dtype;
}

/** The key under which our own files keep the SHA-256 of their content. */
export const digestKey = "graphc.sha256";
const noDigest = "0".repeat(64);

export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a whole safetensors file. Where it carries our digest, the content is checked against it.
 * @throws what `openSafetensors` throws, G077, G091 (the digest does not match), G102.
 */
export async function readSafetensors(path: string): Promise<SafetensorsContent> {
  const file = await openSafetensors(path);
  try {
    const total = [...file.header.tensors.values()].reduce((most, entry) => Math.max(most, entry.end), 0);
    ensureMemory(total, `the tensors of ${quotePath(path)}`);
    const expected = file.header.metadata.get(digestKey);
    const hash = createHash("sha256");
    if (expected !== undefined) {
      hash.update(withoutDigest(path, file.headerBytes, expected));
    }
    const tensors = new Map<string, Tensor>();
    for (const name of file.header.tensors.keys()) {
      const request = { rows: undefined, dtype: undefined, into: allocateArray };
      tensors.set(
        name,
        await file.read(name, request, expected === undefined ? undefined : (piece) => hash.update(piece)),
      );
    }
    if (expected !== undefined && hash.digest("hex") !== expected) {
      throw damaged(path, "its content does not match its checksum");
    }
    return { tensors, metadata: file.header.metadata };
  } finally {
    await file.close();
  }
}

/** The header as it was when the digest was taken: with zeros where the digest now stands. */
function withoutDigest(path: string, headerBytes: Uint8Array, digest: string): Uint8Array {
  const place = Buffer.from(headerBytes.buffer, headerBytes.byteOffset, headerBytes.byteLength).indexOf(
    digestMember(digest),
  );
  if (place < 0 || !/^[0-9a-f]{64}$/.test(digest)) {
    throw damaged(path, "its checksum is not where graphc writes it");
  }
  const header = Buffer.from(headerBytes);
  header.write(digestMember(noDigest), place, "latin1");
  return header;
}

function digestMember(digest: string): string {
  return `"${digestKey}":"${digest}"`;
}

function damaged(path: string, reason: string): Error {
  return fileError(
    "G091",
    `${quotePath(path)} is damaged: ${reason}`,
    `take an earlier checkpoint; if another program rewrote the file on purpose, have it leave out "${digestKey}"`,
  );
}

/** The beginning of a safetensors file whose tensors are still to come. */
export interface SafetensorsStart {
  /** The length of the header and the header, with zeros where the digest belongs. */
  readonly bytes: Buffer;
  /** The order in which the tensors' elements follow, little-endian. */
  readonly names: readonly string[];
}

/**
 * Larger element types come first, then names in code-unit order, so that every tensor lies aligned without holes and equal content
 * gives equal bytes.
 * @throws GraphError G092 for a name or a metadata key that such a file can't hold.
 */
export function startSafetensors(
  tensors: ReadonlyMap<string, Pick<Tensor, "dtype" | "shape">>,
  metadata: ReadonlyMap<string, string>,
): SafetensorsStart {
  const sorted = [...tensors].sort(
    ([a, x], [b, y]) => byteSize(y.dtype) - byteSize(x.dtype) || (a < b ? -1 : a > b ? 1 : 0),
  );
  const sortedMetadata = [...metadata].filter(([key]) => key !== digestKey).sort(([a], [b]) => (a < b ? -1 : 1));
  const members: string[] = [
    `"__metadata__":{${[...sortedMetadata, [digestKey, noDigest]].map(([key = "", text = ""]) => `${jsonText(key)}:${jsonText(text)}`).join(",")}}`,
  ];
  let offset = 0;
  for (const [name, { dtype, shape }] of sorted) {
    if (name === "__metadata__") throw cannotSave(name, "the format keeps that name for itself");
    const end = offset + safeProduct(shape) * byteSize(dtype);
    members.push(
      `${jsonText(name)}:{"dtype":"${storedTypeName(dtype)}","shape":[${shape.join(",")}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  const json = Buffer.from(`{${members.join(",")}}`, "utf8");
  const length = Math.ceil(json.length / 8) * 8;
  if (length > longestHeader) {
    throw fileError(
      "G092",
      `cannot save: the names and shapes take ${length} bytes, at most ${longestHeader} are allowed`,
    );
  }
  const bytes = Buffer.alloc(8 + length, " ");
  bytes.writeBigUInt64LE(BigInt(length));
  json.copy(bytes, 8);
  return { bytes, names: sorted.map(([name]) => name) };
}

/** Takes the digest of a file in the order of its bytes, the beginning first. */
export class SafetensorsDigest {
  readonly #start: Buffer;
  readonly #hash: Hash;

  constructor({ bytes }: SafetensorsStart) {
    this.#start = bytes;
    this.#hash = createHash("sha256").update(bytes.subarray(8));
  }

  update(piece: Uint8Array): void {
    this.#hash.update(piece);
  }

  /** The beginning as it stands in the whole file. */
  finish(): Buffer {
    const bytes = Buffer.from(this.#start);
    bytes.write(digestMember(this.#hash.digest("hex")), bytes.indexOf(digestMember(noDigest)), "latin1");
    return bytes;
  }
}

/**
 * The pieces of a safetensors file: the header (its digest included), then the tensors' own memory, never copied on a
 * little-endian machine.
 * @throws GraphError G092 for a name or a metadata key that such a file can't hold, or data that does not fill its shape.
 */
export function encodeSafetensors(content: SafetensorsContent): readonly Uint8Array[] {
  for (const [name, { data, shape }] of content.tensors) {
    if (data.length !== safeProduct(shape))
      throw cannotSave(name, `${data.length} elements do not fill [${shape.join(", ")}]`);
  }
  const start = startSafetensors(content.tensors, content.metadata);
  const digest = new SafetensorsDigest(start);
  const pieces = start.names.flatMap((name) => {
    const tensor = content.tensors.get(name);
    return tensor === undefined ? [] : [littleEndianBytes(tensor)];
  });
  for (const piece of pieces) digest.update(piece);
  return [digest.finish(), ...pieces];
}

function cannotSave(name: string, reason: string): Error {
  return fileError("G092", `cannot save the tensor ${quoteName(name)}: ${reason}`);
}

/** Writes a safetensors file atomically (see `writeFileAtomic`). The tensors must not change until it is done. */
export async function writeSafetensors(path: string, content: SafetensorsContent): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(content));
}

function jsonText(text: string): string {
  // Half of a surrogate pair has no UTF-8: other readers would refuse the whole file.
  if (/\p{Surrogate}/u.test(text)) {
    throw fileError("G092", `cannot save the name or text ${quoteName(text)}: it is not well-formed Unicode`);
  }
  return JSON.stringify(text);
}

/** The elements as a safetensors file has them; on a little-endian machine they are not copied. */
export function littleEndianBytes(tensor: Pick<Tensor, "dtype" | "data">): Uint8Array {
  const bytes = bytesOf(tensor.data);
  if (!hostIsBigEndian) {
    return bytes;
  }
  const swapped = new Uint8Array(bytes);
  toHostOrder(swapped, byteSize(tensor.dtype), false);
  return swapped;
}
