import { type Dim, dimText, isSymbolic } from "../../compiler/ir/dim.js";
import { isInteger } from "../../compiler/ir/dtype.js";
import type { Node, Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import { literal } from "../../compiler/ops/build.js";
import { inversePermutation } from "../../compiler/ops/views.js";
import { toTensor } from "./convert.js";
import type { Item } from "./meaning.js";
import { applyOp, type Env, originNote, record, refusal, type Site } from "./state.js";

/** Tensors of positions along an axis: what `x[ids]`, `gather` and `scatter` are made of. */

/**
 * The positions that an item means along an axis of `size` elements, counted from its start. Negative ones count from the end, as in
 * `x[-1]`. What is written in the file is checked now, the rest by the run.
 */
export function positions(env: Env, item: Item, size: Dim, axis: number, of: Value): Value {
  const value = toTensor(
    env,
    item,
    item.meaning.kind === "list" && item.meaning.items.length === 0 ? "i64" : undefined,
  );
  requireIntegers(env, value, item.span);
  const { op } = value.node;
  if (op === "constant" && !isSymbolic(size)) {
    const written = writtenIn(value);
    const outside = written.find((at) => at < -size || at >= size);
    if (outside !== undefined) throw outOfRange(env, item.span, outside, size, axis, of);
    const counted = written.map((at) => (at < 0n ? at + BigInt(size) : at));
    return record(env, literal("i64", value.type.shape.map(Number), counted), item.span);
  }
  if (value.type.dtype === "u8" || neverNegative.has(value.node.op)) return value;
  return applyOp(env, "wrap_index", [value], { size: [size] }, { span: item.span, operands: [item.span] })[0] as Value;
}

/** The node without casts to the widest integer: where the file itself gives a tensor, the one that holds what is written. */
export function writer(node: Node): Node {
  const [below] = node.inputs;
  return node.op === "cast" && node.attributes["to"] === "i64" && below !== undefined ? writer(below.node) : node;
}

/** The integers that the file itself gives a tensor, also where it is cast to the widest of them; none of any other. */
export function writtenIn(value: Value): readonly bigint[] {
  const node = writer(value.node);
  const known = node.op === "constant" ? node.attributes["value"] : undefined;
  if (typeof known !== "object" || !("data" in known) || !isInteger(known.dtype)) return [];
  return Array.from(known.data as ArrayLike<number | bigint>, BigInt);
}

/** Ops whose result counts from 0, or has failed the run. */
const neverNegative: ReadonlySet<string> = new Set(["check_index", "wrap_index", "iota", "argmax", "argmin"]);

export function requireIntegers(env: Env, value: Value, span: Span): void {
  if (isInteger(value.type.dtype)) return;
  const hint =
    value.type.dtype === "bool"
      ? "how many elements a mask keeps is known only at run time: `select(mask, x, y)` keeps the shape"
      : "`cast(…, to=i64)` converts";
  throw refusal(env, "G024", span, `an index is an integer, not ${typeText(value.type)}`, {
    notes: [originNote(env, value, span)],
    hint,
  });
}

function outOfRange(env: Env, span: Span, index: bigint, size: number, axis: number, of: Value) {
  return refusal(
    env,
    "G026",
    span,
    `the index ${index} is out of range: axis ${axis} of ${typeText(of.type)} has ${dimText(size)} elements`,
    {
      notes: [originNote(env, of, span)],
      hint: size === 0 ? "the axis is empty" : `the indices are 0 to ${size - 1}, or -${size} to -1 from the end`,
    },
  );
}

/** Integers of several dtypes as one. */
export function sameDType(env: Env, indices: readonly Value[], site: Site): readonly Value[] {
  const [first] = indices;
  if (indices.every((index) => index.type.dtype === first?.type.dtype)) return indices;
  return indices.map((index) =>
    index.type.dtype === "i64" ? index : (applyOp(env, "cast", [index], { to: "i64" }, site)[0] as Value),
  );
}

/**
 * The elements of x at positions along some axes (tensors of one shape). Their shape stands in the result where the axes before it
 * that are not indexed end: `before` of them.
 */
export function gatherAt(env: Env, x: Value, places: ReadonlyMap<number, Value>, before: number, site: Site): Value {
  const axes = [...places.keys()];
  const indices = sameDType(env, [...places.values()], site);
  const read = applyOp(env, "gather", [x, ...indices], { axes }, site)[0] as Value;
  return moved(env, read, fromFront(indices[0]?.type.shape.length ?? 0, before, read.type.shape.length), site);
}

/** The opposite of `gatherAt`: x with updates of that shape combined into it. */
export function scatterAt(
  env: Env,
  x: Value,
  updates: Value,
  places: ReadonlyMap<number, Value>,
  before: number,
  combiner: string,
  site: Site,
): Value {
  const axes = [...places.keys()];
  const indices = sameDType(env, [...places.values()], site);
  const order = fromFront(indices[0]?.type.shape.length ?? 0, before, updates.type.shape.length);
  const inFront = moved(env, updates, inversePermutation(order), site);
  return applyOp(env, "scatter", [x, inFront, ...indices], { axes, combiner }, site)[0] as Value;
}

/** The permutation that moves the first `count` axes behind the `before` that follow them. */
function fromFront(count: number, before: number, rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) =>
    axis < before ? axis + count : axis < before + count ? axis - before : axis,
  );
}

function moved(env: Env, value: Value, permutation: readonly number[], site: Site): Value {
  if (permutation.every((axis, i) => axis === i)) return value;
  return applyOp(env, "transpose", [value], { permutation }, site)[0] as Value;
}
