import type { DeviceCounts, ExecutableInfo } from "../compiler/backends/executable.js";
import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import { bindDims } from "../compiler/ir/specialise.js";
import type { MachinePeaks } from "../compiler/kernels/work.js";
import { Program } from "../compiler/program.js";
import type { FeedValue } from "../runtime/feeds.js";
import { type ProfileReport, profileReport } from "../runtime/profile/report.js";
import { checkFeeds } from "../runtime/requests.js";
import { Session } from "../runtime/session.js";
import { type Batch, firstBatch } from "./batch.js";
import { rewind, runInside, stepsOfSchedules } from "./bench_runs.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, UsageError } from "./failure.js";
import { readFeeds } from "./feeds.js";
import { dimsOfFeeds, generateInput, inputShape } from "./inputs.js";
import type { JsonValue } from "./json.js";
import { type LoadOptions, openModel } from "./load.js";
import { bytesText, countText, durationText, plural, rateText, secondsText } from "./numbers.js";
import type { Named, Sizes, TargetOption } from "./options.js";
import { machineOf, placeOf } from "./profile.js";
import { isPreempted, type Samples, type Spread, spreadOf, takeSamples, undisturbed } from "./samples.js";
import { requireFileFirst } from "./signatures.js";
import { originRemarks, requireSizes, type Sized, sizesText } from "./specialisation.js";
import { openBackend } from "./target.js";

export interface BenchOptions extends CommonOptions, LoadOptions {
  readonly feed?: Named | undefined;
  readonly data?: Named | undefined;
  readonly batch?: number | undefined;
  readonly dim?: Sizes | undefined;
  readonly weights?: string | undefined;
  readonly seed?: bigint | undefined;
  readonly samples?: number | undefined;
  readonly target?: TargetOption | undefined;
  readonly device?: DeviceName | undefined;
}

/** All that was found out. */
interface Measured {
  readonly name: string;
  readonly device: string;
  readonly dims: ReadonlyMap<string, number>;
  /** Placeholders whose values were made up. */
  readonly generated: readonly string[];
  readonly info: ExecutableInfo;
  /** Runs one after another, inside the target. */
  readonly inside: Times;
  /** Calls of `session.run`, each awaited. */
  readonly called: Times;
  readonly work: Work | undefined;
  readonly machine: MachinePeaks | undefined;
  readonly counts: CountsOfRun | undefined;
}

/** Of one run, in seconds. */
interface Times extends Spread {
  readonly samples: number;
  readonly runs: number;
  readonly preempted: number;
  /** These are the processor's times, since hardly a sample had the processor for itself. */
  readonly contended: boolean;
}

/** What one run does, by its kernels. */
interface Work {
  readonly operations: number;
  readonly transcendentals: number;
  readonly bytes: number;
  /** The least it could take at the machine's peaks, one kernel after another. */
  readonly rooflineSeconds: number;
  /** Kernels that iterate until they have converged, whose operations nobody counts. */
  readonly uncounted: number;
}

interface CountsOfRun {
  readonly launches: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** How fast a signature runs here, on values that were fed or made up. */
export async function bench(
  console: Console,
  file: string,
  signature: string,
  options: BenchOptions,
): Promise<ExitCode> {
  requireFileFirst(file, signature, "bench");
  requireSense(options);
  const { graph, store } = await openModel(console, file, options);
  const backend = await openBackend(console, options, graph);
  const program = await Program.create(graph, backend, { checkNumerics: false }, store);
  const choice = { name: signature, selection: { kind: "signature", name: signature } } as const;
  const prepared = await program.prepare(choice.selection);
  const batch = options.data === undefined ? undefined : await firstBatch(graph, signature, options.data, options);
  const feeds = { ...batch?.feeds, ...(await readFeeds(graph, options.feed)) };
  const needed = new Set(prepared.placeholders.map(({ name }) => name));
  const defaults = [...program.defaults].filter(([name]) => needed.has(name));
  const fromFeeds = dimsOfFeeds(graph, { ...Object.fromEntries(defaults), ...feeds });
  requireAgreement(fromFeeds, options.dim);
  const open = new Set([...prepared.dims].filter((name) => !fromFeeds.has(name)));
  const sized = requireSizes(graph, choice, open, options.dim);
  const dims = new Map([...fromFeeds, ...sized.dims]);

  const unfed = graph.placeholders.filter(
    ({ name }) => needed.has(name) && !Object.hasOwn(feeds, name) && !program.defaults.has(name),
  );
  // A size beyond its bound is told before values of that size are made up.
  bindDims(graph, new Set(), new Map(unfed.map((one) => [one.name, { shape: inputShape(one, dims) }])));
  const values = { ...feeds, ...Object.fromEntries(unfed.map((one) => [one.name, generateInput(one, dims)])) };
  const given = { seed: options.seed, weights: options.weights };
  await using session = new Session(program, given);
  await session.ready;
  const fed = checkFeeds(program, prepared, values);
  const bound = bindDims(graph, prepared.dims, fed);
  const most = stepsOfSchedules(graph, signature);
  // What a check refuses is told before anything is measured.
  rewind(session, most);
  await session.run(signature, values);
  const executable = await session.executable(prepared, bound);

  const measure = { count: options.samples };
  const inside = await takeSamples((runs) => runInside(executable, fed, session.seed, runs, most), measure);
  const before = await backend.counts?.();
  const called = await takeSamples(async (runs) => {
    for (let i = 0; i < runs; i++) {
      rewind(session, most);
      await session.run(signature, values);
    }
  }, measure);
  rewind(session, most);
  const counts = await countsOfRun(session, signature, values);
  const machine = await machineOf(backend.target);
  const report = before === undefined ? await profileOf(program, store, given, signature, values, machine) : undefined;
  const measured: Measured = {
    name: signature,
    device: backend.device,
    dims: bound,
    generated: unfed.map(({ name }) => name),
    info: executable.info,
    inside: timesOf(inside, backend.target === "gpu"),
    called: timesOf(called, backend.target === "gpu"),
    work: report === undefined ? undefined : workOf(report),
    machine,
    counts,
  };
  if (console.isJson) console.object(measuredJson(measured));
  else console.print(measuredText(measured));
  if (batch !== undefined) console.note(batchText(batch));
  for (const remark of remarks(measured, sized)) console.note(remark);
  return exitCodes.fine;
}

function requireSense({ data, feed, batch }: BenchOptions): void {
  const twice = [...(data?.keys() ?? [])].find((name) => feed?.has(name));
  if (twice !== undefined) throw new UsageError(`--data and --feed both give ${JSON.stringify(twice)}`);
  if (batch !== undefined && data === undefined) throw new UsageError("--batch goes with --data");
}

function requireAgreement(fromFeeds: ReadonlyMap<string, number>, given: Sizes | undefined): void {
  for (const [name, size] of given ?? []) {
    const fed = fromFeeds.get(name);
    if (fed !== undefined && fed !== size) {
      throw new UsageError(
        `--dim says ${name} = ${size}, and what is fed, or stands as a default, has ${name} = ${fed}`,
      );
    }
  }
}

function batchText({ feeds, rows, of }: Batch): string {
  const names = Object.keys(feeds);
  const rest = rows === of ? `all ${plural(of, "row")}` : `the first ${countText(rows)} of ${plural(of, "row")}`;
  return `${names.join(", ")} ${names.length === 1 ? "is" : "are"} ${rest} of the data`;
}

/** Of one more run, since variables stay on the device. */
async function countsOfRun(
  session: Session,
  signature: string,
  values: Readonly<Record<string, FeedValue>>,
): Promise<CountsOfRun | undefined> {
  const { backend } = session.program;
  const before = await backend.counts?.();
  await session.run(signature, values);
  const after = await backend.counts?.();
  if (before === undefined || after === undefined) return undefined;
  const difference = (key: keyof DeviceCounts): number => after[key] - before[key];
  return { launches: difference("launches"), bytesUp: difference("bytesUp"), bytesDown: difference("bytesDown") };
}

/** A few runs in code of its own that measures each kernel: how often each is called in a run, and what it does. */
async function profileOf(
  { graph, backend }: Program,
  store: Parameters<typeof Program.create>[3],
  given: { readonly seed: bigint | undefined; readonly weights: string | undefined },
  signature: string,
  values: Readonly<Record<string, FeedValue>>,
  machine: MachinePeaks | undefined,
): Promise<ProfileReport> {
  const program = await Program.create(graph, backend, { checkNumerics: false, profile: true }, store);
  await using session = new Session(program, given);
  await session.ready;
  rewind(session, stepsOfSchedules(graph, signature));
  await session.run(signature, values);
  const { target, device } = backend;
  return profileReport(await session.profile(), { target, device, machine, placeOf });
}

function workOf({ computations }: ProfileReport): Work | undefined {
  const kernels = computations.flatMap((one) => one.kernels);
  if (kernels.length === 0 || kernels.every(({ read_bytes: read }) => read === null)) return undefined;
  const entries = computations.reduce((sum, one) => sum + one.entries, 0);
  const sum = (of: (kernel: (typeof kernels)[number]) => number | null): number =>
    kernels.reduce((total, kernel) => total + (of(kernel) ?? 0) * kernel.calls, 0) / entries;
  return {
    operations: sum(({ operations }) => operations),
    transcendentals: sum(({ transcendentals }) => transcendentals),
    bytes: sum(({ read_bytes: read, written_bytes: written }) => (read ?? 0) + (written ?? 0)),
    rooflineSeconds: sum(({ roofline_seconds: seconds }) => seconds),
    uncounted: kernels.filter(({ operations, calls }) => operations === null && calls > 0).length,
  };
}

/** Where a device computes, the processor waits, and its time says nothing. */
function timesOf({ samples, runs }: Samples, onDevice: boolean): Times {
  const walls = { seconds: samples.map(({ wall }) => wall), contended: false };
  const { seconds, contended } = onDevice ? walls : undisturbed(samples);
  const preempted = onDevice ? 0 : samples.filter(isPreempted).length;
  return { ...spreadOf(seconds), samples: samples.length, runs, preempted, contended };
}

function measuredText(measured: Measured): string {
  const { name, device, dims, info, inside, called, work, machine, counts } = measured;
  const sizes = dims.size === 0 ? "" : `, ${sizesText({ dims, origins: new Map(), open: [] })}`;
  const ready = info.cached ? "code from the cache" : `compiled in ${secondsText(info.compileSeconds)}`;
  const lines = [
    `${name}${sizes}: on ${info.target} (${device}), ${ready}`,
    `inside   ${samplesText(inside)}`,
    `         ${rateText(1 / inside.median)} runs/s one after another, ${betweenRuns(info.target)}`,
    `called   ${samplesText(called)}`,
    `         ${rateText(1 / called.median)} runs/s of session.run, which checks feeds and copies results`,
  ];
  if (work !== undefined) lines.push(...workLines(work, inside.median, machine));
  if (counts !== undefined) {
    const { launches, bytesUp, bytesDown } = counts;
    lines.push(
      `device   ${plural(launches, "launch").replace(/launchs$/, "launches")} a run, ${bytesText(bytesUp)} to the device, ${bytesText(bytesDown)} back`,
    );
  }
  lines.push(
    `code     ${plural(info.kernels, "kernel")}, ${bytesText(info.codeBytes)}`,
    `memory   arena ${bytesText(info.arenaBytes)}, peak ${bytesText(info.peakBytes)} with variables, feeds and results`,
  );
  return lines.join("\n");
}

/** Native code loops by itself; for the others JavaScript does, as in training. */
function betweenRuns(target: string): string {
  return target === "cpu" ? "without a return to JavaScript between them" : "as in training, without copies of results";
}

function samplesText({ median, lowerQuartile, upperQuartile, fastest, samples, runs }: Times): string {
  const quartiles = `quartiles ${durationText(lowerQuartile)} and ${durationText(upperQuartile)}`;
  const taken = `${plural(samples, "sample")} of ${plural(runs, "run")}`;
  return `${durationText(median)} a run (${quartiles}, fastest ${durationText(fastest)}; ${taken})`;
}

function workLines(work: Work, seconds: number, machine: MachinePeaks | undefined): readonly string[] {
  const { operations, transcendentals, bytes, rooflineSeconds } = work;
  const functions = transcendentals === 0 ? "" : ` and ${countText(Math.round(transcendentals))} functions such as exp`;
  const of = (rate: number, unit: string, peak: number | undefined): string =>
    peak === undefined ? `${rateText(rate)} ${unit}` : `${rateText(rate)} ${unit} of ${rateText(peak)}`;
  const lines = [
    `work     ${countText(Math.round(operations))} operations${functions} a run: ${of(operations / seconds / 1e9, "GFLOP/s", machine?.gigaflops.f32)}`,
    `         ${bytesText(bytes)} read and written by kernels: ${of(bytes / seconds / 1e9, "GB/s", machine?.gigabytesPerSecond)}`,
  ];
  if (machine !== undefined) {
    const part = ((100 * rooflineSeconds) / seconds).toFixed(0);
    lines.push(`floor    ${durationText(rooflineSeconds)} at one core's peaks, measured just now: ${part} % of peak`);
  }
  return lines;
}

function remarks({ generated, inside, called, work }: Measured, sized: Sized): readonly string[] {
  const lines = [...originRemarks([sized])];
  if (generated.length > 0) {
    lines.push(
      `${generated.join(", ")} ${generated.length === 1 ? "is" : "are"} made up: floats from 0 to 1, integers 0 or 1; --data and --feed give others`,
    );
  }
  for (const [what, { preempted, contended, samples }] of [
    ["inside", inside],
    ["called", called],
  ] as const) {
    if (preempted === 0) continue;
    const many = `${countText(preempted)} of ${plural(samples, "sample")}`;
    lines.push(
      contended
        ? `${what}: other processes had the processor during ${many}, so the times are the processor's own`
        : `${what}: ${many} left out, during which other processes had the processor`,
    );
  }
  if (work !== undefined && work.uncounted > 0) {
    lines.push(
      `${plural(work.uncounted, "kernel")} iterate until they have converged: their operations are not counted`,
    );
  }
  return lines;
}

function measuredJson(measured: Measured): JsonValue {
  const { name, device, dims, generated, info, inside, called, work, machine, counts } = measured;
  return {
    signature: name,
    target: info.target,
    device,
    threads: 1,
    dims,
    generated,
    inside: timesJson(inside),
    called: timesJson(called),
    work:
      work === undefined
        ? null
        : {
            operations: work.operations,
            transcendentals: work.transcendentals,
            bytes: work.bytes,
            gigaflops: work.operations / inside.median / 1e9,
            gigabytes_per_second: work.bytes / inside.median / 1e9,
            roofline_seconds: machine === undefined ? null : work.rooflineSeconds,
            uncounted_kernels: work.uncounted,
          },
    machine:
      machine === undefined ? null : { gigaflops: machine.gigaflops, gigabytes_per_second: machine.gigabytesPerSecond },
    device_counts:
      counts === undefined
        ? null
        : { launches: counts.launches, bytes_up: counts.bytesUp, bytes_down: counts.bytesDown },
    kernels: info.kernels,
    code_bytes: info.codeBytes,
    arena_bytes: info.arenaBytes,
    peak_bytes: info.peakBytes,
    compile_seconds: info.compileSeconds,
    cached: info.cached,
    diagnostics: [],
  };
}

function timesJson(times: Times): JsonValue {
  return {
    seconds: times.median,
    lower_quartile: times.lowerQuartile,
    upper_quartile: times.upperQuartile,
    fastest: times.fastest,
    runs_per_second: 1 / times.median,
    samples: times.samples,
    runs_per_sample: times.runs,
    preempted_samples: times.preempted,
    contended: times.contended,
  };
}
