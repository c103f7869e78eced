/** TensorFlow's histogram: the counts of values between fixed limits that grow by a tenth. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper limit of each bucket, and how many values lie below it and not below the one before. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** As tensorflow/core/lib/histogram: 1e-12 * 1.1^k up to 1e20, likewise below zero, zero, and the largest float at the end. */
const limits: readonly number[] = (() => {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive, Number.MAX_VALUE];
})();

/** Of the finite values; NaN and infinities are left out. Runs of empty buckets are one bucket. */
export function histogramOf(values: Iterable<number>): Histogram {
  const buckets = new Float64Array(limits.length);
  let [min, max, count, sum, sumOfSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    const bucket = bucketOf(value);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count += 1;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0)
    return { min: 0, max: 0, count: 0, sum: 0, sumOfSquares: 0, limits: [Number.MAX_VALUE], counts: [0] };
  const kept: { readonly limit: number; readonly count: number }[] = [];
  for (let i = 0; i < limits.length; ) {
    const found = buckets[i] ?? 0;
    let last = i;
    if (found === 0) while (last + 1 < limits.length && buckets[last + 1] === 0) last++;
    kept.push({ limit: limits[last] ?? Number.MAX_VALUE, count: found });
    i = last + 1;
  }
  return {
    min,
    max,
    count,
    sum,
    sumOfSquares,
    limits: kept.map(({ limit }) => limit),
    counts: kept.map((bucket) => bucket.count),
  };
}

/** The first limit above a value. */
function bucketOf(value: number): number {
  let low = 0;
  let high = limits.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < (limits[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
