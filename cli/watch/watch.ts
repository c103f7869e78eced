import type { GraphError } from "../../compiler/ir/diagnostic.js";
import type { TrainEvent, TrainingHandle, TrainReport } from "../../runtime/train.js";
import type { WatchAction, WatchSample, WatchStatus, WatchUpdate } from "../../viewer/watch_messages.js";
import { countText, plural } from "../numbers.js";
import { Curves } from "./curves.js";
import { Samples } from "./samples.js";
import { startWatchServer, type Told, type WatchServer } from "./server.js";

const samplesMilliseconds = 2000;
const rateSeconds = 3;
/** Between the first step and the wish to end. */
const mayEnd: ReadonlySet<WatchStatus> = new Set(["running", "pausing", "paused"]);

export interface WatchOptions {
  readonly name: string;
  readonly port: number;
  /** Where `--save` says that the state goes. */
  readonly save: string | undefined;
  /** Aborted by Ctrl-C, which ends a training that is paused, too. */
  readonly interrupted: AbortSignal;
}

/** A training that a page looks at and acts on. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  #server: WatchServer | undefined;
  #status: WatchStatus = "preparing";
  #message = "";
  readonly #curves = new Curves();
  #step = 0;
  #steps = 0;
  #seconds = 0;
  #target = "";
  readonly #rates: { readonly step: number; readonly seconds: number }[] = [];
  #wantsSave = false;
  #resume: (() => void) | undefined;
  #samples: Samples | undefined | "none";
  #taken: readonly WatchSample[] = [];
  #takenAt = Number.NEGATIVE_INFINITY;
  #takenStep = 0;

  private constructor(options: WatchOptions) {
    this.#options = options;
  }

  static async start(options: WatchOptions): Promise<Watch> {
    const watch = new Watch(options);
    await watch.#serve();
    options.interrupted.addEventListener("abort", () => watch.#end());
    return watch;
  }

  async #serve(): Promise<void> {
    const host = { update: (told: Told) => this.update(told), act: (action: WatchAction) => this.#act(action) };
    this.#server = await startWatchServer(host, this.#options.port);
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  /** Aborted by the stop button and by Ctrl-C. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  take(event: TrainEvent): void {
    switch (event.kind) {
      case "start":
        this.#steps = event.steps;
        this.#target = `${event.target} (${event.device})`;
        if (this.#status === "preparing") this.#status = "running";
        break;
      case "progress":
        this.#step = event.step;
        this.#seconds = event.seconds;
        this.#rates.push({ step: event.step, seconds: event.seconds });
        while ((this.#rates[1]?.seconds ?? Number.POSITIVE_INFINITY) < event.seconds - rateSeconds) this.#rates.shift();
        this.#curves.progress(event.step, event.seconds, event.metrics);
        break;
      case "report":
        this.#curves.report(event.report.step, event.report.metrics);
        break;
      case "validation":
        this.#curves.validation(event.step, event.metrics);
        break;
      case "checkpoint":
        this.#message = `saved ${event.path} at step ${countText(event.step)}`;
        break;
      case "not-finite":
        this.#message = `${event.name} has ${plural(event.count, "number")} that ${event.count === 1 ? "is" : "are"} not finite at step ${countText(event.step)}`;
        break;
      case "warning":
        this.#message = event.diagnostic.message;
        break;
      case "folder":
      case "stop":
        break;
    }
    this.#server?.changed();
  }

  /** Between two calls of the target: waits while paused, saves, and looks at predictions. */
  async between(training: TrainingHandle): Promise<void> {
    const { step } = training.session;
    if (this.#samples === undefined) {
      this.#step = step;
      this.#rates.push({ step, seconds: 0 });
      this.#samples = (await Samples.create(training.session, training.dataset)) ?? "none";
      this.#curves.start(step);
    }
    await this.#saveIfAsked(training);
    if (this.#status === "pausing") await this.#hold(training);
    // The last ones are those of what was trained.
    const isDue = performance.now() - this.#takenAt > samplesMilliseconds;
    if (isDue || (step >= this.#steps && this.#steps > 0)) await this.#predict(step);
    this.#curves.resume(step);
  }

  /** Shows how it ended, for as long as `stay` takes, and lets go of the pages. */
  async end(outcome: TrainReport | GraphError | undefined, stay?: () => Promise<void>): Promise<void> {
    if (outcome === undefined) this.#status = "failed";
    else if ("stopped" in outcome) this.#status = outcome.stopped;
    else {
      this.#status = "failed";
      this.#message = outcome.diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n");
    }
    this.#curves.flush();
    if (this.#samples !== "none") this.#samples?.close();
    this.#server?.changed();
    await stay?.();
    await this.#server?.close();
  }

  /** What is new to a page. */
  update(told: Told): WatchUpdate {
    const samples = told.samples === this.#taken ? null : this.#taken;
    told.samples = this.#taken;
    const [first, last] = [this.#rates[0], this.#rates.at(-1)];
    const time = (last?.seconds ?? 0) - (first?.seconds ?? 0);
    return {
      name: this.#options.name,
      status: this.#status,
      message: this.#message,
      step: this.#step,
      steps: this.#steps,
      seconds: this.#seconds,
      stepsPerSecond: time > 0 ? ((last?.step ?? 0) - (first?.step ?? 0)) / time : null,
      target: this.#target,
      canSave: this.#options.save !== undefined,
      curves: this.#curves.updates(told.curves),
      signature: this.#samples instanceof Samples ? this.#samples.signature : "",
      samplesStep: this.#takenStep,
      samples,
    };
  }

  /** From here on no step is done until the training goes on or ends. */
  async #hold(training: TrainingHandle): Promise<void> {
    this.#status = "paused";
    this.#server?.changed();
    await this.#predict(training.session.step);
    while (this.#isPaused()) {
      await this.#saveIfAsked(training);
      await new Promise<void>((resolve) => {
        // Pressed while it predicted or saved.
        if (this.#wantsSave || !this.#isPaused()) resolve();
        else this.#resume = resolve;
      });
    }
  }

  #isPaused(): boolean {
    return this.#status === "paused";
  }

  async #predict(step: number): Promise<void> {
    if (!(this.#samples instanceof Samples)) return;
    this.#taken = await this.#samples.take();
    this.#takenAt = performance.now();
    this.#takenStep = step;
    this.#server?.changed();
  }

  #act(action: WatchAction): string | undefined {
    switch (action) {
      case "pause":
        if (this.#status !== "running") return `it is ${this.#status}`;
        this.#status = "pausing";
        return undefined;
      case "resume":
        if (this.#status !== "paused" && this.#status !== "pausing") return `it is ${this.#status}`;
        this.#status = "running";
        // Where it was saved is said of the step that it was held at.
        this.#message = "";
        this.#wake();
        return undefined;
      case "stop":
        if (!mayEnd.has(this.#status)) return `it is ${this.#status}`;
        this.#end();
        return undefined;
      case "save":
        if (this.#options.save === undefined) return "there is no place: start with --save PATH";
        if (!mayEnd.has(this.#status)) return `it is ${this.#status}`;
        this.#wantsSave = true;
        this.#wake();
        return undefined;
    }
  }

  #end(): void {
    if (mayEnd.has(this.#status)) this.#status = "stopping";
    this.#stop.abort();
    this.#wake();
  }

  #wake(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  async #saveIfAsked(training: TrainingHandle): Promise<void> {
    const { save } = this.#options;
    if (!this.#wantsSave || save === undefined) return;
    this.#wantsSave = false;
    await training.save(save);
  }
}
