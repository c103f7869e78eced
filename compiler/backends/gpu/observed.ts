import type { DeviceKind } from "../../ir/device.js";
import type { Computation } from "../../ir/graph.js";
import type { ObservedKernel } from "../../kernels/block.js";
import { buildKernels } from "../../kernels/build.js";
import type { KernelProgram } from "../../kernels/form.js";
import { FusionLog } from "../../kernels/fusion_log.js";
import type { TargetLimits } from "../../kernels/schedule.js";
import { deviceEdges, lowerPart, partsOf } from "./compile.js";
import { type DeviceKernel, kernelsOf } from "./form.js";
import type { Partition } from "./partition.js";

/** The kernels of one part of a computation, with what was decided on the way. */
export interface ObservedPart {
  readonly side: "host" | "device";
  readonly program: KernelProgram;
  readonly observed: ReadonlyMap<string, ObservedKernel>;
  readonly log: FusionLog;
  /** The launches of each kernel, by its name; none on the processor. */
  readonly launches: ReadonlyMap<string, readonly DeviceKernel[]>;
}

/** The parts of a computation as it runs on a device, for whoever shows them. `target`: what the processor's kernels are made for. */
export function observedParts(
  computation: Computation,
  unplaced: DeviceKind,
  target: TargetLimits,
): { readonly parts: readonly ObservedPart[]; readonly partition: Partition } {
  const { partition } = partsOf(computation, unplaced);
  const onDevice = deviceEdges(partition);
  const parts = partition.parts.map((part): ObservedPart => {
    const observed = new Map<string, ObservedKernel>();
    const log = new FusionLog();
    const observer = { log, observe: (name: string, kernel: ObservedKernel) => observed.set(name, kernel) };
    if (part.side === "host") {
      const program = buildKernels(part.computation, target, { ...observer, checkNumerics: false });
      return { side: part.side, program, observed, log, launches: new Map() };
    }
    const { program, lowered } = lowerPart(part, onDevice, true, observer);
    const launches = new Map<string, DeviceKernel[]>();
    for (const launch of kernelsOf(lowered.steps))
      launches.set(launch.of, [...(launches.get(launch.of) ?? []), launch]);
    return { side: part.side, program, observed, log, launches };
  });
  return { parts, partition };
}
