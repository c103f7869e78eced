import { setImmediate as nextTurn } from "node:timers/promises";
import type { TensorData } from "../ir/tensor.js";
import { batchRows, movedOn, RowOrder } from "./batches.js";
import type { ExecutableInfo, LoopOutcome, LoopRequest, RunFailure, RunState } from "./executable.js";
import { firstPlace } from "./rows.js";

/** The loop lets timers, signals and progress have their turn this often. */
const turnMilliseconds = 50;

/** How a back end whose loop runs in JavaScript does one step of it. */
export interface StepwiseTarget<Result extends object> {
  /** A run without its assignments; undefined where the loop's signal has ended it in the middle. */
  readonly run: (
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    stepsDone: number,
    signal: AbortSignal | undefined,
  ) => Awaitable<Result | RunFailure | undefined>;
  /** The outputs of one element. Asked where somebody looks at them: a device has to bring them. */
  readonly numbers: (result: Result, stepsDone: number) => Awaitable<readonly number[] | RunFailure>;
  /** The step is over: its values become the variables', unless it is found only now that it failed. */
  readonly assign: (result: Result, stepsDone: number) => RunFailure | undefined;
  /** The result is not needed any more, whatever became of the step. */
  readonly release: (result: Result) => void;
}

type Awaitable<T> = T | Promise<T>;

/** Loops of one executable: batches, row order, reports and means. */
export class StepLoop<Result extends object> {
  readonly #info: ExecutableInfo;
  readonly #target: StepwiseTarget<Result>;
  readonly #order = new RowOrder();
  /** When others last had their turn: a loop may be shorter than that is due, and the next follow at once. */
  #turn = performance.now();

  constructor(info: ExecutableInfo, target: StepwiseTarget<Result>) {
    this.#info = info;
    this.#target = target;
  }

  async run(request: LoopRequest): Promise<LoopOutcome> {
    const { placeholders } = this.#info;
    const { every, advance, signal, steps } = request;
    const { step } = request.state;
    const reports: LoopOutcome["reports"][number][] = [];
    const first = firstPlace(request, placeholders);
    let last: readonly number[] = scalarOutputs(this.#info).map(() => 0);
    const sums = [...last];
    let place = first ?? { epoch: request.epoch, position: request.position };
    let done = 0;
    let failure: RunFailure | undefined;
    /** The last step that is done, where nobody has looked at its numbers: they are wanted if the next one does not come to its end. */
    let unread: Result | undefined;
    const keep = (result: Result | undefined): void => {
      if (unread !== undefined) this.#target.release(unread);
      unread = result;
    };
    try {
      for (let going = first !== undefined; going && done < steps; ) {
        const feeds = batchRows(request, place, this.#order, placeholders);
        const result = await this.#target.run(feeds, stateOf(request, done), done, signal);
        if (result === undefined) break;
        if ("code" in result) {
          failure = result;
          break;
        }
        let isUnread = false;
        try {
          if (performance.now() - this.#turn > turnMilliseconds) {
            await nextTurn();
            this.#turn = performance.now();
          }
          const moved = movedOn(request, place);
          going = moved.going && signal?.aborted !== true;
          const now = step + BigInt(done + 1);
          const isReported = advance && every > 0 && now % BigInt(every) === 0n;
          // What nobody looks at stays where it is.
          const isRead = isReported || !advance || !going || done + 1 === steps;
          const numbers = isRead ? await this.#target.numbers(result, done) : last;
          if ("code" in numbers) {
            failure = numbers;
            break;
          }
          failure = advance ? this.#target.assign(result, done) : undefined;
          if (failure !== undefined) break;
          last = numbers;
          isUnread = !isRead;
          keep(isUnread ? result : undefined);
          done++;
          place = moved.place;
          if (isReported) reports.push({ step: now, values: last });
          if (!advance) for (const [i, value] of last.entries()) sums[i] = (sums[i] ?? 0) + value * request.batch;
        } finally {
          if (!isUnread) this.#target.release(result);
        }
      }
      if (unread !== undefined) {
        const numbers = await this.#target.numbers(unread, done - 1);
        if (!("code" in numbers)) last = numbers;
      }
    } finally {
      keep(undefined);
    }
    return { steps: done, ...place, reports, last, sums, failure };
  }
}

/** The positions of the outputs of one element: what loops report. */
export function scalarOutputs({ outputs }: ExecutableInfo): readonly number[] {
  return outputs.flatMap(({ shape }, i) => (shape.every((size) => size === 1) ? [i] : []));
}

/** Seed, step and runs of the step after so many of a loop. */
function stateOf({ state, advance }: LoopRequest, done: number): RunState {
  const { seed, step, runsSinceStep } = state;
  const count = BigInt(done);
  return advance
    ? { seed, step: step + count, runsSinceStep: done === 0 ? runsSinceStep : 0n }
    : { seed, step, runsSinceStep: runsSinceStep + count };
}
