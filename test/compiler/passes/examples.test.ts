import { readdirSync } from "node:fs";
import test from "ava";
import { differentiate } from "../../../compiler/autodiff/differentiate.js";
import { buildOn } from "../../../compiler/ir/device.js";
import { type Computation, type Graph, rootsOf } from "../../../compiler/ir/graph.js";
import { moduleOf } from "../../../compiler/ir/module.js";
import { nodesBelow } from "../../../compiler/ir/node.js";
import { parseModule } from "../../../compiler/ir/parser.js";
import { printModule } from "../../../compiler/ir/printer.js";
import { initialComputation, selectSignature } from "../../../compiler/ir/select.js";
import { elementCount } from "../../../compiler/ir/tensor.js";
import { staticShape } from "../../../compiler/ir/type.js";
import { verify } from "../../../compiler/ir/verifier.js";
import { ops } from "../../../compiler/ops/table.js";
import { beforeGradients, pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { specialise } from "../../../compiler/passes/specialise.js";
import { loadGraph } from "../../../dsl/load.js";
import { contextFor, type Filler, sameResults } from "./support.js";

/** Positive, so that second moments have roots, and below 0.3, so that labels are among three classes. */
const modest: Filler = (random) => random() * 0.24 + 0.05;

/** Two rows: enough to be a batch, and quick. */
function bound(graph: Graph, computation: Computation): Computation {
  return specialise(graph, computation, new Map(graph.dims.map(({ name }) => [name, 2])));
}

/** The reference does some millions of operations a second: of what learns more numbers than this, only the forms are compared. */
const mostParameters = 4_000_000;

function parametersOf(graph: Graph): number {
  return graph.variables.reduce((sum, { value }) => sum + elementCount(staticShape(value.type)), 0);
}

const names = readdirSync("examples", { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

for (const name of names) {
  test(`the graphs of ${name} print, come back, and mean the same after all passes`, (t) => {
    const { graph, diagnostics } = loadGraph(`examples/${name}/${name}.graph`, { stdFolder: "dsl/std" });
    t.deepEqual(diagnostics, []);
    if (graph === undefined) return;
    const selected = [
      initialComputation(graph),
      ...graph.signatures.map((signature) => selectSignature(graph, signature.name)),
    ];
    const text = printModule(moduleOf(graph, selected));
    t.is(printModule(parseModule(text, { ops })), text);
    for (const computation of selected) {
      t.deepEqual(verify(computation, ops), []);
      const plain = bound(graph, differentiate(computation).computation);
      const safe = differentiate(runPipeline(beforeGradients, computation, { verify: true })).computation;
      const optimised = runPipeline(pipeline, bound(graph, safe), { verify: true });
      t.deepEqual(verify(optimised, ops, { differentiated: true, specialised: true }), []);
      if (parametersOf(graph) > mostParameters) continue;
      const tolerance = { relative: 1e-4, signedZeros: false };
      sameResults(t, plain, optimised, contextFor(plain, 1, modest), tolerance, `${name}: ${computation.name}`);
    }
  });
}

for (const name of names) {
  test(`what lies on one device as a whole stays there through gradients and passes: ${name}`, (t) => {
    const file = `examples/${name}/${name}.graph`;
    const graph = buildOn("gpu", () => loadGraph(file, { stdFolder: "dsl/std" })).graph;
    for (const { name: signature } of graph?.signatures ?? []) {
      if (graph === undefined) continue;
      const selected = selectSignature(graph, signature);
      // Besides the gpu, where the text itself places a part.
      const places = new Set(["gpu", ...nodesBelow(rootsOf(selected)).flatMap(({ device }) => device ?? [])]);
      const optimised = runPipeline(
        pipeline,
        bound(graph, differentiate(runPipeline(beforeGradients, selected)).computation),
      );
      const left = nodesBelow(rootsOf(optimised)).filter(
        ({ inputs, device }) => inputs.length > 0 && (device === undefined || !places.has(device)),
      );
      t.deepEqual(
        left.map(({ op }) => op),
        [],
        `${name}: ${signature}`,
      );
    }
    t.pass();
  });
}
