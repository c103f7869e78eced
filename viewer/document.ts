import { type Computation, type Graph, rootsOf, type Variable } from "../compiler/ir/graph.js";
import { type Node, nodesBelow } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { type Fate, fatesOf } from "../compiler/ir/trained.js";
import type { ObservedKernel } from "../compiler/kernels/block.js";
import { buildKernels } from "../compiler/kernels/build.js";
import type { KernelProgram } from "../compiler/kernels/form.js";
import { FusionLog, wholeRun } from "../compiler/kernels/fusion_log.js";
import type { TargetLimits } from "../compiler/kernels/schedule.js";
import { ops } from "../compiler/ops/table.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import type { Selection } from "../compiler/program.js";
import { version } from "../compiler/version.js";
import { bufferNames } from "./buffer_names.js";
import { type Stems, ViewBuilder, type ViewContext } from "./builder.js";
import { type BuiltInTexts, FunctionTable } from "./calls.js";
import { inlinedText } from "./constants.js";
import { GivenBoxes } from "./given.js";
import { addComputation, namesOf } from "./graph_view.js";
import { type Naming, withParts } from "./grouping.js";
import { addKernels } from "./kernel_view.js";
import { LineTable } from "./lines.js";
import { memoryOf, memoryOfParts } from "./memory.js";
import type { MemoryModel, ProgramModel, VariableModel, ViewerDocument, ViewModel } from "./model.js";
import { type Placing, withSides } from "./placement.js";
import { addParts, type Lowered } from "./sides.js";
import { type Declared, Stages } from "./stages.js";
import { gatherState } from "./state.js";
import { addStrings, stringsOf } from "./strings.js";
import { type KernelTimes, timesOf } from "./times.js";
import { Words } from "./words.js";

/** One thing that the graph computes, as the picture shows it. */
export interface Shown {
  readonly name: string;
  readonly title: string;
  readonly selection: Selection;
  readonly sizes: ReadonlyMap<string, number>;
  /** Dims that nothing decides: there are no kernels then. */
  readonly open: readonly string[];
}

export interface DocumentOptions {
  readonly file: string;
  readonly textOf: (file: string) => string | undefined;
  /** What kernels are made for. */
  readonly target: TargetLimits;
  readonly device: string;
  /** What the panel says of built-in functions. */
  readonly builtInOf?: BuiltInTexts;
  /** Measured seconds of one call of each kernel, by the name of what ran. */
  readonly times?: ReadonlyMap<string, KernelTimes>;
  /** Is told the kernels of each program, for whoever compiles them: see `withCode`. */
  readonly onKernels?: (name: string, kernels: KernelProgram) => void;
  /** Where a device has a share: how kernels are made there, and where things lie; `target` has all else. */
  readonly lower?: Lower | undefined;
  readonly placing?: Placing | undefined;
}

/** Makes the kernels of a computation: see `lowerForDevice`. */
export type Lower = (computation: Computation) => Lowered;

/** More nodes than this are not lowered: kernels of so large a graph take minutes. */
const mostLowered = 20_000;

/** The document of a graph: each of its programs as it is written, with gradients, and as kernels. Throws GraphError. */
export function documentOf(graph: Graph, shown: readonly Shown[], options: DocumentOptions): ViewerDocument {
  const lines = new LineTable(options.textOf);
  const functions = new FunctionTable(lines, options.builtInOf);
  const programs = shown.map((one) => programModel(graph, one, { lines, functions }, options));
  const fates = fatesOf(graph);
  const used = new Set(programs.flatMap(({ views }) => views.flatMap(({ nodes }) => nodes.map(({ op }) => op))));
  return {
    format: 1,
    generator: `graphc ${version}`,
    graph: graph.name,
    file: options.file,
    programs,
    ops: [...ops].flatMap(([name, { doc }]) => (used.has(name) ? [[name, doc] as const] : [])),
    functions: functions.functions,
    variables: graph.variables.map((variable) => variableModel(variable, graph, fates, lines)),
    lines: lines.lines,
  };
}

function variableModel(
  { path, initial }: Variable,
  { sources }: Graph,
  fates: ReadonlyMap<string, Fate>,
  lines: LineTable,
): VariableModel {
  const literal = inlinedText(initial);
  return {
    name: path,
    isTrained: fates.get(path)?.kind === "trained",
    initial: literal ?? initial.node.op,
    places: literal === undefined ? lines.places(sources.spansOf(initial.node)) : [],
  };
}

function programModel(
  graph: Graph,
  shown: Shown,
  tables: Pick<ViewContext, "lines" | "functions">,
  options: DocumentOptions,
): ProgramModel {
  const { selection, sizes } = shown;
  const selected = selectedFrom(graph, selection);
  const { sources } = selected;
  const isTraining = isTrained(graph, selection);
  const mode = isTraining ? graph.training : graph.inference;
  const names = namesOf(mode.names);
  const { placing } = options;
  const context: ViewContext = {
    ...tables,
    sources,
    sizes,
    isTraining,
    names,
    words: new Words(selected, sources),
    placing,
  };
  const source = new ViewBuilder(context, noStems);
  const made = addComputation(source, selected, names);
  const strings = stringsOf(graph, selection);
  const naming: Naming = { lines: tables.lines.lines, nameOf: (stem) => source.nodes[stem]?.name };
  const stems = { ...made, sinks: new Map([...made.sinks, ...addStrings(source, strings)]) };
  const prepared = prepareComputation(graph, selection);
  const gradients = new ViewBuilder(context, stems);
  addComputation(gradients, prepared, names);
  addStrings(gradients, strings);
  const { view: kernels, memory } = kernelView(
    graph,
    shown,
    prepared,
    new ViewBuilder({ ...context, placing: undefined }, stems),
    {
      ...options,
      losses: lossesOf(selected),
      names,
      naming,
    },
  );
  return {
    name: shown.name,
    kind: selection.kind,
    title: shown.title,
    sizes: [...sizes].map(([name, size]) => `${name} = ${size}`).join(", "),
    views: [finished(source.view("source"), naming), finished(gradients.view("gradients"), naming), kernels],
    names: [...mode.names].flatMap(([name, { node }]) => {
      const at = stems.nodes.get(node);
      return at === undefined ? [] : [[name, at] as const];
    }),
    memory,
    unlisted: undefined,
  };
}

const noStems: Stems = { nodes: new Map(), sinks: new Map() };

function finished(view: Omit<ViewModel, "missing">, naming: Naming): ViewModel {
  const { nodes, groups } = withParts(view.nodes, view.groups, naming);
  return { ...view, nodes, groups: withSides(nodes, groups), missing: undefined };
}

function kernelView(
  graph: Graph,
  shown: Shown,
  prepared: Computation,
  builder: ViewBuilder,
  options: DocumentOptions & Pick<Declared, "losses" | "names"> & { readonly naming: Naming },
): { readonly view: ViewModel; readonly memory: MemoryModel | undefined } {
  const without = (missing: string) => ({ view: { ...builder.view("kernels"), missing }, memory: undefined });
  if (shown.open.length > 0) {
    const dims = shown.open.map((name) => `--dim ${name}=32`).join(" ");
    return without(`Kernels have sizes, and ${shown.open.join(", ")} is not known: draw the file with ${dims}.`);
  }
  if (nodesBelow(rootsOf(prepared)).length > mostLowered)
    return without(`Only graphs of up to ${mostLowered} ops are shown as kernels: this one would take minutes.`);
  const { lower, losses, names, naming } = options;
  const trained = new Set(graph.variables.flatMap(({ path, trainable }) => (trainable ? [path] : [])));
  const stages = new Stages(builder, { losses, trained, names });
  const computation = optimise(graph, prepared, shown.sizes, { followsPlaces: lower !== undefined });
  if (lower !== undefined) {
    const lowered = lower(computation);
    const times = timesOf(computation.name, lowered.parts, options.times ?? new Map());
    const sides = addParts(builder, computation, lowered, times, stages);
    gatherState(builder, graph);
    for (const side of sides) stages.arrange(side);
    addStrings(builder, stringsOf(graph, shown.selection));
    for (const { program, isCompiled } of lowered.parts) if (isCompiled) options.onKernels?.(shown.name, program);
    return {
      view: finished(builder.view("kernels"), naming),
      memory: memoryOfParts(
        lowered.parts.map(({ program, observed: seen }) => ({
          program,
          names: bufferNames(program, seen, computation.sources, names),
        })),
      ),
    };
  }
  const observed = new Map<string, ObservedKernel>();
  const log = new FusionLog();
  const program = buildKernels(computation, options.target, {
    checkNumerics: false,
    log,
    observe: (name, kernel) => observed.set(name, kernel),
  });
  options.onKernels?.(shown.name, program);
  const part = {
    program,
    observed,
    log,
    run: wholeRun,
    device: options.device,
    shown: options.device,
    measured: new Map(),
    listings: new Map(),
    isCompiled: true,
  };
  const [times = new Map()] = timesOf(program.name, [part], options.times ?? new Map());
  const given = new GivenBoxes(builder);
  given.learn(observed);
  const outputs = addKernels(builder, part, times, {
    group: -1,
    base: 0,
    given: (buffer) => given.placesOf(buffer, -1),
    assigned: new Map(),
    stages,
  });
  for (const [name, places] of outputs) builder.sink("output", name, places, "forward", -1);
  gatherState(builder, graph);
  stages.arrange(-1);
  addStrings(builder, stringsOf(graph, shown.selection));
  return {
    view: finished(builder.view("kernels"), naming),
    memory: memoryOf(program, bufferNames(program, observed, computation.sources, names)),
  };
}

/** What gradients are taken of. */
function lossesOf(selected: Computation): ReadonlySet<Node> {
  const requests = nodesBelow(rootsOf(selected)).filter(({ op }) => op === "gradients");
  return new Set(requests.flatMap(({ inputs: [loss] }) => loss?.node ?? []));
}

function selectedFrom(graph: Graph, selection: Selection): Computation {
  return selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
}

function isTrained(graph: Graph, selection: Selection): boolean {
  if (selection.kind === "request") return selection.training ?? selection.updates.length > 0;
  return graph.signatures.find(({ name }) => name === selection.name)?.training === true;
}
