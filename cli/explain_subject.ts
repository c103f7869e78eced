import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import {
  type Assignment,
  type Computation,
  type Graph,
  type Mode,
  rootsOf,
  type Update,
} from "../compiler/ir/graph.js";
import { nearestName, pathsWith } from "../compiler/ir/nearest.js";
import { type Node, nodesBelow, topologicalOrder, type Value } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import type { Span } from "../compiler/ir/span.js";
import { listNames } from "../runtime/files/errors.js";
import { type InBody, inBodies } from "./explain_bodies.js";
import { placeOf } from "./profile.js";
import { type Choice, choicesOf } from "./specialisation.js";

/** What is explained: a value, what an update or a fn gives a variable, or a whole update. */
export type Subject =
  | { readonly kind: "value"; readonly name: string; readonly value: Value; readonly choice: Choice }
  | {
      readonly kind: "assignment";
      readonly name: string;
      readonly assignment: Assignment;
      /** The update that does it; undefined for a fn's own. */
      readonly update: string | undefined;
      readonly choice: Choice;
    }
  | { readonly kind: "update"; readonly name: string; readonly update: Update; readonly choice: Choice };

export interface Found {
  readonly subject: Subject;
  /** What else a line makes, for whoever gave a line. */
  readonly others: readonly string[];
}

/**
 * What a name, `update NAME`, `NAME :=` or `FILE:LINE` stands for, in the signature that is wanted or the first that needs it: the one that
 * trains before the others. Throws GraphError G083 where there is no such thing.
 */
export function subjectOf(graph: Graph, text: string, wanted: string | undefined): Found {
  const place = /^(.*):(\d+)(?::\d+)?$/.exec(text);
  if (place !== null && !graph.training.names.has(text)) {
    const [file, line] = [place[1] ?? "", Number(place[2])];
    const isAt = (span: Span): boolean => {
      const at = placeOf(span);
      return at?.line === line && isFile(at.file, file, graph.file);
    };
    const [first, ...others] = namesAt(graph, isAt);
    if (first !== undefined) return { subject: named(graph, first, wanted), others };
    // Each mode has nodes of its own in the bodies of its loops.
    const found = (mode: Mode): Value | undefined => namelessAt(graph, mode, isAt);
    if (found(graph.training) !== undefined || found(graph.inference) !== undefined)
      return { subject: value(graph, text, found, wanted), others: [] };
    // `next a = v` makes nothing itself: what it hands on is made elsewhere.
    const handed = inBodies(graph.file).filter(({ statement }) => isAt(statement));
    const inBody = madeIn(graph, text, handed, wanted);
    if (inBody === undefined) throw nothingAt(graph, text, file, line);
    return inBody;
  }
  if (!isKnown(graph, text)) {
    const inBody = madeIn(
      graph,
      text,
      inBodies(graph.file).filter(({ name }) => name === text),
      wanted,
    );
    if (inBody !== undefined) return inBody;
  }
  return { subject: named(graph, text, wanted), others: [] };
}

/** Whether a name is one of the whole graph, or says what it is of. */
function isKnown(graph: Graph, text: string): boolean {
  const { names, updates } = graph.training;
  return (
    names.has(text) ||
    graph.inference.names.has(text) ||
    updates.has(text) ||
    graph.variables.some(({ path }) => path === text) ||
    graph.placeholders.some(({ name }) => name === text)
  );
}

/** What the first of some places in bodies makes; the lines of the others are told. */
function madeIn(graph: Graph, text: string, places: readonly InBody[], wanted: string | undefined): Found | undefined {
  const made = [...new Map(places.map((one) => [one.made.start, one])).values()];
  const finders = made.map(({ made: { file, start, end } }) => (mode: Mode): Value | undefined => {
    const isWithin = (span: Span): boolean => span.file === file && span.start >= start && span.end <= end;
    return namelessAt(graph, mode, isWithin);
  });
  const first = finders.findIndex((find) => find(graph.training) !== undefined || find(graph.inference) !== undefined);
  const find = finders[first];
  if (find === undefined) return undefined;
  const others = made.filter((_, i) => i !== first).flatMap(({ statement }) => placeOf(statement) ?? []);
  return { subject: value(graph, text, find, wanted), others: others.map(({ line }) => `:${line}`) };
}

function named(graph: Graph, text: string, wanted: string | undefined): Subject {
  const updateName = /^update\s+(\S+)$/.exec(text)?.[1] ?? text;
  const assigned = /^(.*\S)\s*:=$/.exec(text)?.[1];
  if (assigned !== undefined) return assignmentOf(graph, assigned, wanted);
  const update = graph.training.updates.get(updateName);
  if (update !== undefined && (updateName !== text || !graph.training.names.has(text))) {
    const choice = choiceOf(graph, wanted, ({ name }) => doesUpdate(graph, name, updateName));
    if (choice === undefined && wanted !== undefined) throw notNeeded(graph, text, wanted);
    const alone: Choice = { name: updateName, selection: { kind: "request", fetches: [], updates: [updateName] } };
    return { kind: "update", name: updateName, update, choice: choice ?? alone };
  }
  const given = [
    ...graph.variables.map((variable) => [variable.path, variable.value] as const),
    ...graph.placeholders.map((placeholder) => [placeholder.name, placeholder.value] as const),
  ].find(([name]) => name === text)?.[1];
  const found = (mode: Mode): Value | undefined => given ?? mode.names.get(text);
  if (found(graph.training) === undefined && found(graph.inference) === undefined) throw noSuchName(graph, text);
  return value(graph, text, found, wanted);
}

function value(
  graph: Graph,
  name: string,
  find: (mode: Mode) => Value | undefined,
  wanted: string | undefined,
): Subject {
  const variable = graph.variables.find(({ path }) => path === name);
  const valueIn = (choice: Choice): Value | undefined =>
    find(isTraining(graph, choice.name) ? graph.training : graph.inference);
  const assigns = (choice: Choice): boolean =>
    variable !== undefined && computationOf(graph, choice).assignments.some(({ path }) => path === variable.path);
  const needs = (choice: Choice): boolean => {
    const wantedValue = valueIn(choice);
    return wantedValue !== undefined && nodesBelow(rootsOf(computationOf(graph, choice))).includes(wantedValue.node);
  };
  const isOf = (choice: Choice): boolean => assigns(choice) || needs(choice);
  const trained = graph.train?.run;
  const choice =
    choiceOf(graph, wanted, (one) => one.name === trained && isOf(one)) ??
    choiceOf(graph, wanted, assigns) ??
    choiceOf(graph, wanted, needs);
  const found = choice && valueIn(choice);
  if (choice !== undefined && found !== undefined) return { kind: "value", name, value: found, choice };
  const alone = find(graph.training) ?? find(graph.inference);
  const isFetchable =
    graph.training.names.has(name) || graph.inference.names.has(name) || alone?.node.inputs.length === 0;
  if (alone === undefined || wanted !== undefined || !isFetchable) throw notNeeded(graph, name, wanted);
  return {
    kind: "value",
    name,
    value: alone,
    choice: { name, selection: { kind: "request", fetches: [name], updates: [] } },
  };
}

function assignmentOf(graph: Graph, path: string, wanted: string | undefined): Subject {
  const { updates: blocks, callUpdates } = graph.training;
  const all = [
    ...[...blocks].flatMap(([update, { assignments }]) => assignments.map((assignment) => ({ assignment, update }))),
    ...callUpdates.flatMap(({ assignments }) => assignments.map((assignment) => ({ assignment, update: undefined }))),
  ].filter(({ assignment }) => assignment.path === path);
  const [first] = all;
  if (first === undefined) {
    const variables = graph.variables.map((variable) => variable.path);
    if (!variables.includes(path)) throw noSuchName(graph, path, "variable", variables);
    throw new GraphError([problem("G083", undefined, `nothing assigns \`${path}\` in \`${graph.name}\``)]);
  }
  const does = (choice: Choice): boolean => computationOf(graph, choice).assignments.some((one) => one.path === path);
  const chosen = choiceOf(graph, wanted, does);
  if (chosen === undefined && (wanted !== undefined || first.update === undefined))
    throw notNeeded(graph, `${path} :=`, wanted);
  const updates = first.update === undefined ? [] : [first.update];
  const choice: Choice = chosen ?? { name: updates.join(), selection: { kind: "request", fetches: [], updates } };
  const done = all.find(({ update }) => update !== undefined && doesUpdate(graph, choice.name, update)) ?? first;
  return { kind: "assignment", name: `${path} :=`, ...done, choice };
}

/** The first signature of which a test holds, that of the train block before the others; the wanted one must be such a one. */
function choiceOf(graph: Graph, wanted: string | undefined, isOf: (choice: Choice) => boolean): Choice | undefined {
  const trained = graph.train?.run;
  const ordered = [...choicesOf(graph, wanted)].sort((a, b) => Number(b.name === trained) - Number(a.name === trained));
  return ordered.find(isOf);
}

function doesUpdate(graph: Graph, signature: string, update: string): boolean {
  return graph.signatures.find(({ name }) => name === signature)?.updates.includes(update) === true;
}

function isTraining(graph: Graph, signature: string): boolean {
  return graph.signatures.find(({ name }) => name === signature)?.training ?? false;
}

function computationOf(graph: Graph, { name, selection }: Choice): Computation {
  return selection.kind === "signature" ? selectSignature(graph, name) : selectRequest(graph, selection);
}

/** Names of what a line makes, the statement's own first. */
function namesAt(graph: Graph, isAt: (span: Span) => boolean): readonly string[] {
  const names: string[] = [];
  for (const [name, { span, assignments }] of graph.training.updates) {
    // An optimizer that stands in a line of its own is where all its assignments are.
    const isAll = assignments.length > 1 && assignments.every((one) => isAt(one.span));
    if (isAt(span) || isAll) names.push(`update ${name}`);
    else names.push(...assignments.filter((one) => isAt(one.span)).map(({ path }) => `${path} :=`));
  }
  const assigned = graph.training.callUpdates.flatMap(({ assignments }) => assignments);
  names.push(...assigned.filter((one) => isAt(one.span)).map(({ path }) => `${path} :=`));
  names.push(...graph.placeholders.filter((one) => isAt(one.span)).map(({ name }) => name));
  names.push(...graph.variables.filter((one) => isAt(one.span)).map(({ path }) => path));
  const edges = new Map([...graph.inference.names, ...graph.training.names]);
  const at = (node: Node): boolean => graph.sources.spansOf(node).some(isAt);
  const made = [...edges].filter(([, { node }]) => at(node));
  // A constant is also at the lines that read it.
  const isFirst = (node: Node): boolean => graph.sources.spansOf(node).slice(0, 1).some(isAt);
  const rank = ([name, { node }]: readonly [string, Value]): number =>
    name.split("/").length + (isFirst(node) ? 0 : 1e3);
  names.push(...made.sort((a, b) => rank(a) - rank(b)).map(([name]) => name));
  return [...new Set(names)];
}

/** What a line makes that has no name, as in the body of a loop: the last of the outermost body that has any. */
function namelessAt(graph: Graph, mode: Mode, isAt: (span: Span) => boolean): Value | undefined {
  const assigned = [...mode.updates.values(), ...mode.callUpdates].flatMap(({ assignments }) => assignments);
  const seen = new Set<Node>();
  // A constant is also at the lines that read it, and stands around the loops that do.
  let constant: Value | undefined;
  let bodies: readonly (readonly Value[])[] = [[...mode.names.values(), ...assigned.map((one) => one.value)]];
  while (bodies.length > 0) {
    const nodes = bodies.flatMap(topologicalOrder).filter((node) => !seen.has(node));
    for (const node of nodes) seen.add(node);
    const found = nodes.filter((node) => node.outputs.length > 0 && graph.sources.spansOf(node).some(isAt));
    const made = found.findLast(({ op }) => op !== "constant");
    if (made !== undefined) return made.outputs[0];
    constant ??= found.at(-1)?.outputs[0];
    bodies = [...new Set(nodes)].flatMap(({ regions }) => regions.map(({ results }) => results));
  }
  return constant;
}

/** `mnist.graph` is the end of a path; nothing is the graph's own file. */
function isFile(path: string, given: string, own: string): boolean {
  return given === "" ? path === own : path === given || path.endsWith(`/${given.replace(/^\.\//, "")}`);
}

function nothingAt(graph: Graph, text: string, file: string, line: number): GraphError {
  const { names, updates } = graph.training;
  const blocks = [...updates.values()];
  const declared = [...graph.placeholders, ...graph.variables, ...blocks, ...blocks.flatMap((one) => one.assignments)];
  const nodes = nodesBelow([...names.values(), ...graph.inference.names.values()]);
  const spans = [...declared.map(({ span }) => span), ...nodes.flatMap((node) => graph.sources.spansOf(node))];
  const lines = new Set<number>();
  for (const span of spans) {
    const place = placeOf(span);
    if (place !== undefined && isFile(place.file, file, graph.file)) lines.add(place.line);
  }
  const nearest = [...lines].sort((a, b) => Math.abs(a - line) - Math.abs(b - line))[0];
  const hint =
    nearest === undefined
      ? `\`${graph.name}\` has nothing from ${file}`
      : `the nearest line that makes something is ${file}:${nearest}`;
  return new GraphError([problem("G083", undefined, `nothing of \`${graph.name}\` is made at ${text}`, { hint })]);
}

function notNeeded(graph: Graph, name: string, wanted: string | undefined): GraphError {
  if (wanted === undefined)
    return new GraphError([
      problem("G083", undefined, `no signature of \`${graph.name}\` needs \`${name}\``, {
        hint: "let a signature give what is computed from it",
      }),
    ]);
  return new GraphError([
    problem("G083", undefined, `\`${wanted}\` does not need \`${name}\``, {
      hint: "without --signature one is chosen that does",
    }),
  ]);
}

function noSuchName(
  graph: Graph,
  name: string,
  what = "edge",
  names: readonly string[] = [
    ...graph.inference.names.keys(),
    ...graph.training.updates.keys(),
    ...[...graph.variables].map(({ path }) => path),
  ],
): GraphError {
  const string = graph.strings.get(name);
  if (string !== undefined) {
    const message = `\`${name}\` is the string ${JSON.stringify(string)}: it is given as it is, and no op computes it`;
    return new GraphError([problem("G083", graph.sources.stringSpan(name), message, {})]);
  }
  const within = pathsWith(name, new Set(names));
  const nearest = within.length === 1 ? within[0] : nearestName(name, names);
  const hint =
    within.length > 1
      ? `names with it are ${listNames(within, 4)}`
      : nearest === undefined
        ? `names are ${listNames([...new Set(names)].filter((known) => !known.includes("/")))}`
        : `did you mean \`${nearest}\`?`;
  return new GraphError([problem("G083", undefined, `there is no ${what} \`${name}\` in \`${graph.name}\``, { hint })]);
}
