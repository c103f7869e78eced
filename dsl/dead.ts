/** What is of no use, as a whole: what nothing reads, and what is read for that alone. */

/** What stays or goes as one, such as a statement with the names that it binds. */
export interface Unit<T> {
  readonly of: T;
  readonly reads: Set<Unit<T>>;
  /** Units inside of it, which go with it; it may be of use for some of them only. */
  readonly holds: readonly Unit<T>[];
}

export function unit<T>(of: T, holds: readonly Unit<T>[] = []): Unit<T> {
  return { of, reads: new Set(), holds };
}

/** What nothing reads, with all that is of use for it alone. */
export interface Dead<T> {
  readonly of: T;
  readonly others: readonly Other<T>[];
}

export interface Other<T> {
  readonly of: T;
  /** Whether it is of use for another one, too, that nothing reads. */
  readonly isShared: boolean;
}

/** Of units in the order of the text, those that no root reads, at once or through others; each is told of once. */
export function deadUnits<T>(units: readonly Unit<T>[], roots: Iterable<Unit<T>>): readonly Dead<T>[] {
  const live = reachedBy(roots);
  const dead = units.filter((one) => !live.has(one));
  const read = new Set(dead.flatMap((one) => behind(one).filter((other) => other !== one)));
  const heads = dead.filter((one) => !read.has(one));
  const inside = new Set(dead.flatMap(({ holds }) => holds));
  for (const { holds } of inside) for (const one of holds) inside.add(one);
  const { owners, shared } = conesOf(heads);
  const others = new Map<Unit<T>, Other<T>[]>(heads.map((head) => [head, []]));
  for (const one of dead) {
    const head = owners.get(one);
    if (head === undefined || head === one || inside.has(one)) continue;
    others.get(head)?.push({ of: one.of, isShared: shared.has(one) });
  }
  return heads.map((head) => ({ of: head.of, others: others.get(head) ?? [] }));
}

/** The roots, and all that they read, at once or through others. */
export function reachedBy<T>(roots: Iterable<Unit<T>>): ReadonlySet<Unit<T>> {
  const found = new Set(roots);
  // A set goes on with what is added meanwhile.
  for (const { reads } of found) for (const one of reads) found.add(one);
  return found;
}

/** The first of the heads that needs each unit, and which units a second one needs. */
function conesOf<T>(heads: readonly Unit<T>[]): {
  readonly owners: ReadonlyMap<Unit<T>, Unit<T>>;
  readonly shared: ReadonlySet<Unit<T>>;
} {
  const owners = new Map<Unit<T>, Unit<T>>();
  const shared = new Set<Unit<T>>();
  for (const head of heads) {
    const stack = [head];
    for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
      const owner = owners.get(one);
      if (owner === head || shared.has(one)) continue;
      if (owner === undefined) owners.set(one, head);
      else shared.add(one);
      stack.push(...behind(one));
    }
  }
  return { owners, shared };
}

function behind<T>({ reads, holds }: Unit<T>): readonly Unit<T>[] {
  return [...reads, ...holds];
}
