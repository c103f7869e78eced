import { resolve } from "node:path";
import type { TargetName } from "./compiler/backends/backend.js";
import { openBackend } from "./compiler/backends/choose.js";
import type { DeviceName } from "./compiler/backends/gpu/devices/device.js";
import { openGraph, requireGraph } from "./compiler/cache/programs.js";
import type { Diagnostic } from "./compiler/ir/diagnostic.js";
import type { GraphTypes } from "./compiler/ir/graph_types.js";
import { Program } from "./compiler/program.js";
import { pathOfSource, readFileFromDisk } from "./dsl/standard.js";

export type { TargetName } from "./compiler/backends/backend.js";
export type { DeviceName } from "./compiler/backends/gpu/devices/device.js";
export type { ExecutionProfile, KernelEvent, KernelProfile } from "./compiler/backends/profile.js";
export type { DataReference } from "./compiler/ir/data.js";
export { type Diagnostic, GraphError, InternalError, type Note } from "./compiler/ir/diagnostic.js";
export type { DType, NumericDType } from "./compiler/ir/dtype.js";
export type { Fix, FixEdit } from "./compiler/ir/fix.js";
export type { EdgeType, GraphTypes, StringTensor } from "./compiler/ir/graph_types.js";
export type { Span } from "./compiler/ir/span.js";
export type { Tensor, TensorData } from "./compiler/ir/tensor.js";
export type { Program } from "./compiler/program.js";
export { version } from "./compiler/version.js";
export { renderText as renderDiagnostics } from "./dsl/render.js";
export { readData } from "./runtime/data/read.js";
export { csv, idx, npy, npz, safetensors } from "./runtime/data/references.js";
export type { ColumnValue } from "./runtime/dataset.js";
export type { EvaluateOptions } from "./runtime/evaluate.js";
export type { ComputationProfile } from "./runtime/executables.js";
export type { FeedValue, NestedArray } from "./runtime/feeds.js";
export { type RunOptions, Session, type SessionOptions } from "./runtime/session.js";
export type { TrainEvent, TrainingHandle, TrainOptions, TrainReport } from "./runtime/train.js";
export type { Transfer } from "./runtime/transfer.js";
export type { Feeds, Fetched } from "./runtime/typed.js";

/** How a graph is compiled. */
export interface CompileFileOptions {
  /** `cpu` is native code; `gpu` kernels of gpu.js; `reference` runs everywhere, slowly. Without it: native where the toolchain is there. */
  readonly target?: TargetName | undefined;
  /** Where kernels of the target gpu run; without it on the first of webgpu, headlessgl, webasm and cpu that works. */
  readonly device?: DeviceName | undefined;
  /** Check each float result; a run fails at the first op that makes a NaN or an infinity, and names its line. */
  readonly checkNumerics?: boolean | undefined;
  /** Measure each kernel: `Session.profile` gives what was found. */
  readonly profile?: boolean | undefined;
  /** Told of what is not wrong but worth knowing; without it, warnings go to the standard error stream. */
  readonly onWarning?: ((warning: Diagnostic) => void) | undefined;
}

/**
 * Reads, types and checks a `.graph` file, and readies it for a target. Code is made for each binding of its dims when first
 * run so. Throws GraphError with all problems of the file. `G` is what `graphc types` wrote of the file; without it all names are
 * allowed, and the run checks them.
 */
export async function compile<G extends GraphTypes = GraphTypes>(
  path: string,
  options: CompileFileOptions = {},
): Promise<Program<G>> {
  const file = resolve(path);
  const opened = await openGraph(file, {
    allowPaths: [],
    read: (name) => readFileFromDisk(pathOfSource(name)),
    load: async () => (await import("./dsl/load.js")).loadGraph(file),
  });
  const graph = requireGraph(path, opened);
  const warn =
    options.onWarning ?? ((one: Diagnostic) => process.stderr.write(`graphc: ${one.message} (${one.hint ?? ""})\n`));
  const { target, device } = options;
  const { backend, warning } = await openBackend({ target, device, places: graph.devices }, warn);
  for (const one of warning === undefined ? opened.diagnostics : [...opened.diagnostics, warning]) warn(one);
  const { checkNumerics = false, profile = false } = options;
  return Program.create<G>(graph, backend, { checkNumerics, ...(profile ? { profile } : {}) }, opened.store);
}
