/**
 * Work that pauses, at each turn of a loop, so that whoever drives it can let others have their turn, or leave it. Loops of which
 * nobody knows when they end are evaluated so.
 */
export type Stepwise<T> = Generator<undefined, T, undefined>;

export function isStepwise<T extends object>(work: T | Stepwise<T>): work is Stepwise<T> {
  return "next" in work;
}

/** Does all of it without a pause; what is done already is itself. */
export function completed<T extends object>(work: T | Stepwise<T>): T {
  if (!isStepwise(work)) return work;
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}
