import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import type { CsvReference } from "../../compiler/ir/data.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import type { ByteReader } from "../files/bytes.js";
import { fileError, quoteName, quotePath } from "../files/errors.js";
import { chooseColumn, missingColumn } from "./columns.js";
import { type LoadRequest, resolveRows } from "./elements.js";
import { isDecimalComma, NumberCollector, parseNumber } from "./numbers.js";

/** Which part of a table to read. */
export interface CsvSelection {
  readonly column: CsvReference["column"];
  readonly header: boolean | undefined;
  /** The placeholder's name, which chooses a column where `column` does not. */
  readonly preferred: string | undefined;
}

/** A line is at most this long: a quote that is never closed would otherwise swallow the whole file. */
const longestRecord = 1 << 24;

/**
 * Reads columns of a CSV file (RFC 4180, UTF-8; also with `;` or tabs) as numbers: one column as [rows], several as [rows, columns].
 * @throws GraphError G076 with the line for a field that is no number or a line of another length, G079, G075, G102.
 */
export async function readCsv(reader: ByteReader, selection: CsvSelection, request: LoadRequest): Promise<Tensor> {
  const table = new TableReader(reader.name, selection, request);
  await forEachRecord(reader, (fields, line) => table.add(fields, line));
  return table.finish(request);
}

/** The names of a table's columns. */
export async function readCsvNames(reader: ByteReader, header: boolean | undefined): Promise<readonly string[]> {
  let names: readonly string[] | undefined;
  await forEachRecord(reader, (fields) => {
    names ??= hasHeader(fields, header) ? fields.map((field) => field.trim()) : fields.map((_, index) => String(index));
  });
  return names ?? [];
}

class TableReader {
  readonly #name: string;
  readonly #selection: CsvSelection;
  readonly #rows: LoadRequest["rows"];
  readonly #numbers: NumberCollector;
  #names: readonly string[] | undefined;
  #chosen: readonly number[] = [];
  #isMatrix = false;
  #rowCount = 0;
  #kept = 0;
  #blankLine: number | undefined;

  constructor(name: string, selection: CsvSelection, request: LoadRequest) {
    this.#name = name;
    this.#selection = selection;
    this.#rows = request.rows;
    this.#numbers = new NumberCollector(request.dtype, `the table ${quotePath(name)}`);
  }

  add(fields: readonly string[], line: number): void {
    if (fields.length <= 1 && (fields[0] ?? "").trim() === "") {
      // Blank lines at the end are harmless; one before more rows would shift them.
      this.#blankLine ??= line;
      return;
    }
    if (this.#blankLine !== undefined) {
      throw this.#fault(this.#blankLine, "the line is empty", "remove the line: rows follow each other");
    }
    if (this.#names === undefined) {
      const header = hasHeader(fields, this.#selection.header);
      this.#names = header ? fields.map((field) => field.trim()) : fields.map((_, index) => String(index));
      this.#choose(this.#names, header);
      if (header) {
        return;
      }
    }
    if (fields.length !== this.#names.length) {
      throw this.#fault(line, `the line has ${count(fields.length, "field")}, expected ${this.#names.length}`, alike);
    }
    const row = this.#rowCount;
    this.#rowCount += 1;
    if (row >= (this.#rows?.start ?? 0) && row < (this.#rows?.stop ?? Number.POSITIVE_INFINITY)) {
      for (const index of this.#chosen) {
        const fault = this.#numbers.add((fields[index] ?? "").trim());
        if (fault !== undefined) {
          throw this.#fault(line, `${fault}, in column ${quoteName(this.#names[index] ?? "")}`, chosen);
        }
      }
      this.#kept += 1;
    }
  }

  finish(request: LoadRequest): Tensor {
    if (this.#names === undefined) {
      throw fileError("G071", `${quotePath(this.#name)} is empty, expected a table of numbers`);
    }
    resolveRows(this.#rows, this.#rowCount, this.#name);
    const dtype: NumericDType = this.#numbers.dtype;
    const data = request.into(dtype, this.#numbers.count);
    this.#numbers.store(data);
    return { dtype, shape: this.#isMatrix ? [this.#kept, this.#chosen.length] : [this.#kept], data };
  }

  #choose(names: readonly string[], header: boolean): void {
    const { column, preferred } = this.#selection;
    if (column === undefined && !header && names.length > 1) {
      this.#chosen = names.map((_, index) => index);
      this.#isMatrix = true;
      return;
    }
    const wanted = typeof column === "object" ? column : [chooseColumn(this.#name, names, column, preferred)];
    this.#isMatrix = typeof column === "object";
    this.#chosen = wanted.map((name) => {
      const index = names.indexOf(name);
      if (index < 0) {
        throw missingColumn(this.#name, names, name);
      }
      if (names.indexOf(name, index + 1) >= 0) {
        throw fileError(
          "G079",
          `${quotePath(this.#name)} has two columns named ${quoteName(name)}`,
          "rename one of them",
        );
      }
      return index;
    });
  }

  #fault(line: number, message: string, hint: string): Error {
    return fileError("G076", `${quotePath(this.#name)}, line ${line}: ${message}`, hint);
  }
}

const alike = "each line has as many fields as the first; a field that has the separator in it stands in quotes";
const chosen =
  "numbers stand in what is read: `--data NAME=PATH:COLUMN,...`, or `column=` of `csv`, chooses the columns";
const quoting = 'a field in quotes ends with its quote; one inside of it is doubled: "a ""word"""';

function hasHeader(fields: readonly string[], header: boolean | undefined): boolean {
  return header ?? !fields.every((field) => parseNumber(field.trim()) !== undefined || isDecimalComma(field.trim()));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

async function forEachRecord(
  reader: ByteReader,
  use: (fields: readonly string[], line: number) => void,
): Promise<void> {
  const source = pieces(reader);
  const start = await source.next();
  const beginning = start.done === true ? Buffer.alloc(0) : Buffer.from(start.value);
  const parser = parse({
    bom: true,
    delimiter: separatorOf(beginning.toString("utf8")),
    // The lengths of lines are checked here, with messages of our own.
    relax_column_count: true,
    max_record_size: longestRecord,
    on_record: (record: string[], context) => {
      use(record, context.lines);
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(Readable.from(after(beginning, source)), parser);
  } catch (error) {
    if (error instanceof CsvError) {
      const line = "lines" in error && typeof error.lines === "number" ? `, line ${error.lines}` : "";
      throw fileError("G076", `${quotePath(reader.name)}${line}: ${csvReason(error)}`, quoting);
    }
    throw error;
  }
}

/**
 * What stands between the fields, by the first line: commas, else semicolons or tabs, as programs write them for countries with a
 * decimal comma and for spreadsheets.
 */
function separatorOf(text: string): "," | ";" | "\t" {
  const line = /^[^\r\n]*[^\s][^\r\n]*/m.exec(text)?.[0] ?? "";
  const bare = line.replaceAll(/"(?:[^"]|"")*"/g, "");
  const count = (sign: string): number => bare.split(sign).length - 1;
  const other = count("\t") > count(";") ? "\t" : ";";
  if (count(other) === 0) return ",";
  const areDecimals = bare.split(other).every((field) => /^\s*[+-]?\d+(?:,\d+)?\s*$/.test(field));
  return count(",") === 0 || areDecimals ? other : ",";
}

async function* after(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function csvReason(error: CsvError): string {
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return "a quoted field is not closed before the file ends";
    case "CSV_MAX_RECORD_SIZE":
      return `the line is longer than ${longestRecord} characters; is a quote not closed?`;
    case "CSV_INVALID_CLOSING_QUOTE":
      return "a quoted field goes on after its closing quote";
    case "INVALID_OPENING_QUOTE":
      return "a quote stands inside a field that does not begin with one";
    default:
      return error.message;
  }
}

async function* pieces(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = new Uint8Array(1 << 18);
    const found = await reader.fill(piece);
    if (found > 0) {
      yield piece.subarray(0, found);
    }
    if (found < piece.length) {
      return;
    }
  }
}
