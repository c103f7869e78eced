import { differentiate } from "./autodiff/differentiate.js";
import type { Backend, Compiled } from "./backends/backend.js";
import type { StorageBlock } from "./backends/executable.js";
import { referenceBackend } from "./backends/reference/backend.js";
import { evaluate } from "./backends/reference/evaluate.js";
import { GraphError } from "./ir/diagnostic.js";
import { type Computation, type Graph, rootsOf } from "./ir/graph.js";
import { nodesBelow } from "./ir/node.js";
import { defaultsComputation, initialComputation, selectRequest, selectSignature } from "./ir/select.js";
import { elementCount, type Tensor, type TensorData } from "./ir/tensor.js";
import { staticShape } from "./ir/type.js";
import type { ReferenceTensor } from "./ops/define.js";
import { tensorFromReference } from "./ops/precision.js";
import { runState } from "./ops/sources.js";
import { beforeGradients, pipeline, runPipeline } from "./passes/pipeline.js";
import { specialise } from "./passes/specialise.js";
import { withoutPlaces } from "./passes/unplace.js";
import type { Selection } from "./program.js";

/**
 * From a graph to what back ends take. A program asks for these when it needs them: where all that it runs comes from the cache,
 * neither the ops nor the passes are loaded.
 */

/** Variables with no more elements than this in all get their first values from the reference evaluator. */
const fewElements = 16384;

/** Graph -> Computation with dims still symbolic and gradients expanded. Throws GraphError. */
export function prepareComputation(graph: Graph, selection: Selection): Computation {
  const selected =
    selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
  const { computation, diagnostics } = differentiate(runPipeline(beforeGradients, selected));
  if (diagnostics.some((d) => d.severity === "error")) throw new GraphError(diagnostics);
  return computation;
}

/**
 * Binds the dims and runs the passes: what back ends take. Nothing is placed any more where the back end does not follow that. Throws
 * GraphError where sizes do not fit.
 */
export function optimise(
  graph: Graph,
  computation: Computation,
  dims: ReadonlyMap<string, number>,
  { followsPlaces = false }: { readonly followsPlaces?: boolean } = {},
): Computation {
  const bound = specialise(graph, computation, dims);
  return runPipeline(pipeline, followsPlaces || graph.devices.size === 0 ? bound : withoutPlaces(bound));
}

/** The default values of a graph's placeholders, by name. */
export function evaluateDefaults(graph: Graph): ReadonlyMap<string, Tensor> {
  const computation = defaultsComputation(graph);
  const context = { seed: graph.seed, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() };
  const { outputs } = evaluate(computation, context);
  return new Map(computation.outputs.map(({ name }, i) => [name, tensorFromReference(outputs[i] as ReferenceTensor)]));
}

/** What gives the variables their first values. */
export interface InitialValues {
  readonly compiled: Compiled;
  /** The values themselves, where they are few and depend on no seed. */
  readonly values: ReadonlyMap<string, TensorData> | undefined;
}

/**
 * The variables' first values are computed by the target where there are many, else by the reference evaluator, which needs no
 * compilation: which of the two depends on the graph alone, so that they are always the same.
 */
export async function prepareInitial(graph: Graph, backend: Backend): Promise<InitialValues> {
  const computation = optimise(graph, initialComputation(graph), new Map());
  const elements = graph.variables.reduce((sum, { value }) => sum + elementCount(staticShape(value.type)), 0);
  const isFew = elements <= fewElements;
  const maker = isFew ? referenceBackend() : (backend.initialiser ?? backend);
  const compiled = await maker.compile(computation, { checkNumerics: false });
  const draws = nodesBelow(rootsOf(computation)).some((node) => node.op === runState.opName);
  return { compiled, values: isFew && !draws ? evaluateInitial(compiled) : undefined };
}

/** Undefined where a check fails: whoever makes a session is told then. */
function evaluateInitial(compiled: Compiled): ReadonlyMap<string, TensorData> | undefined {
  const { memory } = referenceBackend();
  const blocks = new Map<string, StorageBlock>(
    compiled.info.variables.map(({ name, dtype, shape }) => [name, memory.allocate(dtype, elementCount(shape))]),
  );
  const executable = compiled.bind(blocks);
  const outcome = executable.run(new Map(), { seed: 0n, step: 0n, runsSinceStep: 0n });
  executable.close();
  return outcome.kind === "failed" ? undefined : new Map([...blocks].map(([name, { data }]) => [name, data]));
}
