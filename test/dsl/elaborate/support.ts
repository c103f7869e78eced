import { readFileSync } from "node:fs";
import { evaluate } from "../../../compiler/backends/reference/evaluate.js";
import type { Diagnostic } from "../../../compiler/ir/diagnostic.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { typeText } from "../../../compiler/ir/type.js";
import type { ReferenceTensor } from "../../../compiler/ops/define.js";
import { optimise, prepareComputation } from "../../../compiler/prepare.js";
import { type Loaded, loadGraphFromText } from "../../../dsl/load.js";
import { indexLines, locate } from "../../../dsl/source-text.js";

/** Loads a text; other files that it imports may be given by their paths. */
export function load(
  text: string,
  others: Readonly<Record<string, string>> = {},
  allowPaths: readonly string[] = [],
): Loaded {
  const files = new Map(Object.entries(others));
  const readFile = (path: string): string => {
    const known = files.get(path);
    if (known !== undefined) return known;
    if (path.includes("std")) return readFileSync(path, "utf8");
    throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" });
  };
  return loadGraphFromText(text, "main.graph", { readFile, allowPaths });
}

/** The graph of a text that must be right. */
export function graphOf(text: string, others: Readonly<Record<string, string>> = {}): Graph {
  const { graph, diagnostics } = load(text, others);
  if (graph === undefined) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join("\n") || "no graph");
  return graph;
}

/** Each problem on one line: `G012 3:7 unknown name ... (did you mean ...)`. */
export function problems(text: string, others: Readonly<Record<string, string>> = {}): readonly string[] {
  const loaded = load(text, others);
  return loaded.diagnostics.map((d) => {
    const hint = d.hint === undefined ? "" : ` (${d.hint})`;
    return `${d.code} ${place(loaded, d.span)} ${d.message}${hint}`;
  });
}

/** The second places of the first problem: `2:3 first here`. */
export function notes(text: string, others: Readonly<Record<string, string>> = {}): readonly string[] {
  const loaded = load(text, others);
  return (loaded.diagnostics[0]?.notes ?? []).map((note) => `${place(loaded, note.span)} ${note.message}`);
}

function place(loaded: Loaded, span: Diagnostic["span"]): string {
  if (span === undefined) return "-";
  const { line, column } = locate(indexLines(loaded.files.get(span.file) ?? ""), span.start);
  return span.file === "main.graph" ? `${line}:${column}` : `${span.file}:${line}:${column}`;
}

/** The types of the named edges, as the language writes them. */
export function types(text: string, ...names: readonly string[]): readonly string[] {
  const graph = graphOf(text);
  return names.map((name) => {
    const edge = graph.inference.names.get(name) ?? graph.variables.find(({ path }) => path === name)?.value;
    return edge === undefined ? "nothing" : typeText(edge.type);
  });
}

export interface RunOptions {
  readonly dims?: Readonly<Record<string, number>>;
  readonly feeds?: Readonly<Record<string, readonly number[]>>;
  readonly updates?: readonly string[];
  readonly training?: boolean;
  readonly step?: bigint;
}

/** What one run gives by the reference back end, in plain arrays. Variables hold their initial values; dims of defaults bind. */
export function run(
  graph: Graph,
  fetches: readonly string[],
  options: RunOptions = {},
): ReadonlyMap<string, readonly number[]> {
  const { dims = {}, feeds = {}, updates = [], training, step = 0n } = options;
  const bindings = new Map(Object.entries(dims));
  const request = { kind: "request" as const, fetches, updates, ...(training === undefined ? {} : { training }) };
  const computation = optimise(graph, prepareComputation(graph, request), bindings);
  const context = { seed: graph.seed, step, runsSinceStep: 0n };
  const none = { feeds: new Map(), variables: new Map() };
  const constants = { name: "initial", placeholders: [], variables: [], sources: graph.sources };
  const initial = optimise(
    graph,
    { ...constants, outputs: [], assignments: graph.variables.map(({ path, initial: value }) => ({ path, value })) },
    new Map(),
  );
  const variables = evaluate(initial, { ...context, ...none }).assignments;
  const defaults = graph.placeholders.flatMap(({ name, defaultValue: value }) =>
    value === undefined ? [] : [{ name, value }],
  );
  const given = optimise(graph, { ...constants, outputs: defaults, assignments: [] }, bindings);
  const values = evaluate(given, { ...context, ...none }).outputs;
  const fed = new Map<string, ReferenceTensor>(
    given.outputs.map(({ name }, i) => [name, values[i] as ReferenceTensor]),
  );
  for (const { name, type } of computation.placeholders) {
    const data = feeds[name];
    if (data === undefined) continue;
    const elements = type.dtype === "i64" ? BigInt64Array.from(data.map(BigInt)) : Float64Array.from(data);
    fed.set(name, { dtype: type.dtype as ReferenceTensor["dtype"], shape: type.shape.map(Number), data: elements });
  }
  const { outputs, assignments } = evaluate(computation, { ...context, feeds: fed, variables });
  const results = new Map<string, readonly number[]>();
  for (const [path, { data }] of assignments) results.set(`:= ${path}`, Array.from(data, Number));
  computation.outputs.forEach(({ name }, i) => {
    results.set(name, Array.from(outputs[i]?.data ?? [], Number));
  });
  return results;
}

/** The elements of one edge of a graph without feeds. */
export function value(text: string, name: string, options: RunOptions = {}): readonly number[] {
  return run(graphOf(text), [name], options).get(name) ?? [];
}

/** A graph of these statements. */
export function graph(...statements: readonly string[]): string {
  return `graph g {\n${statements.map((one) => `  ${one}\n`).join("")}}\n`;
}
