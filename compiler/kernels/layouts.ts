import { byteSize } from "../ir/dtype.js";
import type { Value } from "../ir/node.js";
import { dtypeOf } from "./expressions.js";
import type { Grouping, NestGroup } from "./regions.js";
import { fillsOneBuffer, type Root } from "./roots.js";
import type { TargetLimits } from "./schedule.js";
import { countOf, shapeOf } from "./views.js";

/**
 * Temporaries that are stored column by column (their last axis outermost) instead of row by row. A softmax over 10 classes works
 * on rows shorter than a register of lanes: within a row most time goes into sums across lanes, each waiting for the one before.
 * With the lanes along the rows nothing crosses them, and with the columns apart each access is one register; a contraction that
 * makes or reads such a matrix does so just as well. Only what kernels read by its axes can be laid out so: outputs, variables
 * and what a reshape reads by position stay in row-major order.
 */
export function columnMajorRoots(
  grouping: Grouping,
  rootOf: ReadonlyMap<Value, Root>,
  target: TargetLimits,
): ReadonlySet<Root> {
  const found = new Set<Root>();
  for (const group of grouping.groups) {
    if (group.kind !== "nest") continue;
    const lengths = rowLengths(group);
    if (lengths.size === 0) continue;
    const near = new Set([...group.roots, ...group.roots.flatMap((root) => readRoots(root, rootOf))]);
    for (const root of near) if (hasShortRows(root, lengths, target)) found.add(root);
  }
  if (found.size === 0) return found;
  for (const group of grouping.groups) {
    for (const reader of group.roots) {
      for (const read of reader.reads) {
        const source = rootOf.get(read.value);
        if (source !== undefined && (group.kind === "single" || read.index.kind === "position")) found.delete(source);
      }
    }
  }
  return found;
}

function readRoots(root: Root, rootOf: ReadonlyMap<Value, Root>): readonly Root[] {
  return root.reads.flatMap((read) => rootOf.get(read.value) ?? []);
}

/** Rows that the group reduces one by one: length -> how many there are. */
function rowLengths(group: NestGroup): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>();
  for (const root of group.roots) {
    const reduced = root.axes.filter((axis) => axis.reduced);
    const [only] = reduced;
    if (only === undefined || reduced.length > 1 || (root.kind !== "reduce" && root.kind !== "arg_reduce")) continue;
    lengths.set(only.extent, Math.max(lengths.get(only.extent) ?? 0, root.iterations / only.extent));
  }
  return lengths;
}

function hasShortRows(root: Root, lengths: ReadonlyMap<number, number>, target: TargetLimits): boolean {
  if (root.output || root.assigned.length > 0 || fillsOneBuffer(root)) return false;
  const shape = shapeOf(root.value);
  const length = shape.at(-1) ?? 1;
  const rows = countOf(root.value) / length;
  const lanes = target.vectorBytes / byteSize(dtypeOf(root.value));
  return shape.length > 1 && length > 1 && length <= lanes && rows >= lanes && lengths.get(length) === rows;
}
