/**
 * What a `train` block may say: the elaborator reads it by these tables, editors offer and explain it, and the tables of the manual are
 * made from them.
 */
export interface TrainField {
  readonly name: string;
  readonly doc: string;
  readonly value: TrainValue;
}

export type TrainValue =
  /** A signature: one that does a step, or one without updates. */
  | { readonly kind: "signature"; readonly trains: boolean }
  /** A record with a reader for each placeholder. */
  | { readonly kind: "columns" }
  /** An output of the validation. */
  | { readonly kind: "metric" }
  /** Names of scalars. */
  | { readonly kind: "scalars" }
  | { readonly kind: "integer" | "number" | "bool" | "string" }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "record"; readonly fields: readonly TrainField[] };

export const remainders = ["drop", "keep"] as const;
export const directions = ["min", "max"] as const;

function record(fields: readonly TrainField[]): TrainValue {
  return { kind: "record", fields };
}

const metric: TrainField = {
  name: "metric",
  doc: "the output of `validate`'s signature that is compared; needed",
  value: { kind: "metric" },
};
const mode: TrainField = {
  name: "mode",
  doc: "whether the least (`min`) or the greatest (`max`) is the best; `min` where left out",
  value: { kind: "words", words: directions },
};

export const validateFields: readonly TrainField[] = [
  { name: "run", doc: "a signature without updates; needed", value: { kind: "signature", trains: false } },
  { name: "data", doc: "its columns; needed", value: { kind: "columns" } },
];

export const checkpointFields: readonly TrainField[] = [
  { name: "every", doc: "steps from one checkpoint to the next", value: { kind: "integer" } },
  { name: "to", doc: "the file; `{step}` in its name is the step; needed", value: { kind: "string" } },
  { name: "keep", doc: "how many files are kept; all where left out", value: { kind: "integer" } },
];

export const bestFields: readonly TrainField[] = [
  metric,
  mode,
  { name: "to", doc: "the file; needed", value: { kind: "string" } },
];

export const earlyStoppingFields: readonly TrainField[] = [
  metric,
  mode,
  {
    name: "patience",
    doc: "validations without an improvement after which training ends; needed",
    value: { kind: "integer" },
  },
  { name: "min_delta", doc: "what an improvement must exceed; 0 where left out", value: { kind: "number" } },
];

export const reportFields: readonly TrainField[] = [
  { name: "every", doc: "steps from one report to the next; ten reports where left out", value: { kind: "integer" } },
  { name: "of", doc: "the scalars, a name or a list of names; needed", value: { kind: "scalars" } },
];

export const summaryFields: readonly TrainField[] = [
  { name: "every", doc: "steps from one report to the next; needed", value: { kind: "integer" } },
  { name: "of", doc: "the scalars; needed", value: { kind: "scalars" } },
];

export const trainFields: readonly TrainField[] = [
  { name: "run", doc: "the signature that does a step; needed", value: { kind: "signature", trains: true } },
  {
    name: "data",
    doc: "a column for each placeholder that is read from data; their first dim is the batch",
    value: { kind: "columns" },
  },
  {
    name: "validate",
    doc: "a signature without updates and its data, evaluated after each epoch",
    value: record(validateFields),
  },
  { name: "batch", doc: "rows of a step; needed with data", value: { kind: "integer" } },
  {
    name: "shuffle",
    doc: "a new order each epoch, from the seed and the epoch; `true` where left out",
    value: { kind: "bool" },
  },
  {
    name: "remainder",
    doc: "`drop` leaves out the last rows of an epoch that do not fill a batch, `keep` takes them as a smaller step; `drop` where left out",
    value: { kind: "words", words: remainders },
  },
  {
    name: "epochs",
    doc: "how often all rows are taken; with data and neither `epochs` nor `steps`, once",
    value: { kind: "integer" },
  },
  { name: "steps", doc: "how many steps, in place of `epochs`", value: { kind: "integer" } },
  { name: "checkpoint", doc: "saves the whole state each `every` steps", value: record(checkpointFields) },
  { name: "best", doc: "keeps the checkpoint whose validation is the best so far", value: record(bestFields) },
  {
    name: "early_stopping",
    doc: "ends after `patience` validations without an improvement of more than `min_delta`",
    value: record(earlyStoppingFields),
  },
  {
    name: "report",
    doc: "which scalars to print and record, and each how many steps; where left out, the outputs of `run` ten times over the training",
    value: record(reportFields),
  },
  { name: "summary", doc: "`every` serves as `report`'s where that has none", value: record(summaryFields) },
];

export function namesOf(fields: readonly TrainField[]): readonly string[] {
  return fields.map(({ name }) => name);
}

/** A function that reads the data of a column. */
export interface DataReader {
  readonly name: string;
  readonly doc: string;
  readonly parameters: readonly DataParameter[];
}

export interface DataParameter {
  readonly name: string;
  readonly doc: string;
  readonly kind: "string" | "strings" | "bool" | "dtype";
}

const path: DataParameter = {
  name: "path",
  doc: "the file, from the folder of the `.graph` file, or its `data` folder, or `--data-dir`",
  kind: "string",
};
const column = (doc: string): DataParameter => ({ name: "column", doc, kind: "string" });

export const dataReaders: readonly DataReader[] = [
  { name: "idx", doc: "an IDX file, such as MNIST's, gzipped or not", parameters: [path] },
  { name: "npy", doc: "an array of NumPy, gzipped or not", parameters: [path] },
  { name: "npz", doc: "an array of a NumPy archive", parameters: [path, column("the name of the array")] },
  {
    name: "csv",
    doc: "columns of a table, its fields between commas, semicolons or tabs",
    parameters: [
      path,
      {
        name: "column",
        doc: 'the name of a column, or a list of names: `column=["age", "height"]` is a `[N, 2]`',
        kind: "strings",
      },
      {
        name: "header",
        doc: "whether the first line names the columns; where left out, it does unless all its fields are numbers",
        kind: "bool",
      },
      { name: "dtype", doc: "the dtype of the elements", kind: "dtype" },
    ],
  },
  { name: "safetensors", doc: "a tensor of a safetensors file", parameters: [path, column("the name of the tensor")] },
  { name: "file", doc: "any of these files, told by its name and first bytes", parameters: [path] },
];

export function dataReaderNamed(name: string): DataReader | undefined {
  return dataReaders.find((reader) => reader.name === name);
}
