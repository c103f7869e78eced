import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { innerKernels, isLeaf, loadsOf, writtenBy } from "../compiler/kernels/access.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import type { Kernel, KernelProgram } from "../compiler/kernels/form.js";
import { type FusionLog, fusionTexts, planReasonText } from "../compiler/kernels/fusion_log.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { type KernelWork, workOf } from "../compiler/kernels/work.js";
import type { ViewBuilder } from "./builder.js";
import { inlinedText } from "./constants.js";
import type { ListingModel, Role, WorkModel } from "./model.js";
import type { KernelTimes } from "./times.js";

const evaluatedText = "A part of the processor with so few numbers is evaluated op by op: no code is made of it.";

/** Characters of a kernel's loops that a document quotes. */
const mostCode = 6000;

/** The kernels of one device, with what was decided on the way. */
export interface LoweredPart {
  readonly program: KernelProgram;
  readonly observed: ReadonlyMap<string, ObservedKernel>;
  readonly log: FusionLog;
  readonly device: string;
  /** The names that a kernel is measured under, where those are not its own. */
  readonly measured: ReadonlyMap<string, readonly string[]>;
  /** Whether the processor's code is made of it: not of what a device computes, nor of what is evaluated op by op. */
  readonly isCompiled: boolean;
  /** By the kernel's name. */
  readonly listings: ReadonlyMap<string, readonly ListingModel[]>;
}

/** A computation in parts, which hand each other edges: outputs of one part, placeholders of the others. */
export interface Lowered {
  readonly parts: readonly LoweredPart[];
  /** What the run makes of an output of a part: results and new values of variables. */
  readonly ends: ReadonlyMap<string, readonly End[]>;
}

export interface End {
  readonly kind: "output" | "assign";
  readonly name: string;
}

type Place = readonly [node: number, output: number];

/** What parts share: where edges come from, and the boxes of what is fed. */
interface Join {
  readonly edges: Map<string, Place>;
  readonly outer: Map<Value, number>;
  readonly ends: Lowered["ends"];
  /** The buffers of the parts before. */
  readonly base: number;
}

/** Fills a view with the kernels of a computation in parts. */
export function addParts(builder: ViewBuilder, { parts, ends }: Lowered, times: readonly KernelTimes[]): void {
  let base = 0;
  const join = { edges: new Map<string, Place>(), outer: new Map<Value, number>(), ends };
  for (const [i, part] of parts.entries()) {
    addKernels(builder, part, times[i] ?? new Map(), { ...join, base });
    base += part.program.buffers.length;
  }
}

/**
 * Fills a view with the kernels of a program: each is a group of the nodes that became one loop. A node that several kernels compute
 * for themselves stands in each of them.
 */
export function addKernels(
  builder: ViewBuilder,
  { program, observed, log, device, listings, isCompiled }: LoweredPart,
  times: KernelTimes,
  join?: Join,
): void {
  const reasons = new Map<Node, readonly string[]>();
  for (const logged of log.values(program))
    reasons.set(logged.value.node, [planReasonText(logged), ...fusionTexts(logged)]);
  const outer = join?.outer ?? new Map<Value, number>();
  const base = join?.base ?? 0;
  /** Where a value that some kernel stores is computed. */
  const stored = new Map<Value, number>();
  const operands = operandsOfParameters(observed);

  const placeOf = (value: Value, own: ReadonlyMap<Node, number>): Place | undefined => {
    const inside = own.get(value.node);
    if (inside !== undefined) return [inside, value.index];
    const before = stored.get(value);
    if (before !== undefined) return [before, value.index];
    if (value.node.op === "parameter") {
      const operand = operands.get(value);
      return operand === undefined ? undefined : placeOf(operand, own);
    }
    const edge = join?.edges.get(nameOfPlaceholder(value.node));
    if (edge !== undefined) return edge;
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
      const ends: readonly End[] =
        output === undefined
          ? []
          : (join?.ends.get(output) ?? (join === undefined ? [{ kind: "output", name: output }] : []));
      for (const { kind, name } of ends) {
        if (kind === "assign") role = "update";
        builder.sink(
          kind,
          name,
          value,
          place[0],
          kind === "assign" ? "update" : "forward",
          kind === "assign" ? group : -1,
        );
      }
      if (output !== undefined) join?.edges.set(output, place);
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
        reads: [...new Set(loadsOf(kernel).map(({ buffer }) => buffer))].map((id) => base + id).sort((a, b) => a - b),
        writes: [...writtenBy(kernel)].map((id) => base + id).sort((a, b) => a - b),
        device,
        work: isLeaf(kernel) ? workModel(workOf(kernel, program.buffers)) : undefined,
        seconds: times.get(kernel.name),
        listings: listings.get(kernel.name) ?? [],
        unlisted: isCompiled || listings.has(kernel.name) ? undefined : evaluatedText,
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

function nameOfPlaceholder(node: Node): string {
  const name = node.op === "placeholder" ? node.attributes["name"] : undefined;
  return typeof name === "string" ? name : "";
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
