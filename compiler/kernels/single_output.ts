import type { Value } from "../ir/node.js";
import type { Group } from "./regions.js";
import type { Root } from "./roots.js";

/** A kernel of a device computes each element of its one result by itself: what it needs on the way is not stored. */
export interface SingleOutput {
  /** Arrays that a kernel may read. */
  readonly mostInputs: number;
  /** How long one element may take, in iterations of loops, where the alternative is a kernel more. */
  readonly longestElement: number;
}

/** Who reads each root. */
export function readersOf(
  roots: readonly Root[],
  rootOf: ReadonlyMap<Value, Root>,
): ReadonlyMap<Root, ReadonlySet<Root>> {
  const readers = new Map<Root, Set<Root>>(roots.map((root) => [root, new Set()]));
  for (const root of roots) {
    for (const read of root.reads) {
      const source = rootOf.get(read.value);
      if (source !== undefined) readers.get(source)?.add(root);
    }
  }
  return readers;
}

/** Whether a group with this root still stores nothing but this root, and reads few enough arrays. */
export function continues(
  root: Root,
  group: Group,
  readers: ReadonlyMap<Root, ReadonlySet<Root>>,
  rootOf: ReadonlyMap<Value, Root>,
  { mostInputs }: SingleOutput,
): boolean {
  const members = new Set([...group.roots, root]);
  const isKeptInside = (member: Root): boolean =>
    !member.output &&
    member.assigned.length === 0 &&
    [...(readers.get(member) ?? [])].every((reader) => members.has(reader));
  if (!group.roots.every(isKeptInside)) return false;
  const inputs = new Set<Value>();
  for (const { reads } of members) {
    for (const { value } of reads) {
      const source = rootOf.get(value);
      if (source === undefined || !members.has(source)) inputs.add(value);
    }
  }
  return inputs.size <= mostInputs;
}
