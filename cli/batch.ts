import { type Dim, isSymbolic, symbolsOf } from "../compiler/ir/dim.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { Graph } from "../compiler/ir/graph.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { checkRowCounts, loadData } from "../runtime/data/load.js";
import { parseDataArgument } from "../runtime/data/references.js";
import { placeholderNamed } from "../runtime/dataset.js";
import type { FeedValue } from "../runtime/feeds.js";
import type { Named, Sizes } from "./options.js";
import { trainBatch } from "./specialisation.js";

/** The first rows of a data set, as feeds. */
export interface Batch {
  readonly feeds: Readonly<Record<string, FeedValue>>;
  readonly rows: number;
  /** Of all the data. */
  readonly of: number;
}

/** Without any wish there are at most so many rows in a batch, as for `run --data`. */
const mostRows = 1000;

/**
 * The first batch of `--data`: of `batch` rows, else of the size that `--dim` gives the dim which begins the placeholders' shapes, else of the
 * train block's batch, else of all rows up to that dim's bound. Rejects with GraphError for data that are refused.
 */
export async function firstBatch(
  graph: Graph,
  signature: string,
  data: Named,
  options: { readonly batch?: number | undefined; readonly dim?: Sizes | undefined },
): Promise<Batch> {
  const references = new Map([...data].map(([name, text]) => [name, parseDataArgument(text)]));
  const placeholders = [...references].map(([name, reference]) => ({ ...placeholderNamed(graph, name), reference }));
  const columns = new Map<string, Awaited<ReturnType<typeof loadData>>>();
  for (const { name, value, reference } of placeholders) {
    const dtype = value.type.dtype as NumericDType;
    columns.set(name, await loadData(reference, { origin: "user", name, dtype }));
  }
  checkRowCounts(columns, (name) => references.get(name)?.path ?? name);
  const of = [...columns.values()][0]?.shape[0] ?? 0;
  const wanted = options.batch ?? sizeOf(placeholders[0]?.value.type.shape[0], graph, signature, options.dim);
  const rows = Math.min(of, wanted);
  const feeds = [...columns].map(([name, { dtype, shape, data: all }]): [string, FeedValue] => {
    const part = [rows, ...shape.slice(1)];
    return [name, { dtype, shape: part, data: all.slice(0, elementCount(part)) }];
  });
  return { feeds: Object.fromEntries(feeds), rows, of };
}

function sizeOf(first: Dim | undefined, graph: Graph, signature: string, given: Sizes | undefined): number {
  const [name] = first !== undefined && isSymbolic(first) ? symbolsOf(first) : [];
  const batch = trainBatch(graph, signature);
  const bound = graph.dims.find((dim) => dim.name === name)?.bound;
  return (
    (name === undefined ? undefined : given?.get(name)) ??
    (batch?.dim === name ? batch?.size : undefined) ??
    Math.min(bound ?? mostRows, mostRows)
  );
}
