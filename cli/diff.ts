import type { Graph } from "../compiler/ir/graph.js";
import type { Value } from "../compiler/ir/node.js";
import type { CommonOptions, Console } from "./console.js";
import { type Matching, match, type Seeds } from "./diff_match.js";
import { type Change, merged, type OpChange, opChanges } from "./diff_ops.js";
import {
  type CheckpointFit,
  changes,
  checkpointFit,
  countOps,
  initialChanges,
  namesOf,
  placeholdersOf,
  type Renaming,
  renamedInputs,
  settingsOf,
  shapesOf,
  signaturesOf,
  updateChanges,
  variableChanges,
  withoutRenamed,
} from "./diff_sections.js";
import { computedBy, givenOps, type Side, sideOf } from "./diff_side.js";
import { differenceJson, differenceText } from "./diff_text.js";
import { type ExitCode, exitCodes } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { LoadOptions } from "./load.js";

export interface Difference {
  /** Without the name: `(x: f32[N]) does learn -> (loss: f32)`. */
  readonly signatures: readonly Change[];
  readonly placeholders: readonly Change[];
  readonly variables: readonly Change[];
  /** Variables and placeholders that are used in the same way, and statements that compute the same. */
  readonly renamed: { readonly inputs: readonly Renaming[]; readonly edges: readonly Renaming[] };
  /** What variables of one path and type begin with. */
  readonly initial: readonly OpChange[];
  readonly ops: readonly OpChange[];
  /** Of statements' names, where their types differ. */
  readonly shapes: readonly OpChange[];
  /** How many other ops have other types, and how many ops differ only in what they read. */
  readonly reshaped: number;
  readonly affected: number;
  /** Names that can be fetched, of what both graphs compute, and numbers that have a name. */
  readonly names: readonly Change[];
  /** Which variables updates assign. */
  readonly updates: readonly Change[];
  readonly settings: readonly Change[];
  /** How many nodes all signatures together have, but constants. */
  readonly total: { readonly before: number; readonly after: number };
  /** How many nodes of each op all signatures together have, where that differs. */
  readonly counts: readonly { readonly op: string; readonly before: number; readonly after: number }[];
  readonly checkpoint: CheckpointFit;
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
  const matchings = matchModes(before, after);
  const found = matchings.map(opChanges);
  const renamed = renamedInputs(matchings);
  const names = namesOf(matchings);
  const [was, is] = [countOps(before), countOps(after)];
  return {
    signatures: changes(signaturesOf(before), signaturesOf(after)),
    placeholders: withoutRenamed(changes(placeholdersOf(before), placeholdersOf(after)), renamed),
    variables: withoutRenamed(variableChanges(before, after), renamed),
    renamed: { inputs: renamed, edges: names.renamed },
    initial: initialChanges(before, after, renamed),
    ops: merged(found.flatMap((one) => one.changes)),
    ...shapesOf(matchings),
    affected: new Set(found.flatMap((one) => one.affected)).size,
    names: names.others,
    updates: updateChanges(before, after, renamed),
    settings: changes(settingsOf(before), settingsOf(after)),
    total: { before: totalOf(was), after: totalOf(is) },
    counts: [...new Set([...was.keys(), ...is.keys()])]
      .sort()
      .map((op) => ({ op, before: was.get(op) ?? 0, after: is.get(op) ?? 0 }))
      .filter((row) => row.before !== row.after),
    checkpoint: checkpointFit(before.variables, after.variables),
  };
}

function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts].reduce((sum, [op, count]) => (op === "constant" || givenOps.has(op) ? sum : sum + count), 0);
}

/** A fn may read the training mode, so that each mode has ops of its own; where neither graph has any, one matching is enough. */
function matchModes(before: Graph, after: Graph): readonly Matching[] {
  const isInTraining = (graph: Graph): boolean => {
    const training = new Set(computedBy(graph, graph.training));
    return computedBy(graph, graph.inference).every((value) => training.has(value));
  };
  const modes =
    isInTraining(before) && isInTraining(after) ? (["training"] as const) : (["training", "inference"] as const);
  return modes.map((mode) => {
    const [was, is] = [before[mode], after[mode]];
    const sides = [sideOf(before, computedBy(before, was), was), sideOf(after, computedBy(after, is), is)] as const;
    return match(...sides, seedsOf(...sides));
  });
}

/** Placeholders and variables of one name, what updates give these, and what signatures give. */
function seedsOf(before: Side, after: Side): Seeds {
  const seeds: (readonly [Value, Value])[] = [];
  const pair = (a: Value | undefined, b: Value | undefined): void => {
    if (a !== undefined && b !== undefined) seeds.push([a, b]);
  };
  const inputs = new Map(after.graph.placeholders.map(({ name, value }) => [name, value]));
  for (const { name, value } of before.graph.placeholders) pair(value, inputs.get(name));
  const variables = new Map(after.graph.variables.map(({ path, value }) => [path, value]));
  for (const { path, value } of before.graph.variables) pair(value, variables.get(path));
  for (const [name, { assignments }] of before.mode.updates) {
    const others = new Map(after.mode.updates.get(name)?.assignments.map(({ path, value }) => [path, value]));
    for (const { path, value } of assignments) pair(value, others.get(path));
  }
  for (const { name, outputs } of before.graph.signatures) {
    const other = after.graph.signatures.find((one) => one.name === name);
    if (other === undefined || other.outputs.length !== outputs.length) continue;
    outputs.forEach((output, i) => pair(before.mode.names.get(output), after.mode.names.get(other.outputs[i] ?? "")));
  }
  return seeds;
}
