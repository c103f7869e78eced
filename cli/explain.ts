import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Computation } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import type { Node, Value } from "../compiler/ir/node.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { isStored } from "../compiler/kernels/semantics.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import { listNames } from "../runtime/files/errors.js";
import { namesOf } from "../viewer/graph_view.js";
import { type KernelTimes, timesOf } from "../viewer/times.js";
import type { CommonOptions, Console } from "./console.js";
import { type ConstantPlaces, constantPlaces, isMadeAt } from "./constant_places.js";
import {
  explainKernels,
  type Located,
  type LoggedPart,
  type LoweredParts,
  lowered,
  memoryOf,
  storedValue,
  usesOf,
  writersOf,
} from "./explain_kernels.js";
import { kernelsOf, loopOf } from "./explain_loops.js";
import { type Subject, subjectOf } from "./explain_subject.js";
import type { Assigned, Edge, Explained } from "./explained.js";
import { explainedJson } from "./explained_json.js";
import { explainedText } from "./explained_text.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { LoadOptions } from "./load.js";
import { measureOnZeros } from "./measured.js";
import { readProfile } from "./measured_times.js";
import { plural } from "./numbers.js";
import type { Sizes } from "./options.js";
import { originRemarks, requireSizes } from "./specialisation.js";
import { requireDevice, requireNative, unplacedOn } from "./target.js";

export interface ExplainOptions extends CommonOptions, LoadOptions {
  readonly signature?: string | undefined;
  /** The kernel whose code is shown, of several. */
  readonly kernel?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly measure?: boolean | undefined;
  /** A file that `--profile` of `train` or `run` wrote. */
  readonly profile?: string | undefined;
  readonly target?: "cpu" | "gpu" | undefined;
  /** What the gpu is called; its kernels are those of every device. */
  readonly device?: DeviceName | undefined;
}

/**
 * What became of an edge, a variable, a feed, an assignment or an update: where it is written, what it is, which kernels compute, read or
 * write it, and why those.
 */
export async function explain(
  console: Console,
  file: string,
  name: string,
  options: ExplainOptions,
): Promise<ExitCode> {
  if (options.measure === true && options.profile !== undefined)
    throw new UsageError("--measure and --profile are two sources of the same times: give one");
  const graph = openGraph(console, file, options);
  requireDevice(options.target, options.device, graph);
  const unplaced = unplacedOn(graph, options.target);
  if (unplaced === undefined) requireNative();
  else if (options.measure === true) throw new UsageError(gpuMeasured(options));
  const { subject, others } = subjectOf(graph, name, options.signature);
  const { choice } = subject;
  const prepared = prepareComputation(graph, choice.selection);
  const sized = requireSizes(graph, choice, dimsOf(prepared), options.dim);
  const computation = optimise(graph, prepared, sized.dims, { followsPlaces: unplaced !== undefined });
  const all = await lowered(computation, unplaced);
  const constant =
    subject.kind === "value" && subject.value.node.op === "constant"
      ? constantPlaces(subject.name, subject.value.node, graph.sources)
      : undefined;
  const about = aboutOf(subject, constant, computation, all);
  requireKernel(about.kernels, options.kernel, name);
  const measured = about.kernels.length === 0 ? undefined : await timesFor(all.parts, computation, options);
  const times = measured?.times ?? new Map<LoggedPart, KernelTimes>();
  const kernels = await explainKernels(
    about.kernels,
    (part) => times.get(part) ?? new Map(),
    computation.sources,
    namesOf(new Map([...graph.inference.names, ...graph.training.names])),
  );
  const explained: Explained = {
    graph,
    file,
    subject,
    sized,
    constant,
    ...about,
    kernels,
    shown: options.kernel,
    timedFrom: measured?.from,
    hasTwoSides: unplaced !== undefined,
    device: options.device,
  };
  if (console.isJson) console.object(explainedJson(explained, others));
  else console.print(explainedText(console, explained));
  if (others.length > 0) console.note(othersText(name, others));
  for (const remark of originRemarks([sized])) console.note(remark);
  if (options.profile !== undefined && measured !== undefined && kernels.every(({ seconds }) => seconds === undefined))
    console.note(`${options.profile} has no times of these kernels: it is of another file, or ran other signatures`);
  return exitCodes.fine;
}

/** What else a line makes, or where else bodies have the name. */
function othersText(name: string, others: readonly string[]): string {
  const isName = others.every((other) => other.startsWith(":"));
  return isName
    ? `\`${name}\` is also ${others.slice(0, 4).join(", ")}`
    : `that line makes ${listNames(others, 4)}, too`;
}

/** Why --measure is refused there, with the way to times of that side. */
function gpuMeasured({ target, device }: ExplainOptions): string {
  const run = ["train", ...(target === undefined ? [] : ["--target", target])];
  const words = [...run, ...(device === undefined ? [] : ["--device", device]), "--profile OUT.json"].join(" ");
  return `--measure is of the cpu: give --target cpu, or measure a run of the gpu (\`${words}\`, \`run\` likewise) and give --profile OUT.json here`;
}

interface About extends Pick<Explained, "edge" | "memory" | "uses" | "assigned"> {
  readonly kernels: readonly Located[];
}

function aboutOf(
  subject: Subject,
  constant: ConstantPlaces | undefined,
  computation: Computation,
  all: LoweredParts,
): About {
  switch (subject.kind) {
    case "value": {
      const { part, edge } = edgeIn(subject.value, all);
      const inMemory = inMemoryOf(subject.value, edge);
      if (inMemory !== undefined) return aboutMemory(inMemory, constant, edge, computation, all);
      const kernels = part === undefined || edge === undefined ? [] : kernelsOf(edge.logged, part);
      return { edge, memory: undefined, uses: [], assigned: [], kernels };
    }
    case "assignment": {
      const { path } = subject.assignment;
      const { edge, located } = assignedIn(path, computation, all);
      return { edge, memory: undefined, uses: [], assigned: assignedOf([path], computation, all), kernels: located };
    }
    case "update": {
      const paths = subject.update.assignments.map((one) => one.path);
      const located = paths.flatMap((path) => assignedIn(path, computation, all).located);
      return {
        edge: undefined,
        memory: undefined,
        uses: [],
        assigned: assignedOf(paths, computation, all),
        kernels: once(located),
      };
    }
  }
}

/** What is there before the first kernel runs: a variable, a feed, or a constant, whatever passes made of it. */
function inMemoryOf(value: Value, edge: Edge | undefined): Value | undefined {
  const { op } = value.node;
  const last = edge?.logged.value;
  if (op === "variable" || op === "placeholder" || (op === "constant" && last === undefined)) return value;
  // What a loop hands its body lies in no memory of the session.
  if (last === undefined || last.node.op === "parameter") return undefined;
  // A number that is a result is written by a kernel.
  const isInCode = last.node.op === "constant" && edge?.logged.kept === "nowhere";
  return isStored(last) || isInCode ? last : undefined;
}

function aboutMemory(
  value: Value,
  constant: ConstantPlaces | undefined,
  edge: Edge | undefined,
  computation: Computation,
  all: LoweredParts,
): About {
  const own = constant && usesOf(value, all, (reader) => isMadeAt(reader, constant.own, all.sources));
  // Where passes have left no reader that stands in the name's own text, those of all equal numbers are what is known.
  const uses = own !== undefined && own.length > 0 ? own : usesOf(value, all);
  const path = String(value.node.attributes["path"]);
  const isAssigned = value.node.op === "variable" && computation.assignments.some((one) => one.path === path);
  return {
    edge,
    memory: memoryOf(value, all),
    uses: uses.map(({ use }) => use),
    assigned: isAssigned ? assignedOf([path], computation, all) : [],
    kernels: once(uses.map(({ part, use }) => ({ part, name: use.kernel }))),
  };
}

function once(located: readonly Located[]): readonly Located[] {
  return located.filter(
    ({ part, name }, i) => located.findIndex((other) => other.part === part && other.name === name) === i,
  );
}

function assignedOf(paths: readonly string[], computation: Computation, all: LoweredParts): readonly Assigned[] {
  return paths.flatMap((path): readonly Assigned[] => {
    const value = computation.assignments.find((one) => one.path === path)?.value;
    if (value === undefined) return [];
    return [{ path, value, kernels: assignedIn(path, computation, all).located.map(({ name }) => name) }];
  });
}

/** What is left of a variable's new value, and the kernels that write it, or compute it for those that do. */
function assignedIn(
  path: string,
  computation: Computation,
  all: LoweredParts,
): { readonly edge: Edge | undefined; readonly located: readonly Located[] } {
  const value = computation.assignments.find((one) => one.path === path)?.value;
  if (value === undefined) return { edge: undefined, located: [] };
  const found = storedValue(path, all) ?? all.values.findLast(({ logged }) => logged.value === value);
  const computing = found === undefined ? [] : kernelsOf(found.logged, found.part);
  return {
    edge: found && { logged: found.logged, backward: 0, loop: loopOf(found.logged, found.part, all) },
    located: once([...writersOf(path, all), ...computing]),
  };
}

/** The last value of the forward pass that stems from the edge: before it come the parts that it is made of. */
function edgeIn(
  value: Value,
  all: LoweredParts,
): { readonly part: LoggedPart | undefined; readonly edge: Edge | undefined } {
  const { values, sources } = all;
  const stems = (node: Node): boolean => node === value.node || sources.stemsOf(node).includes(value.node);
  const related = values.filter(({ logged }) => stems(logged.value.node));
  // Between parts an edge is a placeholder of one and computed by the other.
  const isHandedOn = ({ logged }: (typeof related)[number]): boolean =>
    logged.value.node.op === "placeholder" && value.node.op !== "placeholder";
  const forward = related.filter((one) => !sources.isBackward(one.logged.value.node) && !isHandedOn(one));
  // Of a node with several outputs, as a loop has, the one that stands for this one.
  const own = forward.filter((one) => sources.resultsOf(one.logged.value).includes(value));
  const last = (own.length > 0 ? own : forward).at(-1);
  const backward = related.filter(({ logged }) => sources.isBackward(logged.value.node)).length;
  return {
    part: last?.part,
    edge: last && { logged: last.logged, backward, loop: loopOf(last.logged, last.part, all) },
  };
}

function requireKernel(kernels: readonly Located[], wanted: string | undefined, name: string): void {
  if (wanted === undefined || kernels.some((kernel) => kernel.name === wanted)) return;
  const names = kernels.map((kernel) => kernel.name);
  const nearest = nearestName(wanted, names);
  const list = names.length === 0 ? "no kernel does" : `those that do are ${listNames(names)}`;
  const hint = nearest === undefined ? list : `did you mean \`${nearest}\`?`;
  throw new GraphError([problem("G083", undefined, `no kernel \`${wanted}\` has to do with \`${name}\``, { hint })]);
}

interface Times {
  readonly times: ReadonlyMap<LoggedPart, KernelTimes>;
  readonly from: string;
}

async function timesFor(
  parts: readonly LoggedPart[],
  computation: Computation,
  { measure, profile }: ExplainOptions,
): Promise<Times | undefined> {
  if (profile !== undefined) {
    const { device, times } = await readProfile(profile);
    const found = timesOf(computation.name, parts, times);
    return {
      times: new Map(parts.map((part, i) => [part, found[i] ?? new Map()])),
      from: `measured by ${profile} on ${device}`,
    };
  }
  const measured = measure === true ? await measureOnZeros(computation) : undefined;
  return (
    measured && {
      times: new Map(parts.map((part) => [part, measured.kernels])),
      from: `measured on zeros, ${plural(measured.runs, "run")}`,
    }
  );
}
