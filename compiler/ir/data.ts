/**
 * Where data comes from, as plain data: what `idx("images")[0:55000]` in a file, `--data image=PATH[a:b]` and the
 * constructors in TypeScript all come down to. The runtime reads it.
 */

/** Rows `start` up to but not including `stop`; to the last row where `stop` is undefined. */
export interface RowRange {
  readonly start: number;
  readonly stop: number | undefined;
}

export type DataReference =
  | IdxReference
  | NpyReference
  | NpzReference
  | CsvReference
  | SafetensorsReference
  | FileReference;

interface ReferenceBase {
  readonly path: string;
  /** All rows where undefined. */
  readonly rows: RowRange | undefined;
}

/** The format of MNIST: one array. */
export interface IdxReference extends ReferenceBase {
  readonly kind: "idx";
}

/** NumPy's format for one array. */
export interface NpyReference extends ReferenceBase {
  readonly kind: "npy";
}

/** NumPy's zip of named arrays. Without `column`: the only one, or the one named like the placeholder. */
export interface NpzReference extends ReferenceBase {
  readonly kind: "npz";
  readonly column: string | undefined;
}

/** A table of numbers. */
export interface CsvReference extends ReferenceBase {
  readonly kind: "csv";
  /**
   * One name gives a vector [rows], a list a matrix [rows, names]. A table without a header has the names "0", "1", ...
   * Undefined: the column named like the placeholder, else the whole table where it has no header or one column.
   */
  readonly column: string | readonly string[] | undefined;
  /** Whether the first line holds names; undefined: it does unless every field of it is a number. */
  readonly header: boolean | undefined;
  /** Read the text as this dtype; undefined: as the placeholder's, else i64 where all are integers, else f32. */
  readonly dtype: "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i8" | "u8" | "bool" | undefined;
}

export interface SafetensorsReference extends ReferenceBase {
  readonly kind: "safetensors";
  readonly column: string | undefined;
}

/** A file whose format its name or its first bytes tell. */
export interface FileReference extends ReferenceBase {
  readonly kind: "file";
}
