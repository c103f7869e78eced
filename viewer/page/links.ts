import type { ProgramModel, ViewModel } from "../model.js";
import { groupId, nodeId } from "../visible.js";

/** What the page asks again and again of one view. */
export interface ViewIndex {
  readonly view: ViewModel;
  /** The nodes that take a value of each node. */
  readonly users: readonly (readonly number[])[];
  /** The nodes that stem from each node of the source view. */
  readonly stemming: ReadonlyMap<number, readonly number[]>;
  /** The parts of gradients that each `gradients` of the source view was expanded to. */
  readonly requested: ReadonlyMap<number, readonly number[]>;
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** What the graph calls the values of each node. */
  readonly names: ReadonlyMap<number, readonly string[]>;
}

export function indexOf(view: ViewModel, names: ProgramModel["names"]): ViewIndex {
  const users: number[][] = view.nodes.map(() => []);
  const stemming = new Map<number, number[]>();
  const requested = new Map<number, number[]>();
  const children = new Map<number, number[]>();
  view.nodes.forEach((node, index) => {
    for (const source of inputsOf(view, index)) users[source]?.push(index);
    const stems = view.kind === "source" ? [index] : node.stems;
    for (const stem of stems) append(stemming, stem, index);
    for (const request of node.requests ?? []) append(requested, request, index);
    append(children, node.group, index);
  });
  return { view, users, stemming, requested, children, names: namesIn(view, names, stemming) };
}

/** A gradient has no name: what stems from the same node is called after it only where it computes the same. */
function namesIn(
  view: ViewModel,
  names: ProgramModel["names"],
  stemming: ReadonlyMap<number, readonly number[]>,
): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const [name, stem] of names) {
    for (const node of stemming.get(stem) ?? []) if (view.nodes[node]?.role !== "backward") append(found, node, name);
  }
  return found;
}

function append<T>(map: Map<number, T[]>, key: number, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** The nodes whose values a node takes, each once. */
export function inputsOf(view: ViewModel, index: number): readonly number[] {
  const inputs = view.nodes[index]?.inputs ?? [];
  return [...new Set(inputs.filter((_, i) => i % 2 === 0))];
}

/** The nodes of a box: itself, or all that a group holds. */
export function nodesOf(index: ViewIndex, id: string): readonly number[] {
  const at = Number(id.slice(1));
  if (id.startsWith("n")) return [at];
  const { view } = index;
  const inside = new Set([at]);
  // Groups may come before or after those that hold them.
  for (let size = 0; size !== inside.size; ) {
    size = inside.size;
    view.groups.forEach(({ parent }, group) => {
      if (inside.has(parent)) inside.add(group);
    });
  }
  return [...inside].flatMap((group) => index.children.get(group) ?? []);
}

/** What of the source view some nodes stem from. */
export function stemsOf(view: ViewModel, nodes: readonly number[]): ReadonlySet<number> {
  if (view.kind === "source") return new Set(nodes);
  return new Set(nodes.flatMap((node) => view.nodes[node]?.stems ?? []));
}

/**
 * What some nodes of one view are in another, by what they stem from. A gradient stems from what it is the gradient of: beside
 * the source view, which has neither by itself, gradients are only gradients and the rest only the rest. A `gradients` of the source
 * is what it was expanded to, if it is asked for by itself: the update around it is what is done with that.
 */
export function linkedNodes(from: ViewIndex, nodes: readonly number[], to: ViewIndex): readonly number[] {
  const isEither = from.view.kind === "source" || to.view.kind === "source";
  const isBackward = ({ view }: ViewIndex, node: number): boolean => view.nodes[node]?.role === "backward";
  const ofPart = (part: readonly number[], accepts: (node: number) => boolean): readonly number[] =>
    [...stemsOf(from.view, part)].flatMap((stem) => to.stemming.get(stem) ?? []).filter(accepts);
  const [first, second] = nodes;
  const expanded =
    from.view.kind !== "source" || first === undefined || second !== undefined ? [] : to.requested.get(first);
  if (isEither) return [...new Set([...ofPart(nodes, () => true), ...(expanded ?? [])])];
  const backward = nodes.filter((node) => isBackward(from, node));
  const others = nodes.filter((node) => !isBackward(from, node));
  return [
    ...new Set([
      ...ofPart(others, (node) => !isBackward(to, node)),
      ...ofPart(backward, (node) => isBackward(to, node)),
    ]),
  ];
}

/** All that a set of nodes depends on, or that depends on it; themselves included. */
export function reach(
  index: ViewIndex,
  from: readonly number[],
  way: "ancestors" | "descendants",
): ReadonlySet<number> {
  const found = new Set(from);
  const stack = [...from];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const next = way === "ancestors" ? inputsOf(index.view, node) : (index.users[node] ?? []);
    for (const other of next) {
      if (found.has(other)) continue;
      found.add(other);
      stack.push(other);
    }
  }
  return found;
}

/** The groups around a box, outermost first. */
export function groupsAround(view: ViewModel, id: string): readonly number[] {
  const at = Number(id.slice(1));
  const around: number[] = [];
  let group = id.startsWith("n") ? (view.nodes[at]?.group ?? -1) : (view.groups[at]?.parent ?? -1);
  for (; group >= 0; group = view.groups[group]?.parent ?? -1) around.unshift(group);
  return around;
}

/** The box that shows a node while these groups are open. */
export function boxShowing(view: ViewModel, node: number, open: ReadonlySet<number>): string {
  const closed = groupsAround(view, nodeId(node)).find((group) => !open.has(group));
  return closed === undefined ? nodeId(node) : groupId(closed);
}

/** A node's or group's name for lists. */
export function titleOf(view: ViewModel, id: string): string {
  const at = Number(id.slice(1));
  if (id.startsWith("g")) {
    const group = view.groups[at];
    return group === undefined ? "" : group.text === group.name ? group.name : `${group.name} ${group.text}`;
  }
  const node = view.nodes[at];
  if (node === undefined) return "";
  if (node.kind === "assign") return `${node.name} :=`;
  const isSource = node.kind === "placeholder" || node.kind === "variable";
  return node.name === "" ? node.text : isSource ? node.name : `${node.name} ${node.text}`;
}
