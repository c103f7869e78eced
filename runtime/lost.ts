import { problem } from "../compiler/ir/codes.js";
import { type Diagnostic, GraphError } from "../compiler/ir/diagnostic.js";
import type { Graph, Variable } from "../compiler/ir/graph.js";
import { nodesBelow } from "../compiler/ir/node.js";
import type { TensorData } from "../compiler/ir/tensor.js";
import type { Session } from "./session.js";
import type { Report } from "./train_options.js";

const advice =
  "run again with `--check-numerics` (in TypeScript, `checkNumerics: true`): it names the first op that made a NaN or an infinity, and its line";

/** A reported value that is no number any more, at the step where that was first seen. */
interface NonFinite {
  readonly name: string;
  readonly step: number;
  readonly value: number;
}

/** The first of these reports that has a NaN, or an infinity. */
function firstNonFinite(seen: readonly Report[]): NonFinite | undefined {
  for (const { step, metrics } of seen) {
    for (const [name, value] of metrics) if (!Number.isFinite(value)) return { name, step, value };
  }
  return undefined;
}

/** G111 as a warning: a report of NaN may be of a part of the data, as long as what is trained is finite. */
function nanWarning({ name, step }: NonFinite): Diagnostic {
  return problem("G111", undefined, `\`${name}\` is NaN at step ${step}`, { hint: advice, severity: "warning" });
}

/** Sees whether what a training trains is still finite: no step mends a weight that is NaN, and no file should hold one. */
export class TrainedState {
  readonly #session: Session;
  readonly #watched: readonly Variable[];
  /** The first report that was not finite, and how many calls of the target gave such ones. */
  #seen: NonFinite | undefined;
  #suspicions = 0;

  private constructor(session: Session, watched: readonly Variable[]) {
    this.#session = session;
    this.#watched = watched;
  }

  /** Watches the variables that these updates train. One that is not finite at the start is meant so, such as a best value so far. */
  static async create(session: Session, updates: readonly string[]): Promise<TrainedState> {
    const { training, variables } = session.program.graph;
    const assigned = new Set(
      updates.flatMap((name) => training.updates.get(name)?.assignments ?? []).map(({ path }) => path),
    );
    // What an earlier training left on a device is not fetched for this: its former values tell the same.
    const watched = variables.filter((one) => one.trainable && assigned.has(one.path) && isFinite(session, one));
    return new TrainedState(session, watched);
  }

  /**
   * What these reports say of the training: a warning for the first NaN, where the variables are finite. Throws GraphError G111
   * where they are not.
   */
  async judge(reports: readonly Report[]): Promise<Diagnostic | undefined> {
    const found = firstNonFinite(reports);
    if (found === undefined) return undefined;
    this.#seen ??= found;
    this.#suspicions += 1;
    // A report may be NaN by nature: to look at all variables each time would cost more than it finds.
    if (Number.isInteger(Math.log2(this.#suspicions))) await this.requireFinite();
    return this.#suspicions === 1 && Number.isNaN(found.value) ? nanWarning(found) : undefined;
  }

  async isLost(): Promise<boolean> {
    return (await this.#lostVariables()).length > 0;
  }

  /** Throws GraphError G111 where a variable has a NaN or an infinity. */
  async requireFinite(): Promise<void> {
    const [first, ...others] = await this.#lostVariables();
    if (first === undefined) return;
    const more = others.length === 0 ? "" : ` and ${others.length} other variable${others.length === 1 ? "" : "s"}`;
    const has = others.length === 0 ? "has" : "have";
    const message = `training is lost: after step ${this.#session.step} \`${first.path}\`${more} ${has} elements that are NaN or infinite`;
    const notes = this.#seen === undefined ? [] : [{ span: undefined, message: seenText(this.#seen) }];
    const hint = `${advice}; a smaller learning rate often helps`;
    throw new GraphError([problem("G111", first.span, message, { label: "declared here", notes, hint })]);
  }

  async #lostVariables(): Promise<readonly Variable[]> {
    await this.#session.variables.pull();
    return this.#watched.filter((one) => !isFinite(this.#session, one));
  }
}

/** Whether variables have to be looked at, which on a device means to fetch them: finite reports say enough where nothing is saved. */
export function mayBeLost(last: Report["metrics"]): boolean {
  return last.size === 0 || ![...last.values()].every(Number.isFinite);
}

/** The loss of the last step is not finite, though the variables are. */
export interface LostLoss {
  /** G111. */
  readonly failure: GraphError;
  /** It went beyond all numbers, as where steps are too large; NaN may come of a few rows that the update leaves out. */
  readonly hasDiverged: boolean;
}

export function lostLoss(graph: Graph, last: Report): LostLoss | undefined {
  const losses = lossesOf(graph);
  const found = firstNonFinite([{ ...last, metrics: new Map([...last.metrics].filter(([name]) => losses.has(name))) }]);
  if (found === undefined) return undefined;
  const message = `training ends with a loss that is not finite: ${seenText(found)}`;
  const failure = new GraphError([problem("G111", undefined, message, { hint: advice })]);
  return { failure, hasDiverged: !Number.isNaN(found.value) };
}

function seenText({ name, step, value }: NonFinite): string {
  return `\`${name}\` is ${Number.isNaN(value) ? "NaN" : value > 0 ? "infinite" : "minus infinity"} at step ${step}`;
}

/** Names of what updates take gradients of. */
function lossesOf({ training }: Graph): ReadonlySet<string> {
  const assigned = [...training.updates.values()].flatMap((update) => update.assignments.map(({ value }) => value));
  const targets = new Set(
    nodesBelow(assigned).flatMap((node) => (node.op === "gradients" ? node.inputs.slice(0, 1) : [])),
  );
  return new Set([...training.names].flatMap(([name, value]) => (targets.has(value) ? [name] : [])));
}

function isFinite(session: Session, { path, value }: Variable): boolean {
  return session.variables.look(path, (data) => isFiniteData(value.type.dtype, data));
}

function isFiniteData(dtype: Variable["value"]["type"]["dtype"], data: TensorData): boolean {
  if (data instanceof BigInt64Array) return true;
  // A half whose bits of the exponent are all set is an infinity or a NaN.
  const exponent = dtype === "f16" ? 0x7c00 : dtype === "bf16" ? 0x7f80 : undefined;
  for (const element of data) {
    if (exponent === undefined ? !Number.isFinite(element) : (element & exponent) === exponent) return false;
  }
  return true;
}
