import { problem } from "./codes.js";
import { type Diagnostic, GraphError } from "./diagnostic.js";
import type { Assignment, Computation, Graph, Mode, Output, Parameter } from "./graph.js";
import { nearestName } from "./nearest.js";
import type { Node, Value } from "./node.js";
import type { Span } from "./span.js";

/** A free run: any edges to fetch and updates to do, by name. */
export interface Request {
  readonly fetches: readonly string[];
  readonly updates: readonly string[];
  /** Whether fns see training mode; without it, exactly when an update is done. */
  readonly training?: boolean | undefined;
}

/** Cuts out what a signature computes. Throws GraphError (G083 unknown names, G042 a variable assigned twice). */
export function selectSignature(graph: Graph, signatureName: string): Computation {
  const signature = graph.signatures.find(({ name }) => name === signatureName);
  if (signature === undefined) {
    const names = graph.signatures.map(({ name }) => name);
    throw new GraphError([unknown("signature", signatureName, names, undefined)]);
  }
  const { outputs, updates, training, span } = signature;
  return select(graph, signatureName, { fetches: outputs, updates, training }, span);
}

/** Cuts out what a free run computes. Throws GraphError as `selectSignature` does. */
export function selectRequest(graph: Graph, request: Request): Computation {
  const name = [...request.updates, ...request.fetches].join(", ") || "nothing";
  return select(graph, name, request, undefined);
}

/** No signature has this name: it is no identifier. */
export const initialName = "initial values";

/** One computation that assigns every variable its initial value. */
export function initialComputation(graph: Graph): Computation {
  const assignments = graph.variables.map(({ path, initial, span }) => ({ path, value: initial, span }));
  return cut(graph, initialName, [], assignments);
}

/** The default values of placeholders that are not fed, by placeholder; all that have one when `names` is not given. */
export function defaultsComputation(graph: Graph, names?: ReadonlySet<string>): Computation {
  const outputs: Output[] = [];
  for (const { name, defaultValue } of graph.placeholders) {
    if (defaultValue !== undefined && names?.has(name) !== false) outputs.push({ name, value: defaultValue });
  }
  return cut(graph, "defaults", outputs, []);
}

function select(graph: Graph, name: string, request: Request, span: Span | undefined): Computation {
  const training = request.training ?? request.updates.length > 0;
  const mode = training ? graph.training : graph.inference;
  const diagnostics: Diagnostic[] = [];
  const assignments = new AssignmentTable(diagnostics);
  for (const updateName of new Set(request.updates)) {
    const update = mode.updates.get(updateName);
    if (update === undefined) diagnostics.push(unknown("update", updateName, mode.updates.keys(), span));
    else for (const assignment of update.assignments) assignments.add(assignment, `the update \`${updateName}\``);
  }
  // A variable's fetched value is the one at the end of the run, so it is looked up once all assignments are known.
  const variables = new Map(graph.variables.map((variable) => [variable.path, variable.value]));
  const edges = new Map<string, Value>();
  for (const fetch of new Set(request.fetches)) {
    // String constants are no tensors: whoever asks for them reads `graph.strings`.
    if (variables.has(fetch) || graph.strings.has(fetch)) continue;
    const edge = mode.names.get(fetch) ?? graph.placeholders.find((p) => p.name === fetch)?.value;
    if (edge === undefined) diagnostics.push(unknownFetch(graph, mode, fetch, span));
    else edges.set(fetch, edge);
  }
  const fetchedVariables = request.fetches.filter((fetch) => variables.has(fetch));
  if (training) addCallUpdates(mode, assignments, [...edges.values()]);
  if (diagnostics.length > 0) throw new GraphError(diagnostics);
  for (const path of fetchedVariables) {
    const value = assignments.valueOf(path) ?? variables.get(path);
    if (value !== undefined) edges.set(path, value);
  }
  const outputs: Output[] = [];
  for (const fetch of new Set(request.fetches)) {
    const value = edges.get(fetch);
    if (value !== undefined) outputs.push({ name: fetch, value });
  }
  return { ...cut(graph, name, outputs, assignments.all()), names: mode.names };
}

/** Adds the assignments of every fn call that the run reaches; their values may reach further calls. */
function addCallUpdates(mode: Mode, assignments: AssignmentTable, fetched: readonly Value[]): void {
  const reached = new Set<Node>();
  reach(fetched, reached);
  reach(
    assignments.all().map(({ value }) => value),
    reached,
  );
  let waiting = [...mode.callUpdates];
  for (;;) {
    const ready = waiting.filter(({ anchors }) => anchors.some((anchor) => reached.has(anchor.node)));
    if (ready.length === 0) return;
    waiting = waiting.filter((update) => !ready.includes(update));
    for (const update of ready) {
      for (const assignment of update.assignments) {
        assignments.add(assignment, "a function's own assignment");
        reach([assignment.value], reached);
      }
    }
  }
}

/** The assignments of one run; refuses a second value for a variable. */
class AssignmentTable {
  readonly #assignments = new Map<string, { readonly assignment: Assignment; readonly owner: string }>();
  readonly #diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    this.#diagnostics = diagnostics;
  }

  add(assignment: Assignment, owner: string): void {
    const first = this.#assignments.get(assignment.path);
    if (first === undefined) {
      this.#assignments.set(assignment.path, { assignment, owner });
      return;
    }
    if (first.assignment.value === assignment.value) return;
    this.#diagnostics.push(
      problem("G042", assignment.span, `${owner} and ${first.owner} both assign \`${assignment.path}\` in one run`, {
        label: "assigned here",
        notes: [{ span: first.assignment.span, message: `${first.owner} assigns it here` }],
        hint: "do them in two runs, or join them into one update",
      }),
    );
  }

  valueOf(path: string): Value | undefined {
    return this.#assignments.get(path)?.assignment.value;
  }

  all(): readonly Assignment[] {
    return [...this.#assignments.values()].map(({ assignment }) => assignment);
  }
}

/** A computation with the placeholders and variables that it reaches, in the order of the graph. */
function cut(graph: Graph, name: string, outputs: readonly Output[], assignments: readonly Assignment[]): Computation {
  const reached = new Set<Node>();
  reach([...outputs.map(({ value }) => value), ...assignments.map(({ value }) => value)], reached);
  const assigned = new Set(assignments.map(({ path }) => path));
  const placeholders: Parameter[] = [];
  for (const { name: placeholder, value } of graph.placeholders) {
    if (reached.has(value.node)) placeholders.push({ name: placeholder, type: value.type });
  }
  const variables: Parameter[] = [];
  for (const { path, value } of graph.variables) {
    if (reached.has(value.node) || assigned.has(path)) variables.push({ name: path, type: value.type });
  }
  return {
    name,
    placeholders,
    variables,
    outputs,
    assignments: assignments.map(({ path, value }) => ({ path, value })),
    constraints: graph.constraints.filter(
      ({ anchors }) => anchors.size === 0 || [...anchors].some(({ node }) => reached.has(node)),
    ),
    sources: graph.sources,
  };
}

/** Adds all nodes below `values`, those inside regions too. */
function reach(values: readonly Value[], reached: Set<Node>): void {
  const stack = values.map(({ node }) => node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    for (const input of node.inputs) stack.push(input.node);
    for (const region of node.regions) for (const result of region.results) stack.push(result.node);
  }
}

function unknownFetch(graph: Graph, mode: Mode, name: string, span: Span | undefined): Diagnostic {
  const update = mode.updates.get(name);
  if (update !== undefined) {
    return problem("G083", span, `\`${name}\` is an update, so it has no value to fetch`, {
      notes: [{ span: update.span, message: "the update" }],
      hint: "name it after `does`, or among the updates of the run",
    });
  }
  const placeholders = graph.placeholders.map((placeholder) => placeholder.name);
  const variables = graph.variables.map(({ path }) => path);
  return unknown("value", name, [...mode.names.keys(), ...placeholders, ...variables, ...graph.strings.keys()], span);
}

function unknown(kind: string, name: string, candidates: Iterable<string>, span: Span | undefined): Diagnostic {
  const known = [...new Set(candidates)];
  const nearest = nearestName(name, known);
  const list = known.slice(0, 8).map((candidate) => `\`${candidate}\``);
  const few = known.length > 0 && known.length <= 8 ? `there is ${list.join(", ")}` : undefined;
  return problem("G083", span, `the graph has no ${kind} \`${name}\``, {
    hint: nearest === undefined ? (known.length === 0 ? `it has no ${kind}s` : few) : `did you mean \`${nearest}\`?`,
  });
}
