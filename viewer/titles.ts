import { edgeWidth, pagePadding } from "./boxes.js";
import { grown, isWithin, overlaps, type Placed, type PlacedBox, type Rectangle, stretchesOf } from "./placed.js";

/**
 * Titles stand in the upper left of their groups, where edges come in from above. ELK keeps no room for them beside these edges, so each title is
 * moved to the first gap that is wide enough; where there is none, the group is made wider, if nothing stands beside it.
 */

/** Between a title and what is beside it, and between a group that is made wider and what is beside that. */
const titleGap = 4;
const groupGap = 8;

export interface Titled {
  readonly placed: Placed;
  /** How much wider groups would have to be at their left for their titles: these are cut short. */
  readonly lacking: ReadonlyMap<string, number>;
}

export function placeTitles(placed: Placed): Titled {
  const lines = placed.edges.flatMap(({ edge, points }) =>
    stretchesOf(points).map((stretch) => grown(stretch, edgeWidth(edge.bytes) / 2)),
  );
  const obstacles = [...lines, ...placed.edges.flatMap(({ label }) => label ?? [])];
  const boxes = new Map(placed.boxes.map((one) => [one.box.id, one]));
  const lacking = new Map<string, number>();
  for (const one of placed.boxes) {
    if (one.title === undefined) continue;
    const gaps = gapsIn(one, one.title, obstacles);
    const wide = gaps.find(({ width }) => width >= (one.title as Rectangle).width);
    const widened = wide === undefined ? widenedFor(one, one.title, gaps, obstacles, boxes) : undefined;
    if (wide !== undefined) boxes.set(one.box.id, { ...one, title: { ...one.title, x: wide.x } });
    else if (widened !== undefined) boxes.set(one.box.id, widened);
    else {
      const widest = gaps.reduce((most, gap) => (gap.width > most.width ? gap : most));
      boxes.set(one.box.id, { ...one, title: { ...one.title, ...widest } });
      lacking.set(one.box.id, Math.ceil(one.title.width - (gaps[0]?.width ?? 0)));
    }
  }
  return { placed: { ...placed, ...fitted(placed, [...boxes.values()]) }, lacking };
}

interface Gap {
  readonly x: number;
  readonly width: number;
}

/** What is free of a group's header, from left to right; the first begins at the left border, the last ends at the right one. */
function gapsIn(group: PlacedBox, title: Rectangle, obstacles: readonly Rectangle[]): readonly Gap[] {
  const header = { ...title, x: group.x, width: group.width };
  const taken = obstacles
    .filter((one) => overlaps(grown(one, titleGap / 2), header))
    .map(({ x, width }) => ({ from: x - titleGap, to: x + width + titleGap }))
    .sort((a, b) => a.from - b.from);
  const gaps: Gap[] = [];
  let at = title.x;
  for (const { from, to } of taken) {
    gaps.push({ x: at, width: Math.max(0, from - at) });
    at = Math.max(at, to);
  }
  gaps.push({ x: at, width: Math.max(0, group.x + group.width - (title.x - group.x) - at) });
  return gaps;
}

/** The group, wider at its left or right, if its title has room then and nothing else is in the way. */
function widenedFor(
  group: PlacedBox,
  title: Rectangle,
  gaps: readonly Gap[],
  obstacles: readonly Rectangle[],
  boxes: ReadonlyMap<string, PlacedBox>,
): PlacedBox | undefined {
  const { x, y, width, height } = group;
  const [first, last] = [gaps[0], gaps.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const [left, right] = [title.width - first.width, title.width - last.width];
  const isFree = (strip: Rectangle): boolean => {
    const around = grown(strip, groupGap);
    const beside = (one: PlacedBox): boolean => one !== group && overlaps(one, around) && !isWithin(one, group);
    return (
      !obstacles.some((one) => overlaps(one, around) && !isWithin(one, group)) &&
      [...boxes.values()].every((one) => !beside(one) || (one.box.isOpen && isWithin(around, one)))
    );
  };
  if (isFree({ x: x - left, y, width: left, height }))
    return { ...group, x: x - left, width: width + left, title: { ...title, x: title.x - left } };
  if (isFree({ x: x + width, y, width: right, height }))
    return { ...group, width: width + right, title: { ...title, x: last.x } };
  return undefined;
}

/** All of it to the right of the margin: groups may have become wider than the picture. */
function fitted({ edges, width }: Placed, boxes: readonly PlacedBox[]): Partial<Placed> {
  const left = Math.min(...boxes.map(({ x }) => x), ...edges.flatMap(({ points }) => points.map(({ x }) => x)));
  const right = Math.max(...boxes.map((one) => one.x + one.width));
  const by = Math.max(0, pagePadding - left);
  const moved = <T extends { readonly x: number }>(one: T): T => ({ ...one, x: one.x + by });
  return {
    width: Math.max(width, right + pagePadding) + by,
    boxes: boxes.map((one) => ({ ...moved(one), title: one.title === undefined ? undefined : moved(one.title) })),
    edges: edges.map((one) => ({
      ...one,
      points: one.points.map(moved),
      label: one.label === undefined ? undefined : moved(one.label),
    })),
  };
}
