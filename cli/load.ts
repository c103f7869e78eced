import { openGraph, requireGraph } from "../compiler/cache/programs.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { ProgramStore } from "../compiler/program.js";
import { pathOfSource, readFileFromDisk } from "../dsl/standard.js";
import type { Console } from "./console.js";
import { showDiagnostics } from "./failure.js";
import { readSource, rememberSource } from "./source.js";

export interface LoadOptions {
  readonly allowPath?: readonly string[] | undefined;
}

/** A file with all its problems; a library is fine and has no graph. */
export interface Checked {
  readonly graph: Graph | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A graph to run, from the cache where it is known, and where what is made of it is kept. Rejects with GraphError as
 * `graphOf` throws, and where the file cannot be read.
 */
export async function openModel(
  console: Console,
  file: string,
  options: LoadOptions,
): Promise<{ readonly graph: Graph; readonly store: ProgramStore | undefined }> {
  // The file named on the command line is read here: what is wrong with it as a file is told without a caret.
  readSource(file);
  const allowPaths = options.allowPath ?? [];
  const opened = await openGraph(file, {
    allowPaths,
    read: (name) => readFileFromDisk(pathOfSource(name)),
    load: async () => (await import("../dsl/load.js")).loadGraph(file, { allowPaths }),
  });
  for (const [path, text] of opened.files) rememberSource(path, text);
  return { graph: graphOf(console, file, opened), store: opened.store };
}

/** The graph of a main file. Throws GraphError with all problems; warnings go to standard error. */
export function graphOf(console: Console, file: string, checked: Checked): Graph {
  const graph = requireGraph(file, checked);
  warn(console, checked.diagnostics);
  return graph;
}

/** Diagnostics that do not stop a command. */
export function warn(console: Console, diagnostics: readonly Diagnostic[]): void {
  if (!console.isQuiet) showDiagnostics(console, diagnostics);
}
