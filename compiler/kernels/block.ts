import { InternalError } from "../ir/diagnostic.js";
import type { Node, Value } from "../ir/node.js";
import type { SourceTable } from "../ir/sources.js";
import { writtenBy } from "./access.js";
import { zero } from "./affine.js";
import { copyStatements, emitAssembly } from "./assemble.js";
import { emitContraction } from "./contract_kernels.js";
import { emitRegion } from "./control_flow.js";
import { dtypeOf } from "./expressions.js";
import type { Failures } from "./failures.js";
import type { AccumulatorId, BufferId, Kernel, LeafKernel } from "./form.js";
import type { FusionLog, Wanted } from "./fusion_log.js";
import { overwrittenTooEarly } from "./hazards.js";
import { columnMajorRoots } from "./layouts.js";
import { mergeLoops, scheduleNest } from "./loops.js";
import { type KernelNames, nameOfGroup, nodesOfGroup, spansOfGroup } from "./names.js";
import { type Bound, type Emission, emitNest, storehouseOf } from "./nests.js";
import { type BlockStorage, orderGroups } from "./order.js";
import { type Plan, planRoots } from "./plan.js";
import { type FusionOptions, type Group, groupRoots, type SingleGroup } from "./regions.js";
import { fillsOneBuffer, makeRoot, type Root } from "./roots.js";
import { emitRoutine } from "./routines.js";
import type { TargetLimits } from "./schedule.js";
import { isFallibleRoutine, isStored, semanticsOf } from "./semantics.js";
import { type BufferTable, type Demand, findDemand, labelOf, Places, type Storehouse } from "./storage.js";
import { emitUpdate } from "./updates.js";
import { countOf, shapeOf } from "./views.js";

/** What all blocks of one program share. */
export interface ProgramContext {
  readonly buffers: BufferTable;
  readonly names: KernelNames;
  readonly failures: Failures;
  readonly sources: SourceTable;
  readonly target: TargetLimits;
  readonly fusion: FusionOptions;
  readonly freshAccumulator: () => AccumulatorId;
  readonly observe: KernelObserver | undefined;
  readonly log: FusionLog | undefined;
}

/** What a kernel computes for others, and the buffers it stores that to. What only it itself reads may be in none. */
export interface ObservedRoot {
  readonly value: Value;
  readonly targets: () => readonly BufferId[];
  /** Whether what is stored is one part after another, each in the place of the one before: what an iteration hands to another loop. */
  readonly isInParts: () => boolean;
}

/**
 * What a kernel was made of: what it stores, and all the nodes that it computes. Buffers are those of the finished program, and can be
 * asked for when it is.
 */
export interface ObservedKernel {
  readonly roots: readonly ObservedRoot[];
  readonly nodes: readonly Node[];
  /** Where a value that the kernel reads lies; undefined for what is computed where it is read. */
  readonly bufferOf: (value: Value) => BufferId | undefined;
}

/** For whoever shows kernels. A block that is spelt out again tells of kernels that are not in the program in the end. */
export type KernelObserver = (name: string, kernel: ObservedKernel) => void;

/** A program, or the body of a region: what it computes, what its parameters are, and what its assignments write. */
export interface Block extends BlockStorage {
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  readonly assignments: readonly { readonly path: string; readonly value: Value }[];
  readonly bound: ReadonlyMap<Value, Bound>;
  readonly target: (path: string, value: Value) => Storehouse;
  /** What an assignment is for. */
  readonly wantedAs: (path: string) => Wanted;
}

export interface BlockKernels {
  readonly compute: readonly Kernel[];
  readonly commit: readonly Kernel[];
  /** Where each output lies. */
  readonly outputs: readonly BufferId[];
}

/** Lowers one block. Throws InternalError for a block that earlier stages should have refused. */
export function buildBlock(block: Block, context: ProgramContext): BlockKernels {
  const targets = [...block.outputs, ...block.assignments].map(({ value }) => value);
  const plan = planRoots(targets, context.failures.isChecked, context.target);
  context.log?.plan(plan, {
    wanted: wantedIn(block),
    isCounted: (value) => block.bound.get(value)?.kind === "computed",
  });
  context.failures.addBlock(plan.order);
  const { roots, rootOf, outputs } = makeRoots(block, plan);
  const grouping = groupRoots(scalarsFirst(roots, rootOf), rootOf, context.fusion, (step) => context.log?.step(step));
  if (grouping.groups.length === 0 && block.outputs.length > 0) throw new InternalError("outputs without kernels");
  const demand = withAlone(findDemand(grouping, rootOf), roots);
  const columnMajor = columnMajorRoots(grouping, rootOf, context.target);

  // An update that can't be done in place is found when its kernel is spelt out; then all is spelt out again with a temporary.
  let demoted: ReadonlySet<string> = new Set(
    roots.filter(({ kind }) => writesApart.has(kind)).flatMap((root) => writtenApart(root, block, context)),
  );
  for (;;) {
    const order = orderGroups(grouping, rootOf, demoted, block);
    const places = new Places(context.buffers, demand, order.demoted, block.target, columnMajor);
    const emitter = new Emitter(block, context, plan, rootOf, places);
    const compute = order.compute.flatMap((group) => emitter.kernels(group, outputs.names));
    const commit = order.commit.flatMap((group) => emitter.kernels(group, outputs.names));
    const unsafe = emitter.unsafeUpdates(roots, order.demoted, [...compute, ...commit]);
    if (unsafe.size > 0) {
      demoted = new Set([...order.demoted, ...unsafe]);
      continue;
    }
    const copies = roots.flatMap((root) => emitter.copies(root, order.demoted));
    return {
      compute,
      commit: [...commit, ...copies],
      outputs: block.outputs.map(({ name, value }) => {
        const root = outputs.roots.get(value);
        if (root === undefined) throw new InternalError(`nothing computes the output ${name}`);
        return places.primary(root).buffer;
      }),
    };
  }
}

function wantedIn({ outputs, assignments, wantedAs }: Block): ReadonlyMap<Value, readonly Wanted[]> {
  const wanted = new Map<Value, Wanted[]>();
  const add = (value: Value, one: Wanted): unknown => wanted.set(value, [...(wanted.get(value) ?? []), one]);
  for (const { name, value } of outputs) add(value, { kind: "result", name });
  for (const { path, value } of assignments) add(value, wantedAs(path));
  return wanted;
}

function withAlone(found: Demand, roots: readonly Root[]): Demand {
  return { full: new Set([...found.full, ...roots.filter(fillsOneBuffer)]), local: found.local };
}

/** What is not done at a stroke, or reads its operands again and again: never written directly where others still read. */
const writesApart: ReadonlySet<Root["kind"]> = new Set(["routine", "region", "assemble"]);

/** Assignments of such a root for which its result is copied. To one place that nobody reads, as in a stack, it goes directly. */
function writtenApart({ assigned, kind }: Root, block: Block, { fusion }: ProgramContext): readonly string[] {
  // A routine fills a buffer from its beginning; a device makes a new array of each result.
  const isFree = kind !== "routine" && fusion.single === undefined;
  const direct = isFree ? assigned.find((path) => block.isWriteOnly(path)) : undefined;
  return assigned.filter((path) => path !== direct);
}

interface Outputs {
  readonly roots: ReadonlyMap<Value, Root>;
  readonly names: ReadonlyMap<Root, string>;
}

function makeRoots(
  block: Block,
  plan: Plan,
): { readonly roots: readonly Root[]; readonly rootOf: ReadonlyMap<Value, Root>; readonly outputs: Outputs } {
  const roots: Root[] = [];
  const rootOf = new Map<Value, Root>();
  const add = (value: Value, copy: boolean): Root => {
    const root = makeRoot(roots.length, value, plan, copy);
    roots.push(root);
    return root;
  };
  for (const node of plan.order) {
    for (const value of node.outputs) {
      // A routine or region writes all its results, whoever reads them.
      const { kind } = semanticsOf(node);
      const needed = plan.isRoot(value) || kind === "routine" || kind === "region";
      if (needed && !isStored(value)) rootOf.set(value, add(value, false));
    }
  }
  const outputRoots = new Map<Value, Root>();
  const names = new Map<Root, string>();
  for (const { name, value } of block.outputs) {
    const root = outputRoots.get(value) ?? rootOf.get(value) ?? add(value, true);
    root.output = true;
    outputRoots.set(value, root);
    if (!names.has(root)) names.set(root, name);
  }
  for (const { path, value } of block.assignments) {
    if (block.pathOf(value) === path) continue;
    const root = rootOf.get(value) ?? add(value, true);
    root.assigned.push(path);
  }
  return { roots, rootOf, outputs: { roots: outputRoots, names } };
}

/** Single numbers that depend on nothing but single numbers come first: epilogues and updates read them. */
function scalarsFirst(roots: readonly Root[], rootOf: ReadonlyMap<Value, Root>): readonly Root[] {
  const scalars = new Set<Root>();
  for (const root of roots) {
    if (root.iterations !== 1 || fillsOneBuffer(root) || root.kind === "contract") continue;
    const inputs = root.reads.flatMap((read) => rootOf.get(read.value) ?? []);
    if (inputs.every((input) => scalars.has(input))) scalars.add(root);
  }
  return [...roots.filter((root) => scalars.has(root)), ...roots.filter((root) => !scalars.has(root))];
}

/** Spells out kernels for one choice of which updates are in place. */
class Emitter {
  readonly #block: Block;
  readonly #context: ProgramContext;
  readonly #emission: Emission;
  readonly #plan: Plan;

  constructor(block: Block, context: ProgramContext, plan: Plan, rootOf: ReadonlyMap<Value, Root>, places: Places) {
    this.#block = block;
    this.#context = context;
    this.#plan = plan;
    const { failures } = context;
    this.#emission = {
      environment: {
        plan,
        indexFailure: (node) => failures.of(node),
        divisionFailure: (node) => failures.of(node),
        finiteFailure: (node) => failures.ofNonFinite(node),
      },
      rootOf,
      buffers: context.buffers,
      bound: block.bound,
      places,
      freshAccumulator: context.freshAccumulator,
    };
  }

  /** A group's kernel, and before it copies of what it needs in a buffer by itself. */
  kernels(group: Group, outputNames: ReadonlyMap<Root, string>): readonly Kernel[] {
    const name = this.#context.names.unique(nameOfGroup(group, outputNames));
    const spans = spansOfGroup(group, this.#plan, this.#context.sources);
    const roots = group.roots.map((root) => ({
      value: root.value,
      targets: () => this.#storedIn(root),
      isInParts: () => this.#isInParts(root),
    }));
    const nodes = [...nodesOfGroup(group, this.#plan)];
    this.#context.observe?.(name, { roots, nodes, bufferOf: (value) => this.#bufferOf(value) });
    switch (group.kind) {
      case "nest":
        return [this.#nest({ kind: "nest", name, body: emitNest(group, this.#emission), spans })];
      case "contract":
        return [{ name, spans, ...emitContraction(group, this.#emission, this.#context.target) }];
      case "single":
        return this.#single(group, name, spans);
    }
  }

  #single(group: SingleGroup, name: string, spans: Kernel["spans"]): readonly Kernel[] {
    const main = group.roots[0];
    if (main === undefined) throw new InternalError("an empty kernel");
    const { node } = main.value;
    const before: Kernel[] = [];
    if (main.kind === "routine") {
      const operandAt = (value: Value): BufferId => this.#wholeBuffer(value, before);
      const failure = isFallibleRoutine(node) ? this.#context.failures.of(node) : undefined;
      const routine = emitRoutine(group, this.#emission, failure, operandAt);
      return [...before, { name, spans, ...routine }];
    }
    if (main.kind === "region") {
      const resultAt = node.outputs.map((output) => {
        const root = group.roots.find((candidate) => candidate.value === output);
        if (root === undefined) throw new InternalError(`${node.op} lacks an output`);
        const { buffer, offset } = this.#emission.places.primary(root);
        return { buffer, offset };
      });
      return emitRegion(node, {
        name,
        spans,
        results: resultAt,
        at: (value) => this.#operand(value, before),
        copy: (from, to, value) => this.#copy(`${name}_first`, from, to, value, spans),
        nested: (block) => {
          const { compute, commit } = buildBlock(block, this.#context);
          return [...compute, ...commit];
        },
        buffers: this.#context.buffers,
        before,
      });
    }
    return [
      this.#nest({
        kind: "nest",
        name,
        body: main.kind === "update" ? emitUpdate(main, this.#emission) : emitAssembly(main, this.#emission),
        spans,
      }),
    ];
  }

  #storedIn(root: Root): readonly BufferId[] {
    const { places } = this.#emission;
    const primary = places.known(root);
    const buffers = [...places.targets(root), ...(primary === undefined ? [] : [primary])].map(({ buffer }) => buffer);
    return [...new Set(buffers)];
  }

  #isInParts(root: Root): boolean {
    const place = this.#emission.places.known(root);
    return place !== undefined && shapeOf(root.value).some((size, axis) => size > 1 && place.strides[axis] === 0);
  }

  #bufferOf(value: Value): BufferId | undefined {
    const { rootOf, places } = this.#emission;
    const root = rootOf.get(value);
    if (root !== undefined) return places.known(root)?.buffer;
    const bound = this.#block.bound.get(value);
    if (bound === undefined) return this.#context.buffers.knownSource(value);
    return bound.kind === "stored" ? bound.at.buffer : undefined;
  }

  #nest(kernel: Extract<LeafKernel, { kind: "nest" }>): Kernel {
    // Each element of a single result is computed by itself: which loop runs along what is the device's business.
    if (this.#context.fusion.single !== undefined) return { ...kernel, body: mergeLoops(kernel.body) };
    return scheduleNest(kernel, this.#context.target, this.#emission);
  }

  /** Where an operand lies; what is computed where it is read (the number of an iteration) is stored first. */
  #operand(value: Value, before: Kernel[]): Storehouse {
    const root = this.#emission.rootOf.get(value);
    if (root !== undefined) {
      const { buffer, offset } = this.#emission.places.primary(root);
      return { buffer, offset };
    }
    const bound = this.#block.bound.get(value);
    if (bound?.kind !== "computed") return storehouseOf(this.#emission, value);
    const buffer = this.#context.buffers.add(dtypeOf(value), 1, { kind: "temporary" }, labelOf(value));
    before.push({
      kind: "nest",
      name: this.#context.names.unique("position"),
      body: [{ kind: "store", target: { buffer, index: zero }, value: bound.expression }],
      spans: [],
    });
    return { buffer, offset: zero };
  }

  /** The buffer of an operand that a routine reads from the beginning: a part of another one is copied. */
  #wholeBuffer(value: Value, before: Kernel[]): BufferId {
    const { buffer, offset } = this.#operand(value, before);
    if (offset.offset === 0 && offset.terms.length === 0) return buffer;
    const own = this.#context.buffers.add(dtypeOf(value), countOf(value), { kind: "temporary" }, labelOf(value));
    const to = { buffer: own, offset: zero };
    before.push(this.#copy("operand", { buffer, offset }, to, value, []));
    return own;
  }

  #copy(name: string, from: Storehouse, to: Storehouse, value: Value, spans: Kernel["spans"]): Kernel {
    const body = copyStatements(from, to, dtypeOf(value), countOf(value));
    return this.#nest({ kind: "nest", name: this.#context.names.unique(name), body, spans });
  }

  /** Copies of new values that could not be stored in place. */
  copies(root: Root, demoted: ReadonlySet<string>): readonly Kernel[] {
    const spans = this.#context.sources.spansOf(root.value.node);
    return root.assigned
      .filter((path) => demoted.has(path))
      .map((path) => {
        const { buffer, offset } = this.#emission.places.primary(root);
        return this.#copy(`${path}_copy`, { buffer, offset }, this.#block.target(path, root.value), root.value, spans);
      });
  }

  /** Paths that some kernel overwrites in place while it still needs their old value. */
  unsafeUpdates(roots: readonly Root[], demoted: ReadonlySet<string>, kernels: readonly Kernel[]): ReadonlySet<string> {
    const paths = new Map<BufferId, string>();
    for (const root of roots) {
      for (const path of root.assigned) {
        if (!demoted.has(path)) paths.set(this.#block.target(path, root.value).buffer, path);
      }
    }
    const unsafe = new Set<string>();
    for (const kernel of kernels) {
      const written = new Set([...writtenBy(kernel)].filter((id) => paths.has(id)));
      if (written.size === 0 || kernel.kind === "loop" || kernel.kind === "while" || kernel.kind === "branch") continue;
      for (const id of overwrittenTooEarly(kernel, written)) unsafe.add(paths.get(id) as string);
    }
    return unsafe;
  }
}
