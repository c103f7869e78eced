/** The number whose digits in `base` are those of i mirrored at the point, in [0, 1). */
function mirrored(i: number, base: number): number {
  let value = 0;
  for (let rest = i, share = 1 / base; rest > 0; rest = Math.floor(rest / base), share /= base) {
    value += (rest % base) * share;
  }
  return value;
}

/** The first points of the Halton sequence (1960): spread evenly over the unit square, but on no grid. */
export function halton(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, i) => [mirrored(i + 1, 2), mirrored(i + 1, 3)] as const);
}

/** The width of the bells around that many points of the unit square: twice the distance to the next point of a square grid. */
export function widthFor(count: number): number {
  return 2 / Math.sqrt(count);
}

/** The middles of count x count cells of a square from `low` to `high`, row after row from the top. */
export function grid(count: number, low: number, high: number): readonly (readonly [number, number])[] {
  const at = (i: number): number => low + ((i + 0.5) * (high - low)) / count;
  return Array.from(
    { length: count * count },
    (_, i) => [at(i % count), at(count - 1 - Math.floor(i / count))] as const,
  );
}

export interface Labelled {
  readonly point: readonly (readonly [number, number])[];
  readonly label: readonly number[];
}

/**
 * Two spirals that turn three times around each other, as Lang and Witbrock (1988) made them: 97 points each, here within 1
 * of 0. `shift` moves all points along their spiral: half a point gives others, in between.
 */
export function spirals(shift = 0): Labelled {
  const along = Array.from({ length: 97 }, (_, i) => i + shift).filter((i) => i <= 96);
  const one = along.map((i) => {
    const radius = (104 - i) / 104;
    return [radius * Math.sin((i * Math.PI) / 16), radius * Math.cos((i * Math.PI) / 16)] as const;
  });
  const other = one.map(([x, y]) => [-x, -y] as const);
  return { point: [...one, ...other], label: [...one.map(() => 1), ...other.map(() => 0)] };
}
