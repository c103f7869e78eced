import { problem } from "../ir/codes.js";
import { type Diagnostic, GraphError } from "../ir/diagnostic.js";
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

/**
 * The back end of a target, with the device that a gpu's kernels run on; `notice` is told of what runs on the processor all the
 * same. Throws GraphError: as `chooseBackend`, and G122.
 */
export async function openBackend(
  target: TargetName | undefined,
  device: DeviceName | undefined,
  notice: (note: Diagnostic) => void,
): Promise<Choice> {
  if (target !== "gpu") return chooseBackend(target);
  const { gpuBackend } = await import("./gpu/backend.js");
  return { backend: await gpuBackend(device, notice), warning: undefined };
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
