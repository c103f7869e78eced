import { totalmem } from "node:os";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import { problem } from "../compiler/ir/codes.js";
import type { Diagnostic } from "../compiler/ir/diagnostic.js";
import { byteSize } from "../compiler/ir/dtype.js";
import type { Computation, Graph } from "../compiler/ir/graph.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { staticShape } from "../compiler/ir/type.js";
import { buildKernels } from "../compiler/kernels/build.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import type { Selection } from "../compiler/program.js";
import type { CommonOptions, Console } from "./console.js";
import { diagnosticsJson, type ExitCode, exitCodeOf, showDiagnostics } from "./failure.js";
import { checkFile } from "./front_end.js";
import type { JsonValue } from "./json.js";
import type { LoadOptions } from "./load.js";
import { bytesText, countText, plural } from "./numbers.js";
import type { Sizes } from "./options.js";
import { signatureJson, signatureText } from "./signatures.js";
import { type Choice, choicesOf, originRemarks, type Sized, sizesFor, sizesText } from "./specialisation.js";
import { attempt, countVariables } from "./target.js";

export interface CheckOptions extends CommonOptions, LoadOptions {
  readonly dim?: Sizes | undefined;
}

/** What one signature takes when it runs with these sizes. */
interface MemoryUse {
  readonly name: string;
  readonly sized: Sized;
  readonly kernels: number;
  readonly arenaBytes: number;
  readonly peakBytes: number;
}

interface Checked {
  readonly file: string;
  readonly graph: Graph | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly memory: readonly MemoryUse[];
  /** Why the memory of some signatures is not known. */
  readonly remarks: readonly string[];
}

/** Checks each file and all that can be computed in it, and says what its signatures are and take. */
export async function check(console: Console, files: readonly string[], options: CheckOptions): Promise<ExitCode> {
  const checked = [...new Set(files)].map((file) => checkOne(file, options));
  const problems = distinct(checked.flatMap(({ diagnostics }) => diagnostics));
  if (console.isJson) console.object(checkedJson(checked, problems));
  else {
    const texts = checked.filter((one) => exitCodeOf(one.diagnostics) === 0).map((one) => checkedText(console, one));
    if (texts.length > 0) console.say(texts.join("\n\n"));
    if (texts.length > 0 && problems.length > 0) console.problem("");
    showDiagnostics(console, problems);
  }
  return exitCodeOf(problems);
}

function checkOne(file: string, options: CheckOptions): Checked {
  const nothing = { file, graph: undefined, memory: [], remarks: [] };
  const loaded = attempt(() => checkFile(file, options, true));
  if ("error" in loaded) return { ...nothing, diagnostics: loaded.error.diagnostics };
  const { graph, diagnostics } = loaded.value;
  if (graph === undefined || exitCodeOf(diagnostics) !== 0) return { ...nothing, diagnostics };
  const problems = [...diagnostics, ...prepareAll(graph)];
  if (exitCodeOf(problems) !== 0) return { ...nothing, graph, diagnostics: distinct(problems) };
  problems.push(...variablesTooLarge(graph));
  const memory: MemoryUse[] = [];
  const remarks: string[] = [];
  for (const choice of choicesOf(graph, undefined)) {
    const used = attempt(() => memoryOf(graph, choice, options.dim));
    if ("error" in used) {
      // With sizes that the user chose, here or as the batch, it is a problem; a bound may just not fit.
      if (options.dim !== undefined || isSizedByBatch(graph, choice)) problems.push(...used.error.diagnostics);
      else
        remarks.push(
          ...used.error.diagnostics.map(({ message }) => `the memory of ${choice.name} is not known: ${message}`),
        );
    } else if (typeof used.value === "string") remarks.push(used.value);
    else memory.push(used.value);
  }
  problems.push(...memory.filter(({ peakBytes }) => peakBytes > totalmem()).map(tooLarge));
  return { file, graph, diagnostics: distinct(problems), memory, remarks };
}

/** Cuts out and differentiates whatever can be run, signature or not: a cut gradient is found before anyone asks for it. */
function prepareAll(graph: Graph): readonly Diagnostic[] {
  const fetches = [...graph.inference.names.keys()];
  const selections: readonly Selection[] = [
    ...graph.signatures.map(({ name }): Selection => ({ kind: "signature", name })),
    ...[...graph.training.updates.keys()].map((name): Selection => ({ kind: "request", fetches: [], updates: [name] })),
    { kind: "request", fetches, updates: [] },
  ];
  return selections.flatMap((selection) => {
    const prepared = attempt(() => prepareComputation(graph, selection));
    return "error" in prepared ? prepared.error.diagnostics : [];
  });
}

/** Whether the train block alone says all sizes: training would run with these, and with no others. */
function isSizedByBatch(graph: Graph, choice: Choice): boolean {
  const { origins, open } = sizesFor(graph, choice, dimsOf(prepareComputation(graph, choice.selection)), undefined);
  return open.length === 0 && origins.size > 0 && [...origins.values()].every((origin) => origin === "batch");
}

function memoryOf(graph: Graph, choice: Choice, given: Sizes | undefined): MemoryUse | string {
  const prepared = prepareComputation(graph, choice.selection);
  const sized = sizesFor(graph, choice, dimsOf(prepared), given);
  const [open] = sized.open;
  if (open !== undefined)
    return `the memory of ${choice.name} depends on ${sized.open.join(" and ")}: give --dim ${open}=32`;
  const computation: Computation = optimise(graph, prepared, sized.dims);
  const { memory, compute, commit } = buildKernels(computation, hostTarget(), { checkNumerics: false });
  return {
    name: choice.name,
    sized,
    kernels: compute.length + commit.length,
    arenaBytes: memory.arenaBytes,
    peakBytes: memory.peakBytes,
  };
}

function tooLarge({ name, peakBytes, sized }: MemoryUse): Diagnostic {
  const sizes = sized.dims.size === 0 ? "" : ` with ${sizesText(sized)}`;
  return problem(
    "G102",
    undefined,
    `\`${name}\`${sizes} needs ${bytesText(peakBytes)}, this machine has ${bytesText(totalmem())}`,
    {
      hint: "use smaller tensors or a smaller batch",
    },
  );
}

/** Whatever is run, the variables are all there: shown at the largest one. */
function variablesTooLarge(graph: Graph): readonly Diagnostic[] {
  const bytes = variableBytes(graph.variables);
  const [largest] = [...graph.variables].sort((a, b) => variableBytes([b]) - variableBytes([a]));
  if (largest === undefined || bytes <= totalmem()) return [];
  const message = `the variables need ${bytesText(bytes)}, this machine has ${bytesText(totalmem())}`;
  const label = `${bytesText(variableBytes([largest]))} of it`;
  return [problem("G102", largest.span, message, { label, hint: "use smaller variables" })];
}

/** One problem may be found through several signatures. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const byKey = new Map<string, Diagnostic>();
  for (const d of diagnostics) {
    const key = JSON.stringify([d.code, d.message, d.span?.file, d.span?.start, d.span?.end]);
    if (!byKey.has(key)) byKey.set(key, d);
  }
  return [...byKey.values()];
}

function checkedText(console: Console, { file, graph, diagnostics, memory, remarks }: Checked): string {
  const warnings = diagnostics.length;
  const found = warnings === 0 ? console.paint("green", "no problems") : `no errors, ${plural(warnings, "warning")}`;
  const head = `${console.paint("bold", file)}: ${found}`;
  if (graph === undefined) return head;
  const { trainable, others } = countVariables(graph);
  const kept = [
    ...(trainable > 0 ? [`${plural(trainable, "parameter")}`] : []),
    ...(others > 0 ? [`${countText(others)} ${trainable > 0 ? "values of optimizers and others" : "values"}`] : []),
  ];
  const variables =
    graph.variables.length === 0
      ? []
      : [`  variables   ${kept.join(", ")}; ${bytesText(variableBytes(graph.variables))}`];
  const signatures = graph.signatures.map((signature) => `  ${signatureText(graph, signature)}`);
  const [first] = [...memory].sort((a, b) => b.peakBytes - a.peakBytes);
  const peak =
    first === undefined
      ? []
      : [
          `  peak memory ${bytesText(first.peakBytes)} in ${first.name}${first.sized.dims.size === 0 ? "" : ` with ${sizesText(first.sized)}`}`,
        ];
  const sizes = originRemarks(memory.map(({ sized }) => sized)).map((remark) => `  ${console.paint("dim", remark)}`);
  return [head, ...signatures, ...variables, ...peak, ...sizes, ...remarks.map((remark) => `  ${remark}`)].join("\n");
}

function variableBytes(variables: Graph["variables"]): number {
  return variables.reduce((sum, { value: { type } }) => {
    const size = type.dtype === "string" ? 0 : byteSize(type.dtype);
    return sum + size * elementCount(staticShape(type));
  }, 0);
}

/** The contract's object; with several files, each has its own signatures and memory under `files`. */
function checkedJson(checked: readonly Checked[], problems: readonly Diagnostic[]): JsonValue {
  const [only] = checked;
  const diagnostics = diagnosticsJson(problems);
  if (checked.length === 1 && only !== undefined) return { ...fileJson(only), diagnostics };
  return { files: new Map(checked.map((one) => [one.file, fileJson(one)])), diagnostics };
}

function fileJson({ graph, memory }: Checked): { readonly signatures: JsonValue; readonly memory: JsonValue } {
  if (graph === undefined) return { signatures: {}, memory: {} };
  const uses = memory.map(({ name, sized, kernels, arenaBytes, peakBytes }): [string, JsonValue] => [
    name,
    { dims: sized.dims, kernels, arena_bytes: arenaBytes, peak_bytes: peakBytes },
  ]);
  const { trainable, others } = countVariables(graph);
  return {
    signatures: new Map(graph.signatures.map((signature) => [signature.name, signatureJson(graph, signature)])),
    memory: {
      parameters: trainable,
      variable_elements: trainable + others,
      variable_bytes: variableBytes(graph.variables),
      peak_bytes: memory.length === 0 ? null : Math.max(...memory.map(({ peakBytes }) => peakBytes)),
      signatures: new Map(uses),
    },
  };
}
