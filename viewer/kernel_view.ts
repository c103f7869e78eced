import type { Node, Value } from "../compiler/ir/node.js";
import { innerKernels, isLeaf, readBy, writtenBy } from "../compiler/kernels/access.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import type {
  BranchKernel,
  Buffer,
  BufferId,
  Kernel,
  KernelProgram,
  LoopKernel,
  WhileKernel,
} from "../compiler/kernels/form.js";
import type { FusionLog, PartRun } from "../compiler/kernels/fusion_log.js";
import { reasonTexts } from "../compiler/kernels/fusion_texts.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { isStored } from "../compiler/kernels/semantics.js";
import { type KernelWork, workOf } from "../compiler/kernels/work.js";
import type { Place, ViewBuilder } from "./builder.js";
import { inlinedText } from "./constants.js";
import { GivenNames } from "./given_names.js";
import type { KernelModel, ListingModel, Role, WorkModel } from "./model.js";
import { costOf } from "./shares.js";
import type { Stages } from "./stages.js";
import type { KernelTimes } from "./times.js";

const evaluatedText = "A part of the processor with so few numbers is evaluated op by op: no code is made of it.";

/** Characters of a kernel's loops that a document quotes. */
const mostCode = 6000;

/** The kernels of one device, with what was decided on the way. */
export interface LoweredPart {
  readonly program: KernelProgram;
  readonly observed: ReadonlyMap<string, ObservedKernel>;
  readonly log: FusionLog;
  readonly run: PartRun;
  readonly device: string;
  /** What the device is called. */
  readonly shown: string;
  /** The names that a kernel is measured under, where those are not its own. */
  readonly measured: ReadonlyMap<string, readonly string[]>;
  /** Whether the processor's code is made of it: not of what a device computes, nor of what is evaluated op by op. */
  readonly isCompiled: boolean;
  /** By the kernel's name. */
  readonly listings: ReadonlyMap<string, readonly ListingModel[]>;
}

/** What stands around the kernels of a program. */
export interface Surroundings {
  /** The group that they stand in; -1 for none. */
  readonly group: number;
  /** The buffers of the parts before. */
  readonly base: number;
  /** Where a buffer's contents come from that the program is given. */
  readonly given: (buffer: Buffer) => readonly Place[];
  /** The variables that outputs of the program become the new values of. */
  readonly assigned: ReadonlyMap<BufferId, string>;
  /** Is told each kernel that stands in `group`. */
  readonly stages: Stages;
}

/**
 * Fills a view with the kernels of a program: each is a group of the nodes that became one loop. A node that several kernels compute
 * for themselves stands in each of them. Edges between kernels follow the buffers: what a kernel reads comes from whoever wrote it
 * last. Gives where the program's outputs come from.
 */
export function addKernels(
  builder: ViewBuilder,
  part: LoweredPart,
  times: KernelTimes,
  { group: around, base, given, assigned, stages }: Surroundings,
): ReadonlyMap<string, readonly Place[]> {
  const { program, observed, log, run, shown, listings, isCompiled } = part;
  const words = new GivenNames(builder.sources, builder.names);
  const reasons = new Map<Node, readonly string[]>();
  for (const logged of log.values(program, run)) reasons.set(logged.value.node, reasonTexts(logged, builder.sources));
  /** Who wrote a buffer last, as the kernels run one after another: several where branches do. */
  let writers = new Map<BufferId, readonly Place[]>();

  const writersOf = (id: BufferId): readonly Place[] => {
    const known = writers.get(id);
    if (known !== undefined) return known;
    const buffer = program.buffers[id];
    const found = buffer === undefined ? [] : given(buffer);
    writers.set(id, found);
    return found;
  };

  /** The nodes of a kernel's own loops, and what their results are stored to. */
  const addNodes = (kernel: Kernel, { nodes, roots, bufferOf }: ObservedKernel, group: number): void => {
    const [reads, writes] = [readBy(kernel), writtenBy(kernel)];
    const inside = isLeaf(kernel) ? undefined : resultsOf(kernel, roots);
    const own = new Map<Node, number>();
    const used = new Set<BufferId>();
    const placesOf = (value: Value): readonly Place[] => {
      const at = own.get(value.node);
      if (at !== undefined) return [[at, value.index]];
      const id = inlinedText(value) === undefined ? bufferOf(value) : undefined;
      // What an update in place leaves as it is comes from the writer before, though it is not read.
      if (id === undefined || !(reads.has(id) || writes.has(id))) return [];
      used.add(id);
      return writersOf(id);
    };
    const rootNodes = new Set(roots.map(({ value }) => value.node));
    // Each node was named before what it reads.
    for (const node of [...nodes].sort((a, b) => a.id - b.id)) {
      const [first] = node.outputs;
      const isWritten = first === undefined || inlinedText(first) !== undefined || isStored(first);
      if (isWritten && !rootNodes.has(node)) continue;
      const nodeRole: Role = builder.isBackward(node) ? "backward" : "forward";
      const isCopied = first !== undefined && isStored(first) && node.op !== "constant";
      const inputs = isCopied
        ? placesOf(first)
        : inside === undefined
          ? node.inputs.flatMap(placesOf)
          : inside.flatMap(writersOf);
      const made = isCopied
        ? builder.passing(once(inputs), { ...copied, group, outputs: [builder.type(first.type)] })
        : builder.node(node, "", nodeRole, once(inputs).flat(), group, { why: reasons.get(node) ?? [] });
      own.set(node, made);
    }
    const main = roots[0] === undefined ? undefined : own.get(roots[0].value.node);
    // A copy of an operand, a panel that was filled before: what no node of the graph stands for.
    const others = inside === undefined ? [...reads].filter((id) => !used.has(id) && !writes.has(id)) : [];
    if (main !== undefined) builder.addInputs(main, once(others.flatMap(writersOf)));
    for (const { value, targets } of roots) {
      const at = own.get(value.node);
      if (at === undefined) continue;
      for (const id of targets()) if (writes.has(id)) writers.set(id, [[at, value.index]]);
    }
  };

  /** A kernel that only moves numbers: the graph has no node for it. */
  const addCopy = (kernel: Kernel, group: number): void => {
    const inputs = once([...readBy(kernel)].flatMap(writersOf));
    for (const id of writtenBy(kernel)) {
      const buffer = program.buffers[id];
      if (buffer === undefined) continue;
      const { dtype, length } = buffer;
      const [type = builder.type({ dtype, shape: [length] })] = builder.typesOf(inputs);
      writers.set(id, [[builder.passing(inputs, { ...copied, group, outputs: [type] }), 0]]);
    }
  };

  const addInner = (kernel: Kernel, phase: KernelModel["phase"], group: number, order: string): void => {
    const numbers = new Map(innerKernels(kernel).map((inner, i) => [inner, `${order}.${i + 1}`]));
    const add = (inner: Kernel): void => addKernel(inner, phase, group, numbers.get(inner) ?? order);
    if (kernel.kind !== "branch") {
      for (const inner of innerKernels(kernel)) add(inner);
      return;
    }
    const before = new Map(writers);
    for (const inner of kernel.whenTrue) add(inner);
    const whenTrue = writers;
    writers = new Map(before);
    for (const inner of kernel.whenFalse) add(inner);
    for (const [id, places] of whenTrue)
      if (places !== before.get(id)) writers.set(id, once([...places, ...(writers.get(id) ?? [])]));
  };

  /** What an iteration reads of the one before is a parameter of the loop: at first, what there was before the loop. */
  const addCarries = (kernel: LoopKernel | WhileKernel, group: number): void => {
    const written = writtenBy(kernel);
    const loop = observed.get(kernel.name)?.roots[0]?.value.node;
    const role: Role = loop !== undefined && builder.isBackward(loop) ? "backward" : "forward";
    const done = new Set<BufferId>();
    for (const inner of innerKernels(kernel)) {
      for (const id of readBy(inner)) {
        const places = writers.get(id);
        if (places === undefined || !written.has(id) || done.has(id)) continue;
        done.add(id);
        const value = parameterIn(kernel, id, observed);
        if (value === undefined) continue;
        const own = { text: "carry" };
        writers.set(id, [[builder.node(value.node, words.wordOf(value), role, places.flat(), group, own), 0]]);
      }
      for (const id of writtenBy(inner)) done.add(id);
    }
  };

  /** What the kernels in a kernel were made of, and it itself where it has no others. */
  const madeOf = (kernel: Kernel): readonly ObservedKernel[] =>
    isLeaf(kernel) ? [observed.get(kernel.name) ?? []].flat() : innerKernels(kernel).flatMap(madeOf);

  const addKernel = (kernel: Kernel, phase: KernelModel["phase"], parent: number, order: string): void => {
    const code = printKernel(kernel).join("\n");
    const group = builder.addGroup({
      kind: "kernel",
      name: kernel.name,
      text: kernel.kind,
      role: "forward",
      parent,
      places: builder.lines.places(kernel.spans),
      kernel: {
        order,
        phase,
        code: code.length > mostCode ? `${code.slice(0, mostCode)}\n…` : code,
        reads: numbered(readBy(kernel), base),
        writes: numbered(writtenBy(kernel), base),
        device: shown,
        work: isLeaf(kernel) ? workModel(workOf(kernel, program.buffers)) : undefined,
        seconds: times.get(kernel.name),
        listings: listings.get(kernel.name) ?? [],
        unlisted: isCompiled || listings.has(kernel.name) ? undefined : evaluatedText,
      },
    });
    if (kernel.kind === "loop" || kernel.kind === "while") addCarries(kernel, group);
    if (!isLeaf(kernel)) addInner(kernel, phase, group, order);
    const made = observed.get(kernel.name);
    if (made !== undefined) addNodes(kernel, made, group);
    else addCopy(kernel, group);
    if (parent !== around) return;
    const written: string[] = [];
    for (const id of writtenBy(kernel)) {
      const storage = program.buffers[id]?.storage;
      const path = storage?.kind === "variable" ? storage.path : assigned.get(id);
      if (path !== undefined) written.push(path);
      if (storage?.kind === "variable") builder.sink("assign", storage.path, writersOf(id), "update", around);
    }
    const cost = costOf(kernel, program.buffers, times);
    stages.see({ group, isLoop: !isLeaf(kernel), made: madeOf(kernel), written, cost });
  };
  for (const kernel of program.compute) addKernel(kernel, "compute", around, `${stages.next}`);
  for (const kernel of program.commit) addKernel(kernel, "commit", around, `${stages.next}`);
  return new Map(program.outputs.map(({ name, buffer }) => [name, writersOf(buffer)]));
}

/** The graph has no node for it. */
const copied = { kind: "op", name: "", text: "copy", work: "view" } as const;

/** Places, each once. */
function once(places: readonly Place[]): readonly Place[] {
  return [...new Map(places.map((place) => [place.join(), place])).values()];
}

function numbered(ids: ReadonlySet<BufferId>, base: number): readonly number[] {
  return [...ids].map((id) => base + id).sort((a, b) => a - b);
}

function workModel({ operations, transcendentals, readBytes, writtenBytes }: KernelWork): WorkModel {
  return { operations, transcendentals, readBytes, writtenBytes };
}

/** What a loop or branch itself reads once its kernels have run: what decides about it, and its results. */
function resultsOf(
  kernel: LoopKernel | WhileKernel | BranchKernel,
  roots: ObservedKernel["roots"],
): readonly BufferId[] {
  const decides = kernel.kind === "loop" ? [] : [kernel.predicate.buffer];
  return [...decides, ...roots.flatMap(({ targets }) => targets())];
}

/** The parameter of a loop that lies in a buffer. */
function parameterIn(
  kernel: LoopKernel | WhileKernel,
  id: BufferId,
  observed: ReadonlyMap<string, ObservedKernel>,
): Value | undefined {
  const loop = observed.get(kernel.name)?.roots[0]?.value.node;
  const parameters = loop?.regions.flatMap((region) => region.parameters) ?? [];
  const inside = innerKernels(kernel).flatMap(({ name }) => observed.get(name) ?? []);
  return parameters.find((parameter) => inside.some(({ bufferOf }) => bufferOf(parameter) === id));
}
