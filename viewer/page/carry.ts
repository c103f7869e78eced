import type { Role } from "../model.js";
import { linkedNodes, nodesOf, type ViewIndex } from "./links.js";
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
 * a call of the forward pass is among the kernels the forward ones, though it may have more of the gradient. Of those, the one
 * with most of its ops.
 */
export function mainBoxOf(chosen: Chosen, to: Pane): string | undefined {
  if (chosen.pane === to) return chosen.id;
  const shares = new Map<string, number>();
  for (const node of nodesIn(chosen, to)) {
    const [box] = to.boxesShowing([node]);
    const weight = to.index.view.nodes[node]?.kind === "op" ? 1 : 0;
    if (box !== undefined) shares.set(box, (shares.get(box) ?? 0) + weight);
  }
  const role = roleOf(chosen.id, chosen.pane.index);
  const ranked = [...shares].map(([box, ops]) => {
    const isAlike = roleOf(box, to.index) === role;
    return { box, ops, rank: (ops > 0 ? 2 : 0) + (isAlike ? 1 : 0) };
  });
  return ranked.sort((a, b) => b.rank - a.rank || b.ops - a.ops)[0]?.box;
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
