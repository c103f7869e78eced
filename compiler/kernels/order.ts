import type { Value } from "../ir/node.js";
import type { Group, Grouping } from "./regions.js";
import type { Root } from "./roots.js";

/** What the assignments of a block write: the session's variables, or the carries and stacks of a loop. */
export interface BlockStorage {
  /** A failing check must leave it as it was. */
  readonly isVariables: boolean;
  /** Nothing in the block reads what lies there: it may be written at any time, also bit by bit. */
  readonly isWriteOnly: (path: string) => boolean;
  /** Under which name a stored value may be overwritten. */
  readonly pathOf: (value: Value) => string | undefined;
}

/** Kernels in an order in which every read sees the value it means. */
export interface Order {
  readonly compute: readonly Group[];
  readonly commit: readonly Group[];
  /** Assigned variables whose new value is computed beside them and copied at the very end. */
  readonly demoted: ReadonlySet<string>;
}

/**
 * Orders groups. Edges: what computes a value before what reads it; what reads a variable's old value before what overwrites
 * it in place. The latter may close a cycle (`a := b; b := a`), or an update may be part of a kernel that a check still waits
 * for: such an assignment goes through a temporary.
 */
export function orderGroups(
  grouping: Grouping,
  rootOf: ReadonlyMap<Value, Root>,
  demotedBefore: ReadonlySet<string>,
  storage: BlockStorage,
): Order {
  const { groups, groupOf } = grouping;
  const demoted = new Set(demotedBefore);
  const place = new Map(groups.map((group, i) => [group, i]));
  const placeOf = (group: Group | undefined): number => (group === undefined ? -1 : (place.get(group) ?? -1));
  const inputs: Set<number>[] = groups.map(() => new Set());
  const readers = new Map<string, Set<number>>();
  groups.forEach((group, at) => {
    for (const root of group.roots) {
      for (const read of root.reads) {
        const source = rootOf.get(read.value);
        if (source !== undefined) {
          const from = placeOf(groupOf.get(source));
          if (from !== at) inputs[at]?.add(from);
        } else {
          const path = storage.pathOf(read.value);
          if (path === undefined) continue;
          const list = readers.get(path) ?? new Set();
          list.add(at);
          readers.set(path, list);
        }
      }
    }
  });

  // Whatever a kernel that can fail needs is computed before any variable is written.
  const early = new Set<number>();
  for (let at = groups.length - 1; at >= 0 && storage.isVariables; at--) {
    if (groups[at]?.mayFail || early.has(at)) {
      early.add(at);
      for (const from of inputs[at] ?? []) early.add(from);
    }
  }
  const writers = new Map<string, number>();
  groups.forEach((group, at) => {
    for (const root of group.roots) {
      for (const path of root.assigned) {
        if (early.has(at)) demoted.add(path);
        else writers.set(path, at);
      }
    }
  });

  for (;;) {
    const edges = inputs.map((from) => new Set(from));
    const overwrites: { readonly path: string; readonly reader: number; readonly writer: number }[] = [];
    for (const [path, writer] of writers) {
      if (demoted.has(path)) continue;
      for (const reader of readers.get(path) ?? []) {
        if (reader === writer) continue;
        edges[writer]?.add(reader);
        overwrites.push({ path, reader, writer });
      }
    }
    const component = components(edges);
    const cyclic = overwrites.filter(({ reader, writer }) => component[reader] === component[writer]);
    if (cyclic.length > 0) {
      // One assignment of each cycle is enough to break it as a rule; what is left is found in the next round.
      const broken = new Set<number>();
      for (const { path, writer } of cyclic) {
        const cycle = component[writer] ?? -1;
        if (broken.has(cycle)) continue;
        broken.add(cycle);
        demoted.add(path);
      }
      continue;
    }
    const writes = new Set<number>();
    for (const [path, writer] of writers) if (!demoted.has(path)) writes.add(writer);
    const late = new Set<number>();
    const order = topological(edges);
    for (const at of order) {
      if (writes.has(at) || [...(edges[at] ?? [])].some((from) => late.has(from))) late.add(at);
    }
    const pick = (isLate: boolean): readonly Group[] =>
      order.flatMap((at) => {
        const group = groups[at];
        return group !== undefined && late.has(at) === isLate ? [group] : [];
      });
    return { compute: pick(false), commit: pick(true), demoted };
  }
}

/** Kahn's algorithm, taking the earliest ready one, so that the order stays close to the given one. */
function topological(inputs: readonly ReadonlySet<number>[]): readonly number[] {
  const users: number[][] = inputs.map(() => []);
  const waiting = inputs.map((from) => from.size);
  inputs.forEach((from, at) => {
    for (const input of from) users[input]?.push(at);
  });
  const ready = new MinHeap();
  waiting.forEach((count, at) => {
    if (count === 0) ready.push(at);
  });
  const order: number[] = [];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    order.push(at);
    for (const user of users[at] ?? []) {
      waiting[user] = (waiting[user] ?? 0) - 1;
      if (waiting[user] === 0) ready.push(user);
    }
  }
  return order;
}

class MinHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] ?? 0;
      if (above <= item) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] ?? 0) < (items[child] ?? 0)) child++;
      const below = items[child] ?? 0;
      if (below >= last) break;
      items[at] = below;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

/** Strongly connected components (Tarjan 1972, with an explicit stack): the number of each node's component. */
function components(inputs: readonly ReadonlySet<number>[]): readonly number[] {
  const component = new Array<number>(inputs.length).fill(-1);
  const found = new Array<number>(inputs.length).fill(-1);
  const low = new Array<number>(inputs.length).fill(0);
  const open: number[] = [];
  let counter = 0;
  let next = 0;
  for (let start = 0; start < inputs.length; start++) {
    if (found[start] !== -1) continue;
    const stack: { readonly at: number; readonly rest: Iterator<number> }[] = [];
    const enter = (at: number): void => {
      found[at] = counter;
      low[at] = counter++;
      open.push(at);
      stack.push({ at, rest: (inputs[at] ?? new Set<number>()).values() });
    };
    enter(start);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const { at, rest } = frame;
      const { value, done } = rest.next();
      if (!done) {
        if (found[value] === -1) enter(value);
        else if (component[value] === -1) low[at] = Math.min(low[at] ?? 0, found[value] ?? 0);
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) low[parent.at] = Math.min(low[parent.at] ?? 0, low[at] ?? 0);
      if (low[at] !== found[at]) continue;
      for (;;) {
        const member = open.pop();
        if (member === undefined) break;
        component[member] = next;
        if (member === at) break;
      }
      next++;
    }
  }
  return component;
}
