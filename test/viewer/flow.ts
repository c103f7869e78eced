import type { Graph } from "../../compiler/ir/graph.js";
import { selectSignature } from "../../compiler/ir/select.js";
import { innerKernels, isLeaf } from "../../compiler/kernels/access.js";
import type { BufferId, ContractKernel, Kernel, KernelProgram, LeafKernel } from "../../compiler/kernels/form.js";
import { printKernel } from "../../compiler/kernels/printer.js";
import { lowerForDevice } from "../../viewer/device_parts.js";
import { documentOf } from "../../viewer/document.js";
import { sideOf } from "../../viewer/dominant.js";
import type { ViewModel } from "../../viewer/model.js";
import type { End, Lowered } from "../../viewer/sides.js";
import { firstOpen, nodeId, visibleOf } from "../../viewer/visible.js";
import { avx2 } from "../kernels/support.js";

/** What hands a value to what, as `from > to`: kernels as `0:name` with their part, and `feed x`, `variable w`, `output y`, `assign w`. */
export interface Flow {
  readonly edges: ReadonlySet<string>;
  /** What a kernel leaves of a buffer that it writes in part; what a loop gives that nobody reads. Such an edge may be drawn. */
  readonly allowed: ReadonlySet<string>;
}

interface Accesses {
  readonly reads: ReadonlySet<BufferId>;
  readonly writes: ReadonlySet<BufferId>;
}

/** What a kernel reads and writes by the text that `inspect` prints of it. */
export function printedAccesses(kernel: LeafKernel): Accesses {
  const [reads, writes] = [new Set<BufferId>(), new Set<BufferId>()];
  const ids = (text: string): readonly number[] => [...text.matchAll(/\bb(\d+)\b/g)].map(([, id]) => Number(id));
  for (const line of printKernel(kernel.kind === "contract" ? withoutReady(kernel) : kernel)) {
    const routine = /^routine \S+ \S+\((.*?)\) -> \((.*?)\)/.exec(line);
    const ready = /vector operand in strips of \d+ at b(\d+)/.exec(line);
    if (ready !== null) reads.add(Number(ready[1]));
    if (routine !== null) {
      for (const id of ids(routine[1] ?? "")) reads.add(id);
      for (const id of ids(routine[2] ?? "")) writes.add(id);
    } else if (!/^\s*(for|schedule|nest|contract) /.test(line)) {
      const target = /^\s*b(\d+)\[/.exec(line);
      const rest = target === null ? line : line.slice(target[0].length);
      if (target !== null) writes.add(Number(target[1]));
      if (target !== null && /\] \S+= /.test(rest.slice(closing(rest)))) reads.add(Number(target[1]));
      for (const [, id] of rest.matchAll(/\bb(\d+)\[/g)) reads.add(Number(id));
    }
  }
  return { reads, writes };
}

/** Where the bracket ends that is open at the beginning. */
function closing(text: string): number {
  let depth = 1;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "[") depth++;
    if (text[i] === "]" && --depth === 0) return i;
  }
  return text.length;
}

/** The operand of which a panel is there is printed, and not read. */
function withoutReady(kernel: ContractKernel): ContractKernel {
  if (kernel.panel === undefined) return kernel;
  const nothing = { kind: "constant", dtype: "f32", value: 0 } as const;
  return kernel.schedule.vectorAxis === "n" ? { ...kernel, rhs: nothing } : { ...kernel, lhs: nothing };
}

/** The flow of a program that runs alone, or of parts that hand each other edges. */
export function flowOf(programs: readonly KernelProgram[], ends?: readonly End[]): Flow {
  const [edges, allowed] = [new Set<string>(), new Set<string>()];
  const made = new Map<string, ReadonlySet<string>>();
  programs.forEach((program, part) => {
    const writers = new Map<BufferId, ReadonlySet<string>>();
    const atom = ({ name }: Kernel): string => `${part}:${name}`;
    const of = (id: BufferId): ReadonlySet<string> => {
      const known = writers.get(id);
      if (known !== undefined) return known;
      const storage = program.buffers[id]?.storage;
      if (storage?.kind === "placeholder") return made.get(storage.name) ?? new Set([`feed ${storage.name}`]);
      return new Set(storage?.kind === "variable" ? [`variable ${storage.path}`] : []);
    };
    const take = (id: BufferId, to: string, into = edges): void => {
      for (const from of of(id)) if (from !== to) into.add(`${from} > ${to}`);
    };
    const all = [...program.compute, ...program.commit];
    const run = (kernel: Kernel, around: readonly Kernel[]): void => {
      const to = atom(kernel);
      if (isLeaf(kernel)) {
        const { reads, writes } = printedAccesses(kernel);
        for (const id of reads) take(id, to);
        for (const id of writes) {
          take(id, to, allowed);
          writers.set(id, new Set([to]));
        }
        return;
      }
      const within = [...around, kernel];
      const before = new Map(writers);
      if (kernel.kind === "branch") {
        for (const inner of kernel.whenTrue) run(inner, within);
        const whenTrue = new Map(writers);
        for (const [id, from] of before) writers.set(id, from);
        for (const id of whenTrue.keys()) if (!before.has(id)) writers.delete(id);
        for (const inner of kernel.whenFalse) run(inner, within);
        for (const [id, from] of whenTrue)
          if (from !== before.get(id)) writers.set(id, new Set([...from, ...(writers.get(id) ?? [])]));
      } else for (const inner of innerKernels(kernel)) run(inner, within);
      if (kernel.kind !== "loop") take(kernel.predicate.buffer, to);
      const wanted = new Set(program.outputs.map(({ buffer }) => buffer));
      for (const id of readOutside(kernel, all, around)) wanted.add(id);
      for (const [id, from] of writers) {
        if (from === before.get(id)) continue;
        take(id, to, wanted.has(id) ? edges : allowed);
        writers.set(id, new Set([to]));
      }
    };
    for (const kernel of program.compute) run(kernel, []);
    for (const kernel of program.commit) {
      run(kernel, []);
      for (const [id, from] of writers) {
        const storage = program.buffers[id]?.storage;
        if (storage?.kind === "variable") for (const one of from) edges.add(`${one} > assign ${storage.path}`);
      }
    }
    for (const { name, buffer } of program.outputs) {
      made.set(name, of(buffer));
      if (ends === undefined) take(buffer, `output ${name}`);
    }
  });
  for (const { kind, name, from } of ends ?? []) {
    const sources = from.kind === "edge" ? (made.get(from.name) ?? []) : [`variable ${from.name}`];
    for (const one of sources) edges.add(`${one} > ${kind} ${name}`);
  }
  return { edges, allowed };
}

/** What is read of a loop's or branch's results: by kernels after it, and by the next iteration of a loop around it. */
function readOutside(kernel: Kernel, all: readonly Kernel[], around: readonly Kernel[]): ReadonlySet<BufferId> {
  const read = new Set<BufferId>();
  let isAfter = around.length > 0;
  const visit = (one: Kernel): void => {
    if (one === kernel) {
      isAfter = true;
      return;
    }
    if (isLeaf(one)) {
      if (isAfter) for (const id of printedAccesses(one).reads) read.add(id);
    } else {
      for (const inner of innerKernels(one)) visit(inner);
      if (isAfter && one.kind !== "loop") read.add(one.predicate.buffer);
    }
  };
  for (const one of all) visit(one);
  return read;
}

/** The same of a picture: what stands between two kernels, as a transfer does, hands on what it takes. */
export function drawnFlow(view: ViewModel): ReadonlySet<string> {
  const sides = view.groups.flatMap(({ kind }, at) => (kind === "side" ? [at] : []));
  const kernelAround = (at: number): number => {
    let group = view.nodes[at]?.group ?? -1;
    while (group >= 0 && view.groups[group]?.kernel === undefined) group = view.groups[group]?.parent ?? -1;
    return group;
  };
  const partOf = (from: number): number => {
    for (let group = from; group >= 0; group = view.groups[group]?.parent ?? -1)
      if (sides.includes(group)) return sides.indexOf(group);
    return 0;
  };
  const atomOf = (at: number): string | undefined => {
    const node = view.nodes[at];
    switch (node?.kind) {
      case "placeholder":
        return `feed ${node.name}`;
      case "variable":
      case "output":
      case "assign":
        return `${node.kind} ${node.name}`;
      case "parameter":
      case "transfer":
      case undefined:
        return undefined;
      case "constant":
      case "op": {
        const group = kernelAround(at);
        return group < 0 ? undefined : `${partOf(group)}:${view.groups[group]?.name}`;
      }
    }
  };
  const edges = new Set<string>();
  const sourcesOf = (at: number): readonly string[] => {
    const inputs = (view.nodes[at]?.inputs ?? []).filter((_, i) => i % 2 === 0);
    return inputs.flatMap((input) => {
      const atom = atomOf(input);
      return atom === undefined ? sourcesOf(input) : [atom];
    });
  };
  view.nodes.forEach((_, at) => {
    const to = atomOf(at);
    if (to !== undefined) for (const from of sourcesOf(at)) if (from !== to) edges.add(`${from} > ${to}`);
  });
  return edges;
}

/** Edges that lead from one side to the other without a transfer; results are the processor's. */
export function uncrossed(view: ViewModel): readonly string[] {
  const side = (at: number): string | undefined =>
    view.groups[sideOf(nodeId(at), view)]?.name ?? (view.nodes[at]?.kind === "output" ? "processor" : undefined);
  return view.nodes.flatMap(({ inputs, name }, at) =>
    inputs.flatMap((input, i) => {
      const [from, to] = [side(input), side(at)];
      return i % 2 === 0 && from !== undefined && to !== undefined && from !== to
        ? [`${view.nodes[input]?.name} > ${name}`]
        : [];
    }),
  );
}

export interface Compiled {
  readonly signature: string;
  readonly view: ViewModel;
  readonly programs: readonly KernelProgram[];
  readonly lowered: Lowered | undefined;
}

/** The kernels of each signature, and the picture of them. `unplaced`: where lies what the text places nowhere; none for no device. */
export function compiled(
  graph: Graph,
  unplaced: "cpu" | "gpu" | undefined,
  sizes: ReadonlyMap<string, number> = new Map(),
): readonly Compiled[] {
  return graph.signatures.map(({ name }) => {
    selectSignature(graph, name);
    const programs: KernelProgram[] = [];
    let lowered: Lowered | undefined;
    const document = documentOf(
      graph,
      [{ name, title: name, selection: { kind: "signature", name }, sizes, open: [] }],
      {
        file: "test.graph",
        textOf: () => undefined,
        target: avx2,
        device: "cpu",
        onKernels: (_, program) => programs.push(program),
        lower:
          unplaced === undefined
            ? undefined
            : (computation) => {
                lowered = lowerForDevice(computation, { unplaced, device: "gpu" }, avx2);
                return lowered;
              },
      },
    );
    const view = document.programs[0]?.views.find(({ kind }) => kind === "kernels");
    if (view === undefined) throw new Error("there is no view of the kernels");
    return { signature: name, view, programs: lowered?.parts.map(({ program }) => program) ?? programs, lowered };
  });
}

/** Where a picture says something else than the kernels that `inspect` prints. */
export function untruths({ signature, view, programs, lowered }: Compiled): readonly string[] {
  const { edges, allowed } = flowOf(programs, lowered?.ends);
  const drawn = drawnFlow(view);
  const missing = [...edges].filter((edge) => !drawn.has(edge)).map((edge) => `missing: ${edge}`);
  const invented = [...drawn]
    .filter((edge) => !edges.has(edge) && !allowed.has(edge))
    .map((edge) => `invented: ${edge}`);
  const sent = (lowered?.transfers ?? []).map(({ name }) => name).sort();
  const boxes = view.nodes.flatMap(({ kind, name }) => (kind === "transfer" ? [name] : [])).sort();
  const transfers = sent.join() === boxes.join() ? [] : [`sent: ${sent.join()}; drawn: ${boxes.join()}`];
  const crossed = uncrossed(view).map((edge) => `crosses without a transfer: ${edge}`);
  return [...missing, ...invented, ...transfers, ...crossed, ...alone(view, edges)].map(
    (text) => `${signature}: ${text}`,
  );
}

/** Boxes without an edge whose kernels have one. */
function alone(view: ViewModel, edges: ReadonlySet<string>): readonly string[] {
  const linked = new Set([...edges].flatMap((edge) => edge.split(" > ").map((atom) => atom.replace(/^\d+:/, ""))));
  return [firstOpen(view), new Set(view.groups.keys())].flatMap((open) => {
    const { boxes, edges: seen } = visibleOf(view, open);
    const ends = new Set(seen.flatMap(({ from, to }) => [from, to]));
    return boxes.flatMap(({ id, isOpen, name, node, group }) => {
      const atom =
        node?.kind === "variable" ? `variable ${name}` : node?.kind === "placeholder" ? `feed ${name}` : name;
      const isWithin = node?.kind === "op" && node.inputs.length === 0;
      return isOpen || ends.has(id) || isWithin || (group !== undefined && !linked.has(atom))
        ? []
        : [`alone: ${id} ${atom}`];
    });
  });
}
