import { statSync } from "node:fs";
import type { DeviceCounts } from "../compiler/backends/executable.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph } from "../compiler/ir/graph.js";
import { parseDataArgument } from "../runtime/data/references.js";
import type { EventsOptions } from "../runtime/events/events.js";
import { fileError, quotePath } from "../runtime/files/errors.js";
import { Session } from "../runtime/session.js";
import type { TrainEvent, TrainReport } from "../runtime/train.js";
import type { Transfer } from "../runtime/transfer.js";
import type { CommonOptions, Console } from "./console.js";
import { type ExitCode, exitCodes, showDiagnostics, UsageError } from "./failure.js";
import { interruption, untilSignal } from "./interrupt.js";
import type { JsonValue } from "./json.js";
import { type LoadOptions, openModel } from "./load.js";
import { bytesText, countText, metricText, plural, rateText, secondsText } from "./numbers.js";
import type { Named, TargetOption } from "./options.js";
import { requireApart, requireOutputs, sayMissing } from "./outputs.js";
import { type ProfileOption, profileFiles, requireTraces, showProfile } from "./profile.js";
import { ProgressLine } from "./progress.js";
import { openProgram } from "./target.js";
import type { Watch } from "./watch/watch.js";

export interface TrainFlags extends CommonOptions, LoadOptions {
  readonly data?: Named | undefined;
  readonly dataDir?: string | undefined;
  readonly batch?: number | undefined;
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly seed?: bigint | undefined;
  readonly save?: string | undefined;
  readonly resume?: string | undefined;
  readonly weights?: string | undefined;
  readonly report?: readonly string[] | undefined;
  readonly every?: number | undefined;
  readonly checkNumerics?: boolean | undefined;
  readonly events?: string | undefined;
  readonly histograms?: readonly string[] | undefined;
  readonly images?: readonly string[] | undefined;
  readonly watch?: number | boolean | undefined;
  readonly profile?: ProfileOption;
  readonly target?: TargetOption | undefined;
}

/** Trains as the file says, flags over it, and tells how it goes: a bar on a terminal, a line for each report. */
export async function train(console: Console, file: string, flags: TrainFlags): Promise<ExitCode> {
  const data = Object.fromEntries([...(flags.data ?? [])].map(([name, text]) => [name, parseDataArgument(text)]));
  requireFolder(flags.dataDir);
  const profiles = profileFiles(flags.profile);
  requireApart([...(flags.save === undefined ? [] : [flags.save]), ...profiles], [file]);
  await requireOutputs(console, profiles);
  await requireTraces(profiles);
  const model = await openModel(console, file, flags);
  const line = new ProgressLine(console);
  line.wait(`preparing ${model.graph.name}`);
  const interrupted = interruption(console, (print) => line.above(print));
  const watch = await openWatch(console, model.graph.name, flags, interrupted.signal);
  let outcome: TrainReport | GraphError | undefined;
  try {
    const program = await openProgram(console, model, flags);
    await using session = new Session(program, { seed: flags.seed });
    if (flags.weights !== undefined) showTransfer(console, flags.weights, await session.transfer(flags.weights));
    const reporter = new Reporter(console, line, session, flags);
    const { dataDir, batch, steps, epochs, every, report, resume, save } = flags;
    const result = await session.train({
      data,
      dataDir,
      allow: flags.allowPath,
      batch,
      steps,
      epochs,
      every,
      report,
      resume,
      save,
      events: eventsOf(flags),
      onEvent: (event) => {
        watch?.take(event);
        reporter.take(event);
      },
      between: watch && ((training) => watch.between(training)),
      signal: watch?.signal ?? interrupted.signal,
    });
    outcome = result;
    line.clear();
    reporter.end(result, file);
    const counts = await program.backend.counts?.();
    if (counts !== undefined) {
      const { launches, bytesUp, bytesDown, bytesKept, kernels } = counts;
      const kept = bytesKept > 0 ? `, ${bytesText(bytesKept)} copied against the loss of the device` : "";
      const moved = `${bytesText(bytesUp)} to the device, ${bytesText(bytesDown)} back${kept}`;
      console.note(`${countText(kernels)} kernels, ${countText(launches)} launches; ${moved}`);
    }
    const profile = await showProfile(console, session, flags.profile);
    if (console.isJson)
      console.object({
        ...reportJson(result),
        ...(counts === undefined ? {} : { device_counts: countsJson(counts) }),
        ...(profile === undefined ? {} : { profile }),
      });
    return exitCodes.fine;
  } catch (error) {
    if (error instanceof GraphError) outcome = error;
    throw error;
  } finally {
    line.clear();
    const stays = watch !== undefined && isLookedAt(console, outcome) && !interrupted.signal.aborted;
    interrupted.release();
    await watch?.end(outcome, stays ? () => stayed(console, watch.url) : undefined);
  }
}

/** Whether somebody sits there who may not have seen the page yet; scripts wait for nothing, nor does who has ended it. */
function isLookedAt(console: Console, outcome: TrainReport | GraphError | undefined): boolean {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && !console.isJson;
  return isTerminal && outcome !== undefined && "stopped" in outcome && outcome.stopped !== "interrupted";
}

function stayed(console: Console, url: string): Promise<void> {
  console.problem(`the training has ended; its page stays at ${url} until Ctrl-C`);
  return untilSignal();
}

/** Loaded only when it is wanted: it brings a web server. */
async function openWatch(
  console: Console,
  name: string,
  { watch, save }: TrainFlags,
  interrupted: AbortSignal,
): Promise<Watch | undefined> {
  if (watch === undefined || watch === false) return undefined;
  const { Watch } = await import("./watch/watch.js");
  const opened = await Watch.start({ name, save, interrupted, port: typeof watch === "number" ? watch : 0 });
  // Also where little is to be said: without the address the page is no use.
  console.problem(`watch it at ${opened.url}`);
  return opened;
}

/** Which variables begin as in the file; those that do not are named, since a changed name would silently train from nothing. */
function showTransfer(console: Console, path: string, { set, kept }: Transfer): void {
  const rest = kept.length === 0 ? "" : `; initial are ${kept.slice(0, 8).join(", ")}${kept.length > 8 ? ", ..." : ""}`;
  console.note(`${path} sets ${set.length} of ${set.length + kept.length} variables${rest}`);
}

function eventsOf({ events: dir, histograms, images }: TrainFlags): EventsOptions | undefined {
  if (dir !== undefined) return { dir, histograms, images };
  if (histograms === undefined && images === undefined) return undefined;
  throw new UsageError(`${histograms === undefined ? "--images" : "--histograms"} goes with --events DIR`);
}

/** The command that was given, which now resumes: data, steps, batch and target stay as they were asked for. */
function resuming(file: string, checkpoint: string): string {
  const words = process.argv.slice(process.argv.indexOf("train") + 1);
  const others = words.filter((word, i) => {
    const isOfOption = ["--resume", "--weights"].some((option) => words[i - 1] === option);
    return word !== file && !isOfOption && !/^--(?:resume|weights)(?:=|$)/.test(word);
  });
  return ["graphc", "train", file, ...others, "--resume", checkpoint].map(shellWord).join(" ");
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A folder that is not there would only mean that its files are looked for elsewhere. */
function requireFolder(folder: string | undefined): void {
  if (folder === undefined || statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw fileError("G070", `--data-dir ${quotePath(folder)} is not a folder`);
}

/** Turns what happens into lines. */
class Reporter {
  readonly #console: Console;
  readonly #line: ProgressLine;
  readonly #graph: Graph;
  readonly #session: Session;
  readonly #epochs: number | undefined;
  readonly #widths = new Map<string, number>();
  #steps = 0;
  #firstStep = 0;

  constructor(console: Console, line: ProgressLine, session: Session, flags: TrainFlags) {
    this.#console = console;
    this.#line = line;
    this.#graph = session.program.graph;
    this.#session = session;
    const { train: plan } = this.#graph;
    this.#epochs = flags.epochs ?? (flags.steps === undefined && plan?.steps === undefined ? plan?.epochs : undefined);
  }

  take(event: TrainEvent): void {
    const console = this.#console;
    switch (event.kind) {
      case "start": {
        this.#steps = event.steps;
        this.#firstStep = this.#session.step;
        const from = this.#firstStep;
        const steps =
          from > 0 ? `from step ${countText(from)} to ${countText(event.steps)}` : plural(event.steps, "step");
        const text = `${this.#graph.name}: ${steps} on ${event.target} (${event.device}), compiled in ${secondsText(event.compileSeconds)}`;
        this.#line.above(() => console.note(text));
        return;
      }
      case "progress":
        this.#line.update({ title: this.#title(), steps: this.#steps, ...event });
        return;
      case "report":
        this.#tell(event.report.step, event.report.metrics);
        return;
      case "stop":
        return;
      case "validation": {
        const epoch = String(event.epoch).padStart(String(this.#epochs ?? "").length);
        this.#line.above(() => console.say(this.#row(`epoch ${epoch} validation`, event.metrics)));
        return;
      }
      case "folder":
        this.#line.above(() => sayMissing(console, event.path));
        return;
      case "not-finite": {
        const some = `${event.name} has ${plural(event.count, "number")} of ${countText(event.of)} that ${event.count === 1 ? "is" : "are"} not finite`;
        this.#line.above(() =>
          console.note(`${some}: left out of histograms and black in images (step ${countText(event.step)})`),
        );
        return;
      }
      case "checkpoint":
        this.#line.above(() => console.note(`saved ${event.path} at step ${countText(event.step)}`));
        return;
      case "warning":
        this.#line.above(() => showDiagnostics(console, [event.diagnostic]));
        return;
    }
  }

  /** The last words. */
  end(report: TrainReport, file: string): void {
    const console = this.#console;
    const done = report.steps - this.#firstStep;
    const rate = report.seconds > 0 && done > 0 ? ` (${rateText(done / report.seconds)} steps/s)` : "";
    const work = `${plural(done, "step")} in ${secondsText(report.seconds)}${rate}`;
    const saved = report.checkpoints.at(-1);
    switch (report.stopped) {
      case "done":
        console.note(done === 0 ? `nothing to do: step ${countText(report.steps)} is reached` : `done: ${work}`);
        break;
      case "early":
        console.note(`ended early, without improvement: ${work}`);
        break;
      case "interrupted": {
        const next =
          done === 0
            ? "no step was done, and nothing was saved"
            : saved === undefined
              ? "nothing was saved (--save PATH, or `checkpoint` in the train block, would)"
              : `go on with: ${resuming(file, saved)}`;
        console.problem(`ended at step ${countText(report.steps)} as asked: ${work}; ${next}`);
        return;
      }
    }
    if (done > 0 && saved === undefined) {
      console.note(
        `${console.paint("yellow", "note", process.stderr)}: what was trained is not kept; --save PATH, or \`checkpoint\` in the train block, writes it to a file`,
      );
    }
  }

  #tell(step: number, metrics: ReadonlyMap<string, number>): void {
    if (metrics.size > 0) this.#line.above(() => this.#console.say(this.#row(this.#stepText(step), metrics)));
  }

  #title(): string {
    const { epoch } = this.#session.progress;
    if (this.#epochs !== undefined) {
      const now = String(Math.min(epoch + 1, this.#epochs)).padStart(String(this.#epochs).length);
      return `epoch ${now}/${this.#epochs}`;
    }
    return (this.#graph.train?.data.size ?? 0) > 0 ? `epoch ${epoch + 1}` : this.#graph.name;
  }

  #stepText(step: number): string {
    return `step ${String(step).padStart(String(this.#steps).length)}`;
  }

  #row(head: string, metrics: ReadonlyMap<string, number>): string {
    const values = [...metrics].map(([name, value]) => `${name} ${this.#pad(name, metricText(value))}`);
    return [head, ...values].join("  ").trimEnd();
  }

  /** Pads to the widest value so far under this name, so that lines stand in columns. */
  #pad(name: string, text: string): string {
    const widest = Math.max(this.#widths.get(name) ?? 0, text.length);
    this.#widths.set(name, widest);
    return text.padEnd(widest);
  }
}

function countsJson({ launches, bytesUp, bytesDown, bytesKept, kernels }: DeviceCounts): JsonValue {
  return new Map(
    Object.entries({ kernels, launches, bytes_up: bytesUp, bytes_down: bytesDown, bytes_kept: bytesKept }),
  );
}

/** The contract's object, with what else there is to tell. */
function reportJson(report: TrainReport): Readonly<Record<string, JsonValue>> {
  const numbers = (record: Readonly<Record<string, number>>): JsonValue => new Map(Object.entries(record));
  return {
    steps: report.steps,
    stopped: report.stopped,
    seconds: report.seconds,
    compile_seconds: report.compileSeconds,
    target: report.target,
    device: report.device,
    threads: report.threads,
    metrics: numbers(report.metrics),
    // As they are: of many reports a Map each would be most of the memory.
    history: report.history,
    validation: report.validation.map(numbers),
    checkpoints: report.checkpoints,
    ...(report.events === undefined ? {} : { events: report.events }),
  };
}
