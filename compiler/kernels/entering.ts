import { affineRange, rowMajorStrides, strideOf } from "./affine.js";
import type { LoopId } from "./form.js";
import type { Item, Leaf, Loop } from "./regions.js";
import type { Axis, Read, Root } from "./roots.js";
import { isStandIn, shapeOf } from "./views.js";

/**
 * The reader's axis that runs along `axis` of `source`, when the reader's index there is that axis's loop variable alone and the
 * extents agree: the reader then needs only what the same iteration of a common loop computes.
 */
export function axisReading(reader: Root, read: Read, source: Root, axis: Axis): Axis | undefined {
  const dimension = source.index.findIndex((at) => strideOf(at, axis.own) !== 0);
  if (dimension < 0) return undefined;
  let loop: LoopId | undefined;
  if (read.index.kind === "axes") {
    const at = read.index.axes[dimension];
    if (at === undefined || at.offset !== 0 || at.terms.length !== 1 || at.terms[0]?.stride !== 1) return undefined;
    loop = at.terms[0].loop;
  } else {
    // By position: only the outermost axis can be told apart, and only if the rest stays inside one of its steps.
    const shape = shapeOf(source.value);
    if (shape.findIndex((size) => size !== 1) !== dimension) return undefined;
    const stride = rowMajorStrides(shape)[dimension];
    const { position } = read.index;
    if (position.terms.some((term) => isStandIn(term.loop))) return undefined;
    const outer = position.terms.find((term) => term.stride === stride);
    if (outer === undefined || stride === undefined) return undefined;
    const rest = { offset: position.offset, terms: position.terms.filter((term) => term !== outer) };
    const range = affineRange(rest, (own) => reader.axes.find((candidate) => candidate.own === own)?.extent ?? 1);
    if (range.min < 0 || range.max >= stride) return undefined;
    loop = outer.loop;
  }
  const found = reader.axes.find((candidate) => candidate.own === loop);
  return found !== undefined && found.extent === axis.extent ? found : undefined;
}

export function childOf(source: Root, depth: number): Item {
  return source.path[depth] ?? (source.leaf as Leaf);
}

/** Kept axes outside, reduced axes inside. */
export function inLoopOrder(root: Root): readonly Axis[] {
  return [...root.axes.filter((axis) => !axis.reduced), ...root.axes.filter((axis) => axis.reduced)];
}

/** A sum's accumulator is one register: no loop of the sum may be outside a loop of what it keeps. */
export function mayBind(root: Root, axis: Axis, bound: ReadonlyMap<Axis, Loop>): boolean {
  if (bound.has(axis)) return false;
  return root.axes.every((other) => other.reduced === axis.reduced || bound.has(other) === axis.reduced);
}

export function enterProducer(
  root: Root,
  item: Item | undefined,
  reads: readonly { readonly read: Read; readonly source: Root }[],
  depth: number,
  bound: ReadonlyMap<Axis, Loop>,
): { readonly axis: Axis; readonly loop: Loop } | undefined {
  if (item === undefined || item.kind === "leaf") return undefined;
  let matched: Axis | undefined;
  for (const { read, source } of reads) {
    if (source.path[depth] !== item) continue;
    const produced = source.axes.find((axis) => axis.bound === item.id);
    if (produced === undefined || produced.reduced) return undefined;
    const axis = axisReading(root, read, source, produced);
    if (axis === undefined || (matched !== undefined && matched !== axis)) return undefined;
    matched = axis;
  }
  return matched !== undefined && mayBind(root, matched, bound) ? { axis: matched, loop: item } : undefined;
}

export function enterSibling(
  root: Root,
  body: readonly Item[],
  after: number,
  bound: ReadonlyMap<Axis, Loop>,
): { readonly axis: Axis; readonly loop: Loop } | undefined {
  const axis = inLoopOrder(root).find((candidate) => !bound.has(candidate));
  if (axis === undefined || !mayBind(root, axis, bound)) return undefined;
  for (let i = after + 1; i < body.length; i++) {
    const item = body[i];
    if (item?.kind === "loop" && item.extent === axis.extent) return { axis, loop: item };
  }
  return undefined;
}
