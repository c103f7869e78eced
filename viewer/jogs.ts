import { edgeWidth } from "./boxes.js";
import {
  grown,
  overlaps,
  type Placed,
  type PlacedBox,
  type PlacedEdge,
  type Point,
  type Rectangle,
  stretchesOf,
} from "./placed.js";

/** Sidesteps of up to this much look like slips; an end is moved along its box instead. */
const mostJog = 12;
/** Between an end and its box's corners, and between two ends. */
const endGap = 9;
const lineGap = 3;

/** The picture without the small sidesteps that lines make before they end, where a box has room for the end elsewhere. */
export function withoutJogs(placed: Placed): Placed {
  const boxes = new Map(placed.boxes.map((one) => [one.box.id, one]));
  const edges = [...placed.edges];
  edges.forEach((one, at) => {
    const others = (): readonly PlacedEdge[] => edges.filter((_, i) => i !== at);
    const start = straightStart(one.points, boxes.get(one.edge.from), one, placed, others);
    const back = straightStart([...start].reverse(), boxes.get(one.edge.to), one, placed, others);
    edges[at] = { ...one, points: [...back].reverse() };
  });
  return { ...placed, edges };
}

/** The corners of a line that begins at a box, without its first sidestep if that is small and the line may begin beside. */
function straightStart(
  points: readonly Point[],
  box: PlacedBox | undefined,
  { edge, label }: PlacedEdge,
  { boxes }: Placed,
  others: () => readonly PlacedEdge[],
): readonly Point[] {
  const [from, first, second, ...rest] = points;
  if (box === undefined || from === undefined || first === undefined || second === undefined || rest.length === 0)
    return points;
  const isUpright = from.x === first.x && first.y === second.y;
  const isLevel = from.y === first.y && first.x === second.x;
  if (isUpright === isLevel) return points;
  const [along, extent] = isUpright ? (["x", "width"] as const) : (["y", "height"] as const);
  const jog = Math.abs(second[along] - first[along]);
  const place = second[along];
  if (jog > mostJog || place < box[along] + endGap || place > box[along] + box[extent] - endGap) return points;
  const begin: Point = isUpright ? { x: place, y: from.y } : { x: from.x, y: place };
  const rivals = others();
  const isTaken = rivals.some(({ points: line }) =>
    [line[0], line.at(-1)].some((end) => end !== undefined && Math.hypot(end.x - begin.x, end.y - begin.y) < endGap),
  );
  if (isTaken) return points;
  const [stretch] = stretchesOf([begin, second]);
  if (stretch === undefined) return points;
  const ground = grown(stretch, edgeWidth(edge.bytes) / 2 + lineGap);
  const inTheWay: readonly Rectangle[] = [
    ...(label === undefined ? [] : [label]),
    ...rivals.flatMap((one) => one.label ?? []),
    ...rivals.flatMap((one) => stretchesOf(one.points).map((line) => grown(line, edgeWidth(one.edge.bytes) / 2))),
    ...boxes.filter((one) => !one.box.isOpen && one !== box),
  ];
  // What crossed the line before still crosses it.
  const [old] = stretchesOf([from, first]);
  const crossed = old === undefined ? [] : inTheWay.filter((one) => overlaps(one, old));
  return inTheWay.some((one) => overlaps(one, ground) && !crossed.includes(one))
    ? points
    : [begin, ...[second, ...rest].slice(1)];
}
