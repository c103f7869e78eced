import type { Span } from "../compiler/ir/span.js";
import type { MachinePeaks } from "../compiler/kernels/work.js";
import { locate } from "../dsl/source-text.js";
import { writeFileAtomic } from "../runtime/files/atomic.js";
import { requireReplaceable, traceFile } from "../runtime/files/replace.js";
import {
  type ComputationReport,
  type KernelReport,
  type ProfileReport,
  profileReport,
  type ReportPlace,
  type TransferReport,
} from "../runtime/profile/report.js";
import { profileFile } from "../runtime/profile/trace.js";
import type { Session } from "../runtime/session.js";
import type { Console } from "./console.js";
import { bytesText, countText, durationText, plural } from "./numbers.js";
import { sourceLines } from "./source.js";
import { type Column, table } from "./table.js";

/** `--profile` alone, or with the file that the trace goes to. */
export type ProfileOption = string | boolean | undefined;

/** Rows of a table: what lies below takes no time worth a look, and the file has all. */
const mostRows = 24;

/** What `--profile` writes. */
export function profileFiles(option: ProfileOption): readonly string[] {
  return typeof option === "string" ? [option] : [];
}

/** Throws GraphError G092 where a trace would take the place of another kind of file. */
export async function requireTraces(paths: readonly string[]): Promise<void> {
  for (const path of paths) await requireReplaceable(path, traceFile);
}

/** What a session measured: tables, and the file that was asked for. Gives the report, for `--json`. */
export async function showProfile(
  console: Console,
  session: Session,
  option: ProfileOption,
): Promise<ProfileReport | undefined> {
  if (option === undefined || option === false) return undefined;
  const profiles = await session.profile();
  const { target, device } = session.program.backend;
  const report = profileReport(profiles, { target, device, machine: await machineOf(target), placeOf });
  if (typeof option === "string") {
    await writeFileAtomic(option, [Buffer.from(`${JSON.stringify(profileFile(profiles, report))}\n`)]);
  }
  console.print(reportText(report));
  if (typeof option !== "string") return report;
  const kept = profiles.reduce((sum, { events }) => sum + events.length, 0);
  const calls = profiles.flatMap(({ kernels }) => kernels).reduce((sum, kernel) => sum + kernel.calls, 0);
  const part = kept < calls ? `the first ${countText(kept)} of ${countText(calls)} calls` : plural(calls, "call");
  console.note(`wrote ${option}: a trace of ${part}, for ui.perfetto.dev or chrome://tracing`);
  return report;
}

/** One core's peaks, undefined but on the cpu. Measured anew each time: a processor is not always equally fast. */
export async function machineOf(target: string): Promise<MachinePeaks | undefined> {
  if (target !== "cpu") return undefined;
  const { measurePeaks } = await import("../compiler/backends/llvm/machine.js");
  const { hostTarget } = await import("../compiler/backends/llvm/target.js");
  return measurePeaks(hostTarget());
}

/** Where a span begins; undefined where its file cannot be read. */
export function placeOf({ file, start }: Span): ReportPlace | undefined {
  const lines = sourceLines(file);
  return lines === undefined ? undefined : { file, ...locate(lines, start) };
}

/** The tables of a report, and what they were measured with. */
export function reportText(report: ProfileReport): string {
  if (report.computations.length === 0) {
    return "nothing ran that could be measured";
  }
  const parts = report.computations.map(computationText);
  const { machine } = report;
  if (machine !== null) {
    const { f32, f64 } = machine.gigaflops;
    parts.push(
      `one core's peaks, measured just now: ${rounded(f32)} GFLOP/s in f32, ${rounded(f64)} in f64, ` +
        `${rounded(machine.gigabytes_per_second)} GB/s\n` +
        "of peak: the least time at these peaks (roofline) by the time taken; above 100 % the caches served instead of memory",
    );
  }
  if (report.target === "gpu") {
    parts.push(
      `on ${report.device}: a kernel's time on the gpu is from its launch until the device says that it is done, each waited for; ` +
        "without --profile launches overlap, and feeds go up with the launch that reads them",
    );
  }
  return parts.join("\n\n");
}

const right = "right" as const;
/** A device's peaks are not known: where kernels ran stands in the place of how near they came to them. */
const columnsOf = (hasSides: boolean): readonly Column[] => [
  { title: "kernel" },
  ...(hasSides ? [{ title: "on" }] : []),
  { title: "calls", align: right },
  { title: "time", align: right },
  { title: "", align: right },
  { title: "a call", align: right },
  { title: "GFLOP/s", align: right },
  { title: "GB/s", align: right },
  ...(hasSides ? [] : [{ title: "of peak", align: right }]),
  { title: "memory", align: right },
  { title: "line" },
];

function computationText(computation: ComputationReport): string {
  const { name, dims, entries, seconds, kernels, transfers } = computation;
  const hasSides = transfers !== null;
  const sizes = Object.entries(dims).map(([dim, size]) => `${dim} = ${size}`);
  const inKernels = kernels.reduce((sum, kernel) => sum + kernel.seconds, 0);
  const byTime = [...kernels].filter(({ calls }) => calls > 0).sort((a, b) => b.seconds - a.seconds);
  const shown = byTime.slice(0, mostRows);
  const others = byTime.slice(mostRows);
  const rows = shown.map((kernel) => kernelRow(kernel, seconds, computation));
  const short = (label: string, time: number): readonly string[] => [
    label,
    ...(hasSides ? [""] : []),
    "",
    durationText(time),
    percent(time / seconds),
  ];
  if (others.length > 0) {
    rows.push(
      short(
        `${plural(others.length, "other")}`,
        others.reduce((sum, kernel) => sum + kernel.seconds, 0),
      ),
    );
  }
  rows.push(short("(between kernels)", Math.max(0, seconds - inKernels)));
  const head = `${[name, ...sizes].join(", ")}: ${durationText(seconds)} in ${countText(entries)} ${entries === 1 ? "call" : "calls"}`;
  const { variable_bytes: variables, constant_bytes: constants, arena_bytes: arena } = computation;
  const fixed =
    constants > 0
      ? `variables ${bytesText(variables)}, constants ${bytesText(constants)}`
      : `variables ${bytesText(variables)}`;
  const fullest = kernels
    .filter(usesArena)
    .reduce<KernelReport | undefined>(
      (most, kernel) => (most === undefined || kernel.live_bytes > most.live_bytes ? kernel : most),
      undefined,
    );
  const peak =
    fullest === undefined || fullest.live_bytes === 0
      ? ""
      : `, fullest in ${fullest.name} (${bytesText(fullest.live_bytes)})`;
  return [
    head,
    table(columnsOf(hasSides), rows),
    ...(transfers === null ? [] : [movedText(transfers)]),
    `memory: ${fixed}, ${hasSides ? "other arrays of the device" : "arena"} ${bytesText(arena)}${peak}`,
    `measuring took at most ${percent(computation.measuring_seconds / seconds)} of the time`,
  ].join("\n");
}

/** Where two sides compute, the arena is the device's. */
function usesArena({ on }: KernelReport): boolean {
  return on !== "cpu";
}

function movedText({ up, down }: NonNullable<ComputationReport["transfers"]>): string {
  const text = ({ count, bytes, seconds }: TransferReport): string =>
    `${bytesText(bytes)} in ${plural(count, "transfer")} of ${durationText(seconds)}`;
  return `moved: to the device ${text(up)}, from it ${text(down)}`;
}

function kernelRow(
  kernel: KernelReport,
  total: number,
  { arena_bytes: arena, transfers }: ComputationReport,
): readonly string[] {
  const { name, on, calls, seconds, operations, read_bytes: read, written_bytes: written } = kernel;
  const each = seconds / calls;
  const rate = (amount: number | null): string =>
    amount === null || amount === 0 ? "-" : rounded(amount / each / 1e9);
  const place = kernel.places[0];
  return [
    name,
    ...(transfers === null ? [] : [kernel.kind === "transfer" ? "" : (on ?? "")]),
    countText(calls),
    durationText(seconds),
    percent(seconds / total),
    durationText(each),
    rate(operations),
    rate(read === null || written === null ? null : read + written),
    ...(transfers === null ? [kernel.roofline_seconds === null ? "-" : percent(kernel.roofline_seconds / each)] : []),
    arena === 0 || !usesArena(kernel) ? "-" : bytesText(kernel.live_bytes),
    place === undefined ? "" : `${place.file}:${place.line}`,
  ];
}

function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "-";
  const value = 100 * fraction;
  return `${value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`;
}

function rounded(value: number): string {
  return value >= 100 ? countText(Math.round(value)) : String(Number(value.toPrecision(2)));
}
