import type { Backend, Compiled, CompileOptions } from "./backends/backend.js";
import type { RunOutcome, StorageBlock } from "./backends/executable.js";
import { InternalError } from "./ir/diagnostic.js";
import type { Computation, Graph, Parameter } from "./ir/graph.js";
import type { GraphTypes } from "./ir/graph_types.js";
import type { Request } from "./ir/select.js";
import { dimsOf } from "./ir/specialise.js";
import { copyElements, type Tensor, type TensorData } from "./ir/tensor.js";

/** What a run computes: a signature by its name, or any fetches and updates. */
export type Selection =
  | { readonly kind: "signature"; readonly name: string }
  | ({ readonly kind: "request" } & Request);

/** What has to be known of a selection to feed it, before there is code for it. Plain data. */
export interface PreparedFacts {
  /** For messages. */
  readonly name: string;
  readonly placeholders: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  /** Paths of the variables that it reads or assigns. */
  readonly variables: readonly string[];
  /** Paths of those that it assigns. */
  readonly assigned: readonly string[];
  /** The declared dims that it mentions. */
  readonly dims: ReadonlySet<string>;
}

/** A selection cut out of the graph and differentiated; its dims are still symbolic. */
export interface Prepared extends PreparedFacts {
  readonly key: string;
  /** Made when first asked for, where the facts came from the cache. */
  readonly computation: () => Promise<Computation>;
}

/** What of one program is kept from process to process, as plain data by the name of the part. */
export interface ProgramStore {
  readonly read: <T>(part: Part<T>) => T | undefined;
  readonly write: <T>(part: Part<T>, content: T) => void;
}

/** The name of a part and, for the compiler, what it holds. */
export interface Part<T> {
  readonly name: string;
  readonly holds?: T;
}

const noStore: ProgramStore = { read: () => undefined, write: () => undefined };

/** What is kept of a program on a target besides its selections. */
interface Start {
  readonly defaults: ReadonlyMap<string, Tensor>;
  readonly initial:
    | { readonly kind: "values"; readonly values: ReadonlyMap<string, TensorData> }
    | { readonly kind: "code"; readonly saved: unknown };
}

/** Gives the variables their first values. */
type Initialise = (blocks: ReadonlyMap<string, StorageBlock>, seed: bigint) => RunOutcome;

/**
 * A graph on a target: typed, differentiated on demand, and compiled for each binding of its dims when first run so. Shared
 * by any number of sessions.
 */
export class Program<out G extends GraphTypes = GraphTypes> {
  /** What TypeScript knows of the graph; never there. */
  declare readonly types?: G;
  readonly graph: Graph;
  readonly backend: Backend;
  /** How many specialisations of one request are kept: a program run with ever new sizes must not grow. */
  readonly keptSpecialisations = 16;
  /** The placeholders' default values. */
  readonly defaults: ReadonlyMap<string, Tensor>;
  /** Gives the variables their first values. */
  readonly initialise: Initialise;
  readonly #options: CompileOptions;
  readonly #store: ProgramStore;
  readonly #prepared = new Map<string, Promise<Prepared>>();
  readonly #compiled = new Map<string, Map<string, Promise<Compiled>>>();

  private constructor(
    graph: Graph,
    backend: Backend,
    options: CompileOptions,
    store: ProgramStore,
    start: { readonly defaults: ReadonlyMap<string, Tensor>; readonly initialise: Initialise },
  ) {
    this.graph = graph;
    this.backend = backend;
    this.defaults = start.defaults;
    this.initialise = start.initialise;
    this.#options = options;
    this.#store = store;
  }

  /** Readies a graph for a target. What `store` has of it is not made again, and what it has not is kept there. */
  static async create<G extends GraphTypes = GraphTypes>(
    graph: Graph,
    backend: Backend,
    options: CompileOptions,
    store = noStore,
  ): Promise<Program<G>> {
    const part: Part<Start> = { name: `start\n${targetOf(backend)}` };
    const known = store.read(part);
    const initialise = known === undefined ? undefined : restoreInitial(known.initial, backend);
    if (known !== undefined && initialise !== undefined) {
      return new Program(graph, backend, options, store, { defaults: known.defaults, initialise });
    }
    const { evaluateDefaults, prepareInitial } = await import("./prepare.js");
    const defaults = evaluateDefaults(graph);
    const { compiled, values } = await prepareInitial(graph, backend);
    if (values !== undefined) store.write(part, { defaults, initial: { kind: "values", values } });
    else if (compiled.saved !== undefined)
      store.write(part, { defaults, initial: { kind: "code", saved: compiled.saved } });
    return new Program(graph, backend, options, store, { defaults, initialise: initialiseBy(compiled) });
  }

  /** Cuts out and differentiates what a run computes. Rejects with GraphError for unknown names and cut gradients. */
  prepare(selection: Selection): Promise<Prepared> {
    const key = selectionKey(selection);
    const known = this.#prepared.get(key);
    if (known !== undefined) return known;
    const prepared = this.#prepare(key, selection);
    this.#prepared.set(key, prepared);
    prepared.catch(() => this.#prepared.delete(key));
    return prepared;
  }

  async #prepare(key: string, selection: Selection): Promise<Prepared> {
    let made: Promise<Computation> | undefined;
    const computation = (): Promise<Computation> => {
      made ??= import("./prepare.js").then(({ prepareComputation }) => prepareComputation(this.graph, selection));
      return made;
    };
    const part: Part<PreparedFacts> = { name: `prepared\n${key}` };
    let facts = this.#store.read(part);
    if (facts === undefined) {
      facts = factsOf(await computation());
      this.#store.write(part, facts);
    }
    return { ...facts, key, computation };
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
    const compiled = this.#compile(prepared, dims, key);
    specialisations.set(key, compiled);
    compiled.catch(() => specialisations.delete(key));
    for (const oldest of specialisations.keys()) {
      if (specialisations.size <= this.keptSpecialisations) break;
      specialisations.delete(oldest);
    }
    return compiled;
  }

  async #compile(prepared: Prepared, dims: ReadonlyMap<string, number>, sizes: string): Promise<Compiled> {
    const { backend } = this;
    const options = JSON.stringify(this.#options);
    const part: Part<unknown> = { name: ["code", prepared.key, sizes, options, targetOf(backend)].join("\n") };
    const saved = this.#store.read(part);
    const restored = saved === undefined ? undefined : backend.restore(saved);
    if (restored !== undefined) return restored;
    const { optimise } = await import("./prepare.js");
    const compiled = await backend.compile(
      optimise(this.graph, await prepared.computation(), dims, backend),
      this.#options,
    );
    if (compiled.saved !== undefined) this.#store.write(part, compiled.saved);
    return compiled;
  }
}

function factsOf({ name, placeholders, variables, outputs, assignments, ...rest }: Computation): PreparedFacts {
  return {
    name,
    placeholders,
    outputs: outputs.map((output) => ({ name: output.name, type: output.value.type })),
    variables: variables.map(({ name }) => name),
    assigned: assignments.map(({ path }) => path),
    dims: dimsOf({ name, placeholders, variables, outputs, assignments, ...rest }),
  };
}

function targetOf({ target, identity }: Backend): string {
  return `${target} ${identity}`;
}

function selectionKey(selection: Selection): string {
  if (selection.kind === "signature") return `signature ${selection.name}`;
  return `request ${JSON.stringify([selection.fetches, selection.updates, selection.training ?? null])}`;
}

function initialiseBy(compiled: Compiled): Initialise {
  return (blocks, seed) => {
    const executable = compiled.bind(new Map([...blocks].map(([path, block]) => [path, block.mirror?.host ?? block])));
    try {
      return executable.run(new Map(), { seed, step: 0n, runsSinceStep: 0n });
    } finally {
      executable.close();
    }
  };
}

function restoreInitial(initial: Start["initial"], backend: Backend): Initialise | undefined {
  if (initial.kind === "values") return initialiseFrom(initial.values);
  const compiled = (backend.initialiser ?? backend).restore(initial.saved);
  return compiled === undefined ? undefined : initialiseBy(compiled);
}

function initialiseFrom(values: ReadonlyMap<string, TensorData>): Initialise {
  return (blocks) => {
    for (const [path, data] of values) {
      const block = blocks.get(path);
      if (block === undefined) throw new InternalError(`the variable ${path} has no storage`);
      copyElements(block.data, data);
    }
    return { kind: "done", outputs: [] };
  };
}
