import type { ElkNode } from "elkjs/lib/elk-api.js";
import { fromElk, toElk } from "./elk_graph.js";
import { withoutJogs } from "./jogs.js";
import { type Direction, nothingPlaced, type Placed } from "./placed.js";
import { placeTitles } from "./titles.js";
import type { Visible } from "./visible.js";

/** Lays a graph out: the algorithm `layered` of the Eclipse Layout Kernel. */
export type LayoutEngine = (graph: ElkNode) => Promise<ElkNode>;

/** The second layout has the room that titles lacked in the first; a group whose order changed meanwhile may lack some again. */
const mostLayouts = 3;

/** Lays out what is visible. */
export async function layOut(visible: Visible, direction: Direction, engine: LayoutEngine): Promise<Placed> {
  if (visible.boxes.length === 0) return nothingPlaced;
  const room = new Map<string, number>();
  for (let layouts = 1; ; layouts++) {
    const { placed, lacking } = placeTitles(
      withoutJogs(fromElk(visible, await engine(toElk(visible, direction, room)))),
    );
    if (lacking.size === 0 || layouts === mostLayouts) return placed;
    for (const [id, width] of lacking) room.set(id, (room.get(id) ?? 0) + width);
  }
}
