import type { Backend } from "../compiler/backends/backend.js";
import { chooseBackend, openBackend as open, wantsDevice } from "../compiler/backends/choose.js";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import type { DeviceKind } from "../compiler/ir/device.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { elementCount } from "../compiler/ir/tensor.js";
import { staticShape } from "../compiler/ir/type.js";
import { Program, type ProgramStore } from "../compiler/program.js";
import type { Console } from "./console.js";
import { UsageError } from "./failure.js";
import { warn } from "./load.js";
import type { TargetOption } from "./options.js";

/** The back end asked for, or the best there is; one line says so where that is the slow one. */
export async function openBackend(
  console: Console,
  { target, device }: ProgramOptions,
  { devices: places }: Graph,
): Promise<Backend> {
  requireDevice(target, device, { devices: places });
  const { backend, warning } = await open({ target, device, places }, (note) => warn(console, [note]));
  if (warning !== undefined) {
    const hint = warning.hint === undefined ? "" : ` (${warning.hint})`;
    console.note(`${console.paint("yellow", "note", process.stderr)}: ${warning.message}${hint}`);
  }
  return backend;
}

/** Throws UsageError for a device that nothing would run on. */
export function requireDevice(
  target: TargetOption | undefined,
  device: DeviceName | undefined,
  { devices: places }: Pick<Graph, "devices">,
): void {
  if (device === undefined || wantsDevice({ target, places })) return;
  throw new UsageError(
    target === undefined
      ? '--device goes with --target gpu, or with a graph that places something `on "gpu"`'
      : `--device does not go with --target ${target}, which computes without one`,
  );
}

/** Where what the text places nowhere lies, as it runs with this target; undefined where all lies on the processor. */
export function unplacedOn({ devices }: Graph, target: "cpu" | "gpu" | undefined): DeviceKind | undefined {
  if (target !== undefined) return target === "gpu" ? "gpu" : undefined;
  return devices.has("gpu") ? "cpu" : undefined;
}

/** Throws GraphError G120 where no native code can be made. */
export function requireNative(): Backend {
  return chooseBackend("cpu").backend;
}

export interface ProgramOptions {
  readonly target?: TargetOption | undefined;
  readonly device?: DeviceName | undefined;
  readonly checkNumerics?: boolean | undefined;
  readonly profile?: string | boolean | undefined;
}

export async function openProgram(
  console: Console,
  { graph, store }: { readonly graph: Graph; readonly store: ProgramStore | undefined },
  options: ProgramOptions,
): Promise<Program> {
  const backend = await openBackend(console, options, graph);
  const profile = options.profile !== undefined && options.profile !== false;
  const chosen = { checkNumerics: options.checkNumerics === true, ...(profile ? { profile } : {}) };
  return Program.create(graph, backend, chosen, store);
}

/** Elements of the variables that training moves, and of the others (optimizer slots, statistics). */
export function countVariables(graph: Graph): { readonly trainable: number; readonly others: number } {
  let trainable = 0;
  let others = 0;
  for (const variable of graph.variables) {
    const elements = elementCount(staticShape(variable.value.type));
    if (variable.trainable) trainable += elements;
    else others += elements;
  }
  return { trainable, others };
}

/** Runs `work` for each and keeps what it gives, or the problems it throws. */
export function attempt<T>(work: () => T): { readonly value: T } | { readonly error: GraphError } {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof GraphError) return { error };
    throw error;
  }
}
