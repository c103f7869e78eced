import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { typeText } from "../compiler/ir/type.js";
import { innerKernels, isLeaf, leavesOf, loadsOf, writtenBy } from "../compiler/kernels/access.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import type { Buffer, BufferId, Kernel, KernelProgram } from "../compiler/kernels/form.js";
import { type FusionLog, fusionTexts, planReasonText } from "../compiler/kernels/fusion_log.js";
import { byteLength, lives } from "../compiler/kernels/lives.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { type KernelWork, workOf } from "../compiler/kernels/work.js";
import type { ViewBuilder } from "./builder.js";
import { inlinedText } from "./constants.js";
import type { BufferModel, MemoryModel, Role, WorkModel } from "./model.js";

/** Characters of a kernel's loops that a document quotes. */
const mostCode = 6000;

/** Measured seconds by the kernel's name, where there is a profile. */
export type KernelTimes = ReadonlyMap<string, number>;

/**
 * What a profile has of this program: under its name, or, as training asks for what it reports and not for a signature, under
 * another one with the same kernels.
 */
export function timesOf(program: KernelProgram, measured: ReadonlyMap<string, KernelTimes>): KernelTimes {
  const named = measured.get(program.name);
  if (named !== undefined) return named;
  const names = leavesOf([...program.compute, ...program.commit]).map(({ name }) => name);
  const shares = [...measured.values()].map((times) => ({
    times,
    share: names.filter((name) => times.has(name)).length / Math.max(1, names.length),
  }));
  const [best] = shares.sort((a, b) => b.share - a.share);
  return best === undefined || best.share < 0.8 ? new Map() : best.times;
}

/**
 * Fills a view with the kernels of a program: each is a group of the nodes that became one loop. A node that several kernels compute
 * for themselves stands in each of them.
 */
export function addKernels(
  builder: ViewBuilder,
  program: KernelProgram,
  observed: ReadonlyMap<string, ObservedKernel>,
  log: FusionLog,
  device: string,
  measured: ReadonlyMap<string, KernelTimes>,
): void {
  const times = timesOf(program, measured);
  const reasons = new Map<Node, readonly string[]>();
  for (const logged of log.values(program))
    reasons.set(logged.value.node, [planReasonText(logged), ...fusionTexts(logged)]);
  const outer = new Map<Value, number>();
  /** Where a value that some kernel stores is computed. */
  const stored = new Map<Value, number>();
  const operands = operandsOfParameters(observed);

  const placeOf = (value: Value, own: ReadonlyMap<Node, number>): readonly [number, number] | undefined => {
    const inside = own.get(value.node);
    if (inside !== undefined) return [inside, value.index];
    const before = stored.get(value);
    if (before !== undefined) return [before, value.index];
    if (value.node.op === "parameter") {
      const operand = operands.get(value);
      return operand === undefined ? undefined : placeOf(operand, own);
    }
    if (!isSource(value.node) || inlinedText(value) !== undefined) return undefined;
    let source = outer.get(value);
    if (source === undefined) {
      source = builder.node(value.node, "", "forward", [], -1);
      outer.set(value, source);
    }
    return [source, 0];
  };

  const addNodes = (kernel: ObservedKernel, group: number): Role => {
    const own = new Map<Node, number>();
    let role: Role = "forward";
    // Each node was named before what it reads.
    for (const node of [...kernel.nodes].sort((a, b) => a.id - b.id)) {
      const [first] = node.outputs;
      if (first === undefined || inlinedText(first) !== undefined || isSource(node)) continue;
      const nodeRole: Role = builder.sources.isBackward(node) ? "backward" : "forward";
      if (nodeRole === "backward") role = nodeRole;
      const inputs = node.inputs.flatMap((input) => placeOf(input, own) ?? []);
      own.set(node, builder.node(node, "", nodeRole, inputs, group, reasons.get(node)));
    }
    for (const { value, assigned, output } of kernel.roots) {
      const place = placeOf(value, own);
      if (place === undefined) continue;
      if (own.has(value.node)) stored.set(value, place[0]);
      if (output !== undefined) builder.sink("output", output, value, place[0], "forward", -1);
      for (const path of assigned) {
        if (!isVariableOf(program, path)) continue;
        builder.sink("assign", path, value, place[0], "update", group);
        role = "update";
      }
    }
    return role;
  };

  const add = (kernel: Kernel, phase: "compute" | "commit", parent: number): void => {
    const group = builder.groups.length;
    const code = printKernel(kernel).join("\n");
    builder.groups.push({
      kind: "kernel",
      name: kernel.name,
      text: kernel.kind,
      role: "forward",
      parent,
      places: builder.lines.places(kernel.spans),
      kernel: {
        phase,
        code: code.length > mostCode ? `${code.slice(0, mostCode)}\n…` : code,
        reads: [...new Set(loadsOf(kernel).map(({ buffer }) => buffer))].sort((a, b) => a - b),
        writes: [...writtenBy(kernel)].sort((a, b) => a - b),
        device,
        work: isLeaf(kernel) ? workModel(workOf(kernel, program.buffers)) : undefined,
        seconds: times.get(kernel.name),
      },
    });
    const parts = observed.get(kernel.name);
    if (!isLeaf(kernel)) for (const inner of innerKernels(kernel)) add(inner, phase, group);
    const role = parts === undefined ? "forward" : addNodes(parts, group);
    builder.groups[group] = { ...(builder.groups[group] as (typeof builder.groups)[number]), role };
  };
  for (const kernel of program.compute) add(kernel, "compute", -1);
  for (const kernel of program.commit) add(kernel, "commit", -1);
  ownState(builder);
}

function workModel({ operations, transcendentals, readBytes, writtenBytes }: KernelWork): WorkModel {
  return { operations, transcendentals, readBytes, writtenBytes };
}

/** A variable that one kernel alone reads (the state of an optimizer, mostly) stands in that kernel. */
function ownState({ nodes }: ViewBuilder): void {
  const readers = new Map<number, Set<number>>();
  for (const { inputs, group } of nodes) {
    for (let i = 0; i < inputs.length; i += 2) {
      const from = inputs[i] as number;
      readers.set(from, (readers.get(from) ?? new Set()).add(group));
    }
  }
  nodes.forEach((node, index) => {
    const [only, ...others] = readers.get(index) ?? [];
    if (node.kind === "variable" && only !== undefined && others.length === 0) nodes[index] = { ...node, group: only };
  });
}

function isVariableOf(program: KernelProgram, path: string): boolean {
  return program.buffers.some(({ storage }) => storage.kind === "variable" && storage.path === path);
}

function isSource(node: Node): boolean {
  return node.op === "placeholder" || node.op === "variable" || node.op === "constant";
}

/** What the parameters of loops and branches stand for when they begin. */
function operandsOfParameters(observed: ReadonlyMap<string, ObservedKernel>): ReadonlyMap<Value, Value> {
  const operands = new Map<Value, Value>();
  const seen = new Set<Node>();
  for (const { nodes } of observed.values()) {
    for (const node of nodesBelow(
      nodes.flatMap(({ outputs }) => outputs).filter(({ node: { regions } }) => regions.length > 0),
    )) {
      if (seen.has(node)) continue;
      seen.add(node);
      for (const { parameters } of node.regions) {
        parameters.forEach((parameter, i) => {
          const operand = node.inputs[node.op === "if" ? i + 1 : i - 1];
          if (operand !== undefined) operands.set(parameter, operand);
        });
      }
    }
  }
  return operands;
}

/** Where the program's tensors lie, and when temporaries are in use. */
export function memoryOf(program: KernelProgram): MemoryModel {
  const { memory, buffers, compute, commit, outputs } = program;
  const found = lives([...compute, ...commit], buffers, new Set(outputs.map(({ buffer }) => buffer)));
  const life = new Map(found.list.map((one) => [one.buffer, one]));
  return {
    arenaBytes: memory.arenaBytes,
    peakBytes: memory.peakBytes,
    moments: found.moments.length,
    buffers: buffers.map((buffer) => bufferModel(buffer, memory.offsets, life.get(buffer.id))),
  };
}

function bufferModel(
  buffer: Buffer,
  offsets: ReadonlyMap<BufferId, number>,
  life: { readonly from: number; readonly to: number } | undefined,
): BufferModel {
  const { storage } = buffer;
  return {
    label: storage.kind === "variable" ? storage.path : storage.kind === "placeholder" ? storage.name : buffer.label,
    storage: storage.kind === "run_state" ? "run state" : storage.kind,
    type: typeText({ dtype: buffer.dtype, shape: [buffer.length] }),
    bytes: byteLength(buffer),
    offset: offsets.get(buffer.id),
    from: life?.from ?? 0,
    to: life?.to ?? 0,
  };
}
