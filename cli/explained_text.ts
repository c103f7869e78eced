import type { Graph, Variable } from "../compiler/ir/graph.js";
import type { Span } from "../compiler/ir/span.js";
import { type Fate, fatesOf } from "../compiler/ir/trained.js";
import { typeText } from "../compiler/ir/type.js";
import type { Kept } from "../compiler/kernels/fusion_log.js";
import { reasonTexts } from "../compiler/kernels/fusion_texts.js";
import type { KernelWork } from "../compiler/kernels/work.js";
import { opNamed } from "../compiler/ops/table.js";
import type { Console } from "./console.js";
import type { Edge, Explained, ExplainedKernel, Listing, LoopAround, Memory, Use } from "./explained.js";
import { loopText } from "./explained_loop.js";
import { bytesOf, fateOf, placesOf, variableOf } from "./explained_parts.js";
import { literalOf } from "./node_texts.js";
import { bytesText, countText, durationText, plural } from "./numbers.js";
import { sizesText } from "./specialisation.js";

/** Kernels of an edge whose code is shown, and lines of one. */
const mostKernels = 4;
const mostTextLines = 30;
/** Rows of an update, and of what reads a variable. */
const mostRows = 24;

export function explainedText(console: Console, explained: Explained): string {
  const { subject, sized, edge, memory, kernels } = explained;
  const bold = (text: string): string => console.paint("bold", text);
  const dim = (text: string): string => console.paint("dim", text);
  const { choice } = subject;
  const where = bold(sized.dims.size === 0 ? choice.name : `${choice.name} with ${sizesText(sized)}`);
  const lines: string[] = [];
  const addPlaces = (spans: readonly Span[]): void => {
    for (const { file, line, text } of placesOf(spans)) {
      const row = `  ${dim(`${file}:${line}`)}  ${text}`;
      if (!lines.includes(row)) lines.push(row);
    }
  };
  addHead();
  lines.push("");
  if (memory !== undefined && !(memory.kind === "code" && kernels.length === 0)) addMemory(memory);
  else if (subject.kind === "update") addAssigned();
  else if (edge === undefined) addNothing();
  else addEdge(edge);
  const shown = shownKernels(explained);
  for (const kernel of shown) addKernel(kernel);
  addOthers(kernels.filter((kernel) => !shown.includes(kernel)));
  return lines.join("\n");

  function addHead(): void {
    const { sources } = explained.graph;
    switch (subject.kind) {
      case "value": {
        const { name, value } = subject;
        const variable = variableOf(explained);
        const what =
          variable === undefined
            ? `made by ${bold(value.node.op)}`
            : bold(variableText(fateOf(explained.graph, variable)));
        lines.push(`${bold(name)}: ${typeText(value.type)}, ${what}`);
        addPlaces(explained.constant?.own ?? sources.spansOf(value.node));
        addEqual(explained.constant?.equal ?? []);
        if (variable === undefined) lines.push(`  ${dim(firstSentence(opNamed(value.node.op).doc))}`);
        else addInitial(variable);
        return;
      }
      case "assignment": {
        const { name, assignment, update } = subject;
        const { value, span } = assignment;
        lines.push(`${bold(name)} ${typeText(value.type)}, made by ${bold(value.node.op)}`);
        addPlaces([span, ...sources.spansOf(value.node)]);
        lines.push(
          `  ${dim(update === undefined ? "done by every training run of its call" : `part of the update ${update}`)}`,
        );
        return;
      }
      case "update": {
        const { name, update } = subject;
        const { length } = update.assignments;
        lines.push(
          `${bold(name)}: an update of ${plural(length, "variable")}${length > 1 ? ", all of them or none" : ""}`,
        );
        addPlaces([update.span]);
        return;
      }
    }
  }

  /** Adam's own numbers, say: one node with this constant. */
  function addEqual(spans: readonly Span[]): void {
    const places = placesOf(spans).map(({ file, line }) => `${file}:${line}`);
    const more = places.length > 4 ? ` and ${places.length - 4} more` : "";
    if (places.length > 0) lines.push(`  ${dim(`equal numbers elsewhere: ${places.slice(0, 4).join(", ")}${more}`)}`);
  }

  function addInitial({ initial, doc }: Variable): void {
    if (doc !== undefined) lines.push(`  ${dim(firstSentence(doc))}`);
    const literal = literalOf(initial.node);
    lines.push(`  ${dim(`its first value: ${literal ?? `made by ${initial.node.op}`}`)}`);
    // A number stands in the declaration.
    if (literal === undefined) addPlaces(explained.graph.sources.spansOf(initial.node));
  }

  function addMemory(found: Memory): void {
    const { uses, assigned } = explained;
    lines.push(`In ${where} ${memoryText(found, explained)}`);
    const name = subject.kind === "value" ? subject.name : "";
    for (const use of uses.slice(0, mostRows)) lines.push(`  ${useText(use)}`);
    if (uses.length > mostRows) lines.push(`  and ${uses.length - mostRows} more`);
    if (uses.length === 0) lines.push("  no kernel reads or writes it");
    if (found.kind === "variable" && assigned.length === 0) lines.push("  nothing assigns it here: it stays as it is");
    if (assigned.length > 0)
      lines.push(`  ${dim(`graphc explain ${explained.file} '${name} :=' tells what it is given`)}`);
  }

  function useText({ kernel, device, reads, writes, roles }: Use): string {
    const does = reads && writes ? "read and written by" : writes ? "written by" : "read by";
    const side = explained.hasTwoSides ? ` on the ${device === "gpu" ? gpuText(explained) : device}` : "";
    return `${does} ${kernel}${side} (${roles.length === 0 ? "packs it for another" : roles.join(", ")})${timeText(kernels.find(({ name }) => name === kernel))}`;
  }

  function timeText(kernel: ExplainedKernel | undefined): string {
    return kernel?.seconds === undefined ? "" : `, ${durationText(kernel.seconds)} a call`;
  }

  function addAssigned(): void {
    const { assigned } = explained;
    lines.push(`In ${where} it assigns`);
    for (const { path, value, kernels: names } of assigned.slice(0, mostRows)) {
      const by = names.length === 0 ? "" : ` in ${names.join(", ")}`;
      const first = kernels.find(({ name }) => name === names[0]);
      lines.push(`  ${path} := ${typeText(value.type)}, ${value.node.op}${by}${timeText(first)}`);
    }
    if (assigned.length > mostRows) lines.push(`  and ${countText(assigned.length - mostRows)} more`);
    const trained = trainedIn(explained.graph);
    const one = assigned.find(({ path }) => trained.has(path)) ?? assigned[0];
    if (one !== undefined)
      lines.push(`  ${dim(`graphc explain ${explained.file} '${one.path} :=' tells of one of them`)}`);
  }

  function addNothing(): void {
    lines.push(`In ${where} nothing of it is left: the passes have folded it into other values.`);
  }

  function addEdge({ logged, backward, loop }: Edge): void {
    const bytes = bytesOf(logged.value);
    const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
    const isAssigned = subject.kind === "assignment";
    const inMemory = isAssigned ? ", stored into the variable" : keptTexts[logged.kept];
    lines.push(`In ${where} it is ${logged.value.node.op}: ${typeText(logged.value.type)}${size}${inMemory}`);
    const reasons = loop?.isMaker === true ? [] : reasonTexts(logged, explained.graph.sources);
    lines.push(...reasons.map((line) => `  ${line}`));
    if (loop !== undefined) addLoop(loop);
    if (backward > 0)
      lines.push(`  ${plural(backward, "value")} of the gradients ${backward === 1 ? "stems" : "stem"} from it`);
  }

  function addLoop({ isMaker, kernel, inner }: LoopAround): void {
    const runs = `${kernel.name}, ${loopText(kernel)}`;
    lines.push(`  ${isMaker ? `it is made by ${runs}` : `computed in ${runs}`}${inner.length === 0 ? "" : ", around"}`);
    for (const one of inner.slice(0, mostRows)) {
      const cost =
        one.work === undefined
          ? ""
          : `: ${workText(one.work)}${timeText(kernels.find(({ name }) => name === one.name))}`;
      const depth = one.number.split(".").length - kernel.number.split(".").length;
      lines.push(`  ${"  ".repeat(depth)}${one.name}, ${loopText(one)}${cost}`);
    }
    if (inner.length > mostRows) lines.push(`    and ${plural(inner.length - mostRows, "more kernel")}`);
  }

  function addKernel(kernel: ExplainedKernel): void {
    const { name, kind, device, work, seconds, isEvaluated, buffers, text, code } = kernel;
    lines.push(
      "",
      `${bold(`kernel ${name}`)} (${kind}${device === "gpu" ? ` on the ${gpuText(explained)}` : ""}): ${workText(work)}`,
    );
    if (seconds !== undefined && explained.timedFrom !== undefined) {
      const rate = work.operations === undefined ? "" : `, ${(work.operations / seconds / 1e9).toPrecision(3)} GFLOP/s`;
      lines.push(`  ${durationText(seconds)} a call${rate}, ${explained.timedFrom}`);
    }
    if (isEvaluated) lines.push("  so few numbers are evaluated op by op on the cpu: no code is made of it");
    const named = buffers.slice(0, mostRows).map(({ id, label, type }) => `b${id} ${label} ${type}`);
    if (named.length > 0) lines.push(`  ${dim(`where ${named.join(", ")}`)}`);
    lines.push(...clipped(text).map((line) => `  ${line}`));
    lines.push(...code.flatMap(listingLines));
  }

  function listingLines({ form, excerpt }: Listing): readonly string[] {
    const { what, total } = excerpt;
    const part = what === "whole" ? plural(total, "line") : `${what} of ${plural(total, "line")}`;
    return [`  ${dim(`${form}, ${part}:`)}`, ...excerpt.lines.map((line) => `    ${line}`)];
  }

  function addOthers(others: readonly ExplainedKernel[]): void {
    const [first] = others;
    if (first === undefined) return;
    const names = others.slice(0, mostRows).map(({ name }) => name);
    const more = others.length > names.length ? ` and ${countText(others.length - names.length)} more` : "";
    lines.push("", `others: ${names.join(", ")}${more}`);
    lines.push(`  ${dim(`--kernel ${first.name} shows that one instead`)}`);
  }
}

/** The one that is asked for, else those of an edge, else the first that writes it in training, or reads it. */
function shownKernels({
  graph,
  kernels,
  shown,
  memory,
  subject,
  assigned,
  edge,
}: Explained): readonly ExplainedKernel[] {
  if (shown !== undefined) return kernels.filter(({ name }) => name === shown).slice(0, 1);
  if (subject.kind === "value" && memory === undefined) {
    // Of what a loop makes the kernels that write it, not all that run in the loop.
    const makers = kernels.filter(({ name }) => edge?.loop?.makers.includes(name) === true);
    return (makers.length > 0 ? makers : kernels).slice(0, mostKernels);
  }
  if (subject.kind !== "update" || assigned.length < 2) return kernels.slice(0, 1);
  // Of an update what moves weights says more than what counts steps.
  const trained = trainedIn(graph);
  const main = new Set(assigned.filter(({ path }) => trained.has(path)).flatMap((one) => one.kernels));
  const cost = ({ name, seconds, work }: ExplainedKernel): number =>
    (main.has(name) ? 1e9 : 0) + (seconds ?? (work.readBytes + work.writtenBytes) / 1e18);
  return [...kernels].sort((a, b) => cost(b) - cost(a)).slice(0, 1);
}

/** What is said of a value's memory beside its bytes. */
const keptTexts: Readonly<Record<Kept, string>> = {
  whole: "",
  parts: ", stored a part at a time",
  nowhere: ", never stored",
  given: "",
  counted: ", never stored",
};

/** What updates train: of all that they assign it is what weights are. */
function trainedIn(graph: Graph): ReadonlySet<string> {
  return new Set([...fatesOf(graph)].flatMap(([path, { kind }]) => (kind === "trained" ? [path] : [])));
}

function variableText({ kind, updates }: Fate): string {
  const by =
    updates.length === 0 ? "its call" : `${updates.length > 1 ? "the updates" : "the update"} ${updates.join(" and ")}`;
  switch (kind) {
    case "trained":
      return `a variable that ${by} ${updates.length > 1 ? "train" : "trains"}`;
    case "assigned":
      return `a variable that ${by} ${updates.length > 1 ? "assign" : "assigns"}`;
    case "kept":
      return "a variable that nothing assigns";
  }
}

function memoryText({ kind, bytes, device }: Memory, { subject, edge }: Explained): string {
  const type = edge?.logged.value.type ?? (subject.kind === "value" ? subject.value.type : undefined);
  const shape = type === undefined ? "" : typeText(type);
  const size = bytes === undefined ? "" : `, ${bytesText(bytes)}`;
  const isFolded = subject.kind === "value" && subject.value.node.op !== "constant";
  const found = isFolded ? "the compiler has worked it out: " : "";
  switch (kind) {
    case "variable": {
      const place = device === undefined ? "" : device === "gpu" ? ", on the gpu" : ", on the processor";
      return `it lies in the session's memory from run to run${place}: ${shape}${size}`;
    }
    case "placeholder":
      return `each run is fed it: ${shape}${size}`;
    case "constant":
      return `${found}it lies among the constants of the program: ${shape}${size}`;
    case "code":
      return `${found}it is a number in the code of kernels: ${shape}`;
  }
}

function gpuText({ device }: Explained): string {
  return device === undefined ? "gpu" : `gpu (${device})`;
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

function firstSentence(doc: string): string {
  return /^.*?[.](?=\s|$)/s.exec(doc)?.[0] ?? doc;
}
