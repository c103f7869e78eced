import type { Graph, Update, Variable } from "./graph.js";
import { nodesBelow, type Value } from "./node.js";

/** What becomes of a variable in all runs: which updates give it new values, and whether by its gradient. */
export interface Fate {
  readonly kind: "trained" | "assigned" | "kept";
  /** Those that train it, else those that assign it; none where only a call of a function does. */
  readonly updates: readonly string[];
}

/** What becomes of each variable of a graph, by its path. An update trains what it assigns, and takes a gradient by. */
export function fatesOf(graph: Graph): ReadonlyMap<string, Fate> {
  const { updates, callUpdates } = graph.training;
  const blocks = [...updates.values()].map((update) => ({ update, sloped: slopedIn(update) }));
  const inCalls = new Set(callUpdates.flatMap(({ assignments }) => assignments.map(({ path }) => path)));
  const fateOf = ({ path, value }: Variable): Fate => {
    const assigning = blocks.filter(({ update }) => update.assignments.some((one) => one.path === path));
    const training = assigning.filter(({ sloped }) => sloped.has(value));
    const kind = training.length > 0 ? "trained" : assigning.length > 0 || inCalls.has(path) ? "assigned" : "kept";
    return { kind, updates: (training.length > 0 ? training : assigning).map(({ update }) => update.name) };
  };
  return new Map(graph.variables.map((variable) => [variable.path, fateOf(variable)]));
}

/** What an update takes gradients by. */
function slopedIn({ assignments }: Update): ReadonlySet<Value> {
  const nodes = nodesBelow(assignments.map(({ value }) => value));
  return new Set(nodes.flatMap(({ op, inputs }) => (op === "gradients" ? inputs.slice(1) : [])));
}
