import { differentiate } from "./autodiff/differentiate.js";
import type { Backend, Compiled, CompileOptions } from "./backends/backend.js";
import { referenceBackend } from "./backends/reference/backend.js";
import { evaluate } from "./backends/reference/evaluate.js";
import { GraphError } from "./ir/diagnostic.js";
import type { Computation, Graph } from "./ir/graph.js";
import { defaultsComputation, initialComputation, type Request, selectRequest, selectSignature } from "./ir/select.js";
import { elementCount, type Tensor } from "./ir/tensor.js";
import { staticShape } from "./ir/type.js";
import type { ReferenceTensor } from "./ops/define.js";
import { tensorFromReference } from "./ops/precision.js";
import { beforeGradients, pipeline, runPipeline } from "./passes/pipeline.js";
import { specialise } from "./passes/specialise.js";

/** Variables with no more elements than this in all get their first values from the reference evaluator. */
const fewElements = 16384;

/** What a run computes: a signature by its name, or any fetches and updates. */
export type Selection =
  | { readonly kind: "signature"; readonly name: string }
  | ({ readonly kind: "request" } & Request);

/** A selection cut out of the graph and differentiated; its dims are still symbolic. */
export interface Prepared {
  readonly key: string;
  readonly computation: Computation;
}

/**
 * A graph on a target: typed, differentiated on demand, and compiled for each binding of its dims when first run so. Shared
 * by any number of sessions.
 */
export class Program {
  readonly graph: Graph;
  readonly backend: Backend;
  /** How many specialisations of one request are kept: a program run with ever new sizes must not grow. */
  readonly keptSpecialisations = 16;
  /** What computes the variables' first values. */
  readonly initial: Compiled;
  /** The placeholders' default values. */
  readonly defaults: ReadonlyMap<string, Tensor>;
  readonly #options: CompileOptions;
  readonly #prepared = new Map<string, Prepared>();
  readonly #compiled = new Map<string, Map<string, Promise<Compiled>>>();

  private constructor(graph: Graph, backend: Backend, options: CompileOptions, initial: Compiled) {
    this.graph = graph;
    this.backend = backend;
    this.#options = options;
    this.initial = initial;
    this.defaults = evaluateDefaults(graph);
  }

  /**
   * Readies a graph for a target. The variables' first values are computed by the target where there are many, else by the
   * reference evaluator, which needs no compilation: which of the two depends on the graph alone, so that they are always the same.
   */
  static async create(graph: Graph, backend: Backend, options: CompileOptions): Promise<Program> {
    const computation = optimise(graph, initialComputation(graph), new Map());
    const elements = graph.variables.reduce((sum, { value }) => sum + elementCount(staticShape(value.type)), 0);
    const maker = elements <= fewElements ? referenceBackend() : backend;
    return new Program(graph, backend, options, await maker.compile(computation, { checkNumerics: false }));
  }

  /** Cuts out and differentiates what a run computes. Throws GraphError for unknown names and cut gradients. */
  prepare(selection: Selection): Prepared {
    const key = selectionKey(selection);
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const prepared = { key, computation: prepareComputation(this.graph, selection) };
    this.#prepared.set(key, prepared);
    return prepared;
  }

  /** The code for one binding of the dims; compiled at most once while it is among the last ones used. */
  compile(prepared: Prepared, dims: ReadonlyMap<string, number>): Promise<Compiled> {
    const sizes = [...dims].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, size]) => `${name}=${size}`);
    const key = sizes.join(",");
    let specialisations = this.#compiled.get(prepared.key);
    if (specialisations === undefined) {
      specialisations = new Map();
      this.#compiled.set(prepared.key, specialisations);
    }
    const known = specialisations.get(key);
    if (known !== undefined) {
      specialisations.delete(key);
      specialisations.set(key, known);
      return known;
    }
    const compiled = this.#compile(prepared, dims);
    specialisations.set(key, compiled);
    compiled.catch(() => specialisations.delete(key));
    for (const oldest of specialisations.keys()) {
      if (specialisations.size <= this.keptSpecialisations) break;
      specialisations.delete(oldest);
    }
    return compiled;
  }

  async #compile(prepared: Prepared, dims: ReadonlyMap<string, number>): Promise<Compiled> {
    const computation = optimise(this.graph, prepared.computation, dims);
    return this.backend.compile(computation, this.#options);
  }
}

/** Graph -> Computation with dims still symbolic and gradients expanded. Throws GraphError. */
export function prepareComputation(graph: Graph, selection: Selection): Computation {
  const selected =
    selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
  const { computation, diagnostics } = differentiate(runPipeline(beforeGradients, selected));
  if (diagnostics.some((d) => d.severity === "error")) throw new GraphError(diagnostics);
  return computation;
}

/** Binds the dims and runs the passes: what back ends take. Throws GraphError where sizes do not fit. */
export function optimise(graph: Graph, computation: Computation, dims: ReadonlyMap<string, number>): Computation {
  return runPipeline(pipeline, specialise(graph, computation, dims));
}

/** The default values of a graph's placeholders, by name. */
function evaluateDefaults(graph: Graph): ReadonlyMap<string, Tensor> {
  const computation = defaultsComputation(graph);
  const context = { seed: graph.seed, step: 0n, runsSinceStep: 0n, feeds: new Map(), variables: new Map() };
  const { outputs } = evaluate(computation, context);
  return new Map(computation.outputs.map(({ name }, i) => [name, tensorFromReference(outputs[i] as ReferenceTensor)]));
}

function selectionKey(selection: Selection): string {
  if (selection.kind === "signature") return `signature ${selection.name}`;
  return `request ${JSON.stringify([selection.fetches, selection.updates, selection.training ?? null])}`;
}
