import type { Node } from "../compiler/ir/node.js";
import type { SourceScope } from "../compiler/ir/sources.js";
import { standardPrefix } from "../compiler/ir/span.js";
import { typeText } from "../compiler/ir/type.js";
import type { ReportPlace } from "../runtime/profile/report.js";
import { callsAround, otherArguments } from "./diff_calls.js";
import { type Matching, operandPairs } from "./diff_match.js";
import { givenOps, labelOf, type Side } from "./diff_side.js";
import { attributeText, literalOf, ownPlace, scopesAround } from "./node_texts.js";

/** One thing that is in one of two graphs, or differs between them. */
export interface Change {
  readonly name: string;
  /** Undefined where it is added. */
  readonly before: string | undefined;
  /** Undefined where it is removed. */
  readonly after: string | undefined;
}

/** An op, or all that a call made, as one of two graphs has it. */
export interface OpSide {
  /** The op, or what is called: `tanh`, `dense()`. */
  readonly what: string;
  readonly type: string;
  readonly place: ReportPlace | undefined;
  readonly ops: number;
}

/** An op or a call that came, went, or is another one in the same position. */
export interface OpChange {
  /** The statements that it is of: several where they say the same. */
  readonly names: readonly string[];
  readonly before: OpSide | undefined;
  readonly after: OpSide | undefined;
  /** What differs of an op that is of the same kind: attributes, literals, and what it reads. */
  readonly details: readonly Change[];
}

export interface OpDifference {
  readonly changes: readonly OpChange[];
  /** Ops of the first graph that differ only in what they read. */
  readonly affected: readonly Node[];
}

/** An op that is of one side alone. */
type Sole = { readonly side: Side; readonly scopes: ReadonlySet<SourceScope> };

/** What differs between the ops of two graphs, not in order: see `merged`. */
export function opChanges(matching: Matching): OpDifference {
  const { before, after } = matching;
  const isSole = (node: Node, other: Node | undefined): boolean =>
    other === undefined && matching.formOf(node) === undefined;
  const removed = before.nodes.filter((node) => isSole(node, matching.afterOf(node)));
  const added = after.nodes.filter((node) => isSole(node, matching.beforeOf(node)));
  const found: OpChange[] = [];
  const affected: Node[] = [];

  const differing: Pair[] = [];
  const compare = (a: Node, b: Node | undefined): void => {
    if (b !== undefined) differing.push({ a, b, details: a.op === b.op ? detailsOf(a, b, matching) : [] });
  };
  for (const a of before.nodes) if (!matching.isEqual(a)) compare(a, matching.afterOf(a) ?? matching.formOf(a));
  for (const b of after.nodes) {
    const a = matching.formOf(b);
    if (a !== undefined && matching.beforeOf(b) === undefined) compare(a, b);
  }
  // Calls in which something differs: only these can have become others.
  const touched = new Set<SourceScope>();
  const touch = (node: Node, side: Side): void => {
    for (const scope of scopesAround(node, side.graph.sources)) touched.add(scope);
  };
  for (const node of removed) touch(node, before);
  for (const node of added) touch(node, after);
  for (const { a, b, details } of differing) {
    if (a.op === b.op && details.length === 0) continue;
    touch(a, before);
    touch(b, after);
  }
  // What a call that became another one is made of goes with it.
  const gone = new Set<SourceScope>();
  const come = new Set<SourceScope>();
  const isTold = (node: Node, side: Side, scopes: ReadonlySet<SourceScope>): boolean =>
    scopesAround(node, side.graph.sources).some((scope) => scopes.has(scope));
  const replaced = differing.flatMap((pair) => {
    if (givenOps.has(pair.a.op)) return [];
    const [was, is] = otherCalls(pair, before, after);
    // One of them may be wholly in the other, as a step of sgd is in one of adam.
    const isCall = was !== undefined && is !== undefined && (touched.has(was) || touched.has(is));
    return pair.a.op !== pair.b.op || isCall ? [{ pair, was, is }] : [];
  });
  for (const { pair, was, is } of replaced) {
    const { a, b } = pair;
    if ((was !== undefined && gone.has(was)) || (is !== undefined && come.has(is))) continue;
    if (was !== undefined) gone.add(was);
    if (is !== undefined) come.add(is);
    found.push({
      names: [labelOf(a, before)],
      before: opSide(a, was, before),
      after: opSide(b, is, after),
      details: [],
    });
  }
  const called = new Set<SourceScope>();
  for (const { a, b, details } of differing) {
    if (a.op !== b.op || isTold(a, before, gone) || isTold(b, after, come)) continue;
    const call = otherArguments(a, b, before, after);
    if (details.length === 0 && (call === undefined || called.has(call.after))) {
      if (!givenOps.has(a.op)) affected.push(a);
      continue;
    }
    if (call !== undefined && called.has(call.after)) continue;
    if (call !== undefined) called.add(call.after);
    const named = (call && resultOf(insideOf(call.after, after), after)) ?? b;
    found.push({
      names: [labelOf(named, after)],
      before: opSide(a, call?.before, before),
      after: opSide(b, call?.after, after),
      details: call?.details ?? details,
    });
  }
  for (const one of units(removed, { side: before, scopes: gone })) found.push({ ...one, after: undefined });
  for (const { before: it, ...one } of units(added, { side: after, scopes: come }))
    found.push({ ...one, before: undefined, after: it });
  return { changes: found, affected };
}

interface Pair {
  readonly a: Node;
  readonly b: Node;
  readonly details: readonly Change[];
}

/** The outermost calls around two counterparts that are of different functions: each side's that the other has none of. */
function otherCalls(
  { a, b }: Pair,
  before: Side,
  after: Side,
): readonly [SourceScope | undefined, SourceScope | undefined] {
  const [was, is] = [callsAround(a, before), callsAround(b, after)];
  const without = (some: readonly SourceScope[], others: readonly SourceScope[]): SourceScope | undefined =>
    some.find(({ name }) => !others.some((other) => other.name === name));
  return [without(was, is), without(is, was)];
}

export function opSide(node: Node, call: SourceScope | undefined, side: Side): OpSide {
  const { graph, sizes } = side;
  return {
    what: call === undefined ? node.op : `${call.name}()`,
    type: call === undefined ? typesOf(node) : callType(call, side),
    place: ownPlace(node, graph.sources),
    ops: call === undefined ? 1 : (sizes.get(call) ?? 1),
  };
}

function typesOf(node: Node): string {
  return node.outputs.map(({ type }) => typeText(type)).join(", ");
}

/** What a call gives; nothing of a step that gives variables their new values, one of which would stand for all. */
function callType(call: SourceScope, side: Side): string {
  const inside = insideOf(call, side);
  const result = resultOf(inside, side);
  return isStep(inside, side) || result === undefined ? "" : typesOf(result);
}

/** The ops that a call is made of. */
function insideOf(call: SourceScope, { nodes, graph }: Side): readonly Node[] {
  return nodes.filter((node) => !givenOps.has(node.op) && scopesAround(node, graph.sources).includes(call));
}

/** Whether ops are of an update: what a call of an optimizer is made of, for all its variables. */
function isStep(nodes: readonly Node[], { graph }: Side): boolean {
  return nodes.some((node) => scopesAround(node, graph.sources).some(({ kind }) => kind === "update"));
}

/** Attributes that say no more than the types of results. */
const ofType: ReadonlySet<string> = new Set(["shape", "dtype", "to"]);

function detailsOf(a: Node, b: Node, matching: Matching): readonly Change[] {
  if (givenOps.has(a.op)) return [];
  const isRetyped =
    a.outputs.map(({ type }) => typeText(type)).join() !== b.outputs.map(({ type }) => typeText(type)).join();
  const details: Change[] = [];
  for (const name of [...new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)])].sort()) {
    // The path of a draw is that of its variable or call.
    if (name === "path" || (isRetyped && ofType.has(name))) continue;
    const [was, is] = [a.attributes[name], b.attributes[name]].map((one) =>
      one === undefined ? undefined : attributeText(one),
    );
    if (was !== is) details.push({ name, before: was, after: is });
  }
  if (a.device !== b.device)
    details.push({ name: "placed on", before: a.device ?? "the target", after: b.device ?? "the target" });
  return [...details, ...operandDetails(a, b, matching)];
}

function operandDetails(a: Node, b: Node, matching: Matching): readonly Change[] {
  // What a gradient is taken by are the variables, which are told by themselves.
  const isGradient = a.op === "gradients";
  if (a.inputs.length !== b.inputs.length)
    return isGradient ? [] : [{ name: "operands", before: String(a.inputs.length), after: String(b.inputs.length) }];
  const isOne = a.inputs.length === 1;
  return operandPairs(a, b).flatMap(([x, y], i): readonly Change[] => {
    if (x === y || (isGradient && i > 0)) return [];
    const position = i < a.inputs.length ? i : undefined;
    const name = position === undefined ? "in its body" : isOne ? "operand" : `operand ${position + 1}`;
    const [was, is] = [literalOf(x), literalOf(y)];
    if (was !== undefined && is !== undefined) {
      const isSame = was === is || isRounded([was, x], [is, y]);
      return isSame ? [] : [{ name, before: was, after: is }];
    }
    const [to, from] = [matching.afterOf(x), matching.beforeOf(y)];
    if (to === y) return isOtherOutput(a, b, position) ? [otherOutput(a, b, position, name)] : [];
    // What came or went is told by itself.
    if (was === undefined && is === undefined && (to === undefined || from === undefined)) return [];
    const change = {
      name,
      before: was ?? operandText(x, matching.before),
      after: is ?? operandText(y, matching.after),
    };
    return change.before === change.after ? [] : [change];
  });
}

/** Whether two numbers are one in two precisions: 1 - 0.9 in f32 and in f64. */
function isRounded([was, a]: readonly [string, Node], [is, b]: readonly [string, Node]): boolean {
  const [first, second] = [a.outputs[0]?.type.dtype, b.outputs[0]?.type.dtype];
  const [x, y] = [Number(was), Number(is)];
  if (first === undefined || second === undefined || first === second || Number.isNaN(x) || Number.isNaN(y))
    return false;
  const most = Math.max(...[first, second].map((dtype) => roundings.get(dtype) ?? 0));
  return Math.abs(x - y) <= most * Math.max(Math.abs(x), Math.abs(y));
}

/** What a few operations may round by, in parts of the number. */
const roundings: ReadonlyMap<string, number> = new Map([
  ["f64", 1e-14],
  ["f32", 1e-6],
  ["f16", 5e-3],
  ["bf16", 4e-2],
]);

/** A value as people call it, or as an op of the nearest that has a name. */
function operandText(node: Node, side: Side): string {
  return (
    side.names.get(node)?.[0] ?? (givenOps.has(node.op) ? labelOf(node, side) : `${node.op} of ${labelOf(node, side)}`)
  );
}

/** Of ops with several results, which one is read: those of a gradient are one for each variable. */
function isOtherOutput(a: Node, b: Node, position: number | undefined): boolean {
  if (position === undefined) return false;
  const [x, y] = [a.inputs[position], b.inputs[position]];
  return x !== undefined && y !== undefined && x.index !== y.index && x.node.op !== "gradients";
}

function otherOutput(a: Node, b: Node, position: number | undefined, name: string): Change {
  const text = (node: Node): string => {
    const input = node.inputs[position ?? 0];
    return `result ${(input?.index ?? 0) + 1} of ${input?.node.op ?? ""}`;
  };
  return { name, before: text(a), after: text(b) };
}

/** What the language writes by itself where shapes differ. */
const implicit: ReadonlySet<string> = new Set([
  "broadcast_in_dim",
  "run_state",
  "parameter",
  "variable",
  "placeholder",
]);

/** Ops of one side, each call or scope that is wholly of it as one. */
function units(
  soles: readonly Node[],
  { side, scopes }: Sole,
): readonly { readonly names: readonly string[]; readonly before: OpSide; readonly details: readonly Change[] }[] {
  const { graph, sizes } = side;
  const computed = soles.filter(({ op }) => !givenOps.has(op));
  const counts = new Map<SourceScope, number>();
  for (const node of computed)
    for (const scope of scopesAround(node, graph.sources)) counts.set(scope, (counts.get(scope) ?? 0) + 1);
  const members = new Map<SourceScope | Node, Node[]>();
  const isPart = (node: Node): boolean => graph.sources.spansOf(node).at(-1)?.file.startsWith(standardPrefix) === true;
  for (const node of computed) {
    const around = scopesAround(node, graph.sources);
    if (around.some((scope) => scopes.has(scope))) continue;
    const whole = around.find((scope) => counts.get(scope) === sizes.get(scope));
    // What the standard library does more in a call that was there before, as an optimizer for one more variable.
    const unit = whole ?? (isPart(node) ? around.at(-1) : undefined) ?? node;
    const known = members.get(unit);
    if (known === undefined) members.set(unit, [node]);
    else known.push(node);
  }
  return [...members].flatMap(([unit, inside]) => {
    const last = resultOf(inside, side);
    if (last === undefined) return [];
    // Conversions within the standard library follow from the dtypes.
    if (inside.every((node) => node.op === "cast" && isPart(node))) return [];
    const isCall = "binding" in unit;
    if (!isCall && implicit.has(last.op) && !side.names.has(last)) return [];
    const called = isCall ? (unit.kind === "call" ? `${unit.name}()` : unit.kind) : last.op;
    const what =
      isCall && counts.get(unit) !== sizes.get(unit)
        ? `${inside.length === 1 ? `${last.op} ` : ""}in ${called}`
        : called;
    const made = opSide(last, undefined, side);
    const type = isCall && isStep(inside, side) ? "" : made.type;
    return [{ names: [labelOf(last, side)], before: { ...made, what, type, ops: inside.length }, details: [] }];
  });
}

/** The op of a unit that others read, or that has a name; the last of them. */
function resultOf(inside: readonly Node[], { users }: Side): Node | undefined {
  const own = new Set(inside);
  const read = inside.filter((node) => {
    const readers = users.get(node) ?? [];
    return readers.length === 0 || readers.some((user) => !own.has(user));
  });
  return read.reduce<Node | undefined>(
    (last, node) => (last === undefined || node.id > last.id ? node : last),
    undefined,
  );
}

/** Changes that say the same of several statements, or of both training modes, as one, in the order of the text. */
export function merged(changes: readonly OpChange[]): readonly OpChange[] {
  const found = new Map<string, OpChange>();
  for (const change of changes) {
    const { names, before, after, details } = change;
    const key = JSON.stringify([before?.what, before?.place, after?.what, after?.place, details]);
    const known = found.get(key);
    if (known === undefined) found.set(key, change);
    else found.set(key, { ...known, names: [...new Set([...known.names, ...names])] });
  }
  const line = ({ before, after }: OpChange): number => after?.place?.line ?? before?.place?.line ?? 0;
  return [...found.values()].sort((a, b) => line(a) - line(b));
}
