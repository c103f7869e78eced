/**
 * A graph as plain data, to be kept between processes. Its edges are one printed computation, so that whatever prints and parses
 * can be kept; all else is what the graph holds, with the number of an edge in the place of each edge. The text is parsed when
 * an edge is first asked for: who runs code that was kept too never asks.
 */
import { GraphError, InternalError } from "./diagnostic.js";
import type {
  Assignment,
  CallUpdate,
  Computation,
  Constraint,
  Graph,
  Mode,
  Placeholder,
  Update,
  Variable,
} from "./graph.js";
import { internNode, nodesBelow, type Value } from "./node.js";
import { parseComputation } from "./parser.js";
import { printComputation } from "./printer.js";
import { SourceTable } from "./sources.js";
import type { Span } from "./span.js";

/** The number of an edge. */
type Edge = number;

interface SavedAssignment extends Omit<Assignment, "value"> {
  readonly value: Edge;
}

interface SavedUpdate extends Omit<Update, "assignments"> {
  readonly assignments: readonly SavedAssignment[];
}

interface SavedMode {
  readonly names: ReadonlyMap<string, Edge>;
  readonly updates: ReadonlyMap<string, SavedUpdate>;
  readonly callUpdates: readonly {
    readonly anchors: readonly Edge[];
    readonly assignments: readonly SavedAssignment[];
  }[];
}

/** An edge out of a node without inputs: placeholders and variables, which are wanted at once. */
interface SavedSource {
  readonly op: string;
  readonly attributes: Value["node"]["attributes"];
  readonly type: Value["type"];
}

interface SavedPlaceholder extends Omit<Placeholder, "value" | "defaultValue"> {
  readonly value: SavedSource;
  readonly defaultValue: Edge | undefined;
}

interface SavedVariable extends Omit<Variable, "value" | "initial"> {
  readonly value: SavedSource;
  readonly initial: Edge;
}

interface SavedConstraint extends Omit<Constraint, "anchors"> {
  readonly anchors: readonly Edge[];
}

/** What a structured clone takes. */
export interface SavedGraph
  extends Omit<Graph, "placeholders" | "variables" | "inference" | "training" | "constraints" | "sources"> {
  readonly placeholders: readonly SavedPlaceholder[];
  readonly variables: readonly SavedVariable[];
  readonly inference: SavedMode;
  readonly training: SavedMode;
  readonly constraints: readonly SavedConstraint[];
  /** The printed computation whose outputs are the edges, in order. */
  readonly text: string;
  /** The files that places are in, and the places of each node: how many, then file, start, end and the text's word of each. */
  readonly files: readonly string[];
  readonly words: readonly string[];
  readonly places: Uint32Array;
}

/** A longer text is not worth keeping: reading it takes as long as the front end. */
const longestText = 2 ** 26;

/** Undefined where the text would not give the same graph back: a kept graph must not differ from the one it was made of. */
export function saveGraph(graph: Graph): SavedGraph | undefined {
  if (![...graph.placeholders, ...graph.variables].every(({ value }) => isSource(value))) return undefined;
  const edges = new Map<Value, Edge>();
  const edge = (value: Value): Edge => {
    const known = edges.get(value);
    if (known !== undefined) return known;
    edges.set(value, edges.size);
    return edges.size - 1;
  };
  const { placeholders, variables, inference, training, constraints, sources, ...rest } = graph;
  const saved = {
    ...rest,
    placeholders: placeholders.map((placeholder) => ({
      ...placeholder,
      value: saveSource(placeholder.value),
      defaultValue: placeholder.defaultValue === undefined ? undefined : edge(placeholder.defaultValue),
    })),
    variables: variables.map((variable) => ({
      ...variable,
      value: saveSource(variable.value),
      initial: edge(variable.initial),
    })),
    inference: saveMode(inference, edge),
    training: saveMode(training, edge),
    constraints: constraints.map((one) => ({ ...one, anchors: [...one.anchors].map(edge) })),
  };
  const computation = computationOf([...edges.keys()], sources);
  const text = printComputation(computation);
  return readsBack(computation, text) ? { ...saved, text, ...savePlaces(computation) } : undefined;
}

/** The graph of `saveGraph`, in this or another process. */
export function restoreGraph(saved: SavedGraph): Graph {
  let read: Computation | undefined;
  const computation = (): Computation => {
    if (read === undefined) {
      read = { ...parseComputation(saved.text, { file: saved.file }), sources: new SourceTable() };
      restorePlaces(saved, read);
    }
    return read;
  };
  const edge = (number: Edge): Value => {
    const value = computation().outputs[number]?.value;
    if (value === undefined) throw new InternalError(`a kept graph has no edge ${number}`);
    return value;
  };
  const { placeholders, variables, inference, training, constraints, ...others } = saved;
  const { text: _, files: __, words: ___, places: ____, ...rest } = others;
  const restoredConstraints = once(() =>
    constraints.map((one) => ({ ...one, anchors: new Set(one.anchors.map(edge)) })),
  );
  return {
    ...rest,
    placeholders: placeholders.map((placeholder) => restorePlaceholder(placeholder, edge)),
    variables: variables.map((variable) => restoreVariable(variable, edge)),
    inference: restoreMode(inference, edge),
    training: restoreMode(training, edge),
    get constraints() {
      return restoredConstraints();
    },
    get sources() {
      return computation().sources;
    },
  };
}

function computationOf(values: readonly Value[], sources: SourceTable): Computation {
  const outputs = values.map((value, number) => ({ name: String(number), value }));
  return { name: "graph", placeholders: [], variables: [], outputs, assignments: [], sources };
}

/** Nodes are interned, so the same edges come back; but for regions, whose parameters are their own, the same text. */
function readsBack(computation: Computation, text: string): boolean {
  const again = text.length > longestText ? undefined : tryParse(text);
  if (again === undefined) return false;
  const isSame = again.outputs.every(({ value }, number) => value === computation.outputs[number]?.value);
  return again.outputs.length === computation.outputs.length && (isSame || printComputation(again) === text);
}

function tryParse(text: string): Computation | undefined {
  try {
    return parseComputation(text);
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}

function isSource({ node }: Value): boolean {
  return node.inputs.length === 0 && node.regions.length === 0;
}

function saveSource({ node, type }: Value): SavedSource {
  return { op: node.op, attributes: node.attributes, type };
}

/** Interned: the parser finds the same node again. */
function restoreSource({ op, attributes, type }: SavedSource): Value {
  return internNode(op, [], attributes, [], [type]).outputs[0] as Value;
}

function restorePlaceholder(saved: SavedPlaceholder, edge: (number: Edge) => Value): Placeholder {
  const { defaultValue, ...rest } = saved;
  return {
    ...rest,
    value: restoreSource(saved.value),
    get defaultValue() {
      return defaultValue === undefined ? undefined : edge(defaultValue);
    },
  };
}

function restoreVariable(saved: SavedVariable, edge: (number: Edge) => Value): Variable {
  const { initial, ...rest } = saved;
  return {
    ...rest,
    value: restoreSource(saved.value),
    get initial() {
      return edge(initial);
    },
  };
}

function saveMode({ names, updates, callUpdates }: Mode, edge: (value: Value) => Edge): SavedMode {
  const saveAssignment = (assignment: Assignment): SavedAssignment => ({
    ...assignment,
    value: edge(assignment.value),
  });
  return {
    names: mapValues(names, edge),
    updates: mapValues(updates, (update) => ({ ...update, assignments: update.assignments.map(saveAssignment) })),
    callUpdates: callUpdates.map(({ anchors, assignments }) => ({
      anchors: anchors.map(edge),
      assignments: assignments.map(saveAssignment),
    })),
  };
}

function restoreMode(saved: SavedMode, edge: (number: Edge) => Value): Mode {
  const restoreAssignment = (assignment: SavedAssignment): Assignment => ({
    ...assignment,
    value: edge(assignment.value),
  });
  const restoreUpdate = (update: SavedUpdate): Update => ({
    ...update,
    assignments: update.assignments.map(restoreAssignment),
  });
  const restoreCall = ({ anchors, assignments }: SavedMode["callUpdates"][number]): CallUpdate => ({
    anchors: anchors.map(edge),
    assignments: assignments.map(restoreAssignment),
  });
  const names = once(() => mapValues(saved.names, edge));
  const updates = once(() => mapValues(saved.updates, restoreUpdate));
  const callUpdates = once(() => saved.callUpdates.map(restoreCall));
  return {
    get names() {
      return names();
    },
    get updates() {
      return updates();
    },
    get callUpdates() {
      return callUpdates();
    },
  };
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, change: (value: A) => B): ReadonlyMap<string, B> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function nodesOf(computation: Computation) {
  return nodesBelow(computation.outputs.map(({ value }) => value));
}

function savePlaces(computation: Computation): Pick<SavedGraph, "files" | "words" | "places"> {
  const files = new Map<string, number>();
  /** Counted from 1: 0 stands for none. */
  const words = new Map<string, number>();
  const places: number[] = [];
  for (const node of nodesOf(computation)) {
    const spans = computation.sources.spansOf(node);
    places.push(spans.length);
    for (const { file, start, end, written } of spans) {
      if (!files.has(file)) files.set(file, files.size);
      if (written !== undefined && !words.has(written)) words.set(written, words.size + 1);
      places.push(files.get(file) ?? 0, start, end, written === undefined ? 0 : (words.get(written) ?? 0));
    }
  }
  return { files: [...files.keys()], words: [...words.keys()], places: Uint32Array.from(places) };
}

function restorePlaces({ files, words, places }: SavedGraph, computation: Computation): void {
  let at = 0;
  const next = (): number => places[at++] ?? 0;
  for (const node of nodesOf(computation)) {
    for (let left = next(); left > 0; left--) {
      const span: Span = { file: files[next()] ?? "", start: next(), end: next() };
      const written = words[next() - 1];
      computation.sources.add(node, written === undefined ? span : { ...span, written });
    }
  }
}
