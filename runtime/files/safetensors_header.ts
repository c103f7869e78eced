import type { NumericDType } from "../../compiler/ir/dtype.js";
import { fileError, quoteName, quotePath } from "./errors.js";
import { JsonError, type JsonValue, parseStrictJson } from "./json.js";
import { safeProduct } from "./memory.js";

/** A tensor as the header describes it; offsets count from the start of the data, which follows the header. */
export interface TensorEntry {
  readonly name: string;
  /** The format's own name of the type, such as "F32". */
  readonly storedType: string;
  /** Undefined where graphc has no such type; such a tensor can stand in a file but not be read. */
  readonly dtype: NumericDType | undefined;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The `__metadata__` strings. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The limit of the reference implementation (huggingface/safetensors, MAX_HEADER_SIZE). */
export const longestHeader = 100_000_000;

interface TypeFacts {
  readonly bits: number;
  readonly dtype: NumericDType | undefined;
}

/** Every type of the format, with the dtype of ours that is the same. */
const types: ReadonlyMap<string, TypeFacts> = new Map<string, TypeFacts>([
  ["F64", { bits: 64, dtype: "f64" }],
  ["F32", { bits: 32, dtype: "f32" }],
  ["F16", { bits: 16, dtype: "f16" }],
  ["BF16", { bits: 16, dtype: "bf16" }],
  ["I64", { bits: 64, dtype: "i64" }],
  ["I32", { bits: 32, dtype: "i32" }],
  ["I8", { bits: 8, dtype: "i8" }],
  ["U8", { bits: 8, dtype: "u8" }],
  ["BOOL", { bits: 8, dtype: "bool" }],
  ["U64", { bits: 64, dtype: undefined }],
  ["U32", { bits: 32, dtype: undefined }],
  ["U16", { bits: 16, dtype: undefined }],
  ["I16", { bits: 16, dtype: undefined }],
  ["C64", { bits: 64, dtype: undefined }],
  ["F8_E4M3", { bits: 8, dtype: undefined }],
  ["F8_E5M2", { bits: 8, dtype: undefined }],
  ["F8_E8M0", { bits: 8, dtype: undefined }],
  ["F6_E2M3", { bits: 6, dtype: undefined }],
  ["F6_E3M2", { bits: 6, dtype: undefined }],
  ["F4", { bits: 4, dtype: undefined }],
]);

/** The format's name of one of our dtypes. */
export function storedTypeName(dtype: NumericDType): string {
  return dtype.toUpperCase();
}

/**
 * Parses and checks a safetensors header against the number of data bytes that follow it: offsets must cover the data
 * from end to end without holes or overlaps, and agree with shapes and types, as the format demands.
 * @throws GraphError G091.
 */
export function parseSafetensorsHeader(path: string, bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const root = parseJson(path, bytes);
  if (!isMap(root)) {
    throw notRight(path, "its header is not a JSON object");
  }
  const metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, value] of root) {
    if (name === "__metadata__") {
      readMetadata(path, value, metadata);
    } else {
      entries.push(readEntry(path, name, value));
    }
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const entry of entries) {
    if (entry.begin !== expected) {
      const fault = entry.begin > expected ? "leaves a hole before" : "overlaps the tensor before";
      throw notRight(
        path,
        `the data of ${quoteName(entry.name)} ${fault} it (it begins at byte ${entry.begin}, expected ${expected})`,
      );
    }
    expected = entry.end;
  }
  if (expected > dataBytes) {
    throw fileError(
      "G091",
      `${quotePath(path)} is cut short: its header promises ${expected} bytes of data, ${dataBytes} are there`,
      "get or save the file again",
    );
  }
  if (expected < dataBytes) {
    throw notRight(path, `${dataBytes - expected} bytes follow the last tensor`);
  }
  return { tensors: new Map(entries.map((entry) => [entry.name, entry])), metadata };
}

function parseJson(path: string, bytes: Uint8Array): JsonValue {
  try {
    return parseStrictJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    if (error instanceof JsonError) {
      throw notRight(path, `its header is not JSON: ${error.message} at character ${error.offset}`);
    }
    if (error instanceof TypeError) {
      throw notRight(path, "its header is not UTF-8 text");
    }
    throw error;
  }
}

function readMetadata(path: string, value: JsonValue, metadata: Map<string, string>): void {
  if (!isMap(value)) {
    throw notRight(path, "__metadata__ is not an object");
  }
  for (const [key, text] of value) {
    if (typeof text !== "string") {
      throw notRight(path, `__metadata__ holds ${quoteName(key)}, which is not a string`);
    }
    metadata.set(key, text);
  }
}

function readEntry(path: string, name: string, value: JsonValue): TensorEntry {
  const fields = isMap(value) ? value : undefined;
  const storedType = fields?.get("dtype");
  const shape = readSizes(fields?.get("shape"));
  const offsets = readSizes(fields?.get("data_offsets"));
  const [begin, end] = offsets ?? [];
  if (
    fields?.size !== 3 ||
    typeof storedType !== "string" ||
    shape === undefined ||
    offsets?.length !== 2 ||
    begin === undefined ||
    end === undefined
  ) {
    throw notRight(path, `the entry ${quoteName(name)} is not {dtype, shape, data_offsets}`);
  }
  const facts = types.get(storedType);
  if (facts === undefined) {
    throw notRight(path, `${quoteName(name)} has the unknown type ${quoteName(storedType)}`);
  }
  const nonZero = safeProduct(shape.filter((size) => size !== 0));
  const bytes = Math.ceil((safeProduct(shape) * facts.bits) / 8);
  if (end - begin !== bytes || !Number.isFinite(nonZero)) {
    throw notRight(
      path,
      `${quoteName(name)} is ${storedType} [${shape.slice(0, 16).join(", ")}], ${bytes} bytes, but its data_offsets span ${end - begin}`,
    );
  }
  return { name, storedType, dtype: facts.dtype, shape, begin, end };
}

function readSizes(value: JsonValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(value)) {
    return undefined;
  }
  const sizes: number[] = [];
  for (const size of value) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      return undefined;
    }
    sizes.push(size + 0); // -0 becomes 0
  }
  return sizes;
}

function isMap(value: JsonValue): value is ReadonlyMap<string, JsonValue> {
  return value instanceof Map;
}

/** G091: the file is not the safetensors file that it should be. */
export function notRight(path: string, reason: string): Error {
  return fileError(
    "G091",
    `${quotePath(path)} is not a valid safetensors file: ${reason}`,
    otherFormat(path) ?? "get or save the file again",
  );
}

/** G091: the file is of another kind altogether. */
export function notSafetensors(path: string, kind: string): Error {
  const hint = "weights and checkpoints are safetensors files, as `graphc train --save PATH` writes them";
  const other = otherFormat(path);
  const message = `${quotePath(path)} is no safetensors file: it is ${kind}`;
  return fileError("G091", message, other === undefined ? hint : `${hint}; ${other}`);
}

/** How a file of another kind becomes one of safetensors. */
function otherFormat(path: string): string | undefined {
  switch (/\.\w+$/.exec(path)?.[0].toLowerCase()) {
    case ".pt":
    case ".pth":
    case ".bin":
    case ".ckpt":
      return 'PyTorch writes one with `safetensors.torch.save_file(model.state_dict(), "model.safetensors")`';
    case ".csv":
    case ".npy":
    case ".npz":
    case ".h5":
    case ".hdf5":
    case ".pkl":
    case ".onnx":
      return 'Python writes one of arrays with `safetensors.numpy.save_file({"path/of/variable": array}, "model.safetensors")`';
    default:
      return undefined;
  }
}
