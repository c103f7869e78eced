/** Runs what a test file expects through a session: on the reference, and natively what a run refuses. */
import type { Backend } from "../../../compiler/backends/backend.js";
import { GraphError } from "../../../compiler/ir/diagnostic.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import { Program } from "../../../compiler/program.js";
import { Session } from "../../../runtime/session.js";
import { type Check, checksOf, feedsOf, updatesOf } from "./expected.js";
import { describe, type Found } from "./found.js";
import { type DirectiveOf, directivesOf, type LoadedTest, pathOf } from "./load.js";

async function sessionOf(file: LoadedTest, graph: Graph, backend: Backend): Promise<Session> {
  const checkNumerics = directivesOf(file, "check-numerics").length > 0;
  return new Session(await Program.create(graph, backend, { checkNumerics }));
}

/** The edges of all checks, and the texts, after one run with the file's feeds and updates. */
export async function valuesOn(
  file: LoadedTest,
  graph: Graph,
  backend: Backend,
  more: readonly string[] = [],
): Promise<{ readonly tensors: ReadonlyMap<string, Tensor>; readonly texts: ReadonlyMap<string, string> }> {
  await using session = await sessionOf(file, graph, backend);
  const texts = directivesOf(file, "text").map(({ name }) => pathOf(graph, name));
  const paths = checksOf(file).map(({ path }: Check) => path);
  const fetched = await session.run([...new Set([...paths, ...texts, ...more]), ...updatesOf(file)], feedsOf(file));
  const tensors = new Map<string, Tensor>();
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(fetched)) {
    if (value.dtype === "string") found.set(name, value.data[0] ?? "");
    else tensors.set(name, value);
  }
  return { tensors, texts: found };
}

/** The diagnostic that a run of one edge ends with; undefined where it succeeds. */
export async function failureOn(
  file: LoadedTest,
  graph: Graph,
  backend: Backend,
  { name }: DirectiveOf<"fails">,
): Promise<Found | undefined> {
  try {
    await using session = await sessionOf(file, graph, backend);
    await session.run([pathOf(graph, name), ...updatesOf(file)], feedsOf(file));
    return undefined;
  } catch (error) {
    const [one] = error instanceof GraphError ? error.diagnostics : [];
    if (one === undefined) throw error;
    return describe(one, file.path, (asked) => (asked === file.path ? file.text : undefined));
  }
}
