import { expressionsOfStatement, forEachExpression } from "./access.js";
import { affineRange, strideOf } from "./affine.js";
import type {
  Access,
  Affine,
  BufferId,
  ContractKernel,
  LeafKernel,
  LoopId,
  NestKernel,
  ScalarExpr,
  Statement,
} from "./form.js";

/** A load object met in a statement: expressions are evaluated once, at the first statement that mentions them. */
interface Mention {
  readonly index: Affine;
  /** At a position that only the run knows: any element may be meant. */
  readonly dynamic: boolean;
  readonly loops: readonly LoopId[];
  /** Where the object was first mentioned, when that was in the same body or in one around it. */
  readonly evaluatedAt: number;
}

interface Written {
  readonly index: Affine;
  readonly dynamic: boolean;
  readonly loops: readonly LoopId[];
  readonly at: number;
}

/**
 * Buffers that a kernel overwrites while it may still need what was there: a load that comes after the store of the same element,
 * or of an element that another iteration stores. Variables found here can't be updated in place by this kernel.
 */
export function overwrittenTooEarly(kernel: LeafKernel, candidates: ReadonlySet<BufferId>): ReadonlySet<BufferId> {
  const found = new Set<BufferId>();
  if (kernel.kind === "routine") {
    for (const id of kernel.results) if (candidates.has(id) && kernel.operands.includes(id)) found.add(id);
    return found;
  }
  const { mentions, stores, extents } = scan(kernel);
  for (const id of candidates) {
    if (isOverwritten(stores.get(id) ?? [], mentions.get(id) ?? [], extents)) found.add(id);
  }
  return found;
}

/**
 * Whether a kernel may read and write two buffers as if they were one: no element of that one would be overwritten while it is
 * still needed.
 */
export function mayShare(kernel: NestKernel | ContractKernel, a: BufferId, b: BufferId): boolean {
  const { mentions, stores, extents } = scan(kernel);
  const of = <T>(map: ReadonlyMap<BufferId, readonly T[]>): readonly T[] => [
    ...(map.get(a) ?? []),
    ...(map.get(b) ?? []),
  ];
  return !isOverwritten(of(stores), of(mentions), extents);
}

function isOverwritten(
  stores: readonly Written[],
  mentions: readonly Mention[],
  extents: ReadonlyMap<LoopId, number>,
): boolean {
  return stores.some((store) => mentions.some((mention) => !isSafe(store, mention, extents)));
}

function place({ index, dynamic }: Access): { readonly index: Affine; readonly dynamic: boolean } {
  return { index, dynamic: dynamic !== undefined };
}

interface Scan {
  readonly mentions: ReadonlyMap<BufferId, readonly Mention[]>;
  readonly stores: ReadonlyMap<BufferId, readonly Written[]>;
  readonly extents: ReadonlyMap<LoopId, number>;
}

/** A kernel is asked about each pair of its buffers, and read once. */
const scans = new WeakMap<LeafKernel, Scan>();

function scan(kernel: NestKernel | ContractKernel): Scan {
  const known = scans.get(kernel) ?? (kernel.kind === "nest" ? scanNest(kernel.body) : scanContraction(kernel));
  scans.set(kernel, known);
  return known;
}

function scanNest(body: readonly Statement[]): Scan {
  const mentions = new Map<BufferId, Mention[]>();
  const stores = new Map<BufferId, Written[]>();
  const extents = new Map<LoopId, number>();
  const first = new Map<ScalarExpr, { readonly loops: readonly LoopId[]; readonly at: number }>();
  let clock = 0;
  const mention = (root: ScalarExpr, seen: Set<ScalarExpr>, loops: readonly LoopId[]): void => {
    forEachExpression(root, seen, (expression) => {
      if (expression.kind !== "load") return;
      const known = first.get(expression);
      if (known === undefined) first.set(expression, { loops, at: clock });
      const evaluatedAt = known?.loops.every((loop, i) => loops[i] === loop) ? known.at : clock;
      append(mentions, expression.access.buffer, { ...place(expression.access), loops, evaluatedAt });
    });
  };
  const visit = (statements: readonly Statement[], loops: readonly LoopId[]): void => {
    // What one body mentions again has its value already.
    const seen = new Set<ScalarExpr>();
    for (const statement of statements) {
      clock++;
      if (statement.kind === "loop") {
        extents.set(statement.id, statement.extent);
        visit(statement.body, [...loops, statement.id]);
        continue;
      }
      for (const expression of expressionsOfStatement(statement)) mention(expression, seen, loops);
      if (statement.kind !== "store") continue;
      append(stores, statement.target.buffer, { ...place(statement.target), loops, at: clock });
    }
  };
  visit(body, []);
  return { mentions, stores, extents };
}

/** Operands are read all along; each step of the epilogue belongs to one element. */
function scanContraction(kernel: ContractKernel): Scan {
  const elementLoops = [...kernel.batch, ...kernel.m, ...kernel.n];
  const extents = new Map([...elementLoops, ...kernel.k].map((loop) => [loop.id, loop.extent]));
  const loops = elementLoops.map((loop) => loop.id);
  const { mentions: found, stores } = scanNest(kernel.epilogue);
  const mentions = within(found, loops);
  for (const operand of [kernel.lhs, kernel.rhs]) {
    forEachExpression(operand, new Set(), (expression) => {
      if (expression.kind !== "load") return;
      // After every store: the next tile reads its operands when this one has been written.
      const evaluatedAt = Number.POSITIVE_INFINITY;
      append(mentions, expression.access.buffer, { ...place(expression.access), loops, evaluatedAt });
    });
  }
  return { mentions, stores: within(stores, loops), extents };
}

function append<T>(map: Map<BufferId, T[]>, buffer: BufferId, item: T): void {
  const list = map.get(buffer);
  if (list === undefined) map.set(buffer, [item]);
  else list.push(item);
}

function within<T extends Mention | Written>(
  found: ReadonlyMap<BufferId, readonly T[]>,
  loops: readonly LoopId[],
): Map<BufferId, T[]> {
  return new Map([...found].map(([buffer, list]) => [buffer, list.map((item) => ({ ...item, loops }))]));
}

function isSafe(store: Written, load: Mention, extents: ReadonlyMap<LoopId, number>): boolean {
  let shared = 0;
  while (shared < store.loops.length && store.loops[shared] === load.loops[shared]) shared++;
  const common = store.loops.slice(0, shared);
  const extentOf = (loop: LoopId): number => extents.get(loop) ?? 1;
  const inOrder = load.evaluatedAt <= store.at;
  if (!inOrder) return false;
  if (common.every((loop) => extentOf(loop) <= 1)) return true;
  if (store.dynamic || load.dynamic) return false;
  return iterationsAreDisjoint(store.index, load.index, common, extentOf);
}

/** Whether different iterations of the common loops touch different elements, whatever the other loops do. */
export function iterationsAreDisjoint(
  a: Affine,
  b: Affine,
  common: readonly LoopId[],
  extentOf: (loop: LoopId) => number,
): boolean {
  const inCommon = new Set(common);
  const rest = (index: Affine): Affine => ({
    offset: index.offset,
    terms: index.terms.filter((t) => !inCommon.has(t.loop)),
  });
  const [x, y] = [affineRange(rest(a), extentOf), affineRange(rest(b), extentOf)];
  let span = Math.max(x.max, y.max) - Math.min(x.min, y.min);
  const strides: { readonly stride: number; readonly extent: number }[] = [];
  for (const loop of common) {
    const extent = extentOf(loop);
    if (extent <= 1) continue;
    const stride = strideOf(a, loop);
    if (stride !== strideOf(b, loop) || stride === 0) return false;
    strides.push({ stride: Math.abs(stride), extent });
  }
  strides.sort((p, q) => p.stride - q.stride);
  for (const { stride, extent } of strides) {
    if (stride <= span) return false;
    span += stride * (extent - 1);
  }
  return true;
}
