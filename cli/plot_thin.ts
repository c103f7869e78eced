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

/**
 * Which of these points are drawn: those that are finite and, of very many, the last one of each cell and class. `classOf` gives a whole
 * number from 0 on.
 */
export function visiblePoints(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  classOf: (i: number) => number,
): { readonly shown: readonly number[]; readonly lost: number } {
  const finite: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    if (Number.isFinite(xs[i]) && Number.isFinite(ys[i])) finite.push(i);
  }
  const lost = xs.length - finite.length;
  if (finite.length <= mostPoints) return { shown: finite, lost };
  const [columnOf, rowOf] = [cellsOf(xs, finite), cellsOf(ys, finite)];
  const last = new Map<number, number>();
  const side = cells + 1;
  for (const i of finite) last.set((classOf(i) * side + rowOf(i)) * side + columnOf(i), i);
  return { shown: [...last.values()], lost };
}

function cellsOf(values: ArrayLike<number>, places: readonly number[]): (i: number) => number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const i of places) {
    least = Math.min(least, values[i] ?? 0);
    most = Math.max(most, values[i] ?? 0);
  }
  return (i) => (most > least ? Math.floor((((values[i] ?? 0) - least) / (most - least)) * cells) : 0);
}
