import type { Excerpt } from "../compiler/backends/llvm/excerpt.js";
import { listingsOf } from "../compiler/backends/llvm/listing.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import { byteSize } from "../compiler/ir/dtype.js";
import { type Computation, type Graph, rootsOf } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { type Node, nodesBelow, type Value } from "../compiler/ir/node.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { staticShape, typeText } from "../compiler/ir/type.js";
import { leavesOf } from "../compiler/kernels/access.js";
import { buildKernels } from "../compiler/kernels/build.js";
import type { KernelProgram } from "../compiler/kernels/form.js";
import { FusionLog, fusionTexts, type LoggedValue, planReasonText } from "../compiler/kernels/fusion_log.js";
import { printKernel } from "../compiler/kernels/printer.js";
import { type KernelWork, workOf } from "../compiler/kernels/work.js";
import { opNamed } from "../compiler/ops/table.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import { indexLines, lineIndex, lineText } from "../dsl/source-text.js";
import { listNames } from "../runtime/files/errors.js";
import { timesOf } from "../viewer/kernel_view.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import type { JsonValue } from "./json.js";
import type { LoadOptions } from "./load.js";
import { measureOnZeros } from "./measured.js";
import { readProfile } from "./measured_times.js";
import { bytesText, countText, durationText, plural } from "./numbers.js";
import type { Sizes } from "./options.js";
import { placeOf } from "./profile.js";
import { sourceText } from "./source.js";
import { type Choice, choicesOf, originRemarks, requireSizes, type Sized, sizesText } from "./specialisation.js";
import { requireNative } from "./target.js";

export interface ExplainOptions extends CommonOptions, LoadOptions {
  readonly signature?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly measure?: boolean | undefined;
  /** A file that `--profile` of `train` or `run` wrote. */
  readonly profile?: string | undefined;
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
  requireNative();
  const graph = openGraph(console, file, options);
  const { value, choice } = findEdge(graph, name, options.signature);
  const prepared = prepareComputation(graph, choice.selection);
  const sized = requireSizes(graph, choice, dimsOf(prepared), options.dim);
  const computation = optimise(graph, prepared, sized.dims);
  const log = new FusionLog();
  const program = buildKernels(computation, hostTarget(), { checkNumerics: false, log });
  const edge = edgeOf(value, computation, log.values(program));
  const kernels = await explainKernels(program, edge?.logged.kernels ?? []);
  const timed = kernels.length === 0 ? undefined : await timesFor(program, computation, options);
  const explained: Explained = { graph, name, value, choice, sized, edge, kernels, timed };
  if (console.isJson) console.object(explainedJson(explained));
  else console.print(explainedText(console, explained));
  for (const remark of originRemarks([sized])) console.note(remark);
  if (options.profile !== undefined && timed !== undefined && !kernels.some((kernel) => timed.seconds.has(kernel.name)))
    console.note(`${options.profile} has no times of these kernels: it is of another file, or ran other signatures`);
  return exitCodes.fine;
}

/** Seconds of a call by kernel, and where they are from. */
interface Timed {
  readonly seconds: ReadonlyMap<string, number>;
  readonly from: string;
}

async function timesFor(
  program: KernelProgram,
  computation: Computation,
  { measure, profile }: ExplainOptions,
): Promise<Timed | undefined> {
  if (profile !== undefined) {
    const { device, times } = await readProfile(profile);
    return { seconds: timesOf(program, times), from: `measured by ${profile} on ${device}` };
  }
  const measured = measure === true ? await measureOnZeros(computation) : undefined;
  return measured && { seconds: measured.kernels, from: `measured on zeros, ${plural(measured.runs, "run")}` };
}

interface Explained {
  readonly graph: Graph;
  readonly name: string;
  /** As typed. */
  readonly value: Value;
  readonly choice: Choice;
  readonly sized: Sized;
  readonly edge: Edge | undefined;
  readonly kernels: readonly ExplainedKernel[];
  readonly timed: Timed | undefined;
}

/** What is left of an edge after all passes. */
interface Edge {
  readonly logged: LoggedValue;
  /** Nodes of gradients that stem from it. */
  readonly backward: number;
}

interface ExplainedKernel {
  readonly name: string;
  readonly kind: string;
  readonly work: KernelWork;
  readonly text: readonly string[];
  readonly llvm: Excerpt | undefined;
  readonly assembly: Excerpt | undefined;
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
  const nearest = nearestName(name, names);
  const hint =
    nearest === undefined
      ? `names are ${listNames(names.filter((known) => !known.includes("/")))}`
      : `did you mean \`${nearest}\`?`;
  return new GraphError([problem("G083", undefined, `there is no edge \`${name}\` in \`${graph.name}\``, { hint })]);
}

/** The last value of the forward pass that stems from the edge: before it come the parts that it is made of. */
function edgeOf(value: Value, { sources }: Computation, logged: readonly LoggedValue[]): Edge | undefined {
  const stems = (node: Node): boolean => node === value.node || sources.stemsOf(node).includes(value.node);
  const related = logged.filter((candidate) => stems(candidate.value.node));
  const forward = related.filter((candidate) => !sources.isBackward(candidate.value.node));
  const last = forward.at(-1);
  return last === undefined ? undefined : { logged: last, backward: related.length - forward.length };
}

async function explainKernels(program: KernelProgram, names: readonly string[]): Promise<readonly ExplainedKernel[]> {
  if (names.length === 0) return [];
  const listings = await listingsOf(program, hostTarget());
  return leavesOf([...program.compute, ...program.commit])
    .filter(({ name }) => names.includes(name))
    .map((kernel) => ({
      name: kernel.name,
      kind: kernel.kind,
      work: workOf(kernel, program.buffers),
      text: printKernel(kernel),
      llvm: listings.get(kernel.name)?.llvm,
      assembly: listings.get(kernel.name)?.assembly,
    }));
}

function bytesOf({ type }: Value): number | undefined {
  if (type.dtype === "string" || !type.shape.every((size) => typeof size === "number")) return undefined;
  return elementCount(staticShape(type)) * byteSize(type.dtype);
}

const mostKernels = 4;
const mostTextLines = 30;

function explainedText(console: Console, explained: Explained): string {
  const { graph, name, value, choice, sized, edge, kernels, timed } = explained;
  const bold = (text: string): string => console.paint("bold", text);
  const dim = (text: string): string => console.paint("dim", text);
  const { node } = value;
  const lines = [`${bold(name)}: ${typeText(value.type)}, made by ${bold(node.op)}`];
  for (const { file, line, text } of placesOf(graph, node)) lines.push(`  ${dim(`${file}:${line}`)}  ${text}`);
  lines.push(`  ${dim(firstSentence(opNamed(node.op).doc))}`, "");
  const where = sized.dims.size === 0 ? choice.name : `${choice.name} with ${sizesText(sized)}`;
  if (edge === undefined) {
    lines.push(`In ${where} nothing of it is left: the passes have folded it into other values.`);
    return lines.join("\n");
  }
  const { logged, backward } = edge;
  const bytes = bytesOf(logged.value);
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
  const inMemory = logged.isRoot ? "" : ", never stored";
  lines.push(`In ${bold(where)} it is ${logged.value.node.op}: ${typeText(logged.value.type)}${size}${inMemory}`);
  lines.push(`  ${planReasonText(logged)}`, ...fusionTexts(logged).map((line) => `  ${line}`));
  if (backward > 0)
    lines.push(`  ${plural(backward, "value")} of the gradients ${backward === 1 ? "stems" : "stem"} from it`);
  for (const kernel of kernels.slice(0, mostKernels)) {
    lines.push("", `${bold(`kernel ${kernel.name}`)} (${kernel.kind}): ${workText(kernel.work)}`);
    const time = timed?.seconds.get(kernel.name);
    if (time !== undefined && timed !== undefined) {
      const rate =
        kernel.work.operations === undefined ? "" : `, ${(kernel.work.operations / time / 1e9).toPrecision(3)} GFLOP/s`;
      lines.push(`  ${durationText(time)} a call${rate}, ${timed.from}`);
    }
    lines.push(...clipped(kernel.text).map((line) => `  ${line}`));
    lines.push(...listing("LLVM", kernel.llvm), ...listing("assembly", kernel.assembly));
  }
  if (kernels.length > mostKernels)
    lines.push(
      "",
      `and in ${kernels
        .slice(mostKernels)
        .map((kernel) => kernel.name)
        .join(", ")}`,
    );
  return lines.join("\n");

  function listing(title: string, excerpt: Excerpt | undefined): readonly string[] {
    if (excerpt === undefined) return [];
    return [
      `  ${dim(`${title}, ${excerpt.what} of ${plural(excerpt.total, "line")}:`)}`,
      ...excerpt.lines.map((line) => `    ${line}`),
    ];
  }
}

function workText({ operations, transcendentals, readBytes, writtenBytes }: KernelWork): string {
  const counted = operations === undefined ? "an unknown number of operations" : plural(operations, "operation");
  const functions = transcendentals === 0 ? "" : `, ${plural(transcendentals, "call")} of functions such as exp`;
  return `${counted}${functions}, reads ${bytesText(readBytes)}, writes ${bytesText(writtenBytes)}`;
}

function clipped(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostTextLines) return lines;
  return [
    ...lines.slice(0, mostTextLines),
    `... ${countText(lines.length - mostTextLines)} more lines: graphc inspect --stage kernels`,
  ];
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** One place a line. */
function placesOf(graph: Graph, node: Node): readonly Place[] {
  const places = new Map<string, Place>();
  for (const span of graph.sources.spansOf(node)) {
    const place = placeOf(span);
    const text = sourceText(span.file);
    if (place === undefined || text === undefined) continue;
    const source = indexLines(text);
    const { file, line } = place;
    places.set(`${file}:${line}`, { file, line, text: lineText(source, lineIndex(source, span.start)).trim() });
  }
  return [...places.values()];
}

function firstSentence(doc: string): string {
  return /^.*?[.](?=\s|$)/s.exec(doc)?.[0] ?? doc;
}

function explainedJson({ graph, name, value, choice, sized, edge, kernels, timed }: Explained): JsonValue {
  return {
    name,
    type: typeText(value.type),
    op: value.node.op,
    doc: opNamed(value.node.op).doc,
    places: placesOf(graph, value.node).map((place) => ({ ...place })),
    signature: choice.name,
    dims: sized.dims,
    edge:
      edge === undefined
        ? null
        : {
            op: edge.logged.value.node.op,
            type: typeText(edge.logged.value.type),
            bytes: bytesOf(edge.logged.value) ?? null,
            stored: edge.logged.isRoot,
            reason: edge.logged.reason,
            fused: edge.logged.how ?? null,
            refused: edge.logged.refused.map(({ by, why }) => ({ kernel: by, reason: why })),
            gradient_values: edge.backward,
          },
    kernels: kernels.map(({ name: kernel, kind, work, text, llvm, assembly }) => ({
      name: kernel,
      kind,
      operations: work.operations ?? null,
      transcendentals: work.transcendentals,
      read_bytes: work.readBytes,
      written_bytes: work.writtenBytes,
      seconds: timed?.seconds.get(kernel) ?? null,
      text: text.join("\n"),
      llvm: llvm?.lines.join("\n") ?? null,
      assembly: assembly?.lines.join("\n") ?? null,
    })),
  };
}
