import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { loadGraph } from "../dsl/load.js";
import { quotePath } from "../runtime/files/errors.js";
import type { Console } from "./console.js";
import { showDiagnostics } from "./failure.js";
import { readSource, rememberSource } from "./source.js";

export interface LoadOptions {
  readonly allowPath?: readonly string[] | undefined;
}

/** A file with all its problems; a library is fine and has no graph. Throws GraphError where it cannot be read. */
export function checkFile(
  file: string,
  options: LoadOptions,
): { readonly graph: Graph | undefined; readonly diagnostics: readonly Diagnostic[] } {
  // The file named on the command line is read here: what is wrong with it as a file is told without a caret.
  readSource(file);
  const { graph, diagnostics, files } = loadGraph(file, { allowPaths: options.allowPath ?? [] });
  for (const [path, text] of files) rememberSource(path, text);
  return { graph, diagnostics };
}

/** The graph of a main file. Throws GraphError with all problems; warnings go to standard error. */
export function openGraph(console: Console, file: string, options: LoadOptions): Graph {
  const { graph, diagnostics } = checkFile(file, options);
  if (diagnostics.some(({ severity }) => severity === "error")) throw new GraphError(diagnostics);
  if (graph === undefined) {
    throw new GraphError([
      problem("G065", undefined, `${quotePath(file)} holds no graph: it is a library`, {
        hint: "name the file with the `graph NAME { ... }` that imports it",
      }),
    ]);
  }
  warn(console, diagnostics);
  return graph;
}

/** Diagnostics that do not stop a command. */
export function warn(console: Console, diagnostics: readonly Diagnostic[]): void {
  if (!console.isQuiet) showDiagnostics(console, diagnostics);
}
