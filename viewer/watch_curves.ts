/** What the page of `train --watch` computes of curves before they are drawn. */
import type { CurveColumns, WatchCurve } from "./watch_messages.js";

/** The greatest place of the slider: an average over about 100,000 numbers. */
export const mostSmoothing = 5;

/**
 * The weight of what was before, by the slider's place: the average is over about 10^place numbers, so that the same way on it is as
 * much more on a run of a hundred reports as on one of a million.
 */
export function weightOf(place: number): number {
  return 1 - 10 ** -place;
}

/** A weight with the digits that tell it from 1. */
export function weightText(place: number): string {
  return place === 0 ? "none" : weightOf(place).toFixed(Math.ceil(place) + 1);
}

/**
 * The exponential moving average with its bias towards 0 taken out, as TensorBoard has it: of the numbers v_1 to v_i, weighted by
 * weight^(i - j). A point counts as each of the numbers that it stands for, so the average does not depend on how many those are: of
 * them its mean alone is known, which is drawn where the average is over fewer. A gap stays a gap and counts for nothing. `weight` is at
 * least 0 and less than 1.
 */
export function smoothed({ means, counts }: Pick<CurveColumns, "means" | "counts">, weight: number): (number | null)[] {
  let [sum, total] = [0, 0];
  return means.map((mean, i) => {
    if (mean === null) return null;
    const kept = weight ** (counts[i] ?? 1);
    sum = sum * kept + (1 - kept) * mean;
    total = total * kept + (1 - kept);
    return sum / total;
  });
}

/** The least and the greatest height of lines over a part of the x axis; the ends of a line that goes on beyond it lie in between. */
export function extremesWithin(
  xs: readonly number[],
  lines: readonly ArrayLike<number | null | undefined>[],
  from: number,
  to: number,
): readonly [least: number, greatest: number] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const see = (y: number): void => {
    least = Math.min(least, y);
    greatest = Math.max(greatest, y);
  };
  for (const line of lines) {
    let before: { readonly x: number; readonly y: number } | undefined;
    xs.forEach((x, i) => {
      const y = line[i];
      // Undefined has no point of this line; null is a gap in it.
      if (y === undefined) return;
      if (y === null) {
        before = undefined;
        return;
      }
      if (x >= from && x <= to) see(y);
      if (before !== undefined) {
        for (const edge of [from, to])
          if (before.x < edge && edge < x) see(before.y + ((y - before.y) * (edge - before.x)) / (x - before.x));
      }
      before = { x, y };
    });
  }
  return [least, greatest];
}

/** On a logarithmic axis there is no place for what is not positive. */
export function positive(values: readonly (number | null)[]): readonly (number | null)[] {
  return values.map((value) => (value !== null && value > 0 ? value : null));
}

/**
 * What numbers are divided by before they are drawn: a power of ten where the greatest of them is so large or small that a chart
 * library finds no marks for an axis of it.
 */
export function unitOf(numbers: Iterable<number | null>): number {
  let greatest = 0;
  for (const one of numbers) greatest = Math.max(greatest, Math.abs(one ?? 0));
  return greatest === 0 || (greatest >= 1e-6 && greatest < 1e12)
    ? 1
    : Number(`1e${Math.max(-300, Math.floor(Math.log10(greatest)))}`);
}

/** The index of the value nearest to `x`, of values that never fall; -1 where there is none. */
export function nearestIndex(values: readonly number[], x: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const isBefore = low > 0 && (low === values.length || x - (values[low - 1] ?? 0) <= (values[low] ?? 0) - x);
  return isBefore ? low - 1 : low === values.length ? -1 : low;
}

/** All points of the curves of one name as a table, one row a point. What is not finite has no number. */
export function csvText(curves: readonly WatchCurve[]): string {
  const head = "curve,name,step,seconds,mean,least,greatest,finite,not_finite";
  const rows = curves.flatMap(({ kind, name, ...columns }) =>
    columns.steps.map((step, i) =>
      [
        kind,
        field(name),
        step,
        columns.seconds[i],
        columns.means[i] ?? "",
        columns.least[i] ?? "",
        columns.greatest[i] ?? "",
        columns.counts[i],
        columns.lost[i],
      ].join(","),
    ),
  );
  return `${[head, ...rows].join("\n")}\n`;
}

function field(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whether points of a curve stand for several numbers. */
export function isJoined({ least, greatest }: CurveColumns): boolean {
  return least.some((value, i) => value !== greatest[i]);
}

export function valueText(value: number | null | undefined): string {
  return value === null || value === undefined ? "not finite" : short(value);
}

/** Four digits; `2.88e6` and `1.5e-4` where zeros would fill the place. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) {
    const [digits = "", exponent = ""] = value.toExponential(3).split("e");
    return `${Number(digits)}e${Number(exponent)}`;
  }
  const rounded = Number(value.toPrecision(4));
  return size >= 1000 ? rounded.toLocaleString("en") : String(rounded);
}

/** `0:07`, `12:30`, `1:02:03`; below 10 s with a tenth. */
export function clockText(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const two = (part: number): string => String(part).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
