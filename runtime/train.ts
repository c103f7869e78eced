import type { Executable, LoopOutcome } from "../compiler/backends/executable.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import type { Prepared } from "../compiler/program.js";
import { placeCheckpoints } from "./checkpoint_places.js";
import { nextChunk } from "./chunks.js";
import { type Dataset, loadDataset } from "./dataset.js";
import { Evaluator } from "./evaluate.js";
import type { TrainingEvents } from "./events/events.js";
import { openEvents } from "./events/open.js";
import { failedStep } from "./failed_step.js";
import { joinFailures, withNote } from "./failure.js";
import { readCheckpoint, writeCheckpoint } from "./files/checkpoint.js";
import { saveCheckpoint } from "./files/rotation.js";
import { History } from "./history.js";
import { Improvement } from "./improvement.js";
import { lostLoss, mayBeLost, TrainedState } from "./lost.js";
import { requireOutputs } from "./outputs.js";
import { requireScalars } from "./requests.js";
import type { Session } from "./session.js";
import { StepCode } from "./step_code.js";
import {
  type Report,
  requireSchedules,
  type Settings,
  stepOf,
  type TrainEvent,
  type TrainOptions,
  type TrainReport,
  totalSteps,
  trainSettings,
} from "./train_options.js";

export type { Report, TrainEvent, TrainingHandle, TrainOptions, TrainReport } from "./train_options.js";

/** Trains a session; it has the session to itself. Throws GraphError; what was assigned by the steps done stays. */
export async function train(session: Session, options: TrainOptions): Promise<TrainReport> {
  const { graph, backend } = session.program;
  const settings = await placeCheckpoints(graph, trainSettings(graph, options), options);
  for (const path of await requireOutputs(settings, options, session.step, graph.train))
    options.onEvent?.({ kind: "folder", path });
  if (options.resume !== undefined) {
    await session.apply(options.resume, { kind: "checkpoint", checkpoint: await readCheckpoint(options.resume) });
  }
  const datasets: Dataset[] = [];
  let events: TrainingEvents | undefined;
  try {
    const load = async (data: Settings["data"]): Promise<Dataset> => {
      const dataset = await loadDataset(graph, backend.memory, data, options);
      datasets.push(dataset);
      return dataset;
    };
    const dataset = await load(settings.data);
    const validation = settings.validate && {
      evaluator: await Evaluator.create(session, { kind: "signature", name: settings.validate.signature.name }),
      dataset: await load(settings.validate.data),
    };
    const start = performance.now();
    const prepared = await session.program.prepare(stepOf(settings));
    const seconds = (performance.now() - start) / 1000;
    events = await openEvents(session, settings, options.events, dataset);
    const state = await TrainedState.create(session, settings.signature.updates);
    return await new Trainer(session, settings, options, dataset, validation, prepared, seconds, events, state).train();
  } finally {
    events?.close();
    for (const dataset of datasets) dataset.free();
  }
}

/** Where nobody says how often to report: enough to see a curve, too few to fill a log. */
const defaultReports = 10;

interface Validation {
  readonly evaluator: Evaluator;
  readonly dataset: Dataset;
}

class Trainer {
  readonly #session: Session;
  readonly #settings: Settings;
  readonly #options: TrainOptions;
  readonly #dataset: Dataset;
  readonly #validation: Validation | undefined;
  readonly #code: StepCode;
  readonly #batch: number;
  readonly #history = new History();
  /** Where this training began. */
  readonly #first: number;
  readonly #validations: { step: number; epoch: number; metrics: ReadonlyMap<string, number> }[] = [];
  readonly #checkpoints: string[] = [];
  readonly #events: TrainingEvents | undefined;
  #seconds = 0;
  #last: ReadonlyMap<string, number> = new Map();
  readonly #improvement: Improvement;
  readonly #state: TrainedState;
  readonly #totalSteps: number;
  readonly #every: number;

  constructor(
    session: Session,
    settings: Settings,
    options: TrainOptions,
    dataset: Dataset,
    validation: Validation | undefined,
    prepared: Prepared,
    prepareSeconds: number,
    events: TrainingEvents | undefined,
    state: TrainedState,
  ) {
    this.#events = events;
    this.#state = state;
    this.#session = session;
    this.#first = session.step;
    this.#settings = settings;
    this.#options = options;
    this.#dataset = dataset;
    this.#validation = validation;
    this.#improvement = new Improvement(settings, session.metadata);
    this.#code = new StepCode(session, prepared, dataset, prepareSeconds);
    requireScalars(prepared, options.report ?? session.program.graph.train?.report?.of ?? []);
    this.#batch = dataset.rows === 0 ? 0 : (settings.batch ?? dataset.rows);
    this.#totalSteps = totalSteps(settings, dataset.rows, this.#batch);
    this.#every = settings.every ?? Math.max(1, Math.ceil(this.#totalSteps / defaultReports));
  }

  async train(): Promise<TrainReport> {
    requireSchedules(this.#settings, this.#totalSteps);
    const { executable, feeds } = await this.#code.of(Math.min(this.#batch, Math.max(this.#dataset.rows, this.#batch)));
    this.#emit({
      kind: "start",
      target: executable.info.target,
      device: this.#session.program.backend.device,
      compileSeconds: this.#code.seconds,
      steps: this.#totalSteps,
    });
    const first = this.#first;
    let stopped: TrainReport["stopped"];
    try {
      stopped = await this.#run(executable, feeds);
      await this.#recordLast();
      const isDoubtful = this.#options.save !== undefined || mayBeLost(this.#last);
      if (this.#session.step > first && isDoubtful) await this.#state.requireFinite();
    } catch (error) {
      throw error instanceof GraphError ? await this.#failed(error, first) : error;
    }
    const { step } = this.#session;
    this.#emit({ kind: "stop", stopped, step, metrics: this.#last });
    // Ended before the first step: a file that is there may hold more than this session does.
    if (stopped === "interrupted" && step === first) return this.#report(executable, stopped);
    const lost = step > first ? lostLoss(this.#session.program.graph, { step, metrics: this.#last }) : undefined;
    if (lost?.hasDiverged === true) throw withNote(lost.failure, this.#unsaved(step));
    if (this.#options.save !== undefined) await this.#save(this.#options.save);
    else if (stopped === "interrupted" && this.#settings.checkpoint !== undefined) await this.#saveTemplate();
    if (lost !== undefined) throw withNote(lost.failure, "all trained variables are finite, and the state is kept");
    return this.#report(executable, stopped);
  }

  /** What is said of a state that no file should hold. */
  #unsaved(step: number): string {
    const path = this.#checkpoints.at(-1);
    const kept = path === undefined ? "files that were there are as before" : `the last saved state is in ${path}`;
    return `the state after step ${step} was not saved, since it is of no use; ${kept}`;
  }

  /** A step failed: the state before it goes where the final one would have gone, and the message says so. */
  async #failed(failure: GraphError, first: number): Promise<GraphError> {
    const { step } = this.#session;
    const { save } = this.#options;
    if (step === first) return withNote(failure, "no step was done before it, and nothing was saved");
    const reached = `the state after step ${step}`;
    try {
      if (await this.#state.isLost()) return withNote(failure, this.#unsaved(step));
      if (save === undefined && this.#settings.checkpoint === undefined) {
        const mend = "`--save PATH` (in TypeScript, `save`) or `checkpoint` would have kept it";
        return withNote(failure, `${reached} is in no file: ${mend}`);
      }
      if (save !== undefined) await this.#save(save);
      else await this.#saveTemplate();
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return joinFailures(withNote(failure, `${reached} could not be saved`), error);
    }
    return withNote(failure, `${reached} is saved in ${this.#checkpoints.at(-1)}`);
  }

  /** Calls the target for about a tenth of a second at a time until all steps are done, or it is told to end. */
  async #run(executable: Executable, feeds: ReadonlyMap<string, TensorData>): Promise<TrainReport["stopped"]> {
    let chunk = 1;
    // A run that was interrupted while it validated goes on with that.
    if (this.#atEpochEnd() && (await this.#epochEnd())) return "early";
    const handle = { session: this.#session, dataset: this.#dataset, save: (path: string) => this.#save(path) };
    for (;;) {
      await this.#options.between?.(handle);
      if (this.#options.signal?.aborted === true) return "interrupted";
      const left = this.#stepsLeft();
      if (left <= 0) return "done";
      if (this.#atPartialBatch()) {
        await this.#partialBatch();
      } else {
        const steps = Math.min(chunk, left, this.#stepsToCheckpoint(), this.#stepsToObservation());
        const start = performance.now();
        const outcome = await executable.loop(this.#request(feeds, steps));
        const seconds = (performance.now() - start) / 1000;
        this.#seconds += seconds;
        await this.#take(executable, outcome);
        if (outcome.steps === steps) chunk = nextChunk(chunk, seconds);
      }
      this.#emit({ kind: "progress", step: this.#session.step, seconds: this.#seconds, metrics: this.#last });
      // Before it is validated.
      if (this.#stepsLeft() <= 0) await this.#recordLast();
      if (this.#atEpochEnd() && (await this.#epochEnd())) return "early";
      if (this.#dueCheckpoint()) await this.#saveTemplate();
    }
  }

  #request(feeds: ReadonlyMap<string, TensorData>, steps: number) {
    const { progress, seed } = this.#session;
    return {
      columns: this.#dataset.columns,
      feeds,
      rows: this.#dataset.rows,
      batch: this.#batch,
      shuffle: this.#settings.shuffle && this.#dataset.rows > 0,
      state: { seed, step: BigInt(progress.step), runsSinceStep: BigInt(progress.runsSinceStep) },
      epoch: BigInt(progress.epoch),
      position: progress.row,
      steps,
      // Whatever is due at an epoch's end is done by this class.
      stopAtEpochEnd: this.#validation !== undefined || this.#settings.remainder === "keep",
      every: this.#every,
      advance: true,
      signal: this.#options.signal,
    };
  }

  async #take(executable: Executable, outcome: LoopOutcome): Promise<void> {
    const { progress } = this.#session;
    this.#session.advance({
      step: progress.step + outcome.steps,
      runsSinceStep: outcome.steps > 0 ? 0 : progress.runsSinceStep,
      epoch: Number(outcome.epoch),
      row: outcome.position,
    });
    const names = executable.info.outputs
      .filter(({ shape }) => shape.every((size) => size === 1))
      .map(({ name }) => name);
    const reported = new Set(this.#settings.report);
    const metrics = (values: readonly number[]): ReadonlyMap<string, number> =>
      new Map(names.flatMap((name, i) => (reported.has(name) ? [[name, values[i] ?? Number.NaN] as const] : [])));
    if (outcome.steps > 0) this.#last = metrics(outcome.last);
    const reports = outcome.reports.map(({ step, values }) => ({ step: Number(step), metrics: metrics(values) }));
    for (const report of reports) await this.#record(report);
    const warning = await this.#state.judge([...reports, { step: this.#session.step, metrics: this.#last }]);
    if (warning !== undefined) this.#emit({ kind: "warning", diagnostic: warning });
    if (outcome.failure !== undefined) {
      throw failedStep(this.#session.program.graph, outcome.failure, this.#session.step + 1, "training");
    }
  }

  async #record(report: Report): Promise<void> {
    this.#history.add(report);
    for (const found of (await this.#events?.report(report)) ?? [])
      this.#emit({ kind: "not-finite", step: report.step, ...found });
    this.#emit({ kind: "report", report });
    this.#options.onReport?.({ step: report.step, metrics: Object.fromEntries(report.metrics) });
  }

  /** The last step is reported whether it was due or not, wherever the others are. */
  async #recordLast(): Promise<void> {
    const { step } = this.#session;
    if (step > this.#first && this.#history.lastStep < step) await this.#record({ step, metrics: this.#last });
  }

  /** Whether fewer rows than a batch are left in the epoch, and they are to be used. */
  #atPartialBatch(): boolean {
    const left = this.#dataset.rows - this.#session.progress.row;
    return this.#settings.remainder === "keep" && this.#dataset.rows > 0 && left > 0 && left < this.#batch;
  }

  /** One step on the rest of an epoch, with code specialised for its size. */
  async #partialBatch(): Promise<void> {
    const rest = this.#dataset.rows - this.#session.progress.row;
    const { executable, feeds } = await this.#code.of(rest);
    const start = performance.now();
    const outcome = await executable.loop({ ...this.#request(feeds, 1), batch: rest, stopAtEpochEnd: true });
    this.#seconds += (performance.now() - start) / 1000;
    await this.#take(executable, outcome);
  }

  #atEpochEnd(): boolean {
    const { row } = this.#session.progress;
    const left = this.#dataset.rows - row;
    return (
      this.#dataset.rows > 0 && row > 0 && (left <= 0 || (left < this.#batch && this.#settings.remainder === "drop"))
    );
  }

  /** Turns to the next epoch; validates; true when training should end early. */
  async #epochEnd(): Promise<boolean> {
    const { progress } = this.#session;
    const epoch = progress.epoch + 1;
    const metrics = await this.#validate();
    if (this.#validation !== undefined && this.#options.signal?.aborted === true) {
      // Means of a part of the data decide nothing: whoever resumes validates again.
      this.#session.advance(progress);
      return false;
    }
    this.#session.advance({ ...this.#session.progress, epoch, row: 0 });
    if (metrics === undefined) return false;
    const { step } = this.#session;
    this.#validations.push({ step, epoch, metrics });
    this.#events?.validation(step, metrics);
    this.#emit({ kind: "validation", step, epoch, metrics });
    const { isBest, isOver } = this.#improvement.judge(metrics);
    this.#session.remember(this.#improvement.metadata());
    if (isBest && this.#settings.best !== undefined) {
      await this.#state.requireFinite();
      this.#saved(await saveCheckpoint(this.#settings.best.to, await this.#session.checkpoint()));
    }
    return isOver;
  }

  async #validate(): Promise<ReadonlyMap<string, number> | undefined> {
    if (this.#validation === undefined) return undefined;
    const { evaluator, dataset } = this.#validation;
    return evaluator.evaluate(dataset, this.#settings.batch ?? dataset.rows, this.#options.signal);
  }

  #stepsLeft(): number {
    return this.#totalSteps - this.#session.step;
  }

  #stepsToCheckpoint(): number {
    const every = this.#settings.checkpoint?.every;
    return every === undefined ? Number.POSITIVE_INFINITY : every - (this.#session.step % every);
  }

  /** What is observed of a report is the state at its very step. */
  #stepsToObservation(): number {
    const every = this.#every;
    if (every === 0 || this.#events?.observes !== true) return Number.POSITIVE_INFINITY;
    return every - (this.#session.step % every);
  }

  #dueCheckpoint(): boolean {
    const every = this.#settings.checkpoint?.every;
    return every !== undefined && this.#session.step > 0 && this.#session.step % every === 0;
  }

  async #saveTemplate(): Promise<void> {
    const { checkpoint } = this.#settings;
    if (checkpoint === undefined) return;
    await this.#state.requireFinite();
    this.#saved(await saveCheckpoint(checkpoint.to, await this.#session.checkpoint(), { keep: checkpoint.keep }));
  }

  async #save(path: string): Promise<void> {
    await this.#state.requireFinite();
    await writeCheckpoint(path, await this.#session.checkpoint());
    this.#saved(path);
  }

  #saved(path: string): void {
    this.#checkpoints.push(path);
    this.#emit({ kind: "checkpoint", step: this.#session.step, path });
  }

  #report(executable: Executable, stopped: TrainReport["stopped"]): TrainReport {
    const history = this.#history;
    let rows: TrainReport["history"] | undefined;
    return {
      steps: this.#session.step,
      stopped,
      seconds: this.#seconds,
      compileSeconds: this.#code.seconds,
      target: executable.info.target,
      device: this.#session.program.backend.device,
      threads: 1,
      metrics: Object.fromEntries(this.#last),
      get history() {
        rows ??= history.rows();
        return rows;
      },
      validation: this.#validations.map(({ metrics, ...when }) => ({ ...Object.fromEntries(metrics), ...when })),
      checkpoints: this.#checkpoints,
      events: this.#events?.path,
    };
  }

  #emit(event: TrainEvent): void {
    this.#options.onEvent?.(event);
  }
}
