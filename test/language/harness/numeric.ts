/** Gradients against central differences of the reference, in f64. */
import { evaluate } from "../../../compiler/backends/reference/evaluate.js";
import type { Graph } from "../../../compiler/ir/graph.js";
import { initialComputation } from "../../../compiler/ir/select.js";
import { bindDims, dimsOf } from "../../../compiler/ir/specialise.js";
import type { Tensor } from "../../../compiler/ir/tensor.js";
import type { ReferenceTensor } from "../../../compiler/ops/define.js";
import { referenceFromTensor } from "../../../compiler/ops/precision.js";
import { specialise } from "../../../compiler/passes/specialise.js";
import { evaluateDefaults, optimise, prepareComputation } from "../../../compiler/prepare.js";
import { readFeed } from "../../../runtime/feeds.js";
import { feedsOf } from "./expected.js";
import { isolate } from "./isolate.js";
import { type DirectiveOf, type LoadedTest, pathOf } from "./load.js";

/** What the slope of the edge's sum is in each element of x. Throws where x is no f64 constant or placeholder. */
export function slopes(file: LoadedTest, graph: Graph, { of, in: x }: DirectiveOf<"gradient">): readonly number[] {
  const fetches = [pathOf(graph, of), pathOf(graph, x)];
  const selected = prepareComputation(graph, { kind: "request", fetches, updates: [] });
  const fed = new Map<string, Pick<Tensor, "shape" | "data">>(evaluateDefaults(graph));
  for (const [name, value] of Object.entries(feedsOf(file))) {
    const declared = graph.placeholders.find((one) => one.name === name);
    if (declared !== undefined) fed.set(name, readFeed(declared, value));
  }
  const sized = specialise(graph, selected, bindDims(graph, dimsOf(selected), fed));
  const { computation, opened } = isolate(graph, sized, "");
  const feeds = new Map<string, ReferenceTensor>();
  for (const { name, type } of computation.placeholders) {
    const data = opened.get(name) ?? fed.get(name)?.data;
    if (data === undefined || type.dtype === "string") throw new Error(`${name} is not fed`);
    feeds.set(name, referenceFromTensor({ dtype: type.dtype, shape: type.shape.map(Number), data }));
  }
  const source = computation.outputs.find(({ name }) => name === pathOf(graph, x))?.value.node;
  const name = String(source?.attributes["name"]);
  const start = feeds.get(name);
  if (source?.op !== "placeholder" || start?.dtype !== "f64" || !(start.data instanceof Float64Array)) {
    throw new Error(`${x} is no f64 constant or placeholder: differences need one`);
  }
  const { data } = start;
  const context = { seed: graph.seed, step: 0n, runsSinceStep: 0n, feeds, variables: initialValues(graph) };
  const sumAt = (position: number, step: number): number => {
    const moved = data.slice();
    moved[position] = (moved[position] ?? 0) + step;
    const run = evaluate(computation, { ...context, feeds: new Map([...feeds, [name, { ...start, data: moved }]]) });
    return Array.from(run.outputs[0]?.data ?? [], Number).reduce((sum, element) => sum + element, 0);
  };
  const step = 1e-5;
  return Array.from(data, (element, i) => {
    const h = step * Math.max(1, Math.abs(element));
    return (sumAt(i, h) - sumAt(i, -h)) / (2 * h);
  });
}

function initialValues(graph: Graph): ReadonlyMap<string, ReferenceTensor> {
  const start = { seed: graph.seed, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() };
  return evaluate(optimise(graph, initialComputation(graph), new Map()), start).assignments;
}
