import test, { type ExecutionContext } from "ava";
import { type Diagnostic, GraphError } from "../../../compiler/ir/diagnostic.js";
import type { Computation, Graph } from "../../../compiler/ir/graph.js";
import {
  defaultsComputation,
  initialComputation,
  selectRequest,
  selectSignature,
} from "../../../compiler/ir/select.js";
import { count, exampleGraph, places, w } from "./example.js";

const graph: Graph = exampleGraph();
const assigned = (computation: Computation) => computation.assignments.map(({ path }) => path);
const parameters = ({ placeholders, variables }: Computation) =>
  [...placeholders, ...variables].map(({ name }) => name);

function refused(t: ExecutionContext, select: () => unknown): readonly Diagnostic[] {
  return t.throws(select, { instanceOf: GraphError })?.diagnostics ?? [];
}

test("a signature that trains has its updates and those of the calls it reaches, to the last", (t) => {
  const fit = selectSignature(graph, "fit");
  t.is(fit.name, "fit");
  t.deepEqual(assigned(fit), ["dense/w", "norm/count", "norm/total"]);
  t.deepEqual(parameters(fit), ["x", "y", "rate", "dense/w", "norm/count", "norm/total"]);
  // The string constant among its outputs is no part of the computation.
  t.deepEqual(
    fit.outputs.map(({ name }) => name),
    ["metrics.loss"],
  );
});

test("a signature that only predicts has no updates, and reads only what it needs", (t) => {
  const predict = selectSignature(graph, "predict");
  t.deepEqual(assigned(predict), []);
  t.deepEqual(parameters(predict), ["x", "dense/w", "norm/count"]);
});

test("a free run takes training mode from its updates, unless it is told", (t) => {
  t.deepEqual(assigned(selectRequest(graph, { fetches: ["score"], updates: [] })), []);
  t.deepEqual(assigned(selectRequest(graph, { fetches: ["score"], updates: [], training: true })), [
    "norm/count",
    "norm/total",
  ]);
  t.deepEqual(assigned(selectRequest(graph, { fetches: ["score"], updates: ["learn"], training: false })), ["dense/w"]);
});

test("a call that the run does not reach makes no assignment", (t) => {
  t.deepEqual(assigned(selectRequest(graph, { fetches: ["rate"], updates: [], training: true })), []);
});

test("a fetched variable has its value at the end of the run", (t) => {
  const fetch = (updates: readonly string[], name: string) =>
    selectRequest(graph, { fetches: [name], updates }).outputs[0]?.value;
  t.is(fetch([], "dense/w"), w);
  t.true(fetch(["learn"], "dense/w") === graph.training.updates.get("learn")?.assignments[0]?.value);
  // Assigned by a call that the update reaches.
  t.true(fetch(["learn"], "norm/count") === graph.training.names.get("metrics.count"));
  // Any other read sees the start.
  t.true(
    selectRequest(graph, { fetches: ["score"], updates: ["learn"] }).outputs[0]?.value.node.inputs[1]?.node
      .inputs[0] === count,
  );
});

test("placeholders and repeated names can be fetched", (t) => {
  const outputs = selectRequest(graph, { fetches: ["rate", "score", "rate"], updates: [] }).outputs;
  t.deepEqual(
    outputs.map(({ name }) => name),
    ["rate", "score"],
  );
});

test("two updates that assign one variable are refused with both places", (t) => {
  const [diagnostic] = refused(t, () => selectSignature(graph, "clash"));
  t.is(diagnostic?.code, "G042");
  t.regex(diagnostic?.message ?? "", /`rival` and the update `learn` both assign `dense\/w`/);
  t.is(diagnostic?.span, places.rival);
  t.is(diagnostic?.notes[0]?.span, places.learn);
});

test("the same value assigned twice is no clash", (t) => {
  t.deepEqual(assigned(selectRequest(graph, { fetches: [], updates: ["learn", "same"], training: false })), [
    "dense/w",
  ]);
});

test("unknown names are all reported, with the nearest", (t) => {
  const diagnostics = refused(t, () =>
    selectRequest(graph, { fetches: ["metric.loss", "zzzzzz", "learn"], updates: ["lern"] }),
  );
  t.deepEqual(
    diagnostics.map(({ code }) => code),
    ["G083", "G083", "G083", "G083"],
  );
  t.is(diagnostics[0]?.hint, "did you mean `learn`?");
  t.is(diagnostics[1]?.hint, "did you mean `metrics.loss`?");
  t.regex(diagnostics[3]?.message ?? "", /`learn` is an update/);
  const [signature] = refused(t, () => selectSignature(graph, "predcit"));
  t.is(signature?.hint, "did you mean `predict`?");
});

test("initial values and defaults are computations of their own", (t) => {
  const initial = initialComputation(graph);
  t.deepEqual(assigned(initial), ["dense/w", "norm/count", "norm/total"]);
  t.deepEqual(parameters(initial), ["dense/w", "norm/count", "norm/total"]);
  t.deepEqual(
    defaultsComputation(graph).outputs.map(({ name }) => name),
    ["rate"],
  );
  t.deepEqual(defaultsComputation(graph, new Set(["x"])).outputs, []);
});
