import type { Node, Region, Value } from "../../ir/node.js";
import { countAttribute, scanParts, whileParts } from "../../ops/region_parts.js";
import { type IntegerRange, Ranges, union } from "./ranges.js";

type Known = IntegerRange | undefined;

/** Which carries of a loop are known, and where each iteration gets its others from. */
interface Loop {
  readonly carries: readonly Value[];
  readonly initial: readonly Value[];
  readonly next: readonly Value[];
  /** What its other parameters may be. */
  readonly others: ReadonlyMap<Value, IntegerRange>;
  /** How many iterations there are, where that is known. */
  readonly turns: number | undefined;
  /** Of a `while`: its region that says whether it goes on, whose carries stand for those of the body. */
  readonly condition: { readonly carries: readonly Value[]; readonly result: Value } | undefined;
}

/** After so many rounds a carry that still grows may be anything. */
const patience = 3;

/** What the parameters of a node's regions may be, given what its operands are. */
export function boundsInside(node: Node, of: (operand: Value) => Known): ReadonlyMap<Value, IntegerRange> {
  const found = new Map<Value, IntegerRange>();
  const put = (parameter: Value | undefined, range: Known): void => {
    if (parameter !== undefined && range !== undefined) found.set(parameter, range);
  };
  if (node.op === "if") {
    for (const { parameters } of node.regions)
      parameters.forEach((parameter, i) => put(parameter, of(node.inputs[i + 1] as Value)));
    return found;
  }
  const loop = loopOf(node, of);
  if (loop === undefined) return found;
  const carried = carriesOf(loop, of);
  loop.others.forEach((range, parameter) => put(parameter, range));
  loop.carries.forEach((parameter, i) => put(parameter, carried.inside[i]));
  loop.condition?.carries.forEach((parameter, i) => put(parameter, carried.before[i]));
  return found;
}

/** What an output of a node with regions may be. */
export function ofRegions({ node, index }: Value, of: (operand: Value) => Known): Known {
  if (node.op === "if") {
    const [first, second] = node.regions.map((region) => resultIn(node, region, index, of));
    return union(first, second);
  }
  const loop = loopOf(node, of);
  if (loop === undefined) return undefined;
  if (index < loop.carries.length) return carriesOf(loop, of).before[index];
  const [body] = node.regions;
  return body === undefined ? undefined : resultIn(node, body, index, of);
}

function resultIn(node: Node, { results }: Region, index: number, of: (operand: Value) => Known): Known {
  const inside = new Ranges();
  boundsInside(node, of).forEach((range, parameter) => inside.bind(parameter, range));
  const result = results[index];
  return result === undefined ? undefined : inside.of(result);
}

function loopOf(node: Node, of: (operand: Value) => Known): Loop | undefined {
  const others = new Map<Value, IntegerRange>();
  const put = (parameter: Value, operand: Value | undefined): void => {
    const range = operand === undefined ? undefined : of(operand);
    if (range !== undefined) others.set(parameter, range);
  };
  const captures = countAttribute(node.attributes, "captures");
  if (node.op === "scan") {
    const [body] = node.regions;
    if (body === undefined) return undefined;
    const sequences = countAttribute(node.attributes, "sequences");
    const parts = scanParts({ captures, sequences }, body);
    const [length] = (node.attributes["length"] as readonly number[] | undefined) ?? [];
    if (typeof length === "number") others.set(parts.index, { min: 0, max: Math.max(0, length - 1) });
    [...parts.captures, ...parts.elements].forEach((parameter, i) => put(parameter, node.inputs[i]));
    const initial = node.inputs.slice(captures + sequences);
    const turns = typeof length === "number" ? length : undefined;
    return { carries: parts.carries, next: parts.next, initial, others, turns, condition: undefined };
  }
  const [condition, body] = node.regions;
  const result = condition?.results[0];
  if (condition === undefined || body === undefined || result === undefined) return undefined;
  const [asking, doing] = [whileParts(captures, condition), whileParts(captures, body)];
  for (const part of [asking, doing]) part.captures.forEach((parameter, i) => put(parameter, node.inputs[i]));
  return {
    carries: doing.carries,
    next: body.results,
    initial: node.inputs.slice(captures),
    others,
    turns: undefined,
    condition: { carries: asking.carries, result },
  };
}

interface Carried {
  /** Before any iteration, and after the last. */
  readonly before: readonly Known[];
  readonly inside: readonly Known[];
}

/** What carries may be: what holds of the first, and is kept by each iteration. Bounds that are not kept are given up after a few rounds. */
function carriesOf(loop: Loop, of: (operand: Value) => Known): Carried {
  const sums = loop.carries.map((_, i) => summed(loop, i, of(loop.initial[i] as Value)));
  const initial = loop.initial.map((value, i) => sums[i] ?? of(value));
  const iteration = (ranges: readonly Known[]): ReturnType<typeof turnOf> => {
    const { inside, after } = turnOf(loop, ranges);
    return { inside, after: after.map((range, i) => sums[i] ?? range) };
  };
  let before: readonly Known[] = initial;
  for (let round = 0; ; round++) {
    const { inside, after } = iteration(before);
    if (isKept(before, after)) {
      // What was given up may be less once the condition has cut it.
      const less = initial.map((range, i) => union(range, after[i]));
      const again = iteration(less);
      return isKept(less, again.after) ? { before: less, inside: again.inside } : { before, inside };
    }
    before = before.map((range, i) => {
      const then = after[i];
      if (range === undefined || then === undefined || round < patience) return union(range, then);
      // Without a bound of its own, a value is what its dtype holds.
      const all = new Ranges().of(loop.carries[i] as Value) ?? then;
      return { min: then.min < range.min ? all.min : range.min, max: then.max > range.max ? all.max : range.max };
    });
  }
}

function isKept(before: readonly Known[], after: readonly Known[]): boolean {
  return before.every((range, i) => {
    const then = after[i];
    return range === undefined || (then !== undefined && then.min >= range.min && then.max <= range.max);
  });
}

/** A carry to which each of so many iterations adds something: `n + 1`. */
function summed({ carries, next, others, turns }: Loop, carry: number, initial: Known): Known {
  const node = next[carry]?.node;
  const [a, b] = node?.inputs ?? [];
  if (node?.op !== "add" || turns === undefined || initial === undefined || a === b) return undefined;
  const added = a === carries[carry] ? b : b === carries[carry] ? a : undefined;
  if (added === undefined) return undefined;
  const ranges = new Ranges();
  others.forEach((range, parameter) => ranges.bind(parameter, range));
  const each = ranges.of(added);
  const all = new Ranges().of(carries[carry] as Value);
  if (each === undefined || all === undefined) return undefined;
  const range = { min: initial.min + turns * Math.min(0, each.min), max: initial.max + turns * Math.max(0, each.max) };
  // Beyond its dtype it wraps round.
  return range.min < all.min || range.max > all.max ? undefined : range;
}

/** What carries are inside the body, and what it makes of them. */
function turnOf(
  { carries, next, others, condition }: Loop,
  before: readonly Known[],
): { readonly inside: readonly Known[]; readonly after: readonly Known[] } {
  const inside = before.map((range, i) => (condition === undefined ? range : narrowed(range, i, condition, others)));
  const ranges = new Ranges();
  others.forEach((range, parameter) => ranges.bind(parameter, range));
  carries.forEach((parameter, i) => ranges.bind(parameter, inside[i]));
  return { inside, after: next.map((value) => ranges.of(value)) };
}

/** A carry where the loop goes on: what the condition asks of it, as `k < 10 and ...` does. */
function narrowed(
  range: Known,
  carry: number,
  { carries, result }: NonNullable<Loop["condition"]>,
  others: Loop["others"],
): Known {
  const parameter = carries[carry];
  const ranges = new Ranges();
  others.forEach((known, other) => ranges.bind(other, known));
  let found = range;
  const open = [result];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const { op, inputs } = value.node;
    const [a, b] = inputs;
    if (op === "and") open.push(...inputs);
    if (a === undefined || b === undefined || found === undefined) continue;
    const [isLeft, isRight] = [throughViews(a) === parameter, throughViews(b) === parameter];
    const limit = isLeft === isRight ? undefined : ranges.of(isLeft ? b : a);
    if (limit === undefined) continue;
    // `limit > k` asks what `k < limit` does.
    const asks = isLeft ? op : (mirrored.get(op) ?? op);
    if (asks === "lt") found = { min: found.min, max: Math.min(found.max, limit.max - 1) };
    else if (asks === "le") found = { min: found.min, max: Math.min(found.max, limit.max) };
    else if (asks === "gt") found = { min: Math.max(found.min, limit.min + 1), max: found.max };
    else if (asks === "ge") found = { min: Math.max(found.min, limit.min), max: found.max };
  }
  // A loop that is never entered.
  return found !== undefined && found.min > found.max ? range : found;
}

const mirrored: ReadonlyMap<string, string> = new Map([
  ["lt", "gt"],
  ["gt", "lt"],
  ["le", "ge"],
  ["ge", "le"],
]);

/** What a value is a reshape of. */
function throughViews(value: Value): Value {
  let found = value;
  while (found.node.op === "reshape" && found.node.inputs[0] !== undefined) found = found.node.inputs[0];
  return found;
}
