import type { CsvReference, DataReference, RowRange } from "../../compiler/ir/data.js";
import { isDType } from "../../compiler/ir/dtype.js";
import type { Hint } from "../../compiler/ir/fix.js";
import type { DataSource } from "../../compiler/ir/graph.js";
import type { Argument, Call, Expression, Index } from "../ast.js";
import { didYouMean, quote } from "../diagnostics.js";
import { attempt } from "./expressions.js";
import { type Env, refusal } from "./state.js";
import { dataReaders } from "./train_fields.js";

/** Data of a `train` block: `idx("train-images-idx3-ubyte")[0:55000]`. Files are looked at only when it runs. */

const readers: ReadonlyMap<string, readonly string[]> = new Map(
  dataReaders.map(({ name, parameters }) => [name, parameters.map((one) => one.name)]),
);

const largestRow = 2 ** 48;

/** Reports and gives undefined where the expression names no data. */
export function dataSource(env: Env, expression: Expression): DataSource | undefined {
  return attempt(env, () => {
    const index = expression.kind === "index" ? expression : undefined;
    const base = index === undefined ? expression : index.target;
    if (base.kind !== "call") {
      throw refusal(env, "G046", expression.span, "data are read from a file", {
        hint: '`idx("images")`, `npy`, `npz`, `csv`, `safetensors` or `file`',
      });
    }
    const rows = index === undefined ? undefined : rowRange(env, index);
    return { reference: reference(env, base, rows), span: expression.span };
  });
}

function rowRange(env: Env, index: Index): RowRange {
  const [slice, ...others] = index.items;
  if (slice?.kind !== "slice" || others.length > 0 || slice.step !== undefined) {
    throw refusal(env, "G046", index.span, "rows are a range `[start:stop]`");
  }
  const bound = (part: Expression | undefined): number | undefined => {
    if (part === undefined) return undefined;
    if (part.kind === "integer" && part.value <= BigInt(largestRow)) return Number(part.value);
    throw refusal(env, "G046", part.span, "a row is an integer of at least 0");
  };
  const start = bound(slice.start) ?? 0;
  const stop = bound(slice.stop);
  if (stop !== undefined && stop < start) throw refusal(env, "G046", slice.span, "the rows end before they start");
  return { start, stop };
}

function reference(env: Env, call: Call, rows: RowRange | undefined): DataReference {
  const kind = call.callee.text;
  const parameters = readers.get(kind);
  if (parameters === undefined) {
    const hint = didYouMean(kind, readers.keys()) ?? `the readers are ${[...readers.keys()].join(", ")}`;
    throw refusal(env, "G012", call.callee.span, `unknown reader ${quote(kind)}`, { hint });
  }
  const given = new Map<string, Argument>();
  call.arguments.forEach((argument, i) => {
    const name = argument.name?.name ?? parameters[i];
    if (name === undefined || !parameters.includes(name) || given.has(name)) {
      const takes = `\`${kind}\` takes ${parameters.map((p) => `\`${p}\``).join(", ")}`;
      throw refusal(env, "G030", argument.span, takes, { hint: argumentHint(argument.name?.name, parameters) });
    }
    given.set(name, argument);
  });
  const path = text(env, given.get("path"));
  if (path === undefined) throw refusal(env, "G030", call.span, `\`${kind}\` needs the path of a file`);
  switch (kind) {
    case "idx":
    case "npy":
    case "file":
      return { kind, path, rows };
    case "npz":
    case "safetensors":
      return { kind, path, rows, column: text(env, given.get("column")) };
    default:
      return {
        kind: "csv",
        path,
        rows,
        column: columns(env, given.get("column")),
        header: truth(env, given.get("header")),
        dtype: dtype(env, given.get("dtype")),
      };
  }
}

/** Which parameter a name was meant for. */
function argumentHint(name: string | undefined, parameters: readonly string[]): Hint | undefined {
  if (name === undefined) return undefined;
  if (/^(?:columns|usecols|cols|col|names)$/.test(name) && parameters.includes("column"))
    return 'one column is `column="price"`, several are `column=["width", "height"]`';
  return didYouMean(name, parameters);
}

function text(env: Env, argument: Argument | undefined): string | undefined {
  if (argument === undefined) return undefined;
  if (argument.value.kind === "string") return argument.value.value;
  throw refusal(env, "G031", argument.value.span, "a string is needed here");
}

function truth(env: Env, argument: Argument | undefined): boolean | undefined {
  if (argument === undefined) return undefined;
  if (argument.value.kind === "boolean") return argument.value.value;
  throw refusal(env, "G031", argument.value.span, "`true` or `false` is needed here");
}

function columns(env: Env, argument: Argument | undefined): CsvReference["column"] {
  if (argument?.value.kind !== "list") return text(env, argument);
  return argument.value.items.map((item) => {
    if (item.kind === "string") return item.value;
    throw refusal(env, "G031", item.span, "the name of a column is a string");
  });
}

function dtype(env: Env, argument: Argument | undefined): CsvReference["dtype"] {
  if (argument === undefined) return undefined;
  const { value } = argument;
  const name = value.kind === "reference" ? value.text : "";
  if (isDType(name) && name !== "string") return name;
  throw refusal(env, "G031", value.span, "a dtype such as `f32` is needed here");
}
