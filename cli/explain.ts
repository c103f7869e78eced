import type { ObservedPart } from "../compiler/backends/gpu/observed.js";
import { probe } from "../compiler/backends/llvm/availability.js";
import { beginning } from "../compiler/backends/llvm/excerpt.js";
import { listingsOf } from "../compiler/backends/llvm/listing.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { problem } from "../compiler/ir/codes.js";
import type { DeviceKind } from "../compiler/ir/device.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { type Computation, type Graph, rootsOf } from "../compiler/ir/graph.js";
import { nearestName, pathsWith } from "../compiler/ir/nearest.js";
import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { leavesOf } from "../compiler/kernels/access.js";
import { buildKernels } from "../compiler/kernels/build.js";
import { FusionLog } from "../compiler/kernels/fusion_log.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { workOf } from "../compiler/kernels/work.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import { listNames } from "../runtime/files/errors.js";
import { timesOf } from "../viewer/times.js";
import type { CommonOptions, Console } from "./console.js";
import {
  type Edge,
  type Explained,
  type ExplainedKernel,
  explainedJson,
  explainedText,
  type Listing,
  type Timed,
} from "./explained.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { LoadOptions } from "./load.js";
import { measureOnZeros } from "./measured.js";
import { readProfile } from "./measured_times.js";
import { plural } from "./numbers.js";
import type { Sizes } from "./options.js";
import { type Choice, choicesOf, originRemarks, requireSizes } from "./specialisation.js";
import { requireNative, unplacedOn } from "./target.js";

export interface ExplainOptions extends CommonOptions, LoadOptions {
  readonly signature?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly measure?: boolean | undefined;
  /** A file that `--profile` of `train` or `run` wrote. */
  readonly profile?: string | undefined;
  readonly target?: "cpu" | "gpu" | undefined;
}

/** What became of one edge: where it is written, what it is, which kernels compute it and why those. */
export async function explain(
  console: Console,
  file: string,
  name: string,
  options: ExplainOptions,
): Promise<ExitCode> {
  if (options.measure === true && options.profile !== undefined)
    throw new UsageError("--measure and --profile are two sources of the same times: give one");
  const graph = openGraph(console, file, options);
  const unplaced = unplacedOn(graph, options.target);
  if (unplaced === undefined) requireNative();
  else if (options.measure === true)
    throw new UsageError("--measure is of the cpu: give --target cpu, or --profile with a profile of the gpu");
  const { value, choice } = findEdge(graph, name, options.signature);
  const prepared = prepareComputation(graph, choice.selection);
  const sized = requireSizes(graph, choice, dimsOf(prepared), options.dim);
  const computation = optimise(graph, prepared, sized.dims, { followsPlaces: unplaced !== undefined });
  const parts = await partsOf(computation, unplaced);
  const { part, edge } = edgeIn(parts, value, computation);
  const kernels = part === undefined ? [] : await explainKernels(part, edge?.logged.kernels ?? []);
  const timed =
    part === undefined || kernels.length === 0 ? undefined : await timesFor(parts, part, computation, options);
  const explained: Explained = { graph, name, value, choice, sized, edge, kernels, timed };
  if (console.isJson) console.object(explainedJson(explained));
  else console.print(explainedText(console, explained));
  for (const remark of originRemarks([sized])) console.note(remark);
  if (options.profile !== undefined && timed !== undefined && !kernels.some((kernel) => timed.seconds.has(kernel.name)))
    console.note(`${options.profile} has no times of these kernels: it is of another file, or ran other signatures`);
  return exitCodes.fine;
}

async function timesFor(
  parts: readonly LoggedPart[],
  part: LoggedPart,
  computation: Computation,
  { measure, profile }: ExplainOptions,
): Promise<Timed | undefined> {
  if (profile !== undefined) {
    const { device, times } = await readProfile(profile);
    const seconds = timesOf(computation.name, parts, times)[parts.indexOf(part)] ?? new Map();
    return { seconds, from: `measured by ${profile} on ${device}` };
  }
  const measured = measure === true ? await measureOnZeros(computation) : undefined;
  return measured && { seconds: measured.kernels, from: `measured on zeros, ${plural(measured.runs, "run")}` };
}

/** The named edge, and the first computation that needs it: the one that training does before the others. */
function findEdge(
  graph: Graph,
  name: string,
  wanted: string | undefined,
): { readonly value: Value; readonly choice: Choice } {
  const variable = graph.variables.find(({ path }) => path === name);
  const inMode = (training: boolean): Value | undefined =>
    variable === undefined ? (training ? graph.training : graph.inference).names.get(name) : variable.value;
  if (inMode(true) === undefined && inMode(false) === undefined) throw noEdge(graph, name);
  const trained = graph.train?.run;
  const choices = choicesOf(graph, wanted);
  const ordered = [...choices].sort((a, b) => Number(b.name === trained) - Number(a.name === trained));
  for (const choice of ordered) {
    const signature = graph.signatures.find((candidate) => candidate.name === choice.name);
    const value = inMode(signature?.training ?? false);
    if (value === undefined) continue;
    const selected =
      choice.selection.kind === "signature"
        ? selectSignature(graph, choice.name)
        : selectRequest(graph, choice.selection);
    if (nodesBelow(rootsOf(selected)).includes(value.node)) return { value, choice };
  }
  const value = inMode(true) ?? inMode(false);
  if (value === undefined || wanted !== undefined) {
    const message = `\`${wanted ?? graph.name}\` does not need \`${name}\``;
    throw new GraphError([
      problem("G083", undefined, message, { hint: "without --signature one is chosen that does" }),
    ]);
  }
  return { value, choice: { name, selection: { kind: "request", fetches: [name], updates: [] } } };
}

function noEdge(graph: Graph, name: string): GraphError {
  const names = [...graph.inference.names.keys(), ...graph.variables.map(({ path }) => path)];
  const within = pathsWith(name, names);
  const nearest = within.length === 1 ? within[0] : nearestName(name, names);
  const hint =
    within.length > 1
      ? `names with it are ${listNames(within, 4)}`
      : nearest === undefined
        ? `names are ${listNames(names.filter((known) => !known.includes("/")))}`
        : `did you mean \`${nearest}\`?`;
  return new GraphError([problem("G083", undefined, `there is no edge \`${name}\` in \`${graph.name}\``, { hint })]);
}

/** Kernels of one device, with what was decided on the way. */
interface LoggedPart extends Pick<ObservedPart, "program" | "log" | "launches" | "measured" | "isEvaluated"> {
  readonly device: "cpu" | "gpu";
}

/** All of a computation on the processor, or its parts on both sides. */
async function partsOf(computation: Computation, unplaced: DeviceKind | undefined): Promise<readonly LoggedPart[]> {
  if (unplaced === undefined) {
    const log = new FusionLog();
    const program = buildKernels(computation, hostTarget(), { checkNumerics: false, log });
    return [{ device: "cpu", program, log, launches: new Map(), measured: new Map(), isEvaluated: false }];
  }
  const { observedParts } = await import("../compiler/backends/gpu/observed.js");
  return observedParts(computation, unplaced, hostTarget()).parts.map((part) => ({
    ...part,
    device: part.side === "host" ? "cpu" : "gpu",
  }));
}

/** The last value of the forward pass that stems from the edge: before it come the parts that it is made of. */
function edgeIn(
  parts: readonly LoggedPart[],
  value: Value,
  { sources }: Computation,
): { readonly part: LoggedPart | undefined; readonly edge: Edge | undefined } {
  const stems = (node: Node): boolean => node === value.node || sources.stemsOf(node).includes(value.node);
  const related = parts.flatMap((part) =>
    part.log
      .values(part.program)
      .filter((candidate) => stems(candidate.value.node))
      .map((logged) => ({ part, logged })),
  );
  // Between parts an edge is a placeholder of one and computed by the other.
  const isHandedOn = ({ logged }: (typeof related)[number]): boolean =>
    logged.value.node.op === "placeholder" && value.node.op !== "placeholder";
  const forward = related.filter((one) => !sources.isBackward(one.logged.value.node) && !isHandedOn(one));
  const last = forward.at(-1);
  const backward = related.filter(({ logged }) => sources.isBackward(logged.value.node)).length;
  return { part: last?.part, edge: last && { logged: last.logged, backward } };
}

async function explainKernels(
  { program, launches, device, isEvaluated }: LoggedPart,
  names: readonly string[],
): Promise<readonly ExplainedKernel[]> {
  if (names.length === 0) return [];
  const listings =
    device === "cpu" && !isEvaluated && probe().available ? await listingsOf(program, hostTarget()) : undefined;
  const codeOf = (name: string): readonly Listing[] => {
    const { llvm, assembly } = listings?.get(name) ?? {};
    return [
      ...(llvm === undefined ? [] : [{ form: "LLVM" as const, excerpt: llvm }]),
      ...(assembly === undefined ? [] : [{ form: "assembly" as const, excerpt: assembly }]),
      ...(launches.get(name) ?? []).map(({ source }) => ({ form: "gpu.js" as const, excerpt: beginning(source) })),
    ];
  };
  return leavesOf([...program.compute, ...program.commit])
    .filter(({ name }) => names.includes(name))
    .map((kernel) => ({
      name: kernel.name,
      device,
      isEvaluated,
      kind: kernel.kind,
      work: workOf(kernel, program.buffers),
      text: printKernel(kernel),
      code: codeOf(kernel.name),
    }));
}
