import { timeShare } from "./heat.js";
import type { ProgramModel, ViewModel } from "./model.js";
import type { Box } from "./visible.js";

/** What the colour of a box says. */
export const colourModes = ["structure", "dtype", "scope", "device", "time", "memory"] as const;
export type ColourMode = (typeof colourModes)[number];

export interface Paint {
  /** A class of the style sheet: `c3` is a kind, `h4` a step of a scale. */
  readonly name: string;
  /** What it stands for, in the legend. */
  readonly label: string;
}

const works: Readonly<Record<string, Paint>> = {
  elementwise: { name: "c1", label: "element-wise" },
  contract: { name: "c2", label: "contraction" },
  composite: { name: "c2", label: "contraction" },
  reduce: { name: "c3", label: "reduction" },
  arg_reduce: { name: "c3", label: "reduction" },
  view: { name: "c0", label: "view: no work" },
};

const other: Paint = { name: "c7", label: "other" };
const plain: Paint = { name: "c0", label: "" };

const sources: Readonly<Record<string, Paint>> = {
  placeholder: { name: "placeholder", label: "placeholder" },
  variable: { name: "variable", label: "variable" },
  assign: { name: "variable", label: "variable" },
  constant: { name: "constant", label: "constant" },
  parameter: { name: "constant", label: "parameter" },
  output: { name: "output", label: "output" },
  transfer: { name: "transfer", label: "transfer" },
};

/** The class of each box, by what the mode asks of it. */
export function paintOf(box: Box, mode: ColourMode, view: ViewModel, program: ProgramModel): Paint {
  const { node, group } = box;
  const source = node === undefined ? undefined : sources[node.kind];
  switch (mode) {
    case "structure": {
      if (source !== undefined) return source;
      if (view.kind === "gradients" && box.role !== "forward")
        return box.role === "backward" ? { name: "c4", label: "backward" } : { name: "c5", label: "update" };
      if (view.kind === "gradients") return { name: "c1", label: "forward" };
      if (group !== undefined) return groupPaint(box);
      return (node === undefined ? undefined : works[node.work]) ?? other;
    }
    case "dtype": {
      const text = node === undefined ? undefined : view.types[node.outputs[0] ?? -1]?.text;
      return text === undefined ? plain : dtypePaint(text.replace(/\[.*/, ""));
    }
    case "scope": {
      const top = topGroup(box, view);
      return top < 0 ? { name: "c0", label: "graph" } : scopePaint(view.groups[top]?.name ?? "", view);
    }
    case "device": {
      const side = view.groups[sideOf(box.id, view)]?.name;
      if (side !== undefined) return { name: sideTint(side), label: side };
      const device = (group ?? view.groups[node?.group ?? -1])?.kernel?.device;
      return device === undefined ? plain : { name: sideTint(device), label: device };
    }
    case "time": {
      const share = timeShare(box, view, program);
      return share === undefined ? plain : scale(share, "slowest");
    }
    case "memory":
      return scale(memoryShare(box, view, program), "largest");
  }
}

/** The group of the side that a box lies on; -1 where there is one side alone, and for what lies between. */
export function sideOf(id: string, { nodes, groups }: ViewModel): number {
  let at = Number(id.slice(1));
  if (id.startsWith("n")) at = nodes[at]?.group ?? -1;
  while (at >= 0 && groups[at]?.kind !== "side") at = groups[at]?.parent ?? -1;
  return at;
}

/** The colour of a side. */
export function sideTint(side: string): string {
  return side === "gpu" ? "c2" : "c1";
}

function groupPaint({ role, group }: Box): Paint {
  if (group?.kind === "transfers") return { name: "transfer", label: "transfer" };
  if (group?.kind === "state") return { name: "variable", label: "variable" };
  if (group?.kind === "kernel")
    return role === "update" ? { name: "c5", label: "writes variables" } : { name: "c1", label: "kernel" };
  return role === "update" ? { name: "c5", label: "update" } : plain;
}

const dtypeClasses: ReadonlyMap<string, string> = new Map([
  ["f64", "c4"],
  ["f32", "c1"],
  ["f16", "c2"],
  ["bf16", "c6"],
  ["i64", "c3"],
  ["i32", "c5"],
  ["i8", "c7"],
  ["u8", "c8"],
  ["bool", "c9"],
]);

function dtypePaint(dtype: string): Paint {
  return { name: dtypeClasses.get(dtype) ?? "c0", label: dtype };
}

function topGroup({ node, id, group }: Box, view: ViewModel): number {
  let at = group === undefined ? (node?.group ?? -1) : Number(id.slice(1));
  for (let parent = view.groups[at]?.parent ?? -1; parent >= 0; parent = view.groups[at]?.parent ?? -1) at = parent;
  return at;
}

/** One colour for each outermost name, whether forward, backward or another call of that binding. */
function scopePaint(name: string, { groups }: ViewModel): Paint {
  const names = [...new Set(groups.filter(({ parent }) => parent < 0).map((group) => group.name))];
  return { name: `c${(names.indexOf(name) % 9) + 1}`, label: name };
}

/** Steps of the scale: each is about twice the one before. */
const steps = 6;

/** From the largest step on. */
function scaleLabels(most: string): readonly string[] {
  return [most, "a half", "a quarter", "an 8th", "a 16th", "a 32nd or less"];
}

function scale(share: number, most: string): Paint {
  if (!(share > 0)) return { name: "h0", label: "none" };
  const step = Math.max(1, Math.min(steps, Math.round(steps + Math.log2(share))));
  return { name: `h${step}`, label: scaleLabels(most)[steps - step] ?? "" };
}

/** The bytes of what a box makes, as a share of the largest of the view. */
function memoryShare(box: Box, view: ViewModel, program: ProgramModel): number {
  const { node, group } = box;
  if (group?.kernel !== undefined && program.memory !== undefined) {
    const { buffers } = program.memory;
    const largest = buffers.reduce((most, { bytes }) => Math.max(most, bytes), 1);
    return Math.max(0, ...group.kernel.writes.map((id) => buffers[id]?.bytes ?? 0)) / largest;
  }
  const largest = view.types.reduce((most, { bytes }) => Math.max(most, bytes ?? 0), 1);
  return Math.max(0, ...(node?.outputs ?? []).map((type) => view.types[type]?.bytes ?? 0)) / largest;
}
