import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { problem } from "../ir/codes.js";
import { type Diagnostic, GraphError } from "../ir/diagnostic.js";
import type { Graph } from "../ir/graph.js";
import { restoreGraph, type SavedGraph, saveGraph } from "../ir/saved.js";
import { debugLevel } from "../passes/debug.js";
import type { Part, ProgramStore } from "../program.js";
import { codeDigest } from "./code.js";
import { isLasting, readKept, writeKept } from "./kept.js";

/** What the front end makes of a file. */
export interface LoadedGraph {
  /** Undefined where there are errors, and for a library. */
  readonly graph: Graph | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, with its text. */
  readonly files: ReadonlyMap<string, string>;
}

export interface OpenedGraph extends LoadedGraph {
  /** Keeps what is made of the graph; undefined where nothing is to be kept. */
  readonly store: ProgramStore | undefined;
}

export interface OpenOptions {
  /** Folders besides its own that the file's imports may reach. */
  readonly allowPaths: readonly string[];
  /** The text of a file by the name that places have. Throws where it cannot be read. */
  readonly read: (file: string) => string;
  /** The front end. */
  readonly load: () => Promise<LoadedGraph>;
}

/** The graph of a main file. Throws GraphError with all problems of the file, G065 where it holds no graph. */
export function requireGraph(path: string, { graph, diagnostics }: Omit<LoadedGraph, "files">): Graph {
  if (diagnostics.some(({ severity }) => severity === "error")) throw new GraphError(diagnostics);
  if (graph !== undefined) return graph;
  const hint = "a file that runs has `graph NAME { ... }`; if this one is a library, name the file that imports it";
  throw new GraphError([problem("G065", undefined, `${JSON.stringify(path)} holds no graph`, { hint })]);
}

interface KeptGraph {
  readonly graph: SavedGraph;
  readonly diagnostics: readonly Diagnostic[];
}

const graphPart: Part<KeptGraph> = { name: "graph" };

/**
 * The graph of a file: from the cache where the file, all that it imports and graphc itself are as they were when it was kept, else
 * from the front end. Which files a file imports follows from their texts, so the list of them from last time and their texts
 * of now name the program: where an import was added, a text differs too.
 */
export async function openGraph(path: string, options: OpenOptions): Promise<OpenedGraph> {
  // Who watches the compiler wants it to work.
  const code = debugLevel() > 0 || !isLasting() ? undefined : codeDigest();
  if (code === undefined) return { ...(await options.load()), store: undefined };
  const identity = [code, path, ...[path, ...options.allowPaths].map((one) => resolve(one))].join("\n");
  const sources = `sources\n${identity}`;
  const names = readKept<readonly string[]>(sources);
  const files = names === undefined ? undefined : readAll(names, options.read);
  if (files !== undefined) {
    const store = storeOf(identity, files);
    const kept = store.read(graphPart);
    if (kept !== undefined) return { graph: restoreGraph(kept.graph), diagnostics: kept.diagnostics, files, store };
  }
  const loaded = await options.load();
  const { graph, diagnostics } = loaded;
  const saved = graph === undefined ? undefined : saveGraph(graph);
  if (saved === undefined) return { ...loaded, store: undefined };
  const store = storeOf(identity, loaded.files);
  store.write(graphPart, { graph: saved, diagnostics });
  writeKept(sources, [...loaded.files.keys()]);
  return { ...loaded, store };
}

/** Undefined where one cannot be read: the front end says so. */
function readAll(names: readonly string[], read: OpenOptions["read"]): ReadonlyMap<string, string> | undefined {
  try {
    return new Map(names.map((name) => [name, read(name)]));
  } catch {
    return undefined;
  }
}

function storeOf(identity: string, files: ReadonlyMap<string, string>): ProgramStore {
  const hash = createHash("sha256").update(identity);
  for (const [name, text] of files) hash.update(`\n${JSON.stringify(name)} ${text.length}\n`).update(text);
  const program = hash.digest("hex");
  const nameOf = (part: Part<unknown>): string => `program ${program}\n${part.name}`;
  return {
    read: (part) => readKept(nameOf(part)),
    write: (part, content) => writeKept(nameOf(part), content),
  };
}
