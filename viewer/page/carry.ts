import type { GroupModel, NodeModel, Role } from "../model.js";
import { groupId, nodeId } from "../visible.js";
import { groupsAround, linkedNodes, nodesOf, type ViewIndex } from "./links.js";
import type { Pane } from "./pane.js";

/** A box that was chosen in one view: what the other views show of it follows from it, not from one another. */
export interface Chosen {
  readonly pane: Pane;
  readonly id: string;
}

/** The boxes of a view that show what was chosen, in whichever view that was. */
export function boxesOf({ pane, id }: Chosen, to: Pane): ReadonlySet<string> {
  return to.boxesShowing(nodesIn({ pane, id }, to));
}

/**
 * The one box of a view that shows what was chosen. Where it went into several, one with ops of the same part of a training step:
 * a call of the forward pass is among the kernels the forward ones, though it may have more of the gradient. Of those the one with its name,
 * or in or around what has it: kernels of a layer have work of its neighbours, too. Of those the one with most of its work.
 */
export function mainBoxOf(chosen: Chosen, to: Pane): string | undefined {
  if (chosen.pane === to) return chosen.id;
  const own = namesOf(chosen.id, chosen.pane.index);
  const shares = new Map<string, number>();
  for (const node of nodesIn(chosen, to)) {
    const weight = weightOf(to.index.view.nodes[node]);
    for (const box of candidatesFor(node, own, to)) shares.set(box, (shares.get(box) ?? 0) + weight);
  }
  const role = roleOf(chosen.id, chosen.pane.index);
  const ranked = [...shares].map(([box, work]) => {
    const [isAlike, isOfIt] = [roleOf(box, to.index) === role, likeness(own, namesOf(box, to.index))];
    return { box, work, rank: (work > 0 ? 8 : 0) + (isAlike ? 4 : 0) + isOfIt };
  });
  return ranked.sort((a, b) => b.rank - a.rank || b.work - a.work)[0]?.box;
}

/** The box that shows a node, and what is open around it and called as what was chosen. */
function candidatesFor(node: number, { own }: Names, to: Pane): readonly string[] {
  const { view } = to.index;
  const around = groupsAround(view, nodeId(node)).filter(
    (group) => to.open.has(group) && view.groups[group]?.name === own,
  );
  return [...to.boxesShowing([node]), ...(own === "" ? [] : around.map(groupId))];
}

/** What a box is called, and what the calls, scopes and stages around it are, of a kernel those that it computes. */
interface Names {
  readonly own: string;
  readonly around: readonly string[];
}

function namesOf(id: string, { view }: ViewIndex): Names {
  const at = Number(id.slice(1));
  const group = id.startsWith("g") ? view.groups[at] : undefined;
  const around = groupsAround(view, id).flatMap((one) => {
    const { kind, name } = view.groups[one] as GroupModel;
    return kind === "phase" || kind === "side" || kind === "part" ? [] : [name];
  });
  return {
    own: group?.name ?? view.nodes[at]?.name ?? "",
    around: [...around, group?.scope ?? ""].filter((name) => name !== ""),
  };
}

/** 3 for one name, 2 for a path in it, 1 where one stands in what the other is called. */
function likeness(a: Names, b: Names): number {
  if (a.own !== "" && a.own === b.own) return 3;
  const isWithin = (inner: string, outer: string): boolean => outer !== "" && inner.startsWith(`${outer}/`);
  if (isWithin(a.own, b.own) || isWithin(b.own, a.own)) return 2;
  const isShared = [a.own, ...a.around].some((name) => name !== "" && (name === b.own || b.around.includes(name)));
  return isShared || a.around.includes(b.own) ? 1 : 0;
}

/** Products and sums over axes are what a kernel or call is for; views cost nothing. */
function weightOf(node: NodeModel | undefined): number {
  if (node?.kind !== "op") return 0;
  switch (node.work) {
    case "contract":
      return 32;
    case "view":
      return 0.2;
    case "elementwise":
      return 1;
    default:
      return 4;
  }
}

function nodesIn({ pane, id }: Chosen, to: Pane): readonly number[] {
  const own = nodesOf(pane.index, id);
  return pane === to ? own : linkedNodes(pane.index, own, to.index);
}

/** What is expanded to gradients is in other views a part of them. */
function roleOf(id: string, { view }: ViewIndex): Role | undefined {
  if (id.startsWith("n") && view.nodes[Number(id.slice(1))]?.op === "gradients") return "backward";
  return (id.startsWith("g") ? view.groups : view.nodes)[Number(id.slice(1))]?.role;
}
