import type { GroupModel, NodeModel, Role, SourceLine, SourcePlace } from "./model.js";

/** More boxes than this in one group are put into parts. */
const mostLoose = 48;
/** How many parts a group is cut into at most. */
const mostParts = 24;
/** Inputs, variables and outputs that stand beside the parts at most. */
const mostEnds = 16;

/** What parts are called by. */
export interface Naming {
  /** Of the document, which places point into. */
  readonly lines: readonly SourceLine[];
  /** What the text calls a node of the source view. */
  readonly nameOf: (stem: number) => string | undefined;
}

/** What stands directly in a group: a node, or a group in it. */
interface Unit {
  readonly kind: "node" | "group";
  readonly at: number;
  /** The first of its nodes. */
  readonly first: number;
}

/**
 * Cuts what has too many boxes side by side into parts of consecutive nodes, and these again, so that no group shows more than about
 * fifty. Nodes stand in the order of their dependences: between parts of consecutive ones, all edges go forward.
 */
export function withParts(
  nodes: readonly NodeModel[],
  groups: readonly GroupModel[],
  naming: Naming,
): { readonly nodes: readonly NodeModel[]; readonly groups: readonly GroupModel[] } {
  const parentOfNode = nodes.map((node) => node.group);
  const made: GroupModel[] = [...groups];
  const parentOfGroup = groups.map((group) => group.parent);

  const cut = (units: readonly Unit[], parent: number): void => {
    if (units.length <= mostLoose) {
      for (const { kind, at } of units) (kind === "node" ? parentOfNode : parentOfGroup)[at] = parent;
      return;
    }
    const count = Math.min(mostParts, Math.ceil(units.length / mostParts));
    for (let i = 0; i < count; i++) {
      const part = units.slice(Math.floor((i * units.length) / count), Math.floor(((i + 1) * units.length) / count));
      const index = made.length;
      made.push({ ...partOf(part, nodes, made, naming), parent });
      parentOfGroup.push(parent);
      cut(part, index);
    }
  };

  for (const [parent, units] of unitsOf(nodes, groups)) {
    const loose = units.filter(({ kind }) => kind === "node");
    const inner = units.filter(({ kind }) => kind === "group");
    // Calls stay where the text has them, if they are few; then only the nodes beside them are gathered.
    if (inner.length > mostLoose) cut(units, parent);
    else if (units.length > mostLoose) cut(gathered(loose, nodes), parent);
  }
  return {
    nodes: nodes.map((node, i) => ({ ...node, group: parentOfNode[i] as number })),
    groups: made.map((group, i) => ({ ...group, parent: parentOfGroup[i] as number })),
  };
}

/** What goes in and comes out stays in sight beside the parts, where it is little. */
function gathered(loose: readonly Unit[], nodes: readonly NodeModel[]): readonly Unit[] {
  const isEnd = ({ at }: Unit): boolean => {
    const kind = nodes[at]?.kind;
    return kind === "placeholder" || kind === "variable" || kind === "output";
  };
  const between = loose.filter((unit) => !isEnd(unit));
  return loose.length - between.length > mostEnds ? loose : between;
}

function unitsOf(nodes: readonly NodeModel[], groups: readonly GroupModel[]): ReadonlyMap<number, readonly Unit[]> {
  const firsts = groups.map(() => Number.POSITIVE_INFINITY);
  // A sink stands by what it takes, wherever it was made.
  const places = nodes.map(({ kind, inputs }, at) =>
    kind === "assign" || kind === "output" ? (inputs[0] ?? at) + 0.5 : at,
  );
  nodes.forEach(({ group }, node) => {
    const at = places[node] as number;
    for (let around = group; around >= 0; around = groups[around]?.parent ?? -1) {
      if ((firsts[around] as number) <= at) break;
      firsts[around] = at;
    }
  });
  const units = new Map<number, Unit[]>();
  const add = (parent: number, unit: Unit): void => {
    const list = units.get(parent);
    if (list === undefined) units.set(parent, [unit]);
    else list.push(unit);
  };
  nodes.forEach(({ group }, at) => {
    add(group, { kind: "node", at, first: places[at] as number });
  });
  groups.forEach(({ parent }, at) => {
    add(parent, { kind: "group", at, first: firsts[at] as number });
  });
  for (const list of units.values()) list.sort((a, b) => a.first - b.first);
  return units;
}

/** By the first and the last name in it, else by what the first and the last op are; and by their lines. */
function partOf(
  part: readonly Unit[],
  nodes: readonly NodeModel[],
  groups: readonly GroupModel[],
  naming: Naming,
): Omit<GroupModel, "parent"> {
  const inside = part.flatMap(({ kind, at }): NodeModel | GroupModel | readonly [] =>
    kind === "node" ? (nodes[at] ?? []) : (groups[at] ?? []),
  );
  const names = inside.map((one) => nameOf(one, naming)).filter((name) => name !== "");
  const [first = "", last = ""] = names.length > 0 ? [names[0], names.at(-1)] : [inside[0]?.text, inside.at(-1)?.text];
  const roles = new Set(inside.map(({ role }): Role => role));
  const [role] = roles;
  return {
    kind: "part",
    name: first === last && names.length > 0 ? first : `${first} … ${last}`,
    text: linesText(
      inside.flatMap(({ places: [place] }) => (place === undefined ? [] : [place])),
      naming.lines,
    ),
    role: roles.size === 1 && role !== undefined ? role : "forward",
    places: [],
    kernel: undefined,
  };
}

/** Its own name, else that of what it computes: a gradient is no more what the text calls so. */
function nameOf(one: NodeModel | GroupModel, { nameOf: named }: Naming): string {
  if (one.name !== "" || !("stems" in one) || one.role === "backward") return one.name;
  return one.stems.flatMap((stem) => named(stem) ?? []).at(-1) ?? "";
}

/** `lines 3–41`, of the file that most of the places are in; `part` where there are none. */
function linesText(places: readonly SourcePlace[], lines: readonly SourceLine[]): string {
  const files = new Map<string, number[]>();
  for (const [at] of places) {
    const { file, line } = lines[at] ?? {};
    if (file !== undefined && line !== undefined) files.set(file, [...(files.get(file) ?? []), line]);
  }
  const [most] = [...files.values()].sort((a, b) => b.length - a.length);
  if (most === undefined) return "part";
  const [from, to] = [Math.min(...most), Math.max(...most)];
  return from === to ? `line ${from}` : `lines ${from}–${to}`;
}
