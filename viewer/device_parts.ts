import type { DeviceKernel } from "../compiler/backends/gpu/form.js";
import { observedParts } from "../compiler/backends/gpu/observed.js";
import type { DeviceKind } from "../compiler/ir/device.js";
import type { Computation } from "../compiler/ir/graph.js";
import type { TargetLimits } from "../compiler/kernels/schedule.js";
import type { End, Lowered } from "./kernel_view.js";
import type { ListingModel } from "./model.js";

/** Characters of a kernel's source, and of all sources of a computation, that a document quotes. */
const mostSource = 4000;
const mostSources = 1_000_000;

/** The kernels on both sides of a device, those of the device with their gpu.js source. Throws GraphError G102. */
export function lowerForDevice(computation: Computation, unplaced: DeviceKind, target: TargetLimits): Lowered {
  const { parts, partition } = observedParts(computation, unplaced, target);
  const ends = new Map<string, End[]>();
  const end = (name: string, one: End): void => {
    ends.set(name, [...(ends.get(name) ?? []), one]);
  };
  computation.outputs.forEach(({ name }, i) => {
    const origin = partition.outputs[i];
    if (origin?.kind === "edge") end(origin.name, { kind: "output", name });
  });
  for (const { path, origin } of partition.assignments)
    if (origin.kind === "edge") end(origin.name, { kind: "assign", name: path });
  let left = mostSources;
  return {
    ends,
    parts: parts.map(({ side, program, observed, log, launches, measured, isEvaluated }) => ({
      program,
      observed,
      log,
      device: side === "host" ? "cpu" : "gpu",
      measured,
      isCompiled: side === "host" && !isEvaluated,
      listings: new Map(
        [...launches].map(([name, kernels]) => {
          const listings = kernels.map(listingOf);
          left -= listings.reduce((sum, { text }) => sum + text.length, 0);
          return [name, left < 0 ? [] : listings];
        }),
      ),
    })),
  };
}

function listingOf({ source, functions, length }: DeviceKernel): ListingModel {
  const called = functions.flatMap((text) => /^function (\w+)/.exec(text)?.[1] ?? []);
  const whole = called.length === 0 ? source : `${source}\n// calls ${called.join(", ")}`;
  return {
    form: "gpu.js",
    what: `${length.toLocaleString("en-US")} ${length === 1 ? "thread" : "threads"}`,
    text: whole.length > mostSource ? `${whole.slice(0, mostSource)}\n…` : whole,
  };
}
