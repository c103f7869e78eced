import type { KernelProfile } from "../../compiler/backends/profile.js";
import type { ComputationProfile } from "../executables.js";
import type { ProfileReport } from "./report.js";

/**
 * The trace event format that chrome://tracing and Perfetto read ("Trace Event Format", Google): a computation is a process, its
 * kernels are complete events ("X") on a thread of it, and the bytes in use are a counter ("C"). Times are in microseconds.
 */
export type TraceEvent =
  | {
      readonly ph: "M";
      readonly name: "process_name" | "thread_name";
      readonly pid: number;
      readonly tid: number;
      readonly args: { readonly name: string };
    }
  | {
      readonly ph: "X";
      readonly name: string;
      readonly cat: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly dur: number;
    }
  | {
      readonly ph: "C";
      readonly name: string;
      readonly pid: number;
      readonly tid: number;
      readonly ts: number;
      readonly args: { readonly bytes: number };
    };

/** A file of `--profile`: members that the format does not know are kept as they are, so one file serves both. */
export interface ProfileFile {
  readonly displayTimeUnit: "ms";
  readonly traceEvents: readonly TraceEvent[];
  readonly graphc: ProfileReport;
}

export function profileFile(profiles: readonly ComputationProfile[], report: ProfileReport): ProfileFile {
  const starts = profiles.filter(({ events }) => events.length > 0).map(({ origin }) => origin);
  const origin = Math.min(...starts);
  return {
    displayTimeUnit: "ms",
    traceEvents: profiles.flatMap((profile, i) => eventsOf(profile, i + 1, origin)),
    graphc: report,
  };
}

/** The rows of a computation's kernels: one where the target has one place. */
const threads = { kernels: 1, gpu: 1, cpu: 2, transfers: 3 } as const;

function threadOf({ kind, side }: KernelProfile): keyof typeof threads {
  if (side === undefined) return "kernels";
  return kind === "transfer" ? "transfers" : side;
}

function eventsOf(profile: ComputationProfile, pid: number, origin: number): readonly TraceEvent[] {
  const { name, dims, kernels, events, fixedBytes } = profile;
  const sizes = [...dims].map(([dim, size]) => `${dim} = ${size}`).join(", ");
  const title = sizes === "" ? name : `${name} (${sizes})`;
  const found: TraceEvent[] = [
    { ph: "M", name: "process_name", pid, tid: threads.kernels, args: { name: title } },
    ...[...new Set(kernels.length === 0 ? (["kernels"] as const) : kernels.map(threadOf))].map(
      (thread): TraceEvent => ({ ph: "M", name: "thread_name", pid, tid: threads[thread], args: { name: thread } }),
    ),
  ];
  const fixed = fixedBytes.variables + fixedBytes.constants;
  let shown: number | undefined;
  for (const event of events) {
    const kernel = kernels[event.kernel];
    if (kernel === undefined) continue;
    const ts = microseconds((profile.origin - origin) / 1000 + event.start);
    const bytes = fixed + kernel.liveBytes;
    const tid = threads[threadOf(kernel)];
    // Of two sides the memory is the device's.
    if (bytes !== shown && kernel.side !== "cpu") {
      found.push({ ph: "C", name: "memory", pid, tid: threads.kernels, ts, args: { bytes } });
      shown = bytes;
    }
    found.push({ ph: "X", name: kernel.name, cat: kernel.kind, pid, tid, ts, dur: microseconds(event.seconds) });
  }
  return found;
}

/** To the nanosecond: more digits would only be noise. */
function microseconds(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e3;
}
