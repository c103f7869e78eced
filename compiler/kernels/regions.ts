import type { Node, Value } from "../ir/node.js";
import { axisReading, childOf, enterProducer, enterSibling, inLoopOrder } from "./entering.js";
import type { LoopId } from "./form.js";
import type { FusionRefusal, FusionStep } from "./fusion_log.js";
import { type Axis, fillsOneBuffer, freshLoop, type Root } from "./roots.js";
import { continues, readersOf, type SingleOutput } from "./single_output.js";
import { shapeOf } from "./views.js";

/**
 * Fusion. Each root is a perfect loop nest: loops over the axes that it keeps, then over those that it reduces. Roots are taken
 * in topological order, and each is put into the loop tree of a kernel that already exists, as deep as it can go:
 *
 *   - It may enter a loop that computes something it reads when it reads only what the current iteration has computed: the index
 *     along that loop is the loop variable itself, and the thing read is not a reduction over that very loop.
 *   - Otherwise it comes after that loop, and may enter a later loop of the same extent.
 *   - What is left of its axes becomes new loops at the end of the body it has reached.
 *
 * So `max`, `exp` and `sum`, and the quotient of a softmax share the loop over rows and have a loop over the columns each (or
 * together, where nothing is reduced in between); a loss summed over the batch enters the same row loop as an accumulator; the
 * three sums of a linear regression share one loop and the updates follow it in the same kernel. A value that all its readers
 * find in the same body is never stored; one that only other loops of the same rows read is kept in a buffer of one row.
 *
 * The order in which kernels are created is a valid order of execution at any time: a root joins a kernel only when all that it
 * reads is computed there or earlier. A contraction keeps its place open ("pending") until something that can't be part of its
 * epilogue reads it, so that element-wise readers (bias, activation, the optimizer's update of a weight) become its epilogue.
 * Likewise what reads nothing but stored values waits for its first reader.
 */
export interface Loop {
  readonly kind: "loop";
  readonly id: LoopId;
  readonly extent: number;
  readonly body: Item[];
}

export interface Leaf {
  readonly kind: "leaf";
  readonly root: Root;
}

export type Item = Loop | Leaf;

export type Group = NestGroup | ContractGroup | SingleGroup;

interface GroupCommon {
  /** Place in the order of execution; undefined while a contraction is pending. */
  place: number | undefined;
  readonly roots: Root[];
  size: number;
  mayFail: boolean;
  /** Writes variables. */
  writes: boolean;
}

export interface NestGroup extends GroupCommon {
  readonly kind: "nest";
  readonly body: Item[];
  iterations: number;
  readonly reads: Set<Value>;
}

/** The first root is the contraction, the others its epilogue. */
export interface ContractGroup extends GroupCommon {
  readonly kind: "contract";
}

/** A routine, a region, or a concatenation or padding, which fills one buffer with several nests. */
export interface SingleGroup extends GroupCommon {
  readonly kind: "single";
}

export interface FusionOptions {
  /** Put element-wise readers of a contraction, optimizer updates among them, into its epilogue. */
  readonly fuseEpilogues: boolean;
  /** Fuse loop nests at all; without it every root is a kernel of its own (for tests and for finding faults). */
  readonly fuseNests: boolean;
  /** Set where a kernel may store one value only. */
  readonly single: SingleOutput | undefined;
}

/** Expression nodes and roots of one kernel: bounds the code, the depth of recursions and the search below. */
const largestKernel = 768;
const mostRoots = 48;
/** Kernels with less work than this are put together without a common loop: there is nothing to lose. */
const tinyIterations = 256;
const tinyKernel = 4096;

export interface Grouping {
  readonly groups: readonly Group[];
  readonly groupOf: ReadonlyMap<Root, Group>;
}

export function groupRoots(
  roots: readonly Root[],
  rootOf: ReadonlyMap<Value, Root>,
  options: FusionOptions,
  told: (step: FusionStep) => void = () => undefined,
): Grouping {
  const groups: Group[] = [];
  const pending = new Set<ContractGroup>();
  const groupOf = new Map<Root, Group>();
  const byShape = new Map<string, NestGroup>();
  const readers = options.single === undefined ? undefined : readersOf(roots, rootOf);
  const routines = new Map<Node, SingleGroup>();
  const waiting = new Set<Root>();
  let lastTiny: NestGroup | undefined;

  const pin = (group: Group): void => {
    if (group.place !== undefined) return;
    group.place = groups.length;
    groups.push(group);
    if (group.kind === "contract") pending.delete(group);
  };
  const include = (root: Root, group: Group, how: FusionStep["how"], refused: FusionStep["refused"]): void => {
    told({ root, group, how, refused });
    group.roots.push(root);
    group.size += root.size;
    group.mayFail = group.mayFail || root.mayFail;
    group.writes = group.writes || root.assigned.length > 0;
    groupOf.set(root, group);
  };

  const latestNest = (dependencies: readonly Root[]): NestGroup | undefined => {
    const producer = groups[Math.max(-1, ...dependencies.map((dependency) => groupOf.get(dependency)?.place ?? -1))];
    return producer?.kind === "nest" ? producer : undefined;
  };
  const settle = (root: Root, wish: NestGroup | undefined): void => {
    const dependencies = [...new Set(root.reads.flatMap((read) => rootOf.get(read.value) ?? []))];
    for (const dependency of dependencies) {
      if (!waiting.delete(dependency)) continue;
      settle(dependency, latestNest(dependencies));
    }
    const common = { roots: [], size: 0, mayFail: false, writes: false };
    const open = [...new Set(dependencies.map((dependency) => groupOf.get(dependency)))].filter(
      (group): group is ContractGroup => group?.kind === "contract" && group.place === undefined,
    );
    const last = open.at(-1);
    const mayFollow = (group: Group): boolean =>
      options.single === undefined || readers === undefined || continues(root, group, readers, rootOf, options.single);
    const refused: { readonly by: Root; readonly why: FusionRefusal }[] = [];
    const refuse = (group: Group, why: FusionRefusal): void => {
      const [by] = group.roots;
      if (by !== undefined) refused.push({ by, why });
    };
    if (last !== undefined) {
      const why = mayFollow(last) ? joinsEpilogue(root, last, rootOf, groupOf, options) : "one_output";
      if (why === undefined) {
        for (const group of open) if (group !== last) pin(group);
        include(root, last, "epilogue", refused);
        return;
      }
      refuse(last, why);
    }
    for (const group of open) pin(group);
    if (root.kind === "contract") {
      const group: ContractGroup = { kind: "contract", place: undefined, ...common };
      for (const axis of root.axes) axis.bound = axis.own;
      pending.add(group);
      include(root, group, "new", refused);
      return;
    }
    if (fillsOneBuffer(root)) {
      // A routine or region with several results is one kernel.
      const group: SingleGroup = routines.get(root.value.node) ?? { kind: "single", place: undefined, ...common };
      routines.set(root.value.node, group);
      pin(group);
      include(root, group, "new", refused);
      return;
    }
    const earliest = Math.max(-1, ...dependencies.map((dependency) => groupOf.get(dependency)?.place ?? -1));
    const key = shapeKey(root);
    const sibling = byShape.get(key);
    const candidates: NestGroup[] = [];
    const producer = latestNest(dependencies) ?? wish;
    if (options.single === undefined) {
      if (producer !== undefined) candidates.push(producer);
      if (sibling !== undefined && sibling !== producer && sharesReads(root, sibling)) candidates.push(sibling);
      if (lastTiny !== undefined && root.iterations <= tinyIterations) candidates.push(lastTiny);
    } else if (producer !== undefined) {
      const { longestElement } = options.single;
      if (mayFollow(producer) && entersWhole(root, producer, longestElement, rootOf, groupOf))
        candidates.push(producer);
      else refuse(producer, "one_output");
    }
    const joined = candidates.find((group) => {
      if ((group.place ?? -1) < earliest) return false;
      const why = options.fuseNests ? place(root, group, rootOf, groupOf, false) : "switched_off";
      if (why !== undefined) refuse(group, why);
      return why === undefined;
    });
    const group: NestGroup = joined ?? {
      kind: "nest",
      place: undefined,
      ...common,
      body: [],
      iterations: 0,
      reads: new Set(),
    };
    if (joined === undefined) {
      pin(group);
      place(root, group, rootOf, groupOf, true);
    }
    include(root, group, joined === undefined ? "new" : "loops", refused);
    group.iterations += root.iterations;
    for (const read of root.reads) group.reads.add(read.value);
    byShape.set(key, group);
    if (isTiny(group)) lastTiny = group;
    else if (lastTiny === group) lastTiny = undefined;
  };

  for (const root of roots) {
    // What reads only stored values can be computed anywhere: it waits for its first reader, to share a loop with that.
    const free = root.kind === "pointwise" && !root.reads.some((read) => rootOf.has(read.value));
    if (free && !root.output && root.assigned.length === 0) waiting.add(root);
    else settle(root, undefined);
  }
  for (const root of [...waiting]) {
    if (waiting.delete(root)) settle(root, undefined);
  }
  for (const group of [...pending]) pin(group);
  return { groups, groupOf };
}

/** Whether all loops of a root are loops of the group already, and an element of its result takes few of their iterations. */
function entersWhole(
  root: Root,
  group: NestGroup,
  longest: number,
  rootOf: ReadonlyMap<Value, Root>,
  groupOf: ReadonlyMap<Root, Group>,
): boolean {
  const results = root.axes.reduce((product, axis) => (axis.reduced ? product : product * axis.extent), 1);
  if ((group.iterations + root.iterations) / Math.max(1, results) > longest) {
    // An element of the result takes no longer than before where nothing is summed up on top.
    if (root.axes.some((axis) => axis.reduced)) return false;
  }
  const reads = root.reads.flatMap((read) => {
    const source = rootOf.get(read.value);
    return source !== undefined && groupOf.get(source) === group ? [{ read, source }] : [];
  });
  const bound = new Map<Axis, Loop>();
  const chain: Loop[] = [];
  let body = group.body;
  for (;;) {
    const depth = chain.length;
    const here = reads.filter(({ source }) => chain.every((loop, i) => source.path[i] === loop));
    if (here.length < reads.length) return false;
    const latest = Math.max(-1, ...here.map(({ source }) => body.indexOf(childOf(source, depth))));
    const entered = enterProducer(root, body[latest], here, depth, bound);
    if (entered === undefined) break;
    bound.set(entered.axis, entered.loop);
    chain.push(entered.loop);
    body = entered.loop.body;
  }
  return reads.length > 0 && bound.size === root.axes.length;
}

function isTiny(group: NestGroup): boolean {
  return group.iterations <= tinyKernel && group.roots.every((root) => root.iterations <= tinyIterations);
}

function shapeKey(root: Root): string {
  return root.axes.map((axis) => axis.extent).join(",");
}

/** Common operands that are worth reading once: scalars are not. */
function sharesReads(root: Root, group: NestGroup): boolean {
  return root.reads.some((read) => group.reads.has(read.value) && shapeOf(read.value).some((size) => size !== 1));
}

/** Kernels that can fail run before those that write variables. */
function incompatible(root: Root, group: Group): FusionRefusal | undefined {
  const writes = group.writes || root.assigned.length > 0;
  if (writes && (group.mayFail || root.mayFail)) return "may_fail_and_writes";
  return group.size + root.size > largestKernel || group.roots.length >= mostRoots ? "kernel_is_full" : undefined;
}

/** Reads of the contraction and of its epilogue must be of the very element at hand; binds the root's axes if so, or says why not. */
function joinsEpilogue(
  root: Root,
  group: ContractGroup,
  rootOf: ReadonlyMap<Value, Root>,
  groupOf: ReadonlyMap<Root, Group>,
  options: FusionOptions,
): FusionRefusal | undefined {
  if (!options.fuseEpilogues) return "switched_off";
  if (root.kind !== "pointwise") return "reduces";
  const unfit = incompatible(root, group);
  if (unfit !== undefined) return unfit;
  const main = group.roots[0];
  const kept = main?.axes.filter((axis) => !axis.reduced);
  if (root.axes.length !== kept?.length) return "other_space";
  const bindings = new Map<Axis, LoopId>();
  for (const read of root.reads) {
    const source = rootOf.get(read.value);
    if (source === undefined || groupOf.get(source) !== group) continue;
    for (const axis of source.axes) {
      if (axis.reduced) continue;
      const match = axisReading(root, read, source, axis);
      if (match === undefined || axis.bound === undefined) return "reads_other_elements";
      const before = bindings.get(match);
      if (before !== undefined && before !== axis.bound) return "reads_other_elements";
      bindings.set(match, axis.bound);
    }
  }
  if (bindings.size !== root.axes.length || new Set(bindings.values()).size !== bindings.size) {
    return "reads_other_elements";
  }
  for (const [axis, loop] of bindings) axis.bound = loop;
  return undefined;
}

/**
 * Puts a root into the group's loop tree. Without `always`, only if it shares a loop, or follows what it reads with a single
 * iteration, or if both are tiny. Says why it was not placed.
 */
function place(
  root: Root,
  group: NestGroup,
  rootOf: ReadonlyMap<Value, Root>,
  groupOf: ReadonlyMap<Root, Group>,
  always: boolean,
): FusionRefusal | undefined {
  const unfit = always ? undefined : incompatible(root, group);
  if (unfit !== undefined) return unfit;
  const reads = root.reads.flatMap((read) => {
    const source = rootOf.get(read.value);
    return source !== undefined && groupOf.get(source) === group ? [{ read, source }] : [];
  });
  const chain: Loop[] = [];
  const bound = new Map<Axis, Loop>();
  let body = group.body;
  for (;;) {
    const depth = chain.length;
    const here = reads.filter(({ source }) => chain.every((loop, i) => source.path[i] === loop));
    const latest = Math.max(-1, ...here.map(({ source }) => body.indexOf(childOf(source, depth))));
    const entered = enterProducer(root, body[latest], here, depth, bound) ?? enterSibling(root, body, latest, bound);
    if (entered === undefined) break;
    bound.set(entered.axis, entered.loop);
    chain.push(entered.loop);
    body = entered.loop.body;
  }
  const follows = reads.length > 0 && root.iterations === 1;
  const tiny = root.iterations <= tinyIterations && isTiny(group);
  if (!always && chain.length === 0 && !follows && !tiny) return "no_common_loop";

  for (const axis of inLoopOrder(root)) {
    if (bound.has(axis)) continue;
    const loop: Loop = { kind: "loop", id: freshLoop(), extent: axis.extent, body: [] };
    body.push(loop);
    bound.set(axis, loop);
    chain.push(loop);
    body = loop.body;
  }
  const leaf: Leaf = { kind: "leaf", root };
  body.push(leaf);
  root.path = chain;
  root.leaf = leaf;
  for (const [axis, loop] of bound) axis.bound = loop.id;
  return undefined;
}
