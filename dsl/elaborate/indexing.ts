import { type Condition, compareDims, every, negated } from "../../compiler/ir/condition.js";
import { addDims, type Dim, dimText, isSymbolic, subtractDims } from "../../compiler/ir/dim.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { typeText } from "../../compiler/ir/type.js";
import type { Expression, Index, IndexItem, Slice } from "../ast.js";
import { broadcastAll } from "./broadcast.js";
import { demand } from "./constraints.js";
import { silence, toDim, toNumber, toTensor } from "./convert.js";
import { declarationNotes } from "./dim_bounds.js";
import { describe, type Item, int, isLiteral, type Meaning, tensor } from "./meaning.js";
import { gatherAt, positions } from "./positions.js";
import { applyOp, type Env, originNote, type Refusal, refusal } from "./state.js";

/** What happens to one axis: `[i]` drops it, `[a:b:c]` keeps a part. */
interface Cut {
  readonly start: Dim;
  readonly limit: Dim;
  readonly stride: number;
  readonly reversed: boolean;
  readonly dropped: boolean;
}

type Evaluate = (part: Expression) => Meaning;

/** `z[..., 0:32:2]` and `table[ids]`: NumPy's indexing; `evaluate` gives the meaning of a part. */
export function index(env: Env, expression: Index, target: Meaning, evaluate: Evaluate): Meaning {
  silence(target);
  // Each part is evaluated once, whatever it turns out to be.
  const known = new Map<Expression, Meaning>();
  const meaningOf: Evaluate = (part) => {
    const meaning = known.get(part) ?? evaluate(part);
    known.set(part, meaning);
    return meaning;
  };
  if (target.kind === "shape" || target.kind === "list") {
    const asTensor =
      expression.items.some((item) => isPosition(item, meaningOf)) ||
      (isLiteral(target) && goesBeyondLists(expression));
    if (!asTensor) return elementOf(env, expression, target, meaningOf);
  }
  const value = toTensor(env, { meaning: target, span: expression.target.span });
  const axes = placeItems(env, expression, value);
  const places = new Map<number, Item>();
  const cuts = value.type.shape.map((size, axis): Cut => {
    const item = axes.get(axis);
    const whole: Cut = { start: 0, limit: size, stride: 1, reversed: false, dropped: false };
    if (item === undefined) return whole;
    if (item.kind === "slice") return sliceCut(env, item, size, axis, value, meaningOf);
    const written = { meaning: meaningOf(item), span: item.span };
    if (!isPosition(item, meaningOf)) return elementCut(env, written, size, axis, value);
    places.set(axis, written);
    return whole;
  });
  const rest = cut(env, value, cuts, expression);
  return tensor(places.size === 0 ? rest : pick(env, rest, cuts, places, value, expression));
}

/** Steps, several axes and `...`: a list of numbers has them as the tensor that it stands for. */
function goesBeyondLists({ items }: Index): boolean {
  return (
    items.length > 1 ||
    items.some((item) => item.kind === "ellipsis" || (item.kind === "slice" && item.step !== undefined))
  );
}

/** A tensor or a list: its elements are positions that the run looks up. */
function isPosition(item: IndexItem, meaningOf: Evaluate): boolean {
  if (item.kind === "slice" || item.kind === "ellipsis") return false;
  const meaning = meaningOf(item);
  silence(meaning);
  return meaning.kind === "tensor" || meaning.kind === "list" || meaning.kind === "shape";
}

/**
 * What lies at the positions. Their common shape stands where the indexed axes stand next to each other, else in front. An int has
 * dropped its axis before, and counts for nothing here.
 */
function pick(
  env: Env,
  value: Value,
  cuts: readonly Cut[],
  places: ReadonlyMap<number, Item>,
  whole: Value,
  { span, target }: Index,
): Value {
  const spans = [...places.values()].map((item) => item.span);
  const site = { span, operands: [target.span, ...spans] };
  const tensors = [...places].map(([axis, item]) => positions(env, item, whole.type.shape[axis] ?? 0, axis, whole));
  const spread = broadcastAll(env, tensors, "with", { span, operands: spans });
  const kept = cuts.flatMap((c, axis) => (c.dropped ? [] : [axis]));
  const axes = [...places.keys()].map((axis) => kept.indexOf(axis));
  const first = axes[0] ?? 0;
  const adjacent = axes.every((axis, i) => axis === first + i);
  const byAxis = new Map(axes.map((axis, i) => [axis, spread[i] as Value]));
  return gatherAt(env, value, byAxis, adjacent ? first : 0, site);
}

function cut(env: Env, value: Value, cuts: readonly Cut[], { span, target }: Index): Value {
  const site = { span, operands: [target.span] };
  const reversed = cuts.flatMap((c, axis) => (c.reversed ? [axis] : []));
  const turned =
    reversed.length === 0 ? value : (applyOp(env, "reverse", [value], { axes: reversed }, site)[0] as Value);
  const whole = cuts.every((c, axis) => c.start === 0 && c.stride === 1 && c.limit === value.type.shape[axis]);
  const attributes = {
    start: cuts.map((c) => c.start),
    limit: cuts.map((c) => c.limit),
    strides: cuts.map((c) => c.stride),
  };
  const sliced = whole ? turned : (applyOp(env, "slice", [turned], attributes, site)[0] as Value);
  if (!cuts.some((c) => c.dropped)) return sliced;
  const shape = sliced.type.shape.filter((_, axis) => cuts[axis]?.dropped === false);
  return applyOp(env, "reshape", [sliced], { shape }, site)[0] as Value;
}

/** The item of each axis; `...` stands for the axes between. */
function placeItems(
  env: Env,
  { items, span, target }: Index,
  value: Value,
): ReadonlyMap<number, Exclude<IndexItem, { kind: "ellipsis" }>> {
  const rank = value.type.shape.length;
  const placed = new Map<number, Exclude<IndexItem, { kind: "ellipsis" }>>();
  const at = items.findIndex((item) => item.kind === "ellipsis");
  const second = items.find((item, i) => item.kind === "ellipsis" && i > at);
  if (second !== undefined) throw refusal(env, "G026", second.span, "`...` stands once in an index");
  const count = items.length - (at < 0 ? 0 : 1);
  if (count > rank) {
    throw refusal(
      env,
      "G025",
      span,
      `${typeText(value.type)} has ${rank} ${rank === 1 ? "axis" : "axes"}, and ${count} are indexed`,
      {
        notes: [originNote(env, value, target.span)],
        hint: betweenLists(target),
      },
    );
  }
  items.forEach((item, i) => {
    if (item.kind !== "ellipsis") placed.set(at < 0 || i < at ? i : i + rank - items.length, item);
  });
  return placed;
}

function elementCut(env: Env, item: Item, size: Dim, axis: number, value: Value): Cut {
  silence(item.meaning);
  if (item.meaning.kind !== "int")
    throw refusal(env, "G031", item.span, `an index is an int, not ${describe(item.meaning)}`);
  const given = toDim(env, item);
  const start = typeof given === "number" && given < 0 ? addDims(size, given) : given;
  const within = every(compareDims(0, "at_most", start), compareDims(start, "less", size));
  demand(env, within, (dims) =>
    outOfRange(env, item.span, `the index ${dimText(given)}`, { size, of: "indices" }, axis, value, dims),
  );
  return { start, limit: addDims(start, 1), stride: 1, reversed: false, dropped: true };
}

function outOfRange(
  env: Env,
  span: Span,
  what: string,
  { size, of }: { readonly size: Dim; readonly of: "indices" | "bounds" },
  axis: number,
  value: Value,
  dims: readonly string[],
): Refusal {
  // A slice may end behind the last element.
  const beyond = of === "bounds" ? 0 : 1;
  return refusal(
    env,
    "G026",
    span,
    `${what} is out of range: axis ${axis} of ${typeText(value.type)} has ${dimText(size)} elements`,
    {
      notes: [originNote(env, value, span), ...declarationNotes(env, dims)],
      hint: isSymbolic(size) ? undefined : `the ${of} are 0 to ${size - beyond}, or -${size} to -1 from the end`,
    },
  );
}

function sliceCut(env: Env, item: Slice, size: Dim, axis: number, value: Value, evaluate: Evaluate): Cut {
  const bound = (part: Expression | undefined): Dim | undefined => {
    if (part === undefined) return undefined;
    const given = toDim(env, { meaning: evaluate(part), span: part.span });
    return typeof given === "number" && given < 0 ? addDims(size, given) : given;
  };
  const stride =
    item.step === undefined ? 1 : toNumber(env, { meaning: evaluate(item.step), span: item.step.span }, "a step");
  if (stride === 0) throw refusal(env, "G026", item.step?.span ?? item.span, "a step of 0 leads nowhere");
  const given = { start: bound(item.start), stop: bound(item.stop) };
  // Running backwards, it starts at an element.
  const last = stride > 0 ? size : subtractDims(size, 1);
  const bounds = [
    ...(given.start === undefined ? [] : [{ dim: given.start, most: last, part: item.start }]),
    ...(given.stop === undefined ? [] : [{ dim: given.stop, most: size, part: item.stop }]),
  ].map(({ dim, most, part }) => {
    const condition = every(compareDims(0, "at_most", dim), compareDims(dim, "at_most", most));
    demand(env, condition, (dims) =>
      outOfRange(env, part?.span ?? item.span, "the bound of the slice", { size, of: "bounds" }, axis, value, dims),
    );
    return condition;
  });
  if (stride > 0) return forward(env, item, given.start ?? 0, given.stop ?? size, stride, bounds);
  // Counted from the other end: position i is size - 1 - i.
  const mirror = (dim: Dim): Dim => subtractDims(subtractDims(size, 1), dim);
  const start = given.start === undefined ? 0 : mirror(given.start);
  const limit = given.stop === undefined ? size : mirror(given.stop);
  return { ...forward(env, item, start, limit, -stride, bounds), reversed: true };
}

/** `bounds`: what has been asked of both ends. */
function forward(env: Env, item: Slice, start: Dim, limit: Dim, stride: number, bounds: readonly Condition[]): Cut {
  // An end out of range has been told.
  const ordered: Condition = {
    kind: "some",
    conditions: [...bounds.map(negated), compareDims(start, "at_most", limit)],
  };
  demand(env, ordered, (dims) =>
    refusal(env, "G026", item.span, "the slice ends before it starts", {
      notes: declarationNotes(env, dims),
      hint: "a negative step runs backwards: `x[::-1]`",
    }),
  );
  return { start, limit, stride, reversed: false, dropped: false };
}

/** A list behind a list is its index. */
function betweenLists(target: Expression): string | undefined {
  return target.kind === "list" ? "a comma may be missing between two lists: `[[1, 2], [3, 4]]`" : undefined;
}

/** One element of a shape or a list, or a part of it. */
function elementOf(
  env: Env,
  expression: Index,
  target: Extract<Meaning, { kind: "shape" | "list" }>,
  evaluate: Evaluate,
): Meaning {
  const [item, ...others] = expression.items;
  if (item === undefined || others.length > 0 || item.kind === "ellipsis") {
    throw refusal(env, "G025", expression.span, `${describe(target)} has one axis`, {
      hint: betweenLists(expression.target),
    });
  }
  const count = target.kind === "shape" ? target.value.length : target.items.length;
  const number = (part: Expression): number => {
    const written = { meaning: evaluate(part), span: part.span };
    silence(written.meaning);
    const given = toNumber(env, written, "an index");
    const at = given < 0 ? given + count : given;
    if (at >= 0 && at <= count && (item.kind === "slice" || at < count)) return at;
    throw refusal(
      env,
      "G026",
      part.span,
      `the index ${given} is out of range: ${describe(target)} has ${count} elements`,
    );
  };
  if (item.kind === "slice") {
    if (item.step !== undefined) throw refusal(env, "G026", item.span, "a part of a list has no step");
    const start = item.start === undefined ? 0 : number(item.start);
    const stop = item.stop === undefined ? count : number(item.stop);
    if (target.kind === "shape") return { kind: "shape", value: target.value.slice(start, stop) };
    return { kind: "list", items: target.items.slice(start, stop) };
  }
  const at = number(item);
  if (target.kind === "shape") return int(target.value[at] ?? 0);
  return target.items[at]?.meaning ?? { kind: "poisoned" };
}
