import { expressionsOfStatement, forEachExpression } from "./access.js";
import { affineRange, strideOf } from "./affine.js";
import type { Access, Affine, BufferId, LeafKernel, LoopId, ScalarExpr, Statement } from "./form.js";

/** A load object met in a statement: expressions are evaluated once, at the first statement that mentions them. */
interface Mention {
  readonly index: Affine;
  /** At a position that only the run knows: any element may be meant. */
  readonly dynamic: boolean;
  readonly loops: readonly LoopId[];
  readonly at: number;
  /** Where the object was first mentioned, when that was in the same body or in one around it. */
  readonly evaluatedAt: number;
}

interface Written {
  readonly buffer: BufferId;
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
  const { mentions, stores, extents } = kernel.kind === "nest" ? scanNest(kernel.body) : scanContraction(kernel);
  for (const store of stores) {
    if (!candidates.has(store.buffer) || found.has(store.buffer)) continue;
    for (const mention of mentions.get(store.buffer) ?? []) {
      if (!isSafe(store, mention, extents)) {
        found.add(store.buffer);
        break;
      }
    }
  }
  return found;
}

function place({ index, dynamic }: Access): { readonly index: Affine; readonly dynamic: boolean } {
  return { index, dynamic: dynamic !== undefined };
}

interface Scan {
  readonly mentions: ReadonlyMap<BufferId, readonly Mention[]>;
  readonly stores: readonly Written[];
  readonly extents: ReadonlyMap<LoopId, number>;
}

function scanNest(body: readonly Statement[]): Scan {
  const mentions = new Map<BufferId, Mention[]>();
  const stores: Written[] = [];
  const extents = new Map<LoopId, number>();
  const first = new Map<ScalarExpr, { readonly loops: readonly LoopId[]; readonly at: number }>();
  let clock = 0;
  const mention = (root: ScalarExpr, loops: readonly LoopId[]): void => {
    forEachExpression(root, new Set(), (expression) => {
      if (expression.kind !== "load") return;
      const known = first.get(expression);
      if (known === undefined) first.set(expression, { loops, at: clock });
      const evaluatedAt = known?.loops.every((loop, i) => loops[i] === loop) ? known.at : clock;
      const list = mentions.get(expression.access.buffer) ?? [];
      list.push({ ...place(expression.access), loops, at: clock, evaluatedAt });
      mentions.set(expression.access.buffer, list);
    });
  };
  const visit = (statements: readonly Statement[], loops: readonly LoopId[]): void => {
    for (const statement of statements) {
      clock++;
      if (statement.kind === "loop") {
        extents.set(statement.id, statement.extent);
        visit(statement.body, [...loops, statement.id]);
        continue;
      }
      for (const expression of expressionsOfStatement(statement)) mention(expression, loops);
      if (statement.kind === "store")
        stores.push({ buffer: statement.target.buffer, ...place(statement.target), loops, at: clock });
    }
  };
  visit(body, []);
  return { mentions, stores, extents };
}

/** Operands are read all along; each step of the epilogue belongs to one element. */
function scanContraction(kernel: Extract<LeafKernel, { kind: "contract" }>): Scan {
  const elementLoops = [...kernel.batch, ...kernel.m, ...kernel.n];
  const extents = new Map([...elementLoops, ...kernel.k].map((loop) => [loop.id, loop.extent]));
  const loops = elementLoops.map((loop) => loop.id);
  const statements: Statement[] = kernel.epilogue.map((store) => store);
  const scan = scanNest(statements);
  const mentions = new Map<BufferId, Mention[]>();
  for (const [buffer, list] of scan.mentions)
    mentions.set(
      buffer,
      list.map((mention) => ({ ...mention, loops })),
    );
  for (const operand of [kernel.lhs, kernel.rhs]) {
    forEachExpression(operand, new Set(), (expression) => {
      if (expression.kind !== "load") return;
      const list = mentions.get(expression.access.buffer) ?? [];
      // After every store: the next tile reads its operands when this one has been written.
      list.push({
        ...place(expression.access),
        loops,
        at: Number.POSITIVE_INFINITY,
        evaluatedAt: Number.POSITIVE_INFINITY,
      });
      mentions.set(expression.access.buffer, list);
    });
  }
  return { mentions, stores: scan.stores.map((store) => ({ ...store, loops })), extents };
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
