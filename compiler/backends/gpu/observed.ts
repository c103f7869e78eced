import type { DeviceKind } from "../../ir/device.js";
import { type Computation, rootsOf } from "../../ir/graph.js";
import { leavesOf } from "../../kernels/access.js";
import type { ObservedKernel } from "../../kernels/block.js";
import { buildKernels } from "../../kernels/build.js";
import type { KernelProgram } from "../../kernels/form.js";
import { FusionLog, type PartRun, type Wanted } from "../../kernels/fusion_log.js";
import type { TargetLimits } from "../../kernels/schedule.js";
import { planValues } from "../reference/evaluate.js";
import { stepNames } from "../reference/profile.js";
import { deviceEdges, isEvaluated, lowerPart, partsOf } from "./compile.js";
import { type DeviceKernel, kernelsOf } from "./form.js";
import { MeasuredNames } from "./joined_profile.js";
import type { Origin, Part, Partition } from "./partition.js";

/** The kernels of one part of a computation, with what was decided on the way. */
export interface ObservedPart extends PartRun {
  readonly side: "host" | "device";
  readonly program: KernelProgram;
  readonly observed: ReadonlyMap<string, ObservedKernel>;
  readonly log: FusionLog;
  /** The launches of each kernel, by its name; none on the processor. */
  readonly launches: ReadonlyMap<string, readonly DeviceKernel[]>;
  /** What a profile calls all that a kernel is: its launches, or the ops that the reference evaluates in its place. */
  readonly measured: ReadonlyMap<string, readonly string[]>;
}

/** The parts of a computation as it runs on a device, for whoever shows them. `target`: what the processor's kernels are made for. */
export function observedParts(
  computation: Computation,
  unplaced: DeviceKind,
  target: TargetLimits,
): { readonly parts: readonly ObservedPart[]; readonly partition: Partition } {
  const { partition } = partsOf(computation, unplaced);
  const onDevice = deviceEdges(partition);
  const names = new MeasuredNames();
  const parts = partition.parts.map((part): ObservedPart => {
    const observed = new Map<string, ObservedKernel>();
    const log = new FusionLog();
    const wantedAs = (name: string): readonly Wanted[] => wantedOf(name, part.side, computation, partition);
    const observer = { log, observe: (name: string, kernel: ObservedKernel) => observed.set(name, kernel) };
    if (part.side === "host") {
      const program = buildKernels(part.computation, target, { ...observer, checkNumerics: false });
      const leaves = leavesOf([...program.compute, ...program.commit]);
      const evaluated = isEvaluated(part);
      const measured = evaluated
        ? measuredSteps(part.computation, observed, names)
        : new Map(leaves.map(({ name }) => [name, [names.next(name)]]));
      return {
        side: part.side,
        program,
        observed,
        log,
        launches: new Map(),
        measured,
        wantedAs,
        isEvaluated: evaluated,
      };
    }
    const { program, lowered } = lowerPart(part, onDevice, true, observer);
    const launches = new Map<string, DeviceKernel[]>();
    const measured = new Map<string, string[]>();
    for (const launch of kernelsOf(lowered.steps)) {
      launches.set(launch.of, [...(launches.get(launch.of) ?? []), launch]);
      measured.set(launch.of, [...(measured.get(launch.of) ?? []), names.next(launch.name)]);
    }
    return { side: part.side, program, observed, log, launches, measured, wantedAs, isEvaluated: false };
  });
  return { parts, partition };
}

/** What an edge that a part gives is for. */
function wantedOf(
  name: string,
  side: ObservedPart["side"],
  computation: Computation,
  { parts, outputs, assignments }: Partition,
): readonly Wanted[] {
  const isIt = (origin: Origin | undefined): boolean => origin?.kind === "edge" && origin.name === name;
  const reads = ({ computation: { placeholders } }: Part): boolean => placeholders.some((one) => one.name === name);
  return [
    ...computation.outputs
      .filter((_, i) => isIt(outputs[i]))
      .map((one): Wanted => ({ kind: "result", name: one.name })),
    ...assignments.filter(({ origin }) => isIt(origin)).map(({ path }): Wanted => ({ kind: "assigned", path })),
    ...(["cpu", "gpu"] as const).flatMap((to): readonly Wanted[] => {
      const there = to === "cpu" ? "host" : "device";
      return there !== side && parts.some((part) => part.side === there && reads(part)) ? [{ kind: "sent", to }] : [];
    }),
  ];
}

/** The ops that are evaluated in the place of kernels; one that several kernels would compute is the first one's. */
function measuredSteps(
  computation: Computation,
  observed: ReadonlyMap<string, ObservedKernel>,
  names: MeasuredNames,
): ReadonlyMap<string, readonly string[]> {
  const plan = planValues(rootsOf(computation));
  const steps = new Map(stepNames(plan).map((name, i) => [plan.steps[i]?.node, names.next(name)]));
  const measured = new Map<string, readonly string[]>();
  for (const [kernel, { nodes }] of observed) {
    const own = nodes.flatMap((node) => steps.get(node) ?? []);
    for (const node of nodes) steps.delete(node);
    measured.set(kernel, own);
  }
  return measured;
}
