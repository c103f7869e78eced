import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import type { BestPlan, CheckpointPlan, DataSource, Graph, Signature, TrainPlan } from "../compiler/ir/graph.js";
import type { GraphTypes } from "../compiler/ir/graph_types.js";
import { nearestName } from "../compiler/ir/nearest.js";
import type { Span } from "../compiler/ir/span.js";
import type { Selection } from "../compiler/program.js";
import type { ColumnValue, DataFolders, Dataset } from "./dataset.js";
import type { EventsOptions } from "./events/events.js";
import type { Session } from "./session.js";
import type { ColumnsOf, EdgeName, SignatureName } from "./typed.js";

/** The scalars of a run at one step, by output name. */
export interface Report {
  readonly step: number;
  readonly metrics: ReadonlyMap<string, number>;
}

/** What happens while training, for progress displays and logs. */
export type TrainEvent =
  | {
      readonly kind: "start";
      readonly target: string;
      readonly device: string;
      readonly compileSeconds: number;
      readonly steps: number;
    }
  /** A few times a second. */
  | {
      readonly kind: "progress";
      readonly step: number;
      readonly seconds: number;
      readonly metrics: ReadonlyMap<string, number>;
    }
  | { readonly kind: "report"; readonly report: Report }
  /** Means over the validation data, after an epoch. */
  | {
      readonly kind: "validation";
      readonly step: number;
      readonly epoch: number;
      readonly metrics: ReadonlyMap<string, number>;
    }
  | { readonly kind: "checkpoint"; readonly step: number; readonly path: string }
  /** Numbers of a histogram or an image of `events` that are not finite, and have no place in it: the first time of each name. */
  | {
      readonly kind: "not-finite";
      readonly step: number;
      readonly name: string;
      readonly count: number;
      readonly of: number;
    }
  /** At the start: a folder that is missing, and will be made for what is written. */
  | { readonly kind: "folder"; readonly path: string }
  /** After the last step, before the final state is saved. */
  | {
      readonly kind: "stop";
      readonly stopped: TrainReport["stopped"];
      readonly step: number;
      readonly metrics: ReadonlyMap<string, number>;
    }
  | { readonly kind: "warning"; readonly diagnostic: Diagnostic };

/** A training between two calls of the target, for whoever looks at it from outside. */
export interface TrainingHandle {
  readonly session: Session;
  readonly dataset: Dataset;
  /** Writes the whole state, as `save` of the options does at the end. */
  readonly save: (path: string) => Promise<void>;
}

/** Overrides of the `train` block; all optional when the graph has one. */
export interface TrainOptions<G extends GraphTypes = GraphTypes> extends DataFolders {
  /** The signature that does a step. */
  readonly run?: SignatureName<G> | undefined;
  readonly data?: ColumnsOf<Partial<G["placeholders"]>> | undefined;
  readonly validate?:
    | { readonly run: SignatureName<G>; readonly data: ColumnsOf<Partial<G["placeholders"]>> }
    | undefined;
  readonly batch?: number | undefined;
  readonly shuffle?: boolean | undefined;
  readonly remainder?: "drop" | "keep" | undefined;
  /** Totals, counted from the very first step, also after a resume. */
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  /** Report each so many steps, and the last one; 0 reports that alone. Without it, and without the block's, ten times. */
  readonly every?: number | undefined;
  /** Names to report, any scalars of the graph; without them the signature's outputs. */
  readonly report?: readonly EdgeName<G>[] | undefined;
  readonly checkpoint?: CheckpointPlan | undefined;
  readonly best?: BestPlan | undefined;
  readonly earlyStopping?: TrainPlan["earlyStopping"] | undefined;
  /** A checkpoint to go on from. */
  readonly resume?: string | undefined;
  /** Where the final state is saved. */
  readonly save?: string | undefined;
  /** TensorBoard's event files: a folder for scalars and the graph, or with what else is wanted. */
  readonly events?: string | EventsOptions | undefined;
  readonly onReport?:
    | ((report: { readonly step: number; readonly metrics: Readonly<Record<string, number>> }) => void)
    | undefined;
  readonly onEvent?: ((event: TrainEvent) => void) | undefined;
  /** Awaited between two calls of the target, a few times a second: may look, save, and wait. */
  readonly between?: ((training: TrainingHandle) => Promise<void>) | undefined;
  /** Aborted: end after the current step, save, and return. */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainReport {
  /** The step count at the end. */
  readonly steps: number;
  readonly stopped: "done" | "interrupted" | "early";
  /** Run time, without compiling and reading data. */
  readonly seconds: number;
  readonly compileSeconds: number;
  readonly target: string;
  readonly device: string;
  readonly threads: number;
  /** The values at the last step. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Each report, and the last step's. Made when it is first asked for: until then a report is as many f64 as it has numbers. */
  readonly history: readonly ({ readonly step: number } & Readonly<Record<string, number>>)[];
  /** Means over the validation data after each epoch. */
  readonly validation: readonly ({ readonly step: number; readonly epoch: number } & Readonly<
    Record<string, number>
  >)[];
  /** Files written, the last one last. */
  readonly checkpoints: readonly string[];
  /** The event file, where there is one. */
  readonly events: string | undefined;
}

/** The `train` block and the options over it, checked. */
export interface Settings {
  readonly signature: Signature;
  readonly data: ReadonlyMap<string, DataSource | ColumnValue>;
  readonly validate:
    | { readonly signature: Signature; readonly data: ReadonlyMap<string, DataSource | ColumnValue> }
    | undefined;
  readonly batch: number | undefined;
  readonly shuffle: boolean;
  readonly remainder: "drop" | "keep";
  readonly steps: number | undefined;
  readonly epochs: number | undefined;
  /** Where the file gives them; undefined where an option does. */
  readonly lengthSpan: Span | undefined;
  /** Undefined where nobody says how often. */
  readonly every: number | undefined;
  readonly report: readonly string[];
  readonly checkpoint: CheckpointPlan | undefined;
  readonly best: BestPlan | undefined;
  readonly earlyStopping: TrainPlan["earlyStopping"];
}

/** Joins the file's plan with the options. Throws GraphError for what is missing or makes no sense. */
export function trainSettings(graph: Graph, options: TrainOptions): Settings {
  const plan = graph.train;
  const run = options.run ?? plan?.run;
  if (run === undefined) {
    const hint = "add `train { run = … }` to the graph, or name a signature in the call";
    throw new GraphError([problem("G048", undefined, `\`${graph.name}\` has no \`train\` block`, { hint })]);
  }
  const signature = signatureNamed(graph, run);
  if (signature.updates.length === 0) {
    const message = `\`${run}\` does no update, so nothing would be trained`;
    throw new GraphError([problem("G048", signature.span, message, { hint: "add `does NAME` to the signature" })]);
  }
  // Data given by the caller replaces the plan's column by column: `--data image=...` alone keeps the labels' file.
  const data = new Map<string, DataSource | ColumnValue>([
    ...(plan?.data ?? []),
    ...Object.entries(options.data ?? {}),
  ]);
  const validate =
    options.validate === undefined
      ? plan?.validate && { signature: signatureNamed(graph, plan.validate.run), data: new Map(plan.validate.data) }
      : {
          signature: signatureNamed(graph, options.validate.run),
          data: new Map(Object.entries(options.validate.data)),
        };
  const isOption = options.steps !== undefined || options.epochs !== undefined;
  const ends = isOption ? options : plan;
  const settings: Settings = {
    signature,
    data,
    validate,
    batch: options.batch ?? plan?.batch,
    shuffle: options.shuffle ?? plan?.shuffle ?? false,
    remainder: options.remainder ?? plan?.remainder ?? "drop",
    steps: ends?.steps,
    epochs: ends?.epochs ?? (ends?.steps === undefined && data.size > 0 ? 1 : undefined),
    lengthSpan: isOption ? undefined : plan?.lengthSpan,
    every: options.every ?? plan?.report?.every ?? plan?.summary?.every,
    report: options.report ?? plan?.report?.of ?? signature.outputs,
    checkpoint: options.checkpoint ?? plan?.checkpoint,
    best: options.best ?? plan?.best,
    earlyStopping: options.earlyStopping ?? plan?.earlyStopping,
  };
  requireSense(settings);
  return settings;
}

function requireSense(settings: Settings): void {
  const wrong = (message: string, hint?: string): GraphError =>
    new GraphError([problem("G046", undefined, message, { hint })]);
  const counts = { batch: settings.batch, steps: settings.steps, epochs: settings.epochs, every: settings.every };
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined) requireCount(name, value, name === "batch" ? 1 : 0);
  }
  if (settings.steps === undefined && settings.data.size === 0) {
    throw wrong("without data there are no epochs: how many steps?", "give `steps`");
  }
  if (settings.data.size > 0 && settings.batch === undefined) {
    throw wrong("how many rows are a batch?", "give `batch`");
  }
}

/**
 * Steps to do in all: what is given, or as many as the epochs have. Throws GraphError G046 where the data have no whole batch and
 * the rest of an epoch is dropped.
 */
export function totalSteps(
  { steps, epochs, remainder }: Pick<Settings, "steps" | "epochs" | "remainder">,
  rows: number,
  batch: number,
): number {
  if (rows > 0 && batch > rows && remainder === "drop") {
    const message = `a batch of ${batch} rows is larger than the data (${rows} rows): no step could be done`;
    throw new GraphError([problem("G046", undefined, message, { hint: "use a smaller batch, or `remainder = keep`" })]);
  }
  if (epochs === undefined || rows === 0) return steps ?? 0;
  const perEpoch = remainder === "keep" ? Math.ceil(rows / batch) : Math.floor(rows / batch);
  return Math.min(steps ?? Number.POSITIVE_INFINITY, epochs * perEpoch);
}

/** Throws GraphError G046 for a schedule that ends before training does: it would fail in the middle. */
export function requireSchedules({ signature, lengthSpan, ...settings }: Settings, steps: number): void {
  const short = signature.schedules.filter((schedule) => schedule.steps < steps);
  if (short.length === 0) return;
  const option = settings.steps === undefined ? "epochs" : "steps";
  const note =
    lengthSpan === undefined
      ? { span: signature.span, message: `this is trained for ${steps} steps, by the option \`${option}\`` }
      : { span: lengthSpan, message: `train does ${steps} steps` };
  throw new GraphError(
    short.map((schedule) =>
      problem("G046", schedule.span, `training ends after ${steps} steps, and this schedule after ${schedule.steps}`, {
        notes: [note],
        hint: "give both the same number of steps, or let the schedule stay at its last rate: `hold=true`",
      }),
    ),
  );
}

/** Throws GraphError G046 for what is no whole number of at least `least`. */
export function requireCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  const message = `\`${name}\` must be a whole number of at least ${least}, not ${value}`;
  throw new GraphError([problem("G046", undefined, message)]);
}

function signatureNamed(graph: Graph, name: string): Signature {
  const signature = graph.signatures.find((candidate) => candidate.name === name);
  if (signature !== undefined) return signature;
  const nearest = nearestName(
    name,
    graph.signatures.map((candidate) => candidate.name),
  );
  const hint = nearest === undefined ? undefined : `did you mean \`${nearest}\`?`;
  throw new GraphError([problem("G083", undefined, `there is no signature \`${name}\``, { hint })]);
}

/** The run that does a step and gives what is reported. */
export function stepOf({ signature, report }: Settings): Selection {
  const fetches = [...new Set([...signature.outputs, ...report])];
  return { kind: "request", fetches, updates: signature.updates, training: signature.training };
}
