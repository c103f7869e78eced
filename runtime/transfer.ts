import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { readWeights } from "./files/checkpoint.js";
import { compareWithModel } from "./files/compare.js";
import { fileError, quotePath } from "./files/errors.js";
import type { VariableStore } from "./variables.js";

/** What a file of another model gave: paths of variables, in the order of the graph. */
export interface Transfer {
  readonly set: readonly string[];
  /** The model's variables that the file has not: they are as they were. */
  readonly kept: readonly string[];
}

/**
 * Sets the variables that a file of weights has under the same paths, as for fine-tuning; slots of optimizers begin anew. Throws
 * GraphError G090, and changes nothing, where there are none or one has another dtype or shape.
 */
export async function transfer(graph: Graph, variables: VariableStore, path: string): Promise<Transfer> {
  const loaded = await readWeights(path);
  const found = loaded.kind === "checkpoint" ? loaded.checkpoint.variables : loaded.variables;
  const isSlot = (name: string): boolean =>
    [...graph.training.updates.keys()].some((update) => name.startsWith(`${update}/`));
  const own = [...variables.expected()].filter(([name]) => !isSlot(name));
  const shared = own.filter(([name]) => found.has(name));
  const set = shared.map(([name]) => name);
  if (set.length === 0) {
    const all = compareWithModel(path, found, new Map(own));
    throw all.length > 0
      ? new GraphError(all)
      : fileError("G090", `${quotePath(path)} fits this model, which has no variables`, "leave the weights out");
  }
  const problems = compareWithModel(path, found, new Map(shared), { allowUnexpected: true });
  if (problems.length > 0) throw new GraphError(problems);
  for (const [name, tensor] of found) if (set.includes(name)) variables.set(name, tensor);
  return { set, kept: own.map(([name]) => name).filter((name) => !found.has(name)) };
}
