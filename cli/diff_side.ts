import type { Graph, Mode } from "../compiler/ir/graph.js";
import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import type { SourceScope } from "../compiler/ir/sources.js";
import { literalOf, scopesAround } from "./node_texts.js";

/** One of two graphs that are compared, in one training mode. */
export interface Side {
  readonly graph: Graph;
  readonly mode: Mode;
  readonly roots: readonly Value[];
  /** All ops that `roots` reach, those of loops too, without literals. */
  readonly nodes: readonly Node[];
  readonly users: ReadonlyMap<Node, readonly Node[]>;
  /** What the mode calls the values of a node, the shortest first. */
  readonly names: ReadonlyMap<Node, readonly string[]>;
  /** How many of the nodes a call, scope or update made; not what runs are given. */
  readonly sizes: ReadonlyMap<SourceScope, number>;
}

/** What no op computes. */
export const givenOps: ReadonlySet<string> = new Set(["variable", "placeholder", "parameter", "run_state"]);

export function sideOf(graph: Graph, roots: readonly Value[], mode: Mode): Side {
  const nodes = nodesBelow(roots).filter((node) => literalOf(node) === undefined);
  const users = new Map<Node, Node[]>();
  for (const node of nodes) {
    const given = [...node.inputs, ...node.regions.flatMap(({ results }) => results)];
    for (const input of new Set(given.map((value) => value.node))) append(users, input, node);
  }
  const names = new Map<Node, string[]>();
  for (const [name, { node }] of [...mode.names].sort(([a], [b]) => a.length - b.length)) append(names, node, name);
  const sizes = new Map<SourceScope, number>();
  for (const node of nodes.filter(({ op }) => !givenOps.has(op)))
    for (const scope of scopesAround(node, graph.sources)) sizes.set(scope, (sizes.get(scope) ?? 0) + 1);
  return { graph, mode, roots, nodes, users, names, sizes };
}

/** All that runs of a graph can compute in one mode: its edges, and what its updates assign. */
export function computedBy(
  { placeholders, variables }: Graph,
  { names, updates, callUpdates }: Mode,
): readonly Value[] {
  const assigned = [...updates.values(), ...callUpdates].flatMap(({ assignments }) => assignments);
  const all = [...placeholders, ...variables, ...assigned].map(({ value }) => value);
  return [...new Set([...all, ...names.values()])];
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The name of a statement: what stands before the calls in it. `hidden/relu/y` is of the statement `hidden`. */
export function statementOf(path: string): string {
  const end = path.indexOf("/");
  return end < 0 ? path : path.slice(0, end);
}

/** What people call a node: by its statement, else by that of the nearest value that is made from it. */
export function labelOf(node: Node, { names, users, graph }: Side): string {
  const update = scopesAround(node, graph.sources).find(({ kind }) => kind === "update");
  if (update !== undefined) return update.path;
  const path = String(node.attributes["path"] ?? node.attributes["name"] ?? "");
  if ((node.op === "variable" || node.op === "placeholder") && path !== "") return path;
  const seen = new Set([node]);
  const queue = [node];
  for (let at = queue.shift(); at !== undefined && seen.size < mostSearched; at = queue.shift()) {
    const name = names.get(at)?.[0];
    if (name !== undefined) return statementOf(name);
    for (const user of users.get(at) ?? []) {
      if (seen.has(user)) continue;
      seen.add(user);
      queue.push(user);
    }
  }
  const [outermost] = scopesAround(node, graph.sources);
  return outermost?.path ?? node.op;
}

const mostSearched = 500;
