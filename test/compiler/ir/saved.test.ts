import { readdirSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import test, { type ExecutionContext } from "ava";
import type { Graph, Mode } from "../../../compiler/ir/graph.js";
import { moduleOf } from "../../../compiler/ir/module.js";
import { internNode, newRegionParameters, nodesBelow, type Value } from "../../../compiler/ir/node.js";
import { printModule } from "../../../compiler/ir/printer.js";
import { restoreGraph, type SavedGraph, saveGraph } from "../../../compiler/ir/saved.js";
import { selectRequest } from "../../../compiler/ir/select.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { tensorType, typeText } from "../../../compiler/ir/type.js";
import { add } from "../../../compiler/ops/arithmetic.js";
import { loadGraph } from "../../../dsl/load.js";
import { exampleGraph, places, x } from "./example.js";

/** As another process gets it. */
function kept(t: ExecutionContext, graph: Graph): Graph {
  const saved = saveGraph(graph);
  if (saved === undefined) throw new Error("the graph could not be saved");
  t.true(serialize(saved).length > 0);
  return restoreGraph(deserialize(serialize(saved)) as SavedGraph);
}

function valuesOf({ names, updates, callUpdates }: Mode): readonly Value[] {
  const assigned = [...updates.values(), ...callUpdates].flatMap(({ assignments }) => assignments);
  return [...names.values(), ...callUpdates.flatMap(({ anchors }) => anchors), ...assigned.map(({ value }) => value)];
}

/** What tells an edge of a small graph from the others. */
function edgeText({ node, index, type }: Value): string {
  return `${index} of ${node.op}, the last of ${nodesBelow(node.outputs).length}: ${typeText(type)}`;
}

/** All that hangs on no edge, and on which edges constraints rest, as plain data. */
function declarations(graph: Graph) {
  const modeOf = ({ names, updates, callUpdates }: Mode) => ({
    names: [...names.keys()],
    updates: [...updates].map(([key, { assignments, ...rest }]) => [key, assignments.map(({ path }) => path), rest]),
    calls: callUpdates.map(({ anchors, assignments }) => [anchors.length, assignments.map(({ path }) => path)]),
  });
  const { placeholders, variables, inference, training, constraints, sources: _, ...rest } = graph;
  return {
    ...rest,
    placeholders: placeholders.map(({ value, defaultValue, ...others }) => ({
      ...others,
      type: value.type,
      hasDefault: defaultValue !== undefined,
    })),
    variables: variables.map(({ value, initial: __, ...others }) => ({ ...others, type: value.type })),
    inference: modeOf(inference),
    training: modeOf(training),
    constraints: constraints.map(({ anchors, ...others }) => ({ ...others, anchors: [...anchors].map(edgeText) })),
  };
}

function isSame(t: ExecutionContext, before: Graph, after: Graph): void {
  t.deepEqual(declarations(after), declarations(before));
  for (const mode of ["inference", "training"] as const) {
    const request = { fetches: [...before[mode].names.keys()], updates: [], training: mode === "training" };
    const all = (graph: Graph) => printModule(moduleOf(graph, [selectRequest(graph, request)]));
    t.is(all(after), all(before));
    const [nodes, again] = [nodesBelow(valuesOf(before[mode])), nodesBelow(valuesOf(after[mode]))];
    t.deepEqual(
      again.map((node) => after.sources.spansOf(node)),
      nodes.map((node) => before.sources.spansOf(node)),
    );
  }
}

for (const { name } of readdirSync("examples", { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  test(`${name} comes back as it was saved, with the places of its nodes`, (t) => {
    const { graph } = loadGraph(`examples/${name}/${name}.graph`, { stdFolder: "dsl/std" });
    if (graph === undefined) throw new Error("the example has errors");
    isSame(t, graph, kept(t, graph));
  });
}

test("constraints, defaults, documentation and odd names come back", (t) => {
  const graph = exampleGraph();
  const odd: Graph = {
    ...graph,
    strings: new Map([["__proto__", 'Hello, "graph"!\n']]),
    signatures: graph.signatures.map((signature) => ({ ...signature, doc: "# a line\nand more" })),
    inference: { ...graph.inference, names: new Map([["constructor", x], ...graph.inference.names]) },
  };
  isSame(t, odd, kept(t, odd));
});

test("regions come back, as regions of their own", (t) => {
  const [carry, item] = newRegionParameters([tensorType("f32"), tensorType("f32")]) as [Value, Value];
  const outer = internNode("variable", [], { path: "w", dtype: "f32", shape: [] }, [], [tensorType("f32")]);
  const next = add(add(carry, item), outer.outputs[0] as Value);
  const region = { parameters: [carry, item], results: [next] };
  const scan = internNode("scan", [x], { reverse: false }, [region], [tensorType("f32"), x.type]);
  const graph = exampleGraph();
  const sources = new SourceTable();
  sources.add(next.node, places.x);
  sources.add(next.node, places.other);
  sources.add(scan, places.learn);
  const mode: Mode = { names: new Map([["last", scan.outputs[0] as Value]]), updates: new Map(), callUpdates: [] };
  const before: Graph = { ...graph, inference: mode, training: mode, signatures: [], sources };
  isSame(t, before, kept(t, before));
});

test("nothing is parsed before an edge is asked for", (t) => {
  const saved = saveGraph(exampleGraph());
  if (saved === undefined) throw new Error("the graph could not be saved");
  const graph = restoreGraph({ ...saved, text: "no computation" });
  t.deepEqual(
    [...graph.placeholders, ...graph.variables].map(({ value }) => value),
    [...exampleGraph().placeholders, ...exampleGraph().variables].map(({ value }) => value),
  );
  t.is(graph.placeholders[0]?.defaultValue, undefined);
  t.throws(() => graph.placeholders[2]?.defaultValue);
  t.throws(() => graph.inference.names);
});

test("a graph that its text does not give back is not saved", (t) => {
  const graph = exampleGraph();
  const [first, ...others] = graph.variables;
  if (first === undefined) throw new Error("the example has variables");
  const lost = internNode("no word", [], {}, [], [tensorType("f32")]);
  const initial = lost.outputs[0] as Value;
  t.is(saveGraph({ ...graph, variables: [{ ...first, initial }, ...others] }), undefined);
});
