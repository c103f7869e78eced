import type {
  CsvReference,
  DataReference,
  FileReference,
  IdxReference,
  NpyReference,
  NpzReference,
  RowRange,
  SafetensorsReference,
} from "../../compiler/ir/data.js";
import { InternalError } from "../../compiler/ir/diagnostic.js";
import { fileError, quotePath } from "../files/errors.js";

/** A reference to data that can be narrowed to a range of rows; nothing is read until a session needs it. */
export type Sliceable<R extends DataReference> = R & {
  /**
   * Rows `start` up to but not including `stop` (to the last where left out), counted within this reference's rows.
   * @throws GraphError G075 where the numbers are no range. Whether the file has the rows is seen when it is read.
   */
  slice(start: number, stop?: number): Sliceable<R>;
};

/** An IDX file, the format of MNIST; `path` may leave out a final `.gz`. */
export function idx(path: string): Sliceable<IdxReference> {
  return sliceable({ kind: "idx", path, rows: undefined });
}

/** A NumPy `.npy` file. */
export function npy(path: string): Sliceable<NpyReference> {
  return sliceable({ kind: "npy", path, rows: undefined });
}

/** One array of a NumPy `.npz` file; without `column` the only one, or the one named like the placeholder. */
export function npz(path: string, column?: string): Sliceable<NpzReference> {
  return sliceable({ kind: "npz", path, column, rows: undefined });
}

export interface CsvOptions {
  /** One column, as a vector. */
  readonly column?: string;
  /** Several columns, as a matrix [rows, columns]. */
  readonly columns?: readonly string[];
  /** Whether the first line holds names; found out where left out. Without names, columns are "0", "1", ... */
  readonly header?: boolean;
  /** Left out: the placeholder's dtype, else i64 where all values are integers, else f32. */
  readonly dtype?: NonNullable<CsvReference["dtype"]>;
}

/** A table of numbers in a CSV file. */
export function csv(path: string, options: CsvOptions = {}): Sliceable<CsvReference> {
  if (options.column !== undefined && options.columns !== undefined) {
    throw fileError("G079", `csv(${quotePath(path)}) is given both column and columns`, "give one of them");
  }
  const column = options.column ?? options.columns;
  return sliceable({ kind: "csv", path, column, header: options.header, dtype: options.dtype, rows: undefined });
}

/** One tensor of a safetensors file; without `column` the only one, or the one named like the placeholder. */
export function safetensors(path: string, column?: string): Sliceable<SafetensorsReference> {
  return sliceable({ kind: "safetensors", path, column, rows: undefined });
}

/**
 * What `--data NAME=` and `--feed NAME=` take: `PATH` or `PATH[a:b]`, with either number left out at will, and of a file that has
 * columns (.csv, .tsv, .npz, .safetensors) also `PATH[a:b]:COLUMN` or, of a table, `PATH[a:b]:COLUMN,COLUMN`. The format follows from the
 * extension, else from the first bytes of the file.
 * @throws GraphError G075 where the brackets hold no range, G079 where there are no columns after the colon, or too many.
 */
export function parseDataArgument(text: string): DataReference {
  const withColumns = /^(.*?\.(?:[ct]sv(?:\.gz)?|npz|safetensors)(?:\[[^[\]]*\])?):(.*)$/is.exec(text);
  const place = withColumns?.[1] ?? text;
  const match = /^(.*)\[([^[\]]*)\]$/s.exec(place);
  const path = match?.[1] ?? place;
  const rows = match?.[2] === undefined ? undefined : parseRange(place, match[2]);
  const reference = { ...referenceOf(path), rows };
  return withColumns?.[2] === undefined ? reference : withColumnsOf(text, reference, withColumns[2]);
}

/** One column is a vector, several are a matrix; a comma at the end makes a matrix of one column. */
function withColumnsOf(text: string, reference: DataReference, list: string): DataReference {
  if (/\[\d*:\d*\]$/.test(list)) {
    throw fileError("G075", `${quotePath(text)} has its rows after its columns`, "write PATH[a:b]:COLUMN,COLUMN");
  }
  const columns = splitColumns(list);
  const [only] = columns ?? [];
  if (columns === undefined || only === undefined || columns.includes("")) {
    throw fileError(
      "G079",
      `${quotePath(text)} does not end in names of columns`,
      'names stand after the colon with commas between them; one with a comma in it stands in quotes: "a,b"',
    );
  }
  switch (reference.kind) {
    case "csv":
      return { ...reference, column: columns.length === 1 && !list.endsWith(",") ? only : columns };
    case "npz":
    case "safetensors":
      if (columns.length === 1) return { ...reference, column: only };
      throw fileError(
        "G079",
        `${quotePath(text)} names ${columns.length} columns, and only those of a table can be put together`,
      );
    default:
      throw new InternalError(`columns of ${reference.kind}`);
  }
}

/** The names in `a, "b, c"`; undefined where one is empty, apart from a comma at the end. */
function splitColumns(list: string): readonly string[] | undefined {
  const names: string[] = [];
  const field = /\s*(?:"((?:[^"]|"")*)"|([^",]+?))\s*(?:,|$)/y;
  while (field.lastIndex < list.length) {
    const match = field.exec(list);
    if (match === null) return undefined;
    names.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? "").trim());
  }
  return names;
}

function parseRange(text: string, range: string): RowRange {
  const bounds = /^\s*(\d*)\s*:\s*(\d*)\s*$/.exec(range);
  if (bounds === null) {
    throw fileError(
      "G075",
      `${quotePath(text)} does not end in a range of rows`,
      "a range is [a:b], [a:] or [:b], for example [0:55000]",
    );
  }
  const start = bounds[1] === "" ? 0 : Number(bounds[1]);
  const stop = bounds[2] === "" ? undefined : Number(bounds[2]);
  return checkRange(text, start, stop);
}

function referenceOf(path: string): DataReference {
  switch (extensionOf(path)) {
    case ".npy":
      return { kind: "npy", path, rows: undefined };
    case ".npz":
      return { kind: "npz", path, column: undefined, rows: undefined };
    case ".csv":
    case ".tsv":
      return { kind: "csv", path, column: undefined, header: undefined, dtype: undefined, rows: undefined };
    case ".safetensors":
      return { kind: "safetensors", path, column: undefined, rows: undefined };
    case ".idx":
      return { kind: "idx", path, rows: undefined };
    default:
      return { kind: "file", path, rows: undefined } satisfies FileReference;
  }
}

/** The extension in lower case, one final `.gz` left out. */
function extensionOf(path: string): string {
  return /(\.[a-z0-9]+)(?:\.gz)?$/.exec(path.toLowerCase())?.[1] ?? "";
}

function sliceable<R extends DataReference>(reference: R): Sliceable<R> {
  return {
    ...reference,
    slice: (start, stop) => sliceable({ ...reference, rows: narrow(reference, start, stop) }),
  };
}

/** The rows `start:stop` of a reference's rows, in rows of the file. */
function narrow(reference: DataReference, start: number, stop: number | undefined): RowRange {
  checkRange(reference.path, start, stop);
  const outer = reference.rows ?? { start: 0, stop: undefined };
  const inner = {
    start: outer.start + start,
    stop: stop === undefined ? outer.stop : outer.start + stop,
  };
  if (outer.stop !== undefined && (inner.start > outer.stop || (inner.stop ?? 0) > outer.stop)) {
    throw fileError(
      "G075",
      `slice(${start}${stop === undefined ? "" : `, ${stop}`}) is not within the ${outer.stop - outer.start} rows that an earlier slice of ${quotePath(reference.path)} leaves`,
    );
  }
  return inner;
}

function checkRange(path: string, start: number, stop: number | undefined): RowRange {
  const valid = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!valid(start) || (stop !== undefined && (!valid(stop) || stop < start))) {
    throw fileError(
      "G075",
      `[${start}:${stop ?? ""}] of ${quotePath(path)} is not a range of rows`,
      "both ends are whole numbers from 0, the second not below the first",
    );
  }
  return { start, stop };
}
