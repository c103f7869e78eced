import type { GroupModel, NodeKind, NodeModel, Role, ViewModel } from "./model.js";

/** What is seen of a view while some groups are open: boxes in boxes, and between them edges that stand for one or more. */
export interface Visible {
  readonly boxes: readonly Box[];
  readonly edges: readonly VisibleEdge[];
}

export interface Box {
  /** `n12` for a node, `g3` for a group. */
  readonly id: string;
  readonly parent: string | undefined;
  readonly node: NodeModel | undefined;
  /** What it is called where it stands: a variable in its call is `w`, elsewhere `hidden/dense/w`; a kernel likewise. */
  readonly name: string;
  readonly group: GroupModel | undefined;
  readonly isOpen: boolean;
  /** How many ops are in a group, those of its groups too. */
  readonly count: number;
  /** How many variables are in a group, those of its groups too. */
  readonly variables: number;
  readonly role: Role;
  /** The side that the text places it on, unless that is said by the group around it. */
  readonly on: string | undefined;
}

export interface VisibleEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** `f32[N, 10]`, or `3 edges`. */
  readonly label: string;
  readonly bytes: number | undefined;
  /** Values that it stands for. */
  readonly count: number;
  /** The nodes at both ends of the first of them. */
  readonly ends: readonly [from: number, to: number];
}

export const nodeId = (index: number): string => `n${index}`;
export const groupId = (index: number): string => `g${index}`;

/** How many nodes of a kind, ops if none is named, each group holds. */
export function countsOf(view: ViewModel, of: NodeKind = "op"): readonly number[] {
  const counts = view.groups.map(() => 0);
  for (const { group, kind } of view.nodes) {
    if (kind !== of) continue;
    for (let at = group; at >= 0; at = view.groups[at]?.parent ?? -1) counts[at] = (counts[at] as number) + 1;
  }
  return counts;
}

/** Groups with something in them; a kernel that only copies has no ops, and is one all the same. */
function filledGroups({ nodes, groups }: ViewModel): ReadonlySet<number> {
  const filled = new Set<number>();
  const add = (index: number): void => {
    for (let at = index; at >= 0 && !filled.has(at); at = groups[at]?.parent ?? -1) filled.add(at);
  };
  for (const { group } of nodes) add(group);
  groups.forEach(({ kind }, index) => {
    if (kind === "kernel") add(index);
  });
  return filled;
}

/** For each group, the outermost closed one around it or it itself; -1 where all are open. */
function coversOf(groups: readonly GroupModel[], open: ReadonlySet<number>): readonly number[] {
  const covers: (number | undefined)[] = groups.map(() => undefined);
  const coverOf = (index: number): number => {
    const known = covers[index];
    if (known !== undefined) return known;
    const parent = groups[index]?.parent ?? -1;
    const outer = parent < 0 ? -1 : coverOf(parent);
    const cover = outer >= 0 ? outer : open.has(index) ? -1 : index;
    covers[index] = cover;
    return cover;
  };
  return groups.map((_, index) => coverOf(index));
}

/** The boxes and edges of a view with these groups open. */
export function visibleOf(view: ViewModel, open: ReadonlySet<number>): Visible {
  const { nodes, groups } = view;
  const covers = coversOf(groups, open);
  const counts = countsOf(view);
  const variables = countsOf(view, "variable");
  const isFilled = filledGroups(view);
  const parentId = (group: number): string | undefined => (group < 0 ? undefined : groupId(group));
  const boxes: Box[] = [];
  groups.forEach((group, index) => {
    const isShown = covers[index] === -1 || covers[index] === index;
    if (!isShown || !isFilled.has(index)) return;
    const isOpen = covers[index] === -1;
    const { parent, role } = group;
    const count = counts[index] as number;
    boxes.push({
      id: groupId(index),
      parent: parentId(parent),
      node: undefined,
      name: groupNameIn(group, groups),
      group,
      isOpen,
      count,
      variables: variables[index] as number,
      role,
      on: placeOf(group, groups[parent]),
    });
  });
  const boxOf = (index: number): string => {
    const group = nodes[index]?.group ?? -1;
    const cover = group < 0 ? -1 : (covers[group] ?? -1);
    return cover < 0 ? nodeId(index) : groupId(cover);
  };
  nodes.forEach((node, index) => {
    const id = boxOf(index);
    if (id !== nodeId(index)) return;
    const around = groups[node.group];
    const name =
      around?.kind === "call"
        ? node.name.slice(node.name.lastIndexOf("/") + 1)
        : nameWithin(node.name, stagePath(around, groups), "/");
    boxes.push({
      id,
      parent: parentId(node.group),
      node,
      name,
      group: undefined,
      isOpen: false,
      count: 1,
      variables: 0,
      role: node.role,
      on: placeOf(node, groups[node.group]),
    });
  });
  return { boxes, edges: edgesOf(view, boxOf) };
}

/** What the names of all that stands in a stage begin with. */
function stagePath(around: GroupModel | undefined, groups: readonly GroupModel[]): string {
  for (let one = around; one !== undefined; one = groups[one.parent]) if (one.path !== undefined) return one.path;
  return "";
}

/** A name without what it shares with all around it: `learn/adam/hidden/dense/w/m` in `hidden/dense` is `w/m`. */
function nameWithin(name: string, path: string, separator: "/" | "_"): string {
  const begin = `${path.replaceAll("/", separator)}${separator}`;
  const at = path === "" ? -1 : name.indexOf(begin);
  const rest = at > 0 && name[at - 1] !== separator ? "" : name.slice(at + begin.length);
  return at < 0 || rest === "" ? name : rest;
}

function groupNameIn(group: GroupModel, groups: readonly GroupModel[]): string {
  const { kind, name, parent, scope = "", text } = group;
  const path = stagePath(groups[parent], groups);
  if (kind === "state") return nameWithin(name, path, "/");
  if (kind !== "kernel") return name;
  // A loop stands beside the scope that it computes.
  const isBeside =
    path === "" && groups[parent]?.kind === "phase" && scope !== "" && (text === "loop" || text === "while");
  return isBeside ? `${scope} ${name}` : nameWithin(name, path, "_");
}

type Placed = Pick<NodeModel, "side" | "isPlaced">;

function placeOf(one: Placed, around: Placed | undefined): string | undefined {
  const isSaid = around?.isPlaced === true && around.side === one.side;
  return one.isPlaced === true && !isSaid ? one.side : undefined;
}

interface Bundle {
  readonly from: string;
  readonly to: string;
  readonly ends: readonly [number, number];
  readonly values: Map<string, number>;
}

function edgesOf(view: ViewModel, boxOf: (index: number) => string): readonly VisibleEdge[] {
  const bundles = new Map<string, Bundle>();
  view.nodes.forEach((node, index) => {
    const to = boxOf(index);
    for (let i = 0; i < node.inputs.length; i += 2) {
      const source = node.inputs[i] as number;
      const from = boxOf(source);
      if (from === to) continue;
      const key = `${from} ${to}`;
      let bundle = bundles.get(key);
      if (bundle === undefined) {
        bundle = { from, to, ends: [source, index], values: new Map() };
        bundles.set(key, bundle);
      }
      const output = node.inputs[i + 1] as number;
      bundle.values.set(`${source}.${output}`, view.nodes[source]?.outputs[output] ?? -1);
    }
  });
  return [...bundles.values()].map(({ from, to, ends, values }, index): VisibleEdge => {
    const types = [...values.values()].map((type) => view.types[type]);
    const bytes = types.map((type) => type?.bytes);
    const total = bytes.some((one) => one === undefined) ? undefined : bytes.reduce((a = 0, b = 0) => a + b, 0);
    const [first] = types;
    const label = values.size === 1 ? (first?.text ?? "") : `${values.size} edges`;
    return { id: `e${index}`, from, to, label, bytes: total, count: values.size, ends };
  });
}

/** Groups that no choice of others closes: what lies on which side is always seen. */
export function alwaysOpen({ groups }: ViewModel): ReadonlySet<number> {
  return new Set(groups.flatMap(({ kind }, index) => (kind === "side" ? [index] : [])));
}

/** The first view shows no more boxes than this. */
const mostAtFirst = 200;

/** Groups that are open at first: the parts of a training step, and one that alone would fill the picture, which is no overview. */
export function firstOpen(view: ViewModel): ReadonlySet<number> {
  const open = new Set(alwaysOpen(view));
  const steps = view.groups.flatMap(({ kind }, index) => (kind === "phase" ? [index] : []));
  if (steps.length > 0) {
    const opened = new Set([...open, ...steps]);
    return visibleOf(view, opened).boxes.length <= mostAtFirst ? opened : open;
  }
  for (let parent = -1; ; ) {
    const loose = view.nodes.filter(({ group }) => group === parent).length;
    const inner = view.groups.flatMap((group, index) => (group.parent === parent ? [index] : []));
    const [only] = inner;
    if (only === undefined || inner.length > 1 || loose > 3) return open;
    open.add(only);
    parent = only;
  }
}
