/**
 * Patterns over edges: what a rewrite rule looks for. `is(mul, x, number(1))` matches a `mul` whose right operand is 1 in every
 * element; `some("x")` matches any edge and gives it a name, and the same edge again wherever the name stands again.
 */
import type { Value } from "../ir/node.js";
import type { Op } from "../ops/define.js";
import { sameNumber, splatOf } from "./values.js";

/** Edges that rules must not look through: what `gradients` differentiates in has to stay a part of the graph. */
export type Opaque = (value: Value) => boolean;

/** A pattern that binds the names of B. */
export interface Pattern<B> {
  /** The op at its root, for the index of rules; undefined where any can be. */
  readonly root: string | undefined;
  readonly match: Matcher;
  /** The bound edges by name, or undefined. */
  readonly find: (value: Value, opaque: Opaque) => B | undefined;
}

/** Tries all ways to match; calls `next` for each, and is true as soon as it is. */
type Matcher = (value: Value, match: Match, next: () => boolean) => boolean;

interface Match {
  readonly bound: Map<string, Value>;
  readonly opaque: Opaque;
}

/** What a list of patterns binds together. */
type All<P extends readonly Pattern<unknown>[]> = P extends readonly [
  Pattern<infer B>,
  ...infer Rest extends readonly Pattern<unknown>[],
]
  ? B & All<Rest>
  : unknown;

function pattern<B>(root: string | undefined, match: Matcher): Pattern<B> {
  const find = (value: Value, opaque: Opaque): B | undefined => {
    const bound = new Map<string, Value>();
    return match(value, { bound, opaque }, () => true) ? (Object.fromEntries(bound) as B) : undefined;
  };
  return { root, match, find };
}

/** Any edge; the same one wherever the name is repeated. */
export function some<const N extends string>(name: N): Pattern<{ readonly [K in N]: Value }> {
  return pattern(undefined, (value, match, next) => bind(match, name, value, next));
}

/** An edge that is the same number in every element; `splatOf` reads it. */
export function constant<const N extends string>(name: N): Pattern<{ readonly [K in N]: Value }> {
  return pattern(
    undefined,
    (value, match, next) => splatOf(value, match.opaque) !== undefined && bind(match, name, value, next),
  );
}

/** The number `wanted` in every element; 0 and -0 are different numbers. */
export function number(wanted: number): Pattern<unknown> {
  return pattern(undefined, (value, match, next) => {
    const found = splatOf(value, match.opaque);
    return found !== undefined && sameNumber(found, wanted) && next();
  });
}

/** The op on operands that match in this order. */
export function is<const P extends readonly Pattern<unknown>[]>(op: Op, ...operands: P): Pattern<All<P>> {
  return pattern(
    op.opName,
    (value, match, next) => isOp(op, value, match) && matchAll(operands, value.node.inputs, match, next),
  );
}

/** The op on operands that match in this or the opposite order: for commutative ops. */
export function either<A, B>(op: Op, a: Pattern<A>, b: Pattern<B>): Pattern<A & B> {
  return pattern(
    op.opName,
    (value, match, next) =>
      isOp(op, value, match) &&
      (matchAll([a, b], value.node.inputs, match, next) || matchAll([b, a], value.node.inputs, match, next)),
  );
}

/** The op on any operands, by name. */
export function node<const N extends string>(name: N, op: Op): Pattern<{ readonly [K in N]: Value }> {
  return pattern(op.opName, (value, match, next) => isOp(op, value, match) && bind(match, name, value, next));
}

/** What `inner` matches, with a name for the edge itself. */
export function as<const N extends string, B>(name: N, inner: Pattern<B>): Pattern<B & { readonly [K in N]: Value }> {
  return pattern(inner.root, (value, match, next) => inner.match(value, match, () => bind(match, name, value, next)));
}

function isOp(op: Op, value: Value, match: Match): boolean {
  return value.node.op === op.opName && !match.opaque(value);
}

function bind(match: Match, name: string, value: Value, next: () => boolean): boolean {
  const before = match.bound.get(name);
  if (before !== undefined) return before === value && next();
  match.bound.set(name, value);
  if (next()) return true;
  match.bound.delete(name);
  return false;
}

function matchAll(
  patterns: readonly Pattern<unknown>[],
  values: readonly Value[],
  match: Match,
  next: () => boolean,
  from = 0,
): boolean {
  if (patterns.length !== values.length) return false;
  const [pattern, value] = [patterns[from], values[from]];
  if (pattern === undefined || value === undefined) return next();
  return pattern.match(value, match, () => matchAll(patterns, values, match, next, from + 1));
}
