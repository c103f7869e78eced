/** The choices that random samples are made of. What makes them is the tests' (test/support/draws.ts), so that failures shrink there. */

export interface Draw {
  /** A whole number from `low` to `high`, both among them. The nearer to `low`, the simpler the sample. */
  readonly integer: (low: number, high: number) => number;
}

/** Samples stay small: the reference computes them, several times for a numeric gradient. */
const mostElements = 96;

export function drawFlag(draw: Draw): boolean {
  return draw.integer(0, 1) === 1;
}

/** One of a list, whose first is the simplest. */
export function drawOne<T>(draw: Draw, list: readonly T[]): T {
  return list[draw.integer(0, list.length - 1)] as T;
}

/** Those of a list that chance takes, in its order; none is the simplest. */
export function drawSome<T>(draw: Draw, list: readonly T[]): readonly T[] {
  return list.filter(() => drawFlag(draw));
}

/** A list in another order. */
export function drawOrder<T>(draw: Draw, list: readonly T[]): readonly T[] {
  const order = [...list];
  for (let i = 0; i < order.length - 1; i++) {
    const other = draw.integer(i, order.length - 1);
    [order[i], order[other]] = [order[other] as T, order[i] as T];
  }
  return order;
}

/** `count` sizes, 0 and 1 among what may come, whose product is at most `most`. */
export function drawSizes(draw: Draw, count: number, most = mostElements): readonly number[] {
  let product = 1;
  return Array.from({ length: count }, () => {
    const size = drawOne(draw, [1, 2, 3, 0, 4, 2, 3, 1, 5]);
    if (product * size > most) return 1;
    product *= Math.max(1, size);
    return size;
  });
}

/** A shape of `least` to `greatest` axes. */
export function drawShape(draw: Draw, least = 0, greatest = 5): readonly number[] {
  return drawSizes(draw, draw.integer(least, greatest));
}

/** An axis of a shape that has one. */
export function drawAxis(draw: Draw, shape: readonly number[]): number {
  return draw.integer(0, shape.length - 1);
}

/** The numbers of the axes of a shape. */
export function axesOf(shape: readonly unknown[]): readonly number[] {
  return shape.map((_, axis) => axis);
}
