import { buildOn } from "../../ir/device.js";
import { InternalError } from "../../ir/diagnostic.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import {
  type Attributes,
  type Node,
  newRegionParameters,
  nodesBelow,
  type Region,
  topologicalOrder,
  type Value,
} from "../../ir/node.js";
import type { SourceTable } from "../../ir/sources.js";
import { tensorType } from "../../ir/type.js";
import { broadcastScalar, fill, literal } from "../../ops/build.js";
import { reapply } from "../../ops/define.js";
import { countAttribute, scanParts, whileParts } from "../../ops/region_parts.js";
import { opNamed } from "../../ops/table.js";

/** What is told of a run apart from its results: `flag` is an f32[1], 0 while nothing is wrong. */
export interface Watched<M> {
  readonly mark: M;
  readonly flag: Value;
}

/** What is watched at a node of a block, given what its operands and results have become. */
export type Look<M> = (node: Node, inputs: readonly Value[], outputs: readonly Value[]) => readonly Watched<M>[];

/** What takes the place of a node without regions whose operands have become `inputs`; undefined where it stays. */
export type Instead = (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined;

/** The flags that come of one node of a computation: an f32[marks]. */
export interface FlagGroup<M> {
  readonly node: Node;
  readonly marks: readonly M[];
  readonly flags: Value;
}

/**
 * A computation with flags. Those in a loop are carried through it and stay what they were after the first iteration that set one; a
 * `while` ends once one is set, or was before it, since what it waits for may never come.
 */
export function watched<M>(
  computation: Computation,
  look: Look<M>,
  instead: Instead = () => undefined,
): { readonly computation: Computation; readonly groups: readonly FlagGroup<M>[] } {
  const roots = rootsOf(computation);
  const { results, groups } = new Watcher(look, instead, computation.sources).block(roots, new Map(), undefined);
  const made = new Map(roots.map((root, i) => [root, results[i] ?? root]));
  const of = (value: Value): Value => made.get(value) ?? value;
  return {
    groups,
    computation: {
      ...computation,
      outputs: computation.outputs.map(({ name, value }) => ({ name, value: of(value) })),
      assignments: computation.assignments.map(({ path, value }) => ({ path, value: of(value) })),
    },
  };
}

/** Flags one after another. */
export function joinedFlags(flags: readonly Value[]): Value {
  const [only] = flags;
  return flags.length === 1 && only !== undefined ? only : apply("concatenate", flags, { axis: 0 });
}

interface Block<M> {
  readonly results: readonly Value[];
  readonly groups: readonly FlagGroup<M>[];
}

class Watcher<M> {
  readonly #look: Look<M>;
  readonly #instead: Instead;
  readonly #sources: SourceTable;

  constructor(look: Look<M>, instead: Instead, sources: SourceTable) {
    this.#look = look;
    this.#instead = instead;
    this.#sources = sources;
  }

  /** `given`: what stands for parameters of the block; `failed`: a bool that says whether anything before it has set a flag. */
  block(roots: readonly Value[], given: ReadonlyMap<Value, Value>, failed: Value | undefined): Block<M> {
    const made = new Map(given);
    const groups: FlagGroup<M>[] = [];
    const of = (value: Value): Value => made.get(value) ?? value;
    // Flags lie where what they tell of lies.
    for (const node of topologicalOrder(roots)) {
      buildOn(node.device, () => {
        const inputs = node.inputs.map(of);
        const found = this.#rebuilt(node, inputs, of, () =>
          waits(node) ? anyBefore(node, groups, failed) : undefined,
        );
        groups.push(...found.groups);
        node.outputs.forEach((output, i) => {
          const result = found.results[i];
          if (result === undefined) throw new InternalError(`${node.op} lost an output`);
          if (result === output) return;
          made.set(output, result);
          if (node.op !== "parameter") this.#sources.replace(result, node);
        });
        const looked = this.#look(node, inputs, found.results);
        if (looked.length === 0) return;
        const flags = joinedFlags(looked.map(({ flag }) => flag));
        if (node.op !== "parameter") this.#sources.inherit(flags, node);
        groups.push({ node, marks: looked.map(({ mark }) => mark), flags });
      });
    }
    return { results: roots.map(of), groups };
  }

  #rebuilt(
    node: Node,
    inputs: readonly Value[],
    of: (value: Value) => Value,
    failed: () => Value | undefined,
  ): Block<M> {
    if (node.regions.length > 0) return this.#regions(node, inputs, failed());
    const other = this.#instead(node, inputs);
    if (other !== undefined) return { results: other, groups: [] };
    const isSame = inputs.every((input, i) => input === node.inputs[i]);
    return { results: isSame ? node.outputs.map(of) : reapply(node, inputs), groups: [] };
  }

  #regions(node: Node, inputs: readonly Value[], failed: Value | undefined): Block<M> {
    switch (node.op) {
      case "scan":
        return this.#scan(node, inputs, failed);
      case "while":
        return this.#while(node, inputs, failed);
      case "if":
        return this.#branch(node, inputs, failed);
      default:
        throw new InternalError(`${node.op} has regions of an unknown kind`);
    }
  }

  /** A loop with nothing to tell. */
  #unwatched(node: Node, inputs: readonly Value[]): Block<M> {
    const regions = node.regions.map((region): Region => {
      const { results } = this.block(region.results, new Map(), undefined);
      return results.every((result, i) => result === region.results[i]) ? region : { ...region, results };
    });
    const isSame = inputs.every((input, i) => input === node.inputs[i]);
    const isOld = isSame && regions.every((region, i) => region === node.regions[i]);
    return { results: isOld ? node.outputs : reapply(node, inputs, regions), groups: [] };
  }

  #scan(node: Node, inputs: readonly Value[], failed: Value | undefined): Block<M> {
    const body = regionOf(node, 0);
    const captures = countAttribute(node.attributes, "captures");
    const sequences = countAttribute(node.attributes, "sequences");
    const parts = scanParts({ captures, sequences }, body);
    const hasFailed = waits(node) ? newRegionParameters([tensorType("bool")])[0] : undefined;
    const inside = this.block(body.results, new Map(), hasFailed);
    if (inside.groups.length === 0 && failed === undefined) return this.#unwatched(node, inputs);
    const carried = carriedFlags(inside.groups, hasFailed, failed);
    const count = parts.next.length;
    const outputs = opNamed("scan").apply([...inputs, ...carried.initial], node.attributes, [
      {
        parameters: [...body.parameters, ...carried.parameters],
        results: [...inside.results.slice(0, count), ...carried.next, ...inside.results.slice(count)],
      },
    ]);
    const own = [...outputs.slice(0, count), ...outputs.slice(count + carried.next.length)];
    return { results: own, groups: groupOf(node, inside.groups, outputs[count + carried.next.length - 1]) };
  }

  #while(node: Node, inputs: readonly Value[], failed: Value | undefined): Block<M> {
    const [condition, body] = [regionOf(node, 0), regionOf(node, 1)];
    const captures = countAttribute(node.attributes, "captures");
    const { index } = whileParts(captures, body);
    const [hasFailed] = newRegionParameters([tensorType("bool")]);
    // The condition is asked once more than the body: of what comes in, and after each iteration of what it leaves.
    const asked = (given: readonly Value[], known: Value | undefined): readonly FlagGroup<M>[] =>
      this.block(condition.results, new Map(condition.parameters.map((old, i) => [old, given[i] ?? old])), known)
        .groups;
    const first = asked([literal("i64", [], [0]), ...inputs], failed).map((group) => ({ ...group, node }));
    const inside = this.block(body.results, new Map(), hasFailed);
    const turn = one(opNamed("add").apply([index, literal("i64", [], [1])], {}));
    const again = asked([turn, ...body.parameters.slice(1, 1 + captures), ...inside.results], hasFailed);
    const groups = [...inside.groups, ...again];
    const before = eitherOf([...(failed === undefined ? [] : [failed]), ...first.map(({ flags }) => isAnySet(flags))]);
    if (groups.length === 0 && before === undefined) return this.#unwatched(node, inputs);
    const carried = carriedFlags(groups, hasFailed, before);
    const types = carried.parameters.map(({ type }) => type);
    const own = newRegionParameters(types);
    const [mayNotGoOn] = own;
    const goesOn = this.block(condition.results, new Map(), mayNotGoOn).results[0];
    if (mayNotGoOn === undefined || goesOn === undefined) throw new InternalError("a while without its condition");
    const ended = apply("not", [mayNotGoOn]);
    const outputs = opNamed("while").apply([...inputs, ...carried.initial], node.attributes, [
      { parameters: [...condition.parameters, ...own], results: [apply("and", [goesOn, ended])] },
      {
        parameters: [...body.parameters, ...carried.parameters],
        results: [...inside.results, ...carried.next],
      },
    ]);
    const count = inside.results.length;
    return {
      results: outputs.slice(0, count),
      groups: [...first, ...groupOf(node, groups, outputs[count + carried.next.length - 1])],
    };
  }

  #branch(node: Node, inputs: readonly Value[], failed: Value | undefined): Block<M> {
    const hasFailed = node.regions.map(() =>
      failed === undefined ? undefined : newRegionParameters([tensorType("bool")])[0],
    );
    const blocks = node.regions.map(({ results }, i) => this.block(results, new Map(), hasFailed[i]));
    const groups = blocks.flatMap((block) => block.groups);
    if (groups.length === 0 && failed === undefined) return this.#unwatched(node, inputs);
    const regions = node.regions.map(({ parameters }, i): Region => {
      const known = hasFailed[i];
      // Of what the other branch would tell, nothing is wrong.
      const flags = blocks.flatMap((block, at) =>
        block.groups.map((group) => (at === i ? group.flags : noFlags(group.marks.length))),
      );
      return {
        parameters: known === undefined ? parameters : [...parameters, known],
        results: [...(blocks[i]?.results ?? []), ...(flags.length === 0 ? [] : [joinedFlags(flags)])],
      };
    });
    const operands = failed === undefined ? inputs : [...inputs, failed];
    const outputs = opNamed("if").apply(operands, node.attributes, regions);
    const count = node.outputs.length;
    return { results: outputs.slice(0, count), groups: groupOf(node, groups, outputs[count]) };
  }
}

/** Whether a flag is set of what a node depends on, or was before its block; undefined where there is none. */
function anyBefore<M>(node: Node, groups: readonly FlagGroup<M>[], failed: Value | undefined): Value | undefined {
  const below = new Set(topologicalOrder(node.inputs));
  const flags = groups.filter((group) => below.has(group.node)).map((group) => isAnySet(group.flags));
  return eitherOf([...(failed === undefined ? [] : [failed]), ...flags]);
}

/** What a loop carries for its flags: whether any is set, where that is asked, then they themselves, where there are any. */
function carriedFlags<M>(
  groups: readonly FlagGroup<M>[],
  hasFailed: Value | undefined,
  failed: Value | undefined,
): { readonly initial: readonly Value[]; readonly parameters: readonly Value[]; readonly next: readonly Value[] } {
  const initial: Value[] = [];
  const parameters: Value[] = [];
  const next: Value[] = [];
  const count = groups.reduce((sum, { marks }) => sum + marks.length, 0);
  const [flags] = count === 0 ? [] : newRegionParameters([tensorType("f32", [count])]);
  let after: Value | undefined;
  if (flags !== undefined) {
    const isSet = hasFailed ?? isAnySet(flags);
    const now = joinedFlags(groups.map((group) => group.flags));
    after = one(opNamed("select").apply([broadcastScalar(isSet, [count]), flags, now], {}));
  }
  if (hasFailed !== undefined) {
    initial.push(failed ?? literal("bool", [], [0]));
    parameters.push(hasFailed);
    next.push(eitherOf([hasFailed, ...(after === undefined ? [] : [isAnySet(after)])]) ?? hasFailed);
  }
  if (flags !== undefined && after !== undefined) {
    initial.push(noFlags(count));
    parameters.push(flags);
    next.push(after);
  }
  return { initial, parameters, next };
}

function groupOf<M>(node: Node, inside: readonly FlagGroup<M>[], flags: Value | undefined): readonly FlagGroup<M>[] {
  const marks = inside.flatMap((group) => group.marks);
  if (marks.length === 0) return [];
  if (flags === undefined) throw new InternalError(`${node.op} has lost its flags`);
  return [{ node, marks, flags }];
}

/** Whether a node goes round until something comes true. */
function waits(node: Node): boolean {
  return (
    node.op === "while" || nodesBelow(node.regions.flatMap(({ results }) => results)).some(({ op }) => op === "while")
  );
}

function regionOf({ op, regions }: Node, index: number): Region {
  const region = regions[index];
  if (region === undefined) throw new InternalError(`${op} without its region`);
  return region;
}

function isAnySet(flags: Value): Value {
  const wrong = apply("ne", [flags, fill(flags.type, 0)]);
  return apply("any", [wrong], { axes: [0] });
}

function eitherOf(conditions: readonly Value[]): Value | undefined {
  const [first, ...others] = conditions;
  return others.reduce((either, next) => either && apply("or", [either, next]), first);
}

function noFlags(count: number): Value {
  return fill(tensorType("f32", [count]), 0);
}

/** An op of one result. */
export function apply(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
  return one(opNamed(op).apply(inputs, attributes));
}

function one(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new InternalError("an op without an output");
  return value;
}
