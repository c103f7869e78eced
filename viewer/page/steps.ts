import type { Direction, PlacedBox } from "../placed.js";
import { groupId } from "../visible.js";
import { groupsAround } from "./links.js";
import type { Pane } from "./pane.js";

export type Way = "up" | "down" | "left" | "right";

/** The box that an arrow key leads to: along the data by an edge, across them to the nearest box beside; the first where none is selected. */
export function nextBox(pane: Pane, selected: string | undefined, way: Way, direction: Direction): string | undefined {
  const { boxes, edges } = pane.placed;
  const from = selected === undefined ? undefined : pane.boxOf(selected);
  const [across, along] = direction === "down" ? (["x", "y"] as const) : (["y", "x"] as const);
  if (from === undefined) {
    const first = (a: PlacedBox, b: PlacedBox): number => a[along] - b[along] || a[across] - b[across];
    return boxes.filter(({ box }) => !box.isOpen).sort(first)[0]?.box.id;
  }
  // What is in an open group counts as the group's.
  const isOwn = (id: string): boolean =>
    id === selected || groupsAround(pane.index.view, id).some((group) => groupId(group) === selected);
  const [back, forth] = direction === "down" ? ["up", "down"] : ["left", "right"];
  const ids =
    way === back
      ? edges.flatMap(({ edge }) => (isOwn(edge.to) && !isOwn(edge.from) ? [edge.from] : []))
      : way === forth
        ? edges.flatMap(({ edge }) => (isOwn(edge.from) && !isOwn(edge.to) ? [edge.to] : []))
        : boxes.filter(({ box }) => !box.isOpen).map(({ box }) => box.id);
  const sign = way === "left" || way === "up" ? -1 : 1;
  const isAlong = way === back || way === forth;
  const cost = (one: PlacedBox): number =>
    Math.abs(one[across] - from[across]) + (isAlong ? 0 : 4 * Math.abs(one[along] - from[along]));
  return ids
    .flatMap((id) => pane.boxOf(id) ?? [])
    .filter((one) => one !== from && (isAlong || sign * (one[across] - from[across]) > 0))
    .sort((a, b) => cost(a) - cost(b))[0]?.box.id;
}
