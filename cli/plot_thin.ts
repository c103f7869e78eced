/** Of a long curve or cloud, what a drawing of a few hundred pixels can show of it. */

/** A place of a line; null breaks it. */
export interface LinePlace {
  readonly at: number;
  readonly value: number | null;
}

/** Lines with more places than these are drawn by the least and the greatest of each part. */
const mostPlaces = 4000;
/** Points that lie in one cell are one dot: cells are far smaller than dots. */
const mostPoints = 20_000;
const cells = 200;

/** A value that is not finite breaks the line. No extreme of it is lost. */
export function linePlaces(values: readonly number[]): readonly LinePlace[] {
  const place = (at: number): LinePlace => {
    const value = values[at] ?? Number.NaN;
    return { at, value: Number.isFinite(value) ? value : null };
  };
  if (values.length <= mostPlaces) return values.map((_, at) => place(at));
  const parts = mostPlaces / 4;
  return Array.from({ length: parts }, (_, part) => {
    const [from, to] = [part, part + 1].map((edge) => Math.floor((edge * values.length) / parts));
    return keptOf(values, from ?? 0, to ?? 0).map(place);
  }).flat();
}

/** The first, the least, the greatest and, where there is one, a place without a finite value, in their order. */
function keptOf(values: readonly number[], from: number, to: number): readonly number[] {
  let [least, most, broken] = [-1, -1, -1];
  for (let at = from; at < to; at++) {
    const value = values[at] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      broken = at;
      continue;
    }
    if (least < 0 || value < (values[least] ?? 0)) least = at;
    if (most < 0 || value > (values[most] ?? 0)) most = at;
  }
  return [...new Set([from, least, most, broken])].filter((at) => at >= 0).sort((a, b) => a - b);
}

/** Whether neither neighbour is there to draw a line to. */
export function standsAlone(places: readonly LinePlace[], i: number): boolean {
  const isThere = (one: LinePlace | undefined): boolean => one !== undefined && one.value !== null;
  return isThere(places[i]) && !isThere(places[i - 1]) && !isThere(places[i + 1]);
}

export interface Point<G> {
  readonly x: number;
  readonly y: number;
  readonly group: G;
}

/** Of very many points those that can be seen: the last one of each cell and class. */
export function visiblePoints<G>(points: readonly Point<G>[], classOf: (group: G) => unknown): readonly Point<G>[] {
  if (points.length <= mostPoints) return points;
  const [columnOf, rowOf] = [cellsOf(points, ({ x }) => x), cellsOf(points, ({ y }) => y)];
  const kept = new Map<string, Point<G>>();
  for (const point of points) kept.set(`${columnOf(point)} ${rowOf(point)} ${classOf(point.group)}`, point);
  return [...kept.values()];
}

function cellsOf<P>(points: readonly P[], coordinate: (point: P) => number): (point: P) => number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const point of points) {
    least = Math.min(least, coordinate(point));
    most = Math.max(most, coordinate(point));
  }
  return (point) => (most > least ? Math.floor(((coordinate(point) - least) / (most - least)) * cells) : 0);
}
