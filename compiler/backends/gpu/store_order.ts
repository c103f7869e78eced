import { InternalError } from "../../ir/diagnostic.js";
import { loadsOf } from "../../kernels/access.js";
import type { Access, BufferId } from "../../kernels/form.js";
import type { Step } from "./form.js";
import type { StorePath } from "./lower.js";

/**
 * Each store is a launch of its own, and all of a nest's see what was there before: a buffer that later ones still read as it was gets its
 * new array in the end. `temporaryLike` makes a buffer of the length of another.
 */
export function inOrder(
  steps: ReadonlyMap<BufferId, readonly Step[]>,
  paths: readonly StorePath[],
  temporaryLike: (target: BufferId) => BufferId,
): readonly Step[] {
  const now: Step[] = [];
  const late: Step[] = [];
  for (const [target, own] of steps) {
    const [only] = own;
    if (only === undefined || !isReadBeforeLater(target, paths)) now.push(...own);
    else if (own.length === 1 && (only.kind === "launch" || only.kind === "alias")) {
      const made = temporaryLike(target);
      now.push(only.kind === "launch" ? { ...only, output: made } : { ...only, to: made });
      late.push({ kind: "alias", from: made, to: target });
    } else if (late.some(({ kind }) => kind === "launch")) {
      throw new InternalError("a kernel stores to two buffers in parts, and reads both");
    } else late.unshift(...own);
  }
  return [...now, ...late];
}

/** Whether stores behind those to a buffer read what it was before: by an expression that stands before it is stored to, too. */
function isReadBeforeLater(target: BufferId, paths: readonly StorePath[]): boolean {
  const last = paths.findLastIndex(({ store }) => store.target.buffer === target);
  const old = loadsFrom(target, paths.slice(0, last + 1));
  return old.size > 0 && [...loadsFrom(target, paths.slice(last + 1))].some((load) => old.has(load));
}

function loadsFrom(buffer: BufferId, paths: readonly StorePath[]): ReadonlySet<Access> {
  const loads = loadsOf({ kind: "nest", name: "", body: paths.flatMap(({ body }) => body), spans: [] });
  return new Set(loads.filter((access) => access.buffer === buffer));
}
