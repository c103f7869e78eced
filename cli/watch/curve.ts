import type { CurveColumns } from "../../viewer/watch_messages.js";

/** A power of two: neighbours are joined in pairs. */
const mostPoints = 2048;

interface Point {
  step: number;
  seconds: number;
  sum: number;
  /** Finite numbers. */
  count: number;
  least: number;
  greatest: number;
  lost: number;
}

/**
 * Numbers over the steps in bounded memory. Once there are too many points, each two neighbours become one, again and again; the
 * least and the greatest number of a point, and how many were not finite, stay known.
 */
export class Curve {
  #points: Point[] = [];
  /** Numbers of a point that is full. */
  #stride = 1;
  #joined = 0;
  #taken = 0;

  /** How often points were joined: since then no earlier place of a point holds. */
  get joined(): number {
    return this.#joined;
  }

  /** Numbers so far. */
  get taken(): number {
    return this.#taken;
  }

  get length(): number {
    return this.#points.length;
  }

  get lastStep(): number {
    return this.#points.at(-1)?.step ?? Number.NEGATIVE_INFINITY;
  }

  add(step: number, seconds: number, value: number): void {
    this.#taken += 1;
    const point = Number.isFinite(value)
      ? { step, seconds, sum: value, count: 1, least: value, greatest: value, lost: 0 }
      : {
          step,
          seconds,
          sum: 0,
          count: 0,
          least: Number.POSITIVE_INFINITY,
          greatest: Number.NEGATIVE_INFINITY,
          lost: 1,
        };
    const last = this.#points.at(-1);
    if (last !== undefined && last.count + last.lost < this.#stride) {
      this.#points[this.#points.length - 1] = joined(last, point);
      return;
    }
    this.#points.push(point);
    if (this.#points.length < mostPoints) return;
    this.#points = this.#points.flatMap((one, i) => {
      const next = this.#points[i + 1];
      return i % 2 === 1 ? [] : [next === undefined ? one : joined(one, next)];
    });
    this.#stride *= 2;
    this.#joined += 1;
  }

  columns(from = 0): CurveColumns {
    const points = this.#points.slice(from);
    const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
    return {
      steps: points.map(({ step }) => step),
      seconds: points.map(({ seconds }) => Number(seconds.toFixed(3))),
      means: points.map(({ sum, count }) => (count === 0 ? null : known(sum / count))),
      least: points.map(({ least }) => known(least)),
      greatest: points.map(({ greatest }) => known(greatest)),
      counts: points.map(({ count }) => count),
      lost: points.map(({ lost }) => lost),
    };
  }
}

function joined(a: Point, b: Point): Point {
  return {
    step: b.step,
    seconds: b.seconds,
    sum: a.sum + b.sum,
    count: a.count + b.count,
    least: Math.min(a.least, b.least),
    greatest: Math.max(a.greatest, b.greatest),
    lost: a.lost + b.lost,
  };
}
