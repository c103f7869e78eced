import { substituteDim } from "../compiler/ir/dim.js";
import type { Computation } from "../compiler/ir/graph.js";
import { isList, isTensor, type Node, type Region, topologicalOrder, type Value } from "../compiler/ir/node.js";
import type { SourceScope } from "../compiler/ir/sources.js";
import { lastPart, type Place, type Stems, type ViewBuilder } from "./builder.js";
import { BuiltInGroups } from "./built_ins.js";
import { inlinedText } from "./constants.js";
import { GivenNames } from "./given_names.js";
import type { Role } from "./model.js";
import { operationsOf } from "./operations.js";

/** The nodes of one block, and the boxes they have become. */
interface Block {
  readonly base: number;
  readonly scope: SourceScope | undefined;
  readonly places: Map<Value, Place>;
  /** Constants that some box has to stand for. */
  readonly needed: ReadonlySet<Node>;
  /** How often a run computes it; undefined where only the run knows. */
  readonly turns: number | undefined;
}

/**
 * Fills a view with a computation: its nodes in the groups of the calls and scopes that made them, the regions of loops and branches
 * as groups of their own, its results and assignments as sinks. Gives where each node of the outermost block and each sink stands.
 */
export function addComputation(
  builder: ViewBuilder,
  computation: Computation,
  names: ReadonlyMap<Value, string>,
): Stems {
  const found = new Map<Node, number>();
  const given = new GivenNames(builder.sources, names);
  const loopNames = firstNames(computation, names);
  const roles = new Map<Node, Role>();
  const builtIns = new BuiltInGroups(builder);

  const roleOf = (node: Node): Role => {
    if (builder.isBackward(node)) return "backward";
    const fromGradient = node.inputs.some(
      (input) => input.node.op === "gradients" || (roles.get(input.node) ?? "forward") !== "forward",
    );
    return node.op === "gradients" || fromGradient ? "update" : "forward";
  };

  const addBlock = (roots: readonly Value[], block: Block): void => {
    for (const node of topologicalOrder(roots)) {
      const [first] = node.outputs;
      if (first !== undefined && block.places.has(first)) continue;
      if (first !== undefined && inlinedText(first) !== undefined && !block.needed.has(node)) continue;
      const role = roleOf(node);
      roles.set(node, role);
      addNode(node, role, block);
    }
  };

  const addNode = (node: Node, role: Role, block: Block): void => {
    // Seed and step are the run's: whichever call drew first, they are not its own.
    const scope = node.op === "run_state" ? undefined : builder.sources.scopeOf(node);
    let group = builtIns.groupOf(node, builder.scopeGroup(scope, block.scope, block.base, role), role);
    const name = nameIn(node, node.regions.length > 0 ? loopNames : names);
    let inner: number[] = [];
    if (node.regions.length > 0) {
      const parent = group;
      group = builder.groups.length;
      builder.groups.push({
        kind: "region",
        name: name === "" ? node.op : name,
        text: node.op,
        role,
        parent,
        places: builder.lines.places(builder.sources.spansOf(node)),
        kernel: undefined,
      });
      inner = node.regions.flatMap((region, i) => addRegion(node, region, i, block, group));
    }
    const inputs = node.regions.length > 0 ? inner : inputsOf(node.inputs, block);
    const own = operationsOf(node, builder.sizes);
    const operations = own === undefined || block.turns === undefined ? undefined : own * block.turns;
    const at = builder.node(node, name, role, inputs, group, operations === undefined ? {} : { operations });
    if (!found.has(node)) found.set(node, at);
    node.outputs.forEach((output, i) => {
      block.places.set(output, [at, i]);
    });
  };

  /** The boxes of a region's body; gives its results, which the loop itself takes. */
  const addRegion = (node: Node, region: Region, position: number, around: Block, parent: number): number[] => {
    let base = parent;
    if (node.regions.length > 1) {
      base = builder.groups.length;
      const text = (node.op === "if" ? ["then", "else"] : ["condition", "body"])[position] ?? "body";
      builder.groups.push({
        kind: "region",
        name: text,
        text: node.op,
        role: "forward",
        parent,
        places: [],
        kernel: undefined,
      });
    }
    const places = new Map<Value, Place>();
    const block: Block = {
      base,
      scope: builder.sources.scopeOf(node),
      places,
      needed: constantsOf(region.results),
      turns: turnsOf(node, around.turns, builder.sizes),
    };
    const used = new Set(topologicalOrder(region.results));
    region.parameters.forEach((parameter, i) => {
      if (!used.has(parameter.node)) return;
      // A branch is chosen by its first operand; a loop counts in its first parameter.
      const operand = node.inputs[node.op === "if" ? i + 1 : i - 1];
      const { name, text, scope } = given.learn(node, i, parameter, operand);
      const group = builder.scopeGroup(scope, block.scope, base, "forward");
      const inputs = operand === undefined ? [] : inputsOf([operand], around);
      const at = builder.node(parameter.node, name, "forward", inputs, group, { text });
      if (!found.has(parameter.node)) found.set(parameter.node, at);
      places.set(parameter, [at, 0]);
    });
    addBlock(region.results, block);
    const results = inputsOf(region.results, block);
    if (node.op !== "if" || position > 0) return results;
    return [...inputsOf(node.inputs.slice(0, 1), around), ...results];
  };

  const sinks = [
    ...computation.outputs.map(({ name, value }) => ({ kind: "output" as const, name, value })),
    ...computation.assignments.map(({ path, value }) => ({ kind: "assign" as const, name: path, value })),
  ];
  const roots = sinks.map(({ value }) => value);
  const block: Block = { base: -1, scope: undefined, places: new Map(), needed: constantsOf(roots), turns: 1 };
  addBlock(roots, block);
  const sinkStems = new Map<string, number>();
  for (const { kind, name, value } of sinks) {
    const from = block.places.get(value);
    if (from === undefined) continue;
    const role = kind === "assign" ? "update" : (roles.get(value.node) ?? "forward");
    const group = kind === "assign" ? (builder.nodes[from[0]]?.group ?? -1) : -1;
    sinkStems.set(`${kind} ${name}`, builder.sink(kind, name, [from], role, isLoop(builder, group) ? -1 : group));
  }
  return { nodes: found, sinks: sinkStems };
}

/** How often the body of a loop or branch is computed. */
function turnsOf(
  { op, attributes }: Node,
  around: number | undefined,
  sizes: ReadonlyMap<string, number>,
): number | undefined {
  const list = attributes["length"];
  const [length] = list !== undefined && isList(list) ? list : [];
  if (around === undefined || op !== "scan" || length === undefined) return undefined;
  const turns =
    typeof length === "object" && !isList(length) && !isTensor(length) ? substituteDim(length, sizes) : length;
  return typeof turns === "number" ? around * turns : undefined;
}

/** A sink stands beside a loop, not in it. */
function isLoop(builder: ViewBuilder, group: number): boolean {
  return builder.groups[group]?.kind === "region";
}

/** The constants that are results themselves, with what stretches them. */
function constantsOf(roots: readonly Value[]): ReadonlySet<Node> {
  return new Set(topologicalOrder(roots.filter((root) => inlinedText(root) !== undefined)));
}

function inputsOf(inputs: readonly Value[], block: Block): number[] {
  return inputs.flatMap((input) => block.places.get(input) ?? []);
}

/** A loop that binds several names is called by one that the run gives, as its kernel is. */
function firstNames({ outputs }: Computation, names: ReadonlyMap<Value, string>): ReadonlyMap<Value, string> {
  const given = new Map([...outputs].reverse().map(({ name, value }) => [value, name]));
  const isGiven = ([value]: readonly [Value, string]): boolean =>
    value.node.outputs.every((output) => !given.has(output)) || given.has(value);
  return new Map([...names, ...given].filter(isGiven));
}

function nameIn(node: Node, names: ReadonlyMap<Value, string>): string {
  for (const output of node.outputs) {
    const name = names.get(output);
    if (name !== undefined) return lastPart(name);
  }
  return "";
}

/** The name of each edge: the shortest, as the text gives it where the edge is made. */
export function namesOf(names: ReadonlyMap<string, Value>): ReadonlyMap<Value, string> {
  const found = new Map<Value, string>();
  for (const [name, value] of names) {
    const before = found.get(value);
    if (before === undefined || name.length < before.length) found.set(value, name);
  }
  return found;
}
