import type { DeviceKernel } from "../compiler/backends/gpu/form.js";
import { observedParts } from "../compiler/backends/gpu/observed.js";
import type { Origin } from "../compiler/backends/gpu/partition.js";
import { transfersOf } from "../compiler/backends/gpu/transfers.js";
import type { Computation } from "../compiler/ir/graph.js";
import type { TargetLimits } from "../compiler/kernels/schedule.js";
import type { ListingModel } from "./model.js";
import type { Placing } from "./placement.js";
import type { End, Lowered } from "./sides.js";

/** Characters of a kernel's source, and of all sources of a computation, that a document quotes. */
const mostSource = 4000;
const mostSources = 1_000_000;

/** The kernels on both sides of a device, those of the device with their gpu.js source. Throws GraphError G102. */
export function lowerForDevice(computation: Computation, { unplaced, device }: Placing, target: TargetLimits): Lowered {
  const { parts, partition } = observedParts(computation, unplaced, target);
  const outputs = computation.outputs.map(({ name }, i) => ({
    kind: "output" as const,
    name,
    origin: partition.outputs[i],
  }));
  const assigned = partition.assignments.map(({ path, origin }) => ({ kind: "assign" as const, name: path, origin }));
  let left = mostSources;
  return {
    device,
    ends: [...outputs, ...assigned].flatMap(({ kind, name, origin }): readonly End[] =>
      origin === undefined ? [] : [{ kind, name, from: endOf(origin) }],
    ),
    transfers: transfersOf(computation, partition),
    parts: parts.map(({ side, program, observed, log, launches, measured, wantedAs, isEvaluated }) => ({
      program,
      observed,
      log,
      run: { wantedAs, isEvaluated },
      device: side === "host" ? "cpu" : "gpu",
      shown: side === "host" ? "processor" : device,
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

function endOf(origin: Origin): End["from"] {
  return origin.kind === "edge" ? origin : { kind: "variable", name: origin.path };
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
