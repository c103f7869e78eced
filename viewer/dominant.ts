import type { GroupModel, ProgramModel, ViewModel } from "./model.js";
import type { Box } from "./visible.js";

/** What boxes are by their colours, and closed groups by what most of the bytes in them are. */

/** Where none has more than half of the bytes. */
export const mixed = "mixed";

interface Facts {
  /** Of each group, bytes by dtype, and by the outermost scope of the text. */
  readonly dtypes: readonly ReadonlyMap<string, number>[];
  readonly scopes: readonly ReadonlyMap<string, number>[];
  readonly devices: readonly ReadonlySet<string>[];
  readonly nodeDevices: readonly ReadonlySet<string>[];
  /** The bytes of the largest value that a box makes, and of the largest of all. */
  readonly largest: readonly number[];
  readonly most: number;
}

const known = new WeakMap<ViewModel, Facts>();

function factsOf(view: ViewModel, program: ProgramModel): Facts {
  const found = known.get(view) ?? gather(view, program);
  known.set(view, found);
  return found;
}

function gather(view: ViewModel, program: ProgramModel): Facts {
  const { nodes, groups, types } = view;
  const dtypes = groups.map(() => new Map<string, number>());
  const scopes = groups.map(() => new Map<string, number>());
  const devices = groups.map(() => new Set<string>());
  const buffers = program.memory?.buffers ?? [];
  const largest = groups.map(({ kernel }) =>
    Math.max(0, ...(kernel?.writes ?? []).map((id) => buffers[id]?.bytes ?? 0)),
  );
  const nodeDevices = devicesOf(view, program);
  const isKernels = view.kind === "kernels";
  nodes.forEach(({ group, outputs }, index) => {
    const type = types[outputs[0] ?? -1];
    const scope = nodeScope(index, view, program);
    // Where sizes are not known, each value counts.
    const bytes = Math.max(1, type?.bytes ?? 1);
    for (let at = group; at >= 0; at = groups[at]?.parent ?? -1) {
      if (type !== undefined) add(dtypes[at], dtypeIn(type.text), bytes);
      add(scopes[at], scope, bytes);
      for (const device of nodeDevices[index] ?? []) devices[at]?.add(device);
      // Of kernels, what is stored counts, not what is computed on the way.
      if (!isKernels) largest[at] = Math.max(largest[at] ?? 0, bytes);
    }
  });
  groups.forEach((_, index) => {
    for (let at = groups[index]?.parent ?? -1; at >= 0; at = groups[at]?.parent ?? -1)
      largest[at] = Math.max(largest[at] ?? 0, largest[index] ?? 0);
  });
  const most =
    isKernels && buffers.length > 0 ? buffers.map(({ bytes }) => bytes) : types.map(({ bytes = 0 }) => bytes);
  return { dtypes, scopes, devices, nodeDevices, largest, most: most.reduce((all, one) => Math.max(all, one), 1) };
}

function add(counts: Map<string, number> | undefined, key: string, by: number): void {
  counts?.set(key, (counts.get(key) ?? 0) + by);
}

function dtypeIn(type: string): string {
  return type.replace(/\[.*/, "");
}

/** What more than half of it is. */
function dominating(counts: ReadonlyMap<string, number> | undefined): string | undefined {
  if (counts === undefined || counts.size === 0) return undefined;
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  return [...counts].find(([, one]) => one * 2 > total)?.[0] ?? mixed;
}

/** The dtype of what a box makes. */
export function dtypeOf({ node, id }: Box, view: ViewModel, program: ProgramModel): string | undefined {
  const type = view.types[node?.outputs[0] ?? -1]?.text;
  if (node !== undefined) return type === undefined ? undefined : dtypeIn(type);
  return dominating(factsOf(view, program).dtypes[Number(id.slice(1))]);
}

/** The outermost call or scope of the text that a box belongs to; empty for none. */
export function scopeOf({ node, id, group }: Box, view: ViewModel, program: ProgramModel): string {
  const at = Number(id.slice(1));
  if (node !== undefined) return nodeScope(at, view, program);
  const own = view.kind === "kernels" ? group?.scope : outermost(view.groups, at);
  return own !== undefined && own !== "" ? own : (dominating(factsOf(view, program).scopes[at]) ?? "");
}

function nodeScope(index: number, view: ViewModel, program: ProgramModel): string {
  const node = view.nodes[index];
  if (node === undefined) return "";
  if (view.kind !== "kernels") return outermost(view.groups, node.group);
  for (let at = node.group; at >= 0; at = view.groups[at]?.parent ?? -1) {
    const scope = view.groups[at]?.scope;
    if (scope !== undefined) return scope;
  }
  const [source] = program.views;
  const stem = source?.nodes[node.stems[0] ?? -1];
  return source === undefined || stem === undefined ? "" : outermost(source.groups, stem.group);
}

/** The name of the outermost group around a place that the text has. */
function outermost(groups: readonly GroupModel[], from: number): string {
  let found = "";
  for (let at = from; at >= 0; at = groups[at]?.parent ?? -1) {
    const group = groups[at];
    if (group !== undefined && group.kind !== "part") found = group.name;
  }
  return found;
}

const names = new WeakMap<ProgramModel, readonly string[]>();

/** The outermost names of the text. */
export function scopeNames(program: ProgramModel): readonly string[] {
  const known = names.get(program);
  if (known !== undefined) return known;
  const all = program.views.slice(0, 2).flatMap(({ groups }) => groups.map((_, index) => outermost(groups, index)));
  const found = [...new Set(all.filter((name) => name !== ""))];
  names.set(program, found);
  return found;
}

/** Of each node, the devices of the kernels that it is in or went into. */
function devicesOf(view: ViewModel, program: ProgramModel): readonly ReadonlySet<string>[] {
  const kernels = program.views.find(({ kind }) => kind === "kernels");
  if (kernels === undefined) return [];
  const own = kernels.nodes.map(({ group }): string | undefined => {
    for (let at = group; at >= 0; at = kernels.groups[at]?.parent ?? -1) {
      const { kernel, kind, name } = kernels.groups[at] ?? {};
      if (kernel !== undefined) return kernel.device;
      if (kind === "side") return name;
    }
    return undefined;
  });
  if (view === kernels) return own.map((device) => new Set(device === undefined ? [] : [device]));
  const byStem = new Map<number, Set<string>>();
  kernels.nodes.forEach(({ stems, kind }, index) => {
    const device = own[index];
    if (device === undefined || kind === "variable") return;
    for (const stem of stems) byStem.set(stem, (byStem.get(stem) ?? new Set()).add(device));
  });
  return view.nodes.map(({ stems }, index) => {
    const of = view.kind === "source" ? [index] : stems;
    return new Set(of.flatMap((stem) => [...(byStem.get(stem) ?? [])]));
  });
}

/** Where a box is computed; undefined for what no kernel computes. */
export function deviceOf({ id }: Box, view: ViewModel, program: ProgramModel): string | undefined {
  const facts = factsOf(view, program);
  const at = Number(id.slice(1));
  const kernel = id.startsWith("g") ? view.groups[at]?.kernel : undefined;
  const side = view.groups[sideOf(id, view)]?.name;
  if (side !== undefined) return side;
  const own = (id.startsWith("g") ? view.groups : view.nodes)[at]?.side;
  if (own !== undefined) return own;
  const devices = id.startsWith("n") ? facts.nodeDevices[at] : facts.devices[at];
  const [only, ...others] = kernel === undefined ? (devices ?? []) : [kernel.device];
  return others.length > 0 ? mixed : only;
}

/** The group of the side that a box lies on; -1 where there is one side alone, and for what lies between. */
export function sideOf(id: string, { nodes, groups }: ViewModel): number {
  let at = Number(id.slice(1));
  if (id.startsWith("n")) at = nodes[at]?.group ?? -1;
  while (at >= 0 && groups[at]?.kind !== "side") at = groups[at]?.parent ?? -1;
  return at;
}

/** The bytes of the largest value that a box makes, as a share of the largest of the view. */
export function memoryShare({ id, node }: Box, view: ViewModel, program: ProgramModel): number {
  const { largest, most } = factsOf(view, program);
  if (node === undefined) return (largest[Number(id.slice(1))] ?? 0) / most;
  return Math.max(0, ...node.outputs.map((type) => view.types[type]?.bytes ?? 0)) / most;
}
