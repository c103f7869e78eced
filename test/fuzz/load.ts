/** A `.graph` file as the CLI takes it: parsed, typed, its signature cut out, and what its defaults and initial values are. */
import { evaluate } from "../../compiler/backends/reference/evaluate.js";
import type { Computation, Graph } from "../../compiler/ir/graph.js";
import { printComputation } from "../../compiler/ir/printer.js";
import { initialComputation, selectSignature } from "../../compiler/ir/select.js";
import { bindDims, dimsOf } from "../../compiler/ir/specialise.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/define.js";
import { tensorFromReference } from "../../compiler/ops/precision.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { evaluateDefaults, optimise, prepareComputation } from "../../compiler/prepare.js";
import { format } from "../../dsl/format.js";
import { loadGraphFromText } from "../../dsl/load.js";
import { parse } from "../../dsl/parse.js";
import { signatureName } from "./source.js";

/** The run that `graphc run FILE all` does. */
export interface LoadedSource {
  readonly graph: Graph;
  /** As it was typed, its dims bound; gradients are not expanded. */
  readonly computation: Computation;
  /** As the program compiles it. */
  readonly optimised: Computation;
  readonly feeds: ReadonlyMap<string, TensorData>;
  readonly contents: ReadonlyMap<string, TensorData>;
}

const fileName = "random.graph";
const library = new Map<string, ReturnType<typeof parse>>();

/** What of the standard library is read is read once. */
function parseOnce(text: string, file: string): ReturnType<typeof parse> {
  if (file === fileName) return parse(text, file);
  const key = `${file}\n${text}`;
  const known = library.get(key) ?? parse(text, file);
  library.set(key, known);
  return known;
}

/** Throws where the file is refused. */
export function loadSource(text: string): LoadedSource {
  const { graph, diagnostics } = loadGraphFromText(text, fileName, { parse: parseOnce });
  if (graph === undefined)
    throw new Error(
      `the file is refused: ${diagnostics.map(({ code, message }) => `${code} ${message}`).join("; ")}\n${text}`,
    );
  const selected = selectSignature(graph, signatureName);
  const defaults = evaluateDefaults(graph);
  const dims = bindDims(graph, dimsOf(selected), defaults);
  const prepared = prepareComputation(graph, { kind: "signature", name: signatureName });
  return {
    graph,
    computation: specialise(graph, selected, dims),
    optimised: optimise(graph, prepared, dims),
    feeds: new Map([...defaults].map(([name, { data }]) => [name, data])),
    contents: initialValues(graph),
  };
}

function initialValues(graph: Graph): ReadonlyMap<string, TensorData> {
  const computation = optimise(graph, initialComputation(graph), new Map());
  const context = { seed: graph.seed, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() };
  const { assignments } = evaluate(computation, context);
  return new Map([...assignments].map(([path, value]: [string, ReferenceTensor]) => [path, tensorOf(value).data]));
}

const tensorOf = (value: ReferenceTensor): Tensor => tensorFromReference(value);

/** What laying a file out breaks: the layout of the layout, or the graph. Empty where all is well. */
export function formatProblems(text: string): readonly string[] {
  const first = format(text, fileName);
  if (!first.ok) return ["what the elaborator takes is not formatted"];
  const second = format(first.text, fileName);
  if (!second.ok || second.text !== first.text) return ["the formatted file is formatted otherwise"];
  const [before, after] = [text, first.text].map((one) => printComputation(loadSource(one).computation));
  return before === after ? [] : ["formatting changes the graph"];
}
