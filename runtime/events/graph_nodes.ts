import { type Graph, rootsOf } from "../../compiler/ir/graph.js";
import { type Node, topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { selectSignature } from "../../compiler/ir/select.js";
import type { GraphNode } from "./messages.js";

/** What a signature computes, as it is written, with TensorFlow's names: scopes between slashes, `NAME:1` for a second output. */
export function graphNodes(graph: Graph, signature: string): readonly GraphNode[] {
  const order = topologicalOrder(rootsOf(selectSignature(graph, signature)));
  const names = nodeNames(graph, order);
  return order.map((node) => ({
    name: names.get(node) ?? node.op,
    op: node.op,
    inputs: node.inputs.map((input) => {
      const name = names.get(input.node) ?? input.node.op;
      return input.index === 0 ? name : `${name}:${input.index}`;
    }),
    shapes: node.outputs.map(({ type }) => type.shape.map((size) => (typeof size === "number" ? size : -1))),
  }));
}

/** The shortest of the names of an edge; else the op in the scope that made it. Unique, and of the characters that are allowed. */
function nodeNames(graph: Graph, order: readonly Node[]): ReadonlyMap<Node, string> {
  const written = new Map<Node, string>();
  const offer = (name: string, { node }: Value): void => {
    const known = written.get(node);
    if (known === undefined || name.length < known.length) written.set(node, name);
  };
  for (const [name, value] of [...graph.training.names, ...graph.inference.names]) offer(name, value);
  for (const { path, value } of graph.variables) offer(path, value);
  const used = new Set<string>();
  const names = new Map<Node, string>();
  for (const node of order) {
    const scope = graph.sources.scopeOf(node)?.path;
    const wanted = written.get(node) ?? (scope === undefined || scope === "" ? node.op : `${scope}/${node.op}`);
    const clean = wanted.replace(/[^A-Za-z0-9_./>-]/g, "_").replace(/^[^A-Za-z0-9.]/, ".$&");
    let name = clean;
    for (let i = 1; used.has(name); i++) name = `${clean}_${i}`;
    used.add(name);
    names.set(node, name);
  }
  return names;
}
