import { problem } from "../ir/codes.js";
import { type Diagnostic, GraphError } from "../ir/diagnostic.js";
import type { Graph } from "../ir/graph.js";
import type { Backend, TargetName } from "./backend.js";
import type { DeviceName } from "./gpu/devices/device.js";
import { probe } from "./llvm/availability.js";
import { cpuBackend } from "./llvm/backend.js";
import { referenceBackend } from "./reference/backend.js";

export interface Choice {
  readonly backend: Backend;
  /** Set when the reference back end stands in because native code cannot be made here. */
  readonly warning: Diagnostic | undefined;
}

/** What is asked for of a back end. */
export interface Wish {
  readonly target: TargetName | undefined;
  /** Where kernels of gpu.js run; without it on the first device that works. */
  readonly device: DeviceName | undefined;
  /** Where the text of the graph places something. */
  readonly places: Graph["devices"];
}

/** Whether kernels of gpu.js are run for it: where they are asked for, and where the text places something there. */
export function wantsDevice({ target, places }: Omit<Wish, "device">): boolean {
  return target === "gpu" || (target === undefined && places.has("gpu"));
}

/**
 * The back end of a target. Without a target, a graph whose text places something on the gpu is computed there in these parts, and
 * else on the processor; `cpu` and `reference` have one place only. `notice` is told of what is computed elsewhere than was asked
 * for. Throws GraphError: as `chooseBackend`, and G122.
 */
export async function openBackend(wish: Wish, notice: (note: Diagnostic) => void): Promise<Choice> {
  const { target, device, places } = wish;
  if (wantsDevice(wish)) {
    const { gpuBackend } = await import("./gpu/backend.js");
    const unplaced = target === "gpu" ? "gpu" : "cpu";
    return { backend: await gpuBackend(device, notice, unplaced), warning: undefined };
  }
  const place = places.get("gpu");
  if (place !== undefined) {
    const message = `the target ${target} computes all in one place, also what \`on "gpu"\` places elsewhere`;
    notice(problem("G126", place, message, { hint: "without --target it is followed", severity: "warning" }));
  }
  return chooseBackend(target === "gpu" ? undefined : target);
}

/**
 * The back end of a target in this process's own memory. Without a wish it is the processor where its toolchain is complete, else
 * the reference back end, with one warning. Throws GraphError G120 when the processor was asked for and something is missing.
 */
export function chooseBackend(target: Exclude<TargetName, "gpu"> | undefined): Choice {
  if (target === "reference") return { backend: referenceBackend(), warning: undefined };
  const { available, requirements } = probe();
  if (available) return { backend: cpuBackend(), warning: undefined };
  const missing = requirements.filter(({ found }) => !found).map(({ name }) => name);
  const what = missing.includes("platform")
    ? "native code needs Linux on x86-64"
    : `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing`;
  const hint = "`graphc doctor` says how to install what is missing";
  if (target === "cpu")
    throw new GraphError([problem("G120", undefined, `no native code can be made here: ${what}`, { hint })]);
  const message = `${what}: the reference back end serves, slower`;
  return { backend: referenceBackend(), warning: problem("G120", undefined, message, { hint, severity: "warning" }) };
}
