import type { Graph } from "../compiler/ir/graph.js";
import type { ViewBuilder } from "./builder.js";
import type { GroupModel } from "./model.js";

/** Fewer variables than this are boxes of their own. */
const fewVariables = 2;

/**
 * Gathers the variables of one scope that one kernel alone reads, and their new values, where they are state and no parameters: what an
 * optimizer keeps of a weight is one box.
 */
export function gatherState(builder: ViewBuilder, { variables: declared }: Graph): void {
  const state = new Set(declared.filter(({ trainable }) => !trainable).map(({ path }) => path));
  const { nodes, groups } = builder;
  const kernelOf = (node: number): number => {
    let found = -1;
    for (let at = nodes[node]?.group ?? -1; at >= 0; at = groups[at]?.parent ?? -1)
      if (groups[at]?.kind === "kernel") found = at;
    return found;
  };
  const readers = new Map<number, Set<number>>();
  nodes.forEach(({ inputs }, at) => {
    for (let i = 0; i < inputs.length; i += 2) {
      const from = inputs[i] as number;
      const node = nodes[from];
      if (node?.kind === "variable" && state.has(node.name))
        readers.set(from, (readers.get(from) ?? new Set()).add(kernelOf(at)));
    }
  });
  const own = new Map<number, number[]>();
  for (const [variable, [kernel = -1, ...others]] of readers)
    if (kernel >= 0 && others.length === 0 && groups[kernel]?.parent === nodes[variable]?.group)
      own.set(kernel, [...(own.get(kernel) ?? []), variable]);
  for (const variables of own.values()) {
    gather(builder, variables);
    const names = new Set(variables.map((at) => nodes[at]?.name));
    const written = new Map<number, number[]>();
    nodes.forEach(({ kind, name, inputs }, at) => {
      const kernel = kind === "assign" && names.has(name) ? kernelOf(inputs[0] ?? -1) : -1;
      if (kernel >= 0) written.set(kernel, [...(written.get(kernel) ?? []), at]);
    });
    for (const sinks of written.values()) gather(builder, sinks);
  }
}

function gather({ nodes, groups }: ViewBuilder, members: readonly number[]): void {
  const [first] = members.flatMap((at) => nodes[at] ?? []);
  const names = members.map((at) => nodes[at]?.name ?? "");
  const prefix = commonPrefix(names);
  if (first === undefined || members.length < fewVariables || prefix === "") return;
  const rest = names.map((name) => name.slice(prefix.length + 1)).join(", ");
  const group: GroupModel = {
    kind: "state",
    name: prefix,
    text: first.kind === "assign" ? `${rest} :=` : rest,
    role: first.role,
    parent: first.group,
    places: [],
    kernel: undefined,
  };
  for (const at of members) {
    const node = nodes[at];
    if (node !== undefined) nodes[at] = { ...node, group: groups.length };
  }
  groups.push(group);
}

/** The scopes that all paths begin with. */
function commonPrefix(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split("/").slice(0, -1));
  let length = 0;
  while (length < first.length && others.every((one) => one[length] === first[length])) length++;
  return first.slice(0, length).join("/");
}
