import type { ProgramModel, ViewModel } from "./model.js";
import type { Box } from "./visible.js";

/**
 * Measured times as heat. A kernel has the time that a profile gives it; what stands in the other views has the time of the slowest
 * kernel that it went into, whole: kernels are measured, not the ops in them.
 */

interface Heat {
  readonly nodes: readonly (number | undefined)[];
  readonly groups: readonly (number | undefined)[];
  /** The slowest of all kernels; 0 where there is no profile. */
  readonly slowest: number;
}

const known = new WeakMap<ViewModel, Heat>();

/** The seconds of a box as a share of the slowest kernel's; undefined where none were measured. */
export function timeShare(box: Box, view: ViewModel, program: ProgramModel): number | undefined {
  const { nodes, groups, slowest } = heatOf(view, program);
  const at = Number(box.id.slice(1));
  const seconds = box.id.startsWith("n") ? nodes[at] : groups[at];
  return seconds === undefined || slowest === 0 ? undefined : seconds / slowest;
}

export function hasTimes({ views }: ProgramModel): boolean {
  return views.some(({ groups }) => groups.some(({ kernel }) => kernel?.seconds !== undefined));
}

function heatOf(view: ViewModel, program: ProgramModel): Heat {
  const found = known.get(view) ?? measure(view, program);
  known.set(view, found);
  return found;
}

function measure(view: ViewModel, program: ProgramModel): Heat {
  const kernels = program.views.find(({ kind }) => kind === "kernels");
  const slowest = kernels?.groups.reduce((all, { kernel }) => Math.max(all, kernel?.seconds ?? 0), 0) ?? 0;
  const isKernels = view === kernels || kernels === undefined;
  const byStem = isKernels ? undefined : secondsByStem(kernels);
  const nodes = view.nodes.map((node, index) => {
    if (byStem === undefined) return view.groups[node.group]?.kernel?.seconds;
    const key = node.role === "backward" ? "backward" : "forward";
    const stems = view.kind === "source" ? [index] : node.stems;
    return most(stems.map((stem) => byStem[key].get(stem)));
  });
  const groups: (number | undefined)[] = view.groups.map(({ kernel }) => kernel?.seconds);
  view.nodes.forEach(({ group }, index) => {
    for (let at = group; at >= 0; at = view.groups[at]?.parent ?? -1) groups[at] = most([groups[at], nodes[index]]);
  });
  return { nodes, groups, slowest };
}

/** By the node of the source view: what became of it, and what became of its gradient. */
function secondsByStem({ nodes, groups }: ViewModel): Readonly<Record<"forward" | "backward", Map<number, number>>> {
  const found = { forward: new Map<number, number>(), backward: new Map<number, number>() };
  for (const { role, group, stems } of nodes) {
    const seconds = groups[group]?.kernel?.seconds;
    const times = role === "backward" ? found.backward : found.forward;
    if (seconds !== undefined) for (const stem of stems) times.set(stem, Math.max(seconds, times.get(stem) ?? 0));
  }
  return found;
}

function most(seconds: readonly (number | undefined)[]): number | undefined {
  return seconds.reduce((all, one) => (one === undefined || (all !== undefined && all >= one) ? all : one), undefined);
}
