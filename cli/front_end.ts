import type { Graph } from "../compiler/ir/graph.js";
import { loadGraph } from "../dsl/load.js";
import type { Console } from "./console.js";
import { type Checked, graphOf, type LoadOptions } from "./load.js";
import { readSource, rememberSource } from "./source.js";

/** A file read and typed, whatever the cache has. Throws GraphError where it cannot be read. `unused`: tells of what nothing reads. */
export function checkFile(file: string, options: LoadOptions, unused = false): Checked {
  // The file named on the command line is read here: what is wrong with it as a file is told without a caret.
  readSource(file);
  const { graph, diagnostics, files } = loadGraph(file, { allowPaths: options.allowPath ?? [], unused });
  for (const [path, text] of files) rememberSource(path, text);
  return { graph, diagnostics };
}

/** A graph to look at. Throws GraphError with all problems; warnings go to standard error. */
export function openGraph(console: Console, file: string, options: LoadOptions): Graph {
  return graphOf(console, file, checkFile(file, options));
}
