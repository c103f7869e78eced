import type { DataReference } from "../compiler/ir/data.js";
import type { Graph, TrainPlan, Variable } from "../compiler/ir/graph.js";
import { rootsOf } from "../compiler/ir/graph.js";
import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { typeEquals, typeText } from "../compiler/ir/type.js";
import { type Matching, match } from "./diff_match.js";
import { type Change, merged, type OpChange, opChanges, opSide } from "./diff_ops.js";
import { givenOps, sideOf, statementOf } from "./diff_side.js";
import { literalOf } from "./node_texts.js";
import { signatureText } from "./signatures.js";
import { choicesOf } from "./specialisation.js";

/** What has one name in the first graph and another one in the second. */
export interface Renaming {
  readonly before: string;
  readonly after: string;
}

/** Whether a checkpoint of the first graph can be loaded by the second. */
export interface CheckpointFit {
  readonly fits: boolean;
  /** Variables of the second that the first has not; of the first that the second has not; and of another type. */
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly Change[];
}

type Texts = ReadonlyMap<string, string>;

export function changes(before: Texts, after: Texts): readonly Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((change) => change.before !== change.after);
}

/** What only has another name is told as that. */
export function withoutRenamed(list: readonly Change[], renamed: readonly Renaming[]): readonly Change[] {
  const gone = new Set(renamed.map((one) => one.before));
  const come = new Set(renamed.map((one) => one.after));
  return list.filter(
    ({ name, before, after }) => !((after === undefined && gone.has(name)) || (before === undefined && come.has(name))),
  );
}

export function signaturesOf(graph: Graph): Texts {
  return new Map(
    graph.signatures.map((signature) => [signature.name, signatureText(graph, signature).slice(signature.name.length)]),
  );
}

export function placeholdersOf({ placeholders }: Graph): Texts {
  return new Map(
    placeholders.map(({ name, value, defaultValue }) => {
      const literal = defaultValue === undefined ? undefined : literalOf(defaultValue.node);
      const given = defaultValue === undefined ? "" : literal === undefined ? " with a default" : ` = ${literal}`;
      return [name, `${typeText(value.type)}${given}`];
    }),
  );
}

export function variableChanges(before: Graph, after: Graph): readonly Change[] {
  const others = new Map(after.variables.map((variable) => [variable.path, variable]));
  const own = new Set(before.variables.map(({ path }) => path));
  const kept = before.variables.flatMap((variable): readonly Change[] => {
    const other = others.get(variable.path);
    const name = variable.path;
    if (other === undefined) return [{ name, before: typeText(variable.value.type), after: undefined }];
    const [was, is] = [variable, other].map(({ value, trainable, device }) => {
      const trained = variable.trainable === other.trainable ? "" : trainable ? ", trained" : ", not trained";
      const place = variable.device === other.device ? "" : device === undefined ? ", not placed" : ` on "${device}"`;
      return `${typeText(value.type)}${trained}${place}`;
    });
    return was === is ? [] : [{ name, before: was, after: is }];
  });
  const added = after.variables.filter(({ path }) => !own.has(path));
  return [...kept, ...added.map(({ path, value }) => ({ name: path, before: undefined, after: typeText(value.type) }))];
}

/** Variables and placeholders that are used in the same way under another name. */
export function renamedInputs(matchings: readonly Matching[]): readonly Renaming[] {
  const found = new Map<string, Renaming>();
  for (const matching of matchings) {
    for (const node of matching.before.nodes) {
      const other = matching.afterOf(node);
      const [was, is] = [givenName(node), other === undefined ? undefined : givenName(other)];
      if (was !== undefined && is !== undefined && was !== is && !found.has(was))
        found.set(was, { before: was, after: is });
    }
  }
  const [first] = matchings;
  const owners = (first?.before.graph.variables ?? []).filter(({ trainable }) => trainable).map(({ path }) => path);
  return [...found.values()].filter(({ before, after }) => {
    // A slot goes with the variable that it is of.
    const owner = owners.find((path) => before.includes(`/${path}/`));
    return owner === undefined || before.replace(`/${owner}/`, `/${found.get(owner)?.after ?? owner}/`) === after;
  });
}

function givenName({ op, attributes }: Node): string | undefined {
  if (op === "variable") return String(attributes["path"]);
  return op === "placeholder" ? String(attributes["name"]) : undefined;
}

/** Updates that came or went, and what others assign of the variables that both graphs have. */
export function updateChanges(before: Graph, after: Graph, renamed: readonly Renaming[]): readonly Change[] {
  const old = new Map(renamed.map((one) => [one.after, one.before]));
  const paths = (graph: Graph, name: string): ReadonlySet<string> | undefined => {
    const assignments = graph.training.updates.get(name)?.assignments;
    return assignments && new Set(assignments.map(({ path }) => (graph === after ? (old.get(path) ?? path) : path)));
  };
  const was = new Set(before.variables.map(({ path }) => path));
  const both = new Set(after.variables.map(({ path }) => old.get(path) ?? path).filter((path) => was.has(path)));
  const names = [...new Set([...before.training.updates.keys(), ...after.training.updates.keys()])];
  return names.flatMap((name): readonly Change[] => {
    const [first, second] = [paths(before, name), paths(after, name)];
    const text = (some: ReadonlySet<string>): string => `assigns ${[...some].join(", ")}`;
    if (first === undefined || second === undefined)
      return [{ name, before: first && text(first), after: second && text(second) }];
    const gone = [...first].filter((path) => both.has(path) && !second.has(path));
    const come = [...second].filter((path) => both.has(path) && !first.has(path));
    return [
      ...gone.map((path) => ({ name, before: `assigns ${path}`, after: undefined })),
      ...come.map((path) => ({ name, before: undefined, after: `assigns ${path}` })),
    ];
  });
}

/** Seed, dims, strings and the train block: what is data, and no op. */
export function settingsOf(graph: Graph): Texts {
  const settings = new Map<string, string>([["seed", String(graph.seed)]]);
  for (const { name, bound } of graph.dims)
    settings.set(`dim ${name}`, bound === undefined ? "any size" : `<= ${bound}`);
  for (const [path, text] of graph.strings) settings.set(path, JSON.stringify(text));
  if (graph.train !== undefined) for (const [name, text] of trainSettings(graph.train)) settings.set(name, text);
  return settings;
}

function trainSettings(plan: TrainPlan): readonly (readonly [string, string])[] {
  const { data, validate, checkpoint, best, earlyStopping, report, summary, span, lengthSpan, ...plain } = plan;
  const rows = (sources: TrainPlan["data"], of: string): readonly (readonly [string, string])[] =>
    [...sources].map(([name, { reference }]) => [`train ${of} ${name}`, referenceText(reference)] as const);
  const listed = { ...plain, checkpoint, best, early_stopping: earlyStopping, report, summary };
  return [
    ...Object.entries(listed).flatMap(([name, value]): readonly (readonly [string, string])[] =>
      value === undefined ? [] : [[`train ${name}`, plainText(value)]],
    ),
    ...rows(data, "data"),
    ...(validate === undefined
      ? []
      : ([["train validate", validate.run], ...rows(validate.data, "validate")] as const)),
  ];
}

/** As in the text: `idx("images")[0:55000]`. */
function referenceText({ kind, path, rows, ...others }: DataReference): string {
  const options = Object.entries(others).flatMap(([name, value]) =>
    value === undefined ? [] : [`, ${name}=${JSON.stringify(value)}`],
  );
  const file = `${JSON.stringify(path)}${options.join("")}`;
  const range = rows === undefined ? "" : `[${rows.start}:${rows.stop ?? ""}]`;
  return `${kind === "file" ? file : `${kind}(${file})`}${range}`;
}

/** Plain data as text, without places in the file. */
function plainText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plainText).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).filter(([name, one]) => !/span$/i.test(name) && one !== undefined);
  return entries.map(([name, one]) => `${name} = ${plainText(one)}`).join(", ");
}

interface NameChanges {
  /** Statements that compute the same under another name. */
  readonly renamed: readonly Renaming[];
  /** Names that came or went of what both graphs compute; other literals of one name. */
  readonly others: readonly Change[];
}

export function namesOf(matchings: readonly Matching[]): NameChanges {
  const renamed = new Map<string, Renaming>();
  const others = new Map<string, Change>();
  for (const matching of matchings) {
    const [was, is] = [matching.before.mode.names, matching.after.mode.names];
    const came = new Map<Node, string>();
    for (const [name, { node, type }] of is) {
      if (!isStatement(name)) continue;
      const old = was.get(name);
      const literal = literalOf(node);
      const oldLiteral = old === undefined ? undefined : literalOf(old.node);
      if (old === undefined && (literal !== undefined || matching.beforeOf(node) !== undefined)) {
        came.set(node, name);
        others.set(name, { name, before: undefined, after: literal ?? typeText(type) });
      } else if (old !== undefined && literal !== oldLiteral && literal !== undefined && oldLiteral !== undefined)
        others.set(name, { name, before: oldLiteral, after: literal });
    }
    for (const [name, { node, type }] of was) {
      if (!isStatement(name) || is.has(name)) continue;
      const literal = literalOf(node);
      const other = matching.afterOf(node);
      const now = other === undefined ? undefined : came.get(other);
      if (now !== undefined) {
        renamed.set(name, { before: name, after: now });
        others.delete(now);
      } else if (literal !== undefined || other !== undefined)
        others.set(name, { name, before: literal ?? typeText(type), after: undefined });
    }
  }
  return { renamed: [...renamed.values()], others: [...others.values()].filter(({ name }) => !renamed.has(name)) };
}

function isStatement(name: string): boolean {
  return statementOf(name) === name;
}

/** Types of statements' names that differ, and how many other ops have other types. */
export function shapesOf(matchings: readonly Matching[]): {
  readonly shapes: readonly OpChange[];
  readonly reshaped: number;
} {
  const shapes = new Map<string, OpChange>();
  const told = new Set<Node>();
  const reshaped = new Set<Node>();
  for (const matching of matchings) {
    const { before, after } = matching;
    for (const [name, { node, type }] of before.mode.names) {
      const now = after.mode.names.get(name);
      if (!isStatement(name) || now === undefined || typeEquals(type, now.type)) continue;
      const sides = { before: opSide(node, undefined, before), after: opSide(now.node, undefined, after) };
      shapes.set(name, { names: [name], ...sides, details: [] });
      told.add(node);
    }
    for (const node of before.nodes) {
      const other = matching.afterOf(node);
      if (other !== undefined && !told.has(node) && !givenOps.has(node.op) && isRetyped(node, other))
        reshaped.add(node);
    }
  }
  return { shapes: [...shapes.values()], reshaped: reshaped.size };
}

function isRetyped(a: Node, b: Node): boolean {
  return a.outputs.some(({ type }, i) => {
    const other = b.outputs[i]?.type;
    return other !== undefined && !typeEquals(type, other);
  });
}

/** What variables of one type begin with, where that differs: by the variable's path in the second graph. */
export function initialChanges(before: Graph, after: Graph, renamed: readonly Renaming[]): readonly OpChange[] {
  const others = new Map(after.variables.map((variable) => [variable.path, variable]));
  const names = new Map(renamed.map((one) => [one.before, one.after]));
  return before.variables.flatMap((variable) => {
    const other = others.get(variable.path) ?? others.get(names.get(variable.path) ?? "");
    if (other === undefined || variable.initial === other.initial || !typeEquals(variable.value.type, other.value.type))
      return [];
    return initialChange(before, after, variable, other);
  });
}

function initialChange(before: Graph, after: Graph, variable: Variable, other: Variable): readonly OpChange[] {
  const [number, now] = [literalOf(variable.initial.node), literalOf(other.initial.node)];
  if (number !== undefined && number === now) return [];
  const was = sideOf(before, [variable.initial], before.training);
  const is = sideOf(after, [other.initial], after.training);
  const found = merged(opChanges(match(was, is, [[variable.initial, other.initial]])).changes);
  const name = { names: [other.path] };
  if (number === undefined && now === undefined) return found.map((change) => ({ ...change, ...name }));
  const side = (text: string | undefined, value: Value) => ({
    what: text ?? value.node.op,
    type: typeText(value.type),
    place: undefined,
    ops: 1,
  });
  return [{ ...name, before: side(number, variable.initial), after: side(now, other.initial), details: [] }];
}

/** How many nodes of each op all signatures together have. */
export function countOps(graph: Graph): ReadonlyMap<string, number> {
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

/** By the rule of `--resume`: every variable, of the same dtype and shape, and no others. */
export function checkpointFit(before: readonly Variable[], after: readonly Variable[]): CheckpointFit {
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
