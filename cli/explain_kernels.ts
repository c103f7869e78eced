import type { ObservedPart } from "../compiler/backends/gpu/observed.js";
import type { Origin } from "../compiler/backends/gpu/partition.js";
import { probe } from "../compiler/backends/llvm/availability.js";
import { beginning } from "../compiler/backends/llvm/excerpt.js";
import { listingsOf } from "../compiler/backends/llvm/listing.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import type { DeviceKind } from "../compiler/ir/device.js";
import type { Computation } from "../compiler/ir/graph.js";
import { isList, isTensor, type Node, type Value } from "../compiler/ir/node.js";
import type { SourceTable } from "../compiler/ir/sources.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import { buffersOf, leavesOf, readBy, writtenBy } from "../compiler/kernels/access.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import { buildKernels } from "../compiler/kernels/build.js";
import type { BufferId, LeafKernel, Buffer as ProgramBuffer } from "../compiler/kernels/form.js";
import { FusionLog, type LoggedValue, wholeRun } from "../compiler/kernels/fusion_log.js";
import { byteLength } from "../compiler/kernels/lives.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { workOf } from "../compiler/kernels/work.js";
import { bufferNames } from "../viewer/buffer_names.js";
import type { KernelTimes } from "../viewer/times.js";
import type { ExplainedKernel, Listing, Memory, Role, Use } from "./explained.js";
import { literalOf, scopesAround } from "./node_texts.js";

/** Kernels of one device, with what was decided on the way. */
export interface LoggedPart
  extends Pick<ObservedPart, "program" | "observed" | "log" | "launches" | "measured" | "wantedAs" | "isEvaluated"> {
  readonly device: "cpu" | "gpu";
}

/** All of a computation on the processor, or its parts on both sides. */
export interface LoweredParts {
  readonly parts: readonly LoggedPart[];
  /** What parts hand on for variables, where there are parts: an edge that is an output of one of them. */
  readonly assigned: ReadonlyMap<string, Origin>;
  readonly sources: SourceTable;
  /** All values that kernels compute or read, in order. */
  readonly values: readonly LocatedValue[];
}

export interface LocatedValue {
  readonly part: LoggedPart;
  readonly logged: LoggedValue;
}

/** A kernel of a part. */
export interface Located {
  readonly part: LoggedPart;
  readonly name: string;
}

export async function lowered(computation: Computation, unplaced: DeviceKind | undefined): Promise<LoweredParts> {
  const { sources } = computation;
  if (unplaced === undefined) {
    const log = new FusionLog();
    const observed = new Map<string, ObservedKernel>();
    const observe = (name: string, kernel: ObservedKernel): unknown => observed.set(name, kernel);
    const program = buildKernels(computation, hostTarget(), { checkNumerics: false, log, observe });
    const own = { program, observed, log, launches: new Map(), measured: new Map(), ...wholeRun };
    const parts = [{ device: "cpu" as const, ...own }];
    return { parts, assigned: new Map(), sources, values: valuesOf(parts) };
  }
  const { observedParts } = await import("../compiler/backends/gpu/observed.js");
  const { parts, partition } = observedParts(computation, unplaced, hostTarget());
  const sided = parts.map((part): LoggedPart => ({ ...part, device: part.side === "host" ? "cpu" : "gpu" }));
  return {
    parts: sided,
    assigned: new Map(partition.assignments.map(({ path, origin }) => [path, origin])),
    sources,
    values: valuesOf(sided),
  };
}

function valuesOf(parts: readonly LoggedPart[]): readonly LocatedValue[] {
  return parts.flatMap((part) => part.log.values(part.program, part).map((logged) => ({ part, logged })));
}

/** A kernel of a part, and what it does with a value. */
export interface FoundUse {
  readonly part: LoggedPart;
  readonly use: Use;
}

/**
 * The kernels that read what lies in memory before a run, or write it: those that write it first. `isOwn` says which nodes read a number
 * that kernels have in their code as what it is asked for: equal numbers are one constant.
 */
export function usesOf(
  value: Value,
  { parts, assigned, sources }: LoweredParts,
  isOwn: (reader: Node) => boolean = () => true,
): readonly FoundUse[] {
  const path = value.node.op === "variable" ? String(value.node.attributes["path"]) : undefined;
  const found = parts.flatMap((part): readonly FoundUse[] => {
    const own = part.program.buffers.filter((buffer) => holds(buffer, value)).map(({ id }) => id);
    const handed = path === undefined ? [] : handedOn(part, assigned.get(path));
    return leavesOf([...part.program.compute, ...part.program.commit]).flatMap((kernel): readonly FoundUse[] => {
      const [read, written] = [readBy(kernel), writtenBy(kernel)];
      const seen = part.observed.get(kernel.name);
      const direct = readersIn(seen, value, own).filter((node) => own.length > 0 || isOwn(node));
      const reads = own.some((id) => read.has(id)) || (own.length === 0 && direct.length > 0);
      const writes = [...own, ...handed].some((id) => written.has(id));
      if (!reads && !writes) return [];
      const roles = rolesOf(reads ? direct : [], seen?.nodes ?? [], writes, sources);
      return [{ part, use: { kernel: kernel.name, device: part.device, reads, writes, roles } }];
    });
  });
  return found.sort((a, b) => Number(b.use.writes) - Number(a.use.writes));
}

/** The kernels that write a variable, or the array that takes its place. */
export function writersOf(path: string, all: LoweredParts): readonly Located[] {
  return all.parts.flatMap((part) => {
    const ids = storedFor(path, part, all);
    return leavesOf([...part.program.compute, ...part.program.commit])
      .filter((kernel) => ids.some((id) => writtenBy(kernel).has(id)))
      .map(({ name }) => ({ part, name }));
  });
}

function storedFor(path: string, part: LoggedPart, { assigned }: LoweredParts): readonly BufferId[] {
  const isOwn = ({ storage }: ProgramBuffer): boolean => storage.kind === "variable" && storage.path === path;
  return [...part.program.buffers.filter(isOwn).map(({ id }) => id), ...handedOn(part, assigned.get(path))];
}

/** What a kernel stores as the new value of a variable: parts of a computation have nodes of their own. */
export function storedValue(path: string, all: LoweredParts): LocatedValue | undefined {
  for (const { part, name } of writersOf(path, all)) {
    const ids = storedFor(path, part, all);
    const root = part.observed.get(name)?.roots.find(({ targets }) => targets().some((id) => ids.includes(id)));
    const found = all.values.findLast((one) => one.part === part && one.logged.value === root?.value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function holds({ storage }: ProgramBuffer, { node }: Value): boolean {
  switch (storage.kind) {
    case "variable":
      return node.op === "variable" && storage.path === node.attributes["path"];
    case "placeholder":
      return node.op === "placeholder" && storage.name === node.attributes["name"];
    case "constant": {
      const literal = node.attributes["value"];
      if (typeof literal !== "object" || isList(literal) || !isTensor(literal)) return false;
      return literal.data === storage.data || isSame(literal.data, storage.data);
    }
    case "run_state":
    case "temporary":
      return false;
  }
}

/** Passes give constants other shapes: the numbers say which one it is. */
function isSame(a: TensorData, b: TensorData): boolean {
  if (a.length !== b.length || a.constructor !== b.constructor) return false;
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** The buffers of what a part gives as the new value of a variable. */
function handedOn({ program }: LoggedPart, origin: Origin | undefined): readonly BufferId[] {
  if (origin?.kind !== "edge") return [];
  return program.outputs.filter(({ name }) => name === origin.name).map(({ buffer }) => buffer);
}

/** The nodes of a kernel that take the value, or a number that is written into their code. */
function readersIn(kernel: ObservedKernel | undefined, value: Value, own: readonly BufferId[]): readonly Node[] {
  const isOwn = (input: Value): boolean => {
    if (input.node === value.node) return true;
    const id = kernel?.bufferOf(input);
    return (id !== undefined && own.includes(id)) || isStretched(input.node, value.node);
  };
  return kernel?.nodes.filter(({ inputs }) => inputs.some(isOwn)) ?? [];
}

/** Whether a literal is another one, stretched to a shape. */
function isStretched(node: Node, from: Node): boolean {
  if (from.op !== "constant" || literalOf(node) === undefined) return false;
  for (let at: Node | undefined = node; at !== undefined; at = at.inputs[0]?.node) if (at === from) return true;
  return false;
}

function rolesOf(
  readers: readonly Node[],
  nodes: readonly Node[],
  writes: boolean,
  sources: SourceTable,
): readonly Role[] {
  const roles = new Set<Role>();
  const isUpdate = (node: Node): boolean => scopesAround(node, sources).some(({ kind }) => kind === "update");
  // A copy of an operand is for what the kernel is for.
  for (const node of readers.length > 0 ? readers : writes ? [] : nodes)
    roles.add(sources.isBackward(node) ? "gradient" : isUpdate(node) ? "update" : "forward");
  if (writes) roles.add("update");
  return (["forward", "gradient", "update"] as const).filter((role) => roles.has(role));
}

/** Where a value lies before the first kernel runs. */
export function memoryOf(value: Value, { parts, assigned }: LoweredParts): Memory {
  const buffers = parts.flatMap((part) =>
    part.program.buffers.filter((buffer) => holds(buffer, value)).map((buffer) => ({ part, buffer })),
  );
  const bytes = buffers[0] === undefined ? undefined : byteLength(buffers[0].buffer);
  const isOnGpu = parts.some(({ device }) => device === "gpu");
  const { op, attributes } = value.node;
  if (op !== "variable") {
    const kind = op === "placeholder" ? "placeholder" : op === "constant" && bytes === undefined ? "code" : "constant";
    return { kind, bytes, device: undefined };
  }
  const origin = assigned.get(String(attributes["path"]));
  const maker = origin && parts.find((part) => handedOn(part, origin).length > 0);
  const devices = new Set(buffers.map(({ part }) => part.device));
  const device = maker?.device ?? (devices.size === 1 ? [...devices][0] : undefined);
  return { kind: "variable", bytes, device: isOnGpu ? device : undefined };
}

/** The kernels of these names with their code, in the order of the names. */
export async function explainKernels(
  found: readonly Located[],
  seconds: (part: LoggedPart) => KernelTimes,
  sources: SourceTable,
  names: ReadonlyMap<Value, string>,
): Promise<readonly ExplainedKernel[]> {
  const listings = new Map<LoggedPart, Awaited<ReturnType<typeof listingsOf>>>();
  for (const part of new Set(found.map((one) => one.part)))
    if (part.device === "cpu" && !part.isEvaluated && probe().available)
      listings.set(part, await listingsOf(part.program, hostTarget()));
  const named = new Map(
    [...new Set(found.map(({ part }) => part))].map((part) => [
      part,
      bufferNames(part.program, part.observed, sources, names),
    ]),
  );
  return found.flatMap(({ part, name }): readonly ExplainedKernel[] => {
    const { program, launches, device, isEvaluated } = part;
    const kernel = kernelNamed(part, name);
    if (kernel === undefined) return [];
    const { llvm, assembly } = listings.get(part)?.get(name) ?? {};
    const code: readonly Listing[] = [
      ...(llvm === undefined ? [] : [{ form: "LLVM" as const, excerpt: llvm }]),
      ...(assembly === undefined ? [] : [{ form: "assembly" as const, excerpt: assembly }]),
      ...(launches.get(name) ?? []).map(({ source }) => ({ form: "gpu.js" as const, excerpt: beginning(source) })),
    ];
    const work = workOf(kernel, program.buffers);
    const text = printKernel(kernel);
    const buffers = [...buffersOf(kernel)]
      .sort((a, b) => a - b)
      .flatMap((id) => [named.get(part)?.get(id) ?? []].flat().map((one) => ({ id, ...one })));
    const time = seconds(part).get(name);
    return [{ name, device, isEvaluated, kind: kernel.kind, work, seconds: time, buffers, text, code }];
  });
}

function kernelNamed({ program }: LoggedPart, name: string): LeafKernel | undefined {
  return leavesOf([...program.compute, ...program.commit]).find((kernel) => kernel.name === name);
}
