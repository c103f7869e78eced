import type { DataReference } from "../../compiler/ir/data.js";
import { GraphError, unreachable } from "../../compiler/ir/diagnostic.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { type ByteReader, openBytes } from "../files/bytes.js";
import { fileDiagnostic, fileError, quoteName, quotePath } from "../files/errors.js";
import { type Allocator, allocateArray } from "../files/memory.js";
import { type PathContext, resolveDataPath } from "../files/paths.js";
import { openSafetensors } from "../files/safetensors.js";
import { chooseColumn } from "./columns.js";
import type { LoadRequest } from "./elements.js";
import { readIdx } from "./idx.js";
import { readNpy } from "./npy.js";

// What reads .csv and .npz stands on packages that take long to load: it is, when such a file is read.

/** Where a reference's path resolves from, and what the data are for. */
export interface LoadContext extends PathContext {
  /** The placeholder that the data feed: it chooses a column where the reference names none. */
  readonly name?: string | undefined;
  /** The placeholder's dtype: text is read as it. Binary files keep the dtype they store. */
  readonly dtype?: NumericDType | undefined;
}

/** Named columns, such as the arrays of an .npz file or the columns of a table. */
export interface DataSource {
  readonly columns: ReadonlyMap<string, Tensor>;
}

/**
 * Reads the data that a reference names. Rows outside its range are passed over, and the memory comes from `into`, asked
 * for once, after the file's claims have been checked: so rows go straight to where they shall lie.
 * @throws GraphError G063, G064, G070 (the path), G071, G072, G076 to G079 (the file), G075 (rows), G102 (memory).
 */
export async function loadData(
  reference: DataReference,
  context: LoadContext,
  into: Allocator = allocateArray,
): Promise<Tensor> {
  const path = await findData(reference, context);
  return loadFile(await settleFormat(reference, path), path, context, into);
}

/** Where the file of a reference lies. @throws GraphError G063, G064, G070. */
export function findData(reference: DataReference, context: PathContext): Promise<string> {
  return resolveDataPath(reference.path, context, mayBeGzipped(reference) ? ["", ".gz"] : [""]);
}

/**
 * Reads several columns and sees that they have the same number of rows.
 * @throws GraphError as `loadData`, and G073 where the numbers of rows differ.
 */
export async function loadDataSet(
  references: ReadonlyMap<string, DataReference>,
  contextOf: (name: string) => LoadContext,
  into: (name: string) => Allocator = () => allocateArray,
): Promise<DataSource> {
  const columns = new Map<string, Tensor>();
  for (const [name, reference] of references) {
    columns.set(name, await loadData(reference, { name, ...contextOf(name) }, into(name)));
  }
  checkRowCounts(columns, (name) => references.get(name)?.path ?? name);
  return { columns };
}

/** Sees that all columns have the same number of rows. @throws GraphError G073 with a note for each. */
export function checkRowCounts(columns: ReadonlyMap<string, Tensor>, pathOf: (name: string) => string): void {
  const counts = [...columns].map(([name, tensor]) => ({ name, rows: tensor.shape[0] }));
  const [first] = counts;
  const other = counts.find(({ rows }) => rows !== first?.rows);
  if (first === undefined || other === undefined) {
    return;
  }
  const say = ({ name, rows }: { name: string; rows: number | undefined }): string =>
    `${quoteName(name)} has ${rows === undefined ? "no rows (it is a scalar)" : `${rows} rows`}, from ${quotePath(pathOf(name))}`;
  throw new GraphError([
    {
      ...fileDiagnostic(
        "G073",
        `the columns differ in length: ${say(first)}; ${say(other)}`,
        "take the same range of rows of each, such as [0:1000]",
      ),
      notes: counts.map((count) => ({ span: undefined, message: say(count) })),
    },
  ]);
}

/** Reads all columns of a file; a file of one array has the column "data". */
export async function readDataSource(path: string, context: LoadContext): Promise<DataSource> {
  const reference: DataReference = { kind: "file", path, rows: undefined };
  const found = await resolveDataPath(path, context, ["", ".gz"]);
  const settled = await settleFormat(reference, found);
  const columns = new Map<string, Tensor>();
  for (const column of await columnNames(settled, found)) {
    const named = "column" in settled ? { ...settled, column } : settled;
    columns.set(column, await loadFile(named, found, context, allocateArray));
  }
  return { columns };
}

type SettledReference = Exclude<DataReference, { kind: "file" }>;

async function loadFile(
  reference: SettledReference,
  path: string,
  context: LoadContext,
  into: Allocator,
): Promise<Tensor> {
  const request: LoadRequest = { rows: reference.rows, dtype: undefined, into };
  switch (reference.kind) {
    case "idx":
      return withReader(path, (reader) => readIdx(reader, request));
    case "npy":
      return withReader(path, (reader) => readNpy(reader, request));
    case "csv": {
      const { column, header, dtype } = reference;
      const selection = { column, header, preferred: context.name };
      const { readCsv } = await import("./csv.js");
      return withReader(path, (reader) => readCsv(reader, selection, { ...request, dtype: dtype ?? context.dtype }));
    }
    case "npz": {
      const file = await (await import("./npz.js")).openNpz(path);
      try {
        return await file.load(chooseColumn(path, [...file.columns.keys()], reference.column, context.name), request);
      } finally {
        file.close();
      }
    }
    case "safetensors": {
      const file = await openSafetensors(path);
      try {
        const names = [...file.header.tensors.keys()];
        return await file.read(chooseColumn(path, names, reference.column, context.name), request);
      } finally {
        await file.close();
      }
    }
    default:
      return unreachable(reference);
  }
}

async function columnNames(reference: SettledReference, path: string): Promise<readonly string[]> {
  switch (reference.kind) {
    case "idx":
    case "npy":
      return ["data"];
    case "csv": {
      const { readCsvNames } = await import("./csv.js");
      return withReader(path, (reader) => readCsvNames(reader, reference.header));
    }
    case "npz": {
      const file = await (await import("./npz.js")).openNpz(path);
      file.close();
      return [...file.columns.keys()];
    }
    case "safetensors": {
      const file = await openSafetensors(path);
      await file.close();
      return [...file.header.tensors.keys()];
    }
    default:
      return unreachable(reference);
  }
}

function mayBeGzipped(reference: DataReference): boolean {
  return reference.kind !== "npz" && reference.kind !== "safetensors";
}

async function withReader<T>(path: string, read: (reader: ByteReader) => Promise<T>): Promise<T> {
  const reader = await openBytes(path);
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

/** Decides by the extension, else by the first bytes, which format a file has. @throws GraphError G071. */
async function settleFormat(reference: DataReference, path: string): Promise<SettledReference> {
  if (reference.kind !== "file") {
    return reference;
  }
  const { path: written, rows } = reference;
  const extension = /(\.[a-z0-9]+)(?:\.gz)?$/.exec(path.toLowerCase())?.[1];
  const magic = await withReader(path, async (reader) => {
    const bytes = new Uint8Array(8);
    return Buffer.from(bytes.subarray(0, await reader.fill(bytes)));
  });
  if (magic.subarray(0, 6).toString("latin1") === "\x93NUMPY") {
    return { kind: "npy", path: written, rows };
  }
  if (magic.subarray(0, 4).toString("latin1") === "PK\x03\x04") {
    return { kind: "npz", path: written, column: undefined, rows };
  }
  if (extension === ".safetensors") {
    return { kind: "safetensors", path: written, column: undefined, rows };
  }
  if (extension === ".csv" || extension === ".tsv") {
    return { kind: "csv", path: written, column: undefined, header: undefined, dtype: undefined, rows };
  }
  if (magic.length >= 4 && magic.readUInt16BE(0) === 0) {
    return { kind: "idx", path: written, rows };
  }
  throw fileError(
    "G071",
    `${quotePath(path)} has no format that is known here, neither by its name nor by its first bytes`,
    "known are IDX, .npy, .npz, .csv and .safetensors; IDX and .npy may be gzipped",
  );
}
