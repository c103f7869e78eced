/** The printed form of a test file's graph at a stage. */
import type { Graph } from "../../../compiler/ir/graph.js";
import { printComputation } from "../../../compiler/ir/printer.js";
import { selectRequest, selectSignature } from "../../../compiler/ir/select.js";
import { buildKernels } from "../../../compiler/kernels/build.js";
import { printKernels } from "../../../compiler/kernels/printer.js";
import { optimise, prepareComputation } from "../../../compiler/prepare.js";
import type { Selection } from "../../../compiler/program.js";
import { avx512 } from "../../kernels/support.js";
import type { Stage } from "./directives.js";

/** Of one signature, or of all top-level names; each dim has its bound. Kernels are made for one fixed machine. */
export function formOf(graph: Graph, stage: Stage, signature: string | undefined): string {
  const fed = new Set(graph.placeholders.map(({ name }) => name));
  const fetches = [...graph.inference.names.keys()].filter(
    (name) => !/[./]/.test(name) && !graph.strings.has(name) && !fed.has(name),
  );
  const selection: Selection =
    signature === undefined ? { kind: "request", fetches, updates: [] } : { kind: "signature", name: signature };
  if (stage === "graph")
    return printComputation(
      selection.kind === "signature" ? selectSignature(graph, selection.name) : selectRequest(graph, selection),
    ).trimEnd();
  const prepared = prepareComputation(graph, selection);
  if (stage === "gradients") return printComputation(prepared).trimEnd();
  const dims = new Map(graph.dims.map(({ name, bound }) => [name, bound ?? 1]));
  const optimised = optimise(graph, prepared, dims, { followsPlaces: true });
  if (stage === "optimized") return printComputation(optimised).trimEnd();
  return printKernels(buildKernels(optimised, avx512, { checkNumerics: false })).trimEnd();
}
