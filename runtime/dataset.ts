import { dirname } from "node:path";
import type { StorageBlock, TargetMemory } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import type { DataReference } from "../compiler/ir/data.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import { isSymbolic } from "../compiler/ir/dim.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { DataSource, Graph, Placeholder } from "../compiler/ir/graph.js";
import { copyElements, elementCount } from "../compiler/ir/tensor.js";
import { typeText } from "../compiler/ir/type.js";
import { checkRowCounts, findData, type LoadContext, loadData } from "./data/load.js";
import { placedAt } from "./failure.js";
import { type FeedValue, readFeed } from "./feeds.js";
import type { PathContext } from "./files/paths.js";
import { noPlaceholder } from "./requests.js";

/** A column of training data: a file by `idx(...)`, `csv(...)` and so on, or values as for a feed. */
export type ColumnValue = DataReference | FeedValue;

/** Where files are looked for, and which folders a `.graph` file's own paths may lead to. */
export interface DataFolders {
  readonly dataDir?: string | undefined;
  readonly allow?: readonly string[] | undefined;
}

/** Whole columns in the target's memory; a row has the placeholder's shape less its first axis. */
export interface Dataset {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, StorageBlock>;
  /** The placeholders' shapes with the whole data set in them. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly free: () => void;
}

/** Reads columns straight into the target's memory. Throws GraphError for files, shapes, dtypes and row counts that do not fit. */
export async function loadDataset(
  graph: Graph,
  memory: TargetMemory,
  sources: ReadonlyMap<string, DataSource | ColumnValue>,
  folders: DataFolders,
): Promise<Dataset> {
  await requireSources(graph, sources, folders);
  const columns = new Map<string, StorageBlock>();
  const tensors = new Map<string, { dtype: NumericDType; shape: readonly number[]; data: StorageBlock["data"] }>();
  const blocks: StorageBlock[] = [];
  const free = (): void => {
    for (const block of blocks) block.free();
    columns.clear();
  };
  try {
    for (const [name, source] of sources) {
      const placeholder = placeholderNamed(graph, name);
      const into = (dtype: NumericDType, length: number): StorageBlock["data"] => {
        const block = memory.allocate(dtype, length);
        blocks.push(block);
        columns.set(name, block);
        return block.data;
      };
      const reference = referenceOf(source);
      const tensor =
        reference === undefined
          ? fromValue(placeholder, source as FeedValue, into)
          : await placedAt(isPlanned(source) ? source.span : undefined, () =>
              loadData(reference, contextOf(graph, placeholder, source, folders), into),
            );
      requireFit(placeholder, tensor, reference?.path);
      tensors.set(name, tensor);
    }
    checkRowCounts(tensors, (name) => referenceOf(sources.get(name))?.path ?? name);
  } catch (error) {
    free();
    throw error;
  }
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const [first] = shapes.values();
  return { rows: first?.[0] ?? 0, columns, shapes, free };
}

/** Sees that all names are placeholders and all files are there, before the first is read. Throws GraphError with all problems. */
async function requireSources(
  graph: Graph,
  sources: ReadonlyMap<string, DataSource | ColumnValue>,
  folders: DataFolders,
): Promise<void> {
  const problems: Diagnostic[] = [];
  const keep = (error: unknown): void => {
    if (!(error instanceof GraphError)) throw error;
    problems.push(...error.diagnostics);
  };
  // What the command line or a program gives comes first: it is what was just written.
  const inOrder = [...sources].sort(([, a], [, b]) => Number(isPlanned(a)) - Number(isPlanned(b)));
  for (const [name, source] of inOrder) {
    try {
      placeholderNamed(graph, name);
    } catch (error) {
      keep(error);
    }
    const reference = referenceOf(source);
    if (reference === undefined) continue;
    const span = isPlanned(source) ? source.span : undefined;
    await placedAt(span, () => findData(reference, pathsOf(graph, source, folders))).catch(keep);
  }
  if (problems.length > 0) throw new GraphError(problems);
}

/** The placeholder of this name. Throws GraphError G083, with the nearest. */
export function placeholderNamed(graph: Graph, name: string): Placeholder {
  const placeholder = graph.placeholders.find((candidate) => candidate.name === name);
  if (placeholder !== undefined) return placeholder;
  throw new GraphError([noPlaceholder(graph, name)]);
}

function fromValue(
  placeholder: Placeholder,
  value: FeedValue,
  into: (dtype: NumericDType, length: number) => StorageBlock["data"],
) {
  const feed = readFeed(placeholder, value);
  const dtype = placeholder.value.type.dtype as NumericDType;
  const data = into(dtype, feed.data.length);
  copyElements(data, feed.data);
  return { dtype, shape: feed.shape, data };
}

function isReference(source: ColumnValue): source is DataReference {
  return typeof source === "object" && source !== null && "kind" in source && "path" in source;
}

function isPlanned(source: DataSource | ColumnValue): source is DataSource {
  return typeof source === "object" && source !== null && "reference" in source;
}

function referenceOf(source: DataSource | ColumnValue | undefined): DataReference | undefined {
  if (source === undefined) return undefined;
  if (isPlanned(source)) return source.reference;
  return isReference(source) ? source : undefined;
}

/** A path in the file resolves from its folder and stays there; one that the user gives resolves from the working directory. */
function contextOf(
  graph: Graph,
  placeholder: Placeholder,
  source: DataSource | ColumnValue,
  folders: DataFolders,
): LoadContext {
  return {
    ...pathsOf(graph, source, folders),
    name: placeholder.name,
    dtype: placeholder.value.type.dtype as NumericDType,
  };
}

function pathsOf(graph: Graph, source: DataSource | ColumnValue, folders: DataFolders): PathContext {
  const inFile = isPlanned(source);
  return {
    origin: inFile ? "file" : "user",
    baseDir: inFile ? dirname(graph.file) : undefined,
    dataDir: folders.dataDir,
    allow: folders.allow ?? [],
  };
}

function requireFit(
  placeholder: Placeholder,
  tensor: { readonly dtype: NumericDType; readonly shape: readonly number[] },
  path: string | undefined,
): void {
  const { type } = placeholder.value;
  const from = path === undefined ? "its data" : JSON.stringify(path);
  const declared = `\`${placeholder.name}\` is ${typeText(type)}`;
  const found = `${tensor.dtype}[${tensor.shape.join(", ")}]`;
  const refuse = (detail: string, hint?: string): GraphError =>
    new GraphError([
      problem("G074", placeholder.span, `${declared}, but ${from} is ${found}: ${detail}`, {
        label: "declared here",
        hint,
      }),
    ]);
  if (tensor.dtype !== type.dtype) {
    throw refuse(
      "the dtypes differ",
      `declare it as ${tensor.dtype} and \`cast(${placeholder.name}, to=${type.dtype})\``,
    );
  }
  if (tensor.shape.length !== type.shape.length || tensor.shape.length === 0) {
    throw refuse(
      tensor.shape.length === 0
        ? "a scalar has no rows"
        : `it has ${tensor.shape.length === 1 ? "1 axis" : `${tensor.shape.length} axes`}, not ${type.shape.length}`,
    );
  }
  const row = type.shape.slice(1);
  row.forEach((dim, index) => {
    if (!isSymbolic(dim) && dim !== tensor.shape[index + 1])
      throw refuse(`its rows have another shape (axis ${index + 1})`);
  });
  if (elementCount(tensor.shape.slice(1)) === 0) throw refuse("its rows are empty");
}
