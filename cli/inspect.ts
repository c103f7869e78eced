import { lowerProgram } from "../compiler/backends/llvm/lower/program.js";
import { hostTarget } from "../compiler/backends/llvm/target.js";
import type { DeviceKind } from "../compiler/ir/device.js";
import { GraphError, unreachable } from "../compiler/ir/diagnostic.js";
import type { Computation, Graph } from "../compiler/ir/graph.js";
import { moduleOf } from "../compiler/ir/module.js";
import { printComputation, printModule } from "../compiler/ir/printer.js";
import { selectRequest, selectSignature } from "../compiler/ir/select.js";
import type { Span } from "../compiler/ir/span.js";
import { dimsOf } from "../compiler/ir/specialise.js";
import { buildKernels } from "../compiler/kernels/build.js";
import { printKernels } from "../compiler/kernels/printer.js";
import { optimise, prepareComputation } from "../compiler/prepare.js";
import { parse } from "../dsl/parse.js";
import { astText } from "./ast_text.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { openGraph } from "./front_end.js";
import { type LoadOptions, warn } from "./load.js";
import type { Sizes } from "./options.js";
import { placeOf } from "./profile.js";
import { readSource } from "./source.js";
import { type Choice, choicesOf, originRemarks, requireSizes, type Sized } from "./specialisation.js";
import { requireNative, unplacedOn } from "./target.js";

export type Stage = "ast" | "graph" | "gradients" | "optimized" | "kernels" | "llvm" | "asm" | "gpu";

export interface InspectOptions extends CommonOptions, LoadOptions {
  readonly stage: Stage;
  readonly signature?: string | undefined;
  readonly dim?: Sizes | undefined;
  readonly target?: "cpu" | "gpu" | undefined;
}

/** Prints the form that a stage gives, of one signature or of all. */
export async function inspect(console: Console, file: string, options: InspectOptions): Promise<ExitCode> {
  const text = options.stage === "ast" ? syntaxTree(console, file) : await formOf(console, file, options);
  if (console.isJson) console.object({ stage: options.stage, text });
  else console.print(text.trimEnd());
  return exitCodes.fine;
}

function syntaxTree(console: Console, file: string): string {
  const { ast, diagnostics, ok } = parse(readSource(file), file);
  if (!ok) throw new GraphError(diagnostics);
  warn(console, diagnostics);
  return astText(ast);
}

async function formOf(console: Console, file: string, options: InspectOptions): Promise<string> {
  const { stage } = options;
  const native = stage === "llvm" || stage === "asm";
  requireFit(options);
  if (native) requireNative();
  const graph = openGraph(console, file, options);
  const choices = choicesOf(graph, options.signature);
  if (stage === "graph")
    return printModule(
      moduleOf(
        graph,
        choices.map(({ selection }) => select(graph, selection)),
      ),
    );
  if (stage === "gradients") {
    return printModule(
      moduleOf(
        graph,
        choices.map(({ selection }) => prepareComputation(graph, selection)),
      ),
    );
  }
  const sizes: Sized[] = [];
  const parts: string[] = [];
  for (const choice of choices) {
    const prepared = prepareComputation(graph, choice.selection);
    const sized = requireSizes(graph, choice, dimsOf(prepared), options.dim);
    sizes.push(sized);
    // Native code is for one place.
    const followsPlaces = !native && options.target !== "cpu";
    const optimised = optimise(graph, prepared, sized.dims, { followsPlaces });
    parts.push(await specialised(stage, optimised, choice, placesShown(graph, options)));
  }
  for (const remark of originRemarks(sizes)) console.note(remark);
  if (native && options.target === undefined && graph.devices.has("gpu"))
    console.note('this is the code of --target cpu, with what the text places `on "gpu"` on the processor, too');
  return parts.join("\n");
}

/** Machine code is the processor's, and launches are the device's: no stage shows them for another target. */
function requireFit({ stage, target }: InspectOptions): void {
  if ((stage === "llvm" || stage === "asm") && target === "gpu")
    throw new UsageError(`--stage ${stage} is the processor's code; --stage gpu has what --target gpu runs`);
  if (stage === "gpu" && target === "cpu")
    throw new UsageError("--stage gpu is what devices are given, and --target cpu gives them nothing");
}

/** The stage of the gpu stands for the target, too. */
function placesShown(graph: Graph, { stage, target }: InspectOptions): DeviceKind | undefined {
  return unplacedOn(graph, target) ?? (stage === "gpu" && target === undefined ? "gpu" : undefined);
}

async function specialised(
  stage: Stage,
  computation: Computation,
  choice: Choice,
  unplaced: DeviceKind | undefined,
): Promise<string> {
  if (stage === "optimized") return printComputation(computation);
  const target = hostTarget();
  if (stage === "gpu" || (stage === "kernels" && unplaced !== undefined)) {
    const { kernelsOn, launches, printParts } = await import("../compiler/backends/gpu/printer.js");
    return printParts(computation, unplaced ?? "gpu", stage === "gpu" ? launches : kernelsOn(target), lineText);
  }
  const kernels = buildKernels(computation, target, { checkNumerics: false });
  if (stage === "kernels") return printKernels(kernels);
  const finished = lowerProgram(kernels, target).finish();
  switch (stage) {
    case "llvm":
      return `; ${choice.name}\n${finished.text()}`;
    case "asm": {
      const { assemblyOf } = await import("../compiler/backends/llvm/toolchain.js");
      return `# ${choice.name}\n${await assemblyOf(finished)}`;
    }
    case "ast":
    case "graph":
    case "gradients":
      throw new Error(`${stage} is not specialised`);
    default:
      return unreachable(stage);
  }
}

/** `model.graph:3`. */
function lineText(span: Span): string | undefined {
  const place = placeOf(span);
  return place === undefined ? undefined : `${place.file}:${place.line}`;
}

function select(graph: Graph, selection: Choice["selection"]): Computation {
  return selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection);
}
