import type { Graph, Variable } from "../compiler/ir/graph.js";
import { rootsOf } from "../compiler/ir/graph.js";
import { type Node, nodesBelow, topologicalOrder, type Value } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { typeEquals, typeText } from "../compiler/ir/type.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { JsonValue } from "./json.js";
import type { LoadOptions } from "./load.js";
import { plural } from "./numbers.js";
import { choicesOf } from "./specialisation.js";
import { Structures } from "./structure.js";

/** One named thing that is in one of two graphs, or differs between them. */
export interface Change {
  readonly name: string;
  /** Undefined where it is added. */
  readonly before: string | undefined;
  /** Undefined where it is removed. */
  readonly after: string | undefined;
}

export interface Difference {
  readonly edges: readonly Change[];
  /** Edges of the same op and type that are computed otherwise, and not only because they read one that is. */
  readonly recomputed: readonly string[];
  /** Edges that differ only in what they read. */
  readonly affected: number;
  readonly placeholders: readonly Change[];
  readonly signatures: readonly Change[];
  /** How many nodes of each op all signatures together have, where that differs. */
  readonly ops: readonly { readonly op: string; readonly before: number; readonly after: number }[];
  readonly checkpoint: CheckpointFit;
}

/** Whether a checkpoint of the first graph can be loaded by the second. */
export interface CheckpointFit {
  readonly fits: boolean;
  /** Variables of the second that the first has not; of the first that the second has not; and of another type. */
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly Change[];
}

export async function diff(
  console: Console,
  before: string,
  after: string,
  options: CommonOptions & LoadOptions,
): Promise<ExitCode> {
  const difference = differenceOf(openGraph(console, before, options), openGraph(console, after, options));
  if (console.isJson) console.object(differenceJson(difference));
  else console.print(differenceText(console, difference, before, after));
  return exitCodes.fine;
}

export function differenceOf(before: Graph, after: Graph): Difference {
  const edges = changes(edgesOf(before), edgesOf(after));
  return {
    edges,
    ...recomputed(before, after, edges),
    placeholders: changes(placeholdersOf(before), placeholdersOf(after)),
    signatures: changes(signaturesOf(before), signaturesOf(after)),
    ops: opChanges(countOps(before), countOps(after)),
    checkpoint: checkpointFit(before.variables, after.variables),
  };
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((change) => change.before !== change.after);
}

/** Op and type of each name, in training mode where the modes differ. */
function edgesOf(graph: Graph): ReadonlyMap<string, string> {
  return new Map([...namesOf(graph)].map(([name, { node, type }]) => [name, `${node.op} ${typeText(type)}`]));
}

/** A name that is computed otherwise stands for itself where nothing below it is named and differs. */
function recomputed(
  before: Graph,
  after: Graph,
  edges: readonly Change[],
): { readonly recomputed: readonly string[]; readonly affected: number } {
  const old = namesOf(before);
  const now = namesOf(after);
  const structures = new Structures([...old.values(), ...now.values()]);
  const retyped = new Set(edges.map(({ name }) => name));
  const differing = [...now].filter(([name, value]) => {
    const was = old.get(name);
    return was !== undefined && !retyped.has(name) && structures.of(was) !== structures.of(value);
  });
  const changed = new Set(
    [
      ...differing.map(([, value]) => value),
      ...[...now].filter(([name]) => retyped.has(name)).map(([, value]) => value),
    ].map(({ node }) => node),
  );
  // Nodes above a named one that differs.
  const above = new Set<Node>();
  for (const node of topologicalOrder([...now.values()])) {
    if (node.inputs.some((input) => changed.has(input.node) || above.has(input.node))) above.add(node);
  }
  const starts = differing.filter(([, { node }]) => !above.has(node));
  return { recomputed: starts.map(([name]) => name).sort(), affected: differing.length - starts.length };
}

function namesOf(graph: Graph): ReadonlyMap<string, Value> {
  const inputs = new Set(graph.placeholders.map(({ name }) => name));
  return new Map([...graph.inference.names, ...graph.training.names].filter(([name]) => !inputs.has(name)));
}

function placeholdersOf({ placeholders }: Graph): ReadonlyMap<string, string> {
  return new Map(
    placeholders.map(({ name, value, defaultValue }) => [
      name,
      `${typeText(value.type)}${defaultValue === undefined ? "" : " with a default"}`,
    ]),
  );
}

function signaturesOf({ signatures }: Graph): ReadonlyMap<string, string> {
  return new Map(
    signatures.map(({ name, inputs, updates, outputs }) => {
      const does = updates.length === 0 ? "" : ` does ${updates.join(", ")}`;
      return [name, `(${inputs.join(", ")})${does} -> (${outputs.join(", ")})`];
    }),
  );
}

function countOps(graph: Graph): ReadonlyMap<string, number> {
  const nodes = new Set<Node>();
  for (const { selection } of choicesOf(graph, undefined)) {
    const computation =
      selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
    for (const node of nodesBelow(rootsOf(computation))) nodes.add(node);
  }
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}

function opChanges(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Difference["ops"] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((op) => ({ op, before: before.get(op) ?? 0, after: after.get(op) ?? 0 }))
    .filter((row) => row.before !== row.after);
}

/** By the rule of `--resume` and `--weights`: every variable, of the same dtype and shape, and no others. */
function checkpointFit(before: readonly Variable[], after: readonly Variable[]): CheckpointFit {
  const old = new Map(before.map((variable) => [variable.path, variable.value.type]));
  const now = new Map(after.map((variable) => [variable.path, variable.value.type]));
  const missing = [...now.keys()].filter((path) => !old.has(path));
  const extra = [...old.keys()].filter((path) => !now.has(path));
  const changed = [...now].flatMap(([name, type]): readonly Change[] => {
    const was = old.get(name);
    return was === undefined || typeEquals(was, type) ? [] : [{ name, before: typeText(was), after: typeText(type) }];
  });
  return { fits: missing.length + extra.length + changed.length === 0, missing, extra, changed };
}

function differenceText(console: Console, difference: Difference, before: string, after: string): string {
  const { edges, placeholders, signatures, ops, checkpoint, affected } = difference;
  const line = ({ name, before: was, after: is }: Change): string => {
    if (was === undefined) return console.paint("green", `  + ${name}: ${is}`);
    if (is === undefined) return console.paint("red", `  - ${name}: ${was}`);
    return console.paint("yellow", `  ~ ${name}: ${was}  ->  ${is}`);
  };
  const section = (title: string, list: readonly Change[]): readonly string[] =>
    list.length === 0 ? [] : [console.paint("bold", title), ...list.map(line)];
  const counts = ops.map(({ op, before: was, after: is }) => `  ${op}: ${was} -> ${is}`);
  const parts = [
    ...section("placeholders", placeholders),
    ...section("signatures", signatures),
    ...section("edges", edges),
    ...(difference.recomputed.length === 0
      ? []
      : [
          console.paint("bold", "computed otherwise"),
          ...difference.recomputed.map((name) => console.paint("yellow", `  ~ ${name}`)),
        ]),
    ...(affected === 0 ? [] : [`${plural(affected, "other edge")} ${affected === 1 ? "reads" : "read"} what differs`]),
    ...(counts.length === 0 ? [] : [console.paint("bold", "nodes of all signatures"), ...counts]),
  ];
  if (parts.length === 0) parts.push("the graphs compute the same");
  return [...parts, "", checkpointText(checkpoint, before, after)].join("\n");
}

function checkpointText({ fits, missing, extra, changed }: CheckpointFit, before: string, after: string): string {
  if (fits) return `a checkpoint of ${before} fits ${after}`;
  const rows = [
    ...missing.map((path) => `  ${path}: ${after} has it, and the checkpoint would not`),
    ...extra.map((path) => `  ${path}: the checkpoint would have it, and ${after} has not`),
    ...changed.map(({ name, before: was, after: is }) => `  ${name}: ${was} in the checkpoint, ${is} in ${after}`),
  ];
  const count = plural(rows.length, "variable");
  return [
    `a checkpoint of ${before} does not fit ${after}: ${count} ${rows.length === 1 ? "differs" : "differ"}`,
    ...rows,
  ].join("\n");
}

function differenceJson({
  edges,
  recomputed: others,
  affected,
  placeholders,
  signatures,
  ops,
  checkpoint,
}: Difference): JsonValue {
  const list = (changed: readonly Change[]): JsonValue =>
    changed.map(({ name, before, after }) => ({ name, before: before ?? null, after: after ?? null }));
  return {
    edges: list(edges),
    recomputed: others,
    affected,
    placeholders: list(placeholders),
    signatures: list(signatures),
    ops: ops.map((row) => ({ ...row })),
    checkpoint: {
      fits: checkpoint.fits,
      missing: checkpoint.missing,
      extra: checkpoint.extra,
      changed: list(checkpoint.changed),
    },
    diagnostics: [],
  };
}
