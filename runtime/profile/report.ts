import type { KernelProfile, Moved } from "../../compiler/backends/profile.js";
import type { Span } from "../../compiler/ir/span.js";
import { type MachinePeaks, rooflineSeconds } from "../../compiler/kernels/work.js";
import type { ComputationProfile } from "../executables.js";

/** Types and no interfaces: only they are JSON values to TypeScript. */

/** A place in a source file, both from 1. */
export type ReportPlace = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
};

export type KernelReport = {
  readonly name: string;
  readonly kind: KernelProfile["kind"];
  /** Where it ran, of a program of a device and the processor; null on other targets. */
  readonly on: "cpu" | "gpu" | null;
  readonly calls: number;
  readonly seconds: number;
  /** Of one call, as are all that follow; null where nothing counts them. */
  readonly operations: number | null;
  readonly transcendentals: number | null;
  readonly read_bytes: number | null;
  readonly written_bytes: number | null;
  /** The least it could take at the machine's peaks; null where work or peaks are not known. */
  readonly roofline_seconds: number | null;
  readonly live_bytes: number;
  /** What it computes, first written first. */
  readonly places: readonly ReportPlace[];
};

export type ComputationReport = {
  readonly name: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly entries: number;
  readonly seconds: number;
  /** What the measuring itself took of `seconds`, at most. */
  readonly measuring_seconds: number;
  readonly variable_bytes: number;
  readonly constant_bytes: number;
  readonly arena_bytes: number;
  /** To a device and from it; null where the target computes in this process's memory. */
  readonly moved_bytes: { readonly up: number; readonly down: number } | null;
  /** The same with how often and how long. */
  readonly transfers: { readonly up: TransferReport; readonly down: TransferReport } | null;
  readonly kernels: readonly KernelReport[];
};

export type TransferReport = { readonly count: number; readonly bytes: number; readonly seconds: number };

/** All that was measured, as JSON: what stands under `graphc` in a file of `--profile`. */
export type ProfileReport = {
  readonly version: 1;
  readonly target: string;
  readonly device: string;
  /** One core's; null where they cannot be measured. */
  readonly machine: {
    readonly gigaflops: { readonly f32: number; readonly f64: number };
    readonly gigabytes_per_second: number;
  } | null;
  readonly computations: readonly ComputationReport[];
};

export interface ReportContext {
  readonly target: string;
  readonly device: string;
  readonly machine: MachinePeaks | undefined;
  /** Undefined where the file cannot be read. */
  readonly placeOf: (span: Span) => ReportPlace | undefined;
}

export function profileReport(profiles: readonly ComputationProfile[], context: ReportContext): ProfileReport {
  const { target, device, machine } = context;
  return {
    version: 1,
    target,
    device,
    machine:
      machine === undefined
        ? null
        : {
            gigaflops: machine.gigaflops,
            gigabytes_per_second: machine.gigabytesPerSecond,
          },
    computations: profiles.map((profile) => computationReport(profile, context)),
  };
}

function computationReport(profile: ComputationProfile, context: ReportContext): ComputationReport {
  const calls = profile.kernels.reduce((sum, kernel) => sum + kernel.calls, 0);
  const { moved } = profile;
  return {
    name: profile.name,
    dims: Object.fromEntries(profile.dims),
    entries: profile.entries,
    seconds: profile.seconds,
    measuring_seconds: calls * profile.secondsPerMeasurement,
    variable_bytes: profile.fixedBytes.variables,
    constant_bytes: profile.fixedBytes.constants,
    arena_bytes: profile.arenaBytes,
    moved_bytes: moved === undefined ? null : { up: moved.up.bytes, down: moved.down.bytes },
    transfers: moved === undefined ? null : { up: transferReport(moved.up), down: transferReport(moved.down) },
    kernels: profile.kernels.map((kernel) => kernelReport(kernel, context)),
  };
}

function transferReport({ transfers, bytes, seconds }: Moved): TransferReport {
  return { count: transfers, bytes, seconds };
}

function kernelReport(kernel: KernelProfile, { machine, placeOf }: ReportContext): KernelReport {
  const { name, kind, side, calls, seconds, work, liveBytes, spans } = kernel;
  const least = work === undefined || machine === undefined ? undefined : rooflineSeconds(work, machine);
  return {
    name,
    kind,
    on: side ?? null,
    calls,
    seconds,
    operations: work?.operations ?? null,
    transcendentals: work?.transcendentals ?? null,
    read_bytes: work?.readBytes ?? null,
    written_bytes: work?.writtenBytes ?? null,
    roofline_seconds: least ?? null,
    live_bytes: liveBytes,
    places: spans.flatMap((span) => placeOf(span) ?? []),
  };
}
