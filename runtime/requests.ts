import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph, Placeholder } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { typeText } from "../compiler/ir/type.js";
import type { Prepared, Program, Selection } from "../compiler/program.js";
import { type Feed, type FeedValue, readFeed } from "./feeds.js";
import { listNames } from "./files/errors.js";

/** What a run is asked for: a computation, and the string constants among the fetches. */
export interface Asked {
  readonly selection: Selection;
  readonly strings: readonly (readonly [string, string])[];
}

export function signatureSelection(graph: Graph, name: string): Asked {
  const signature = graph.signatures.find((candidate) => candidate.name === name);
  return { selection: { kind: "signature", name }, strings: stringsAmong(graph, signature?.outputs ?? []) };
}

/** Names of edges, variables, placeholders and string constants to fetch, and of updates to do. */
export function freeSelection(graph: Graph, names: readonly string[]): Asked {
  const isUpdate = (name: string): boolean => graph.training.updates.has(name) && !graph.training.names.has(name);
  const updates = names.filter(isUpdate);
  const fetches = names.filter((name) => !isUpdate(name));
  return { selection: { kind: "request", fetches, updates }, strings: stringsAmong(graph, fetches) };
}

function stringsAmong(graph: Graph, names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((name) => {
    const text = graph.strings.get(name);
    return text === undefined ? [] : [[name, text] as const];
  });
}

/** G083: what the name is instead, and how it is set; else the nearest placeholder. */
export function noPlaceholder(graph: Graph, name: string): Diagnostic {
  const variable = graph.variables.find(({ path }) => path === name);
  if (variable !== undefined) {
    const hint = `a session sets it: \`session.set("${name}", tensor)\`, or weights from a file`;
    const label = "declared here";
    return problem("G083", variable.span, `\`${name}\` is a variable, and only placeholders are fed`, { label, hint });
  }
  if (graph.training.names.has(name) || graph.inference.names.has(name)) {
    const hint = "feed the placeholders that it is computed from";
    return problem("G083", undefined, `\`${name}\` is computed, and only placeholders are fed`, { hint });
  }
  const names = graph.placeholders.map((placeholder) => placeholder.name);
  const nearest = nearestName(name, names);
  const hint = nearest !== undefined ? `did you mean \`${nearest}\`?` : `its placeholders are ${listNames(names)}`;
  return problem("G083", undefined, `there is no placeholder \`${name}\` to feed`, {
    hint: names.length === 0 ? "the graph has no placeholders" : hint,
  });
}

/**
 * The feeds of a computation, defaults where nothing is given. Throws GraphError with all problems: a name that is no
 * placeholder (G083), one that is needed and not fed (G080), a value that does not fit (G081, G082).
 */
export function checkFeeds(
  program: Program,
  prepared: Prepared,
  feeds: Readonly<Record<string, FeedValue>>,
): ReadonlyMap<string, Feed> {
  const { graph } = program;
  const problems: Diagnostic[] = [];
  const byName = placeholdersOf(graph);
  const given = new Set<string>();
  const read = new Map<string, Feed>();
  for (const [name, value] of Object.entries(feeds)) {
    given.add(name);
    const placeholder = byName.get(name);
    if (placeholder === undefined) {
      problems.push(noPlaceholder(graph, name));
      continue;
    }
    try {
      read.set(name, readFeed(placeholder, value));
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      problems.push(...error.diagnostics);
    }
  }
  for (const { name } of prepared.placeholders) {
    const placeholder = byName.get(name);
    if (placeholder === undefined || given.has(name)) continue;
    const standing = program.defaults.get(name);
    if (standing !== undefined) read.set(name, { placeholder, shape: standing.shape, data: standing.data });
    else {
      const message = `\`${name}\` is not fed, and \`${prepared.name}\` needs it`;
      const hint = `feed it, or give it a default: \`placeholder ${name}: … = …\``;
      problems.push(problem("G080", placeholder.span, message, { label: "declared here, without a default", hint }));
    }
  }
  if (problems.length > 0) throw new GraphError(problems);
  return read;
}

/** Kept, since each run asks. */
const placeholders = new WeakMap<Graph, ReadonlyMap<string, Placeholder>>();

function placeholdersOf(graph: Graph): ReadonlyMap<string, Placeholder> {
  const known = placeholders.get(graph);
  if (known !== undefined) return known;
  const byName = new Map(graph.placeholders.map((placeholder) => [placeholder.name, placeholder]));
  placeholders.set(graph, byName);
  return byName;
}

/** Refuses names that were asked to be reported and are no scalars: they would be left out without a word. */
export function requireScalars({ outputs }: Prepared, names: readonly string[]): void {
  const shaped = outputs.filter(({ name, type }) => names.includes(name) && type.shape.some((dim) => dim !== 1));
  if (shaped.length === 0) return;
  const hint = "report a scalar made of it, such as its mean";
  throw new GraphError(
    shaped.map(({ name, type }) =>
      problem("G025", undefined, `\`${name}\` is ${typeText(type)}, and only scalars can be reported`, { hint }),
    ),
  );
}
