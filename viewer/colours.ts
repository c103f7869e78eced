import { deviceOf, dtypeOf, memoryShare, mixed, scopeNames, scopeOf } from "./dominant.js";
import { timeShare } from "./heat.js";
import type { GroupModel, ProgramModel, Role, ViewModel } from "./model.js";
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
const mixedPaint: Paint = { name: "mixed", label: mixed };

const newValue: Paint = { name: "update", label: "new value" };

const rolePaints: Readonly<Record<Role, Paint>> = {
  forward: { name: "c1", label: "forward" },
  backward: { name: "c4", label: "backward" },
  update: { name: "update", label: "update" },
};

const sources: Readonly<Record<string, Paint>> = {
  placeholder: { name: "placeholder", label: "placeholder" },
  variable: { name: "variable", label: "variable" },
  assign: newValue,
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
      if (view.kind === "gradients") return rolePaints[box.role];
      if (group !== undefined) return groupPaint(box, view);
      return (node === undefined ? undefined : works[node.work]) ?? other;
    }
    case "dtype": {
      const dtype = dtypeOf(box, view, program);
      if (dtype === mixed) return mixedPaint;
      return dtype === undefined ? plain : dtypePaint(dtype);
    }
    case "scope": {
      const name = scopeOf(box, view, program);
      if (name === mixed) return mixedPaint;
      return name === "" ? { name: "c0", label: "at top level" } : scopePaint(name, program);
    }
    case "device": {
      const device = deviceOf(box, view, program);
      if (device === mixed) return { ...mixedPaint, label: "both" };
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

/** A class for the frame around what lies on a side, or belongs to a part of a training step. */
export function frameClass({ kind, name, role }: GroupModel): string | undefined {
  return kind === "side" ? `side-${sideTint(name)}` : kind === "phase" ? `phase-${rolePaints[role].name}` : undefined;
}

/** The colour of a side. */
export function sideTint(side: string): string {
  return side === "processor" || side === "cpu" ? "c1" : "c2";
}

function groupPaint({ role, group }: Box, view: ViewModel): Paint {
  if (group?.kind === "transfers") return { name: "transfer", label: "transfer" };
  if (group?.kind === "state") return role === "update" ? newValue : { name: "variable", label: "variable" };
  if (role === "update") return rolePaints.update;
  // Calls are plain; kernels say which part of a training step they are, where there is one.
  if (view.kind !== "kernels") return plain;
  return role === "backward" || view.groups.some((one) => one.role !== "forward")
    ? rolePaints[role]
    : { ...rolePaints.forward, label: "kernel" };
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

/** One colour for each outermost name of the text, whatever view and whichever part of a step it stands in. */
function scopePaint(name: string, program: ProgramModel): Paint {
  return { name: `c${(scopeNames(program).indexOf(name) % 9) + 1}`, label: name };
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
