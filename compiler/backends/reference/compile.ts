import { setImmediate as nextTurn } from "node:timers/promises";
import { InternalError } from "../../ir/diagnostic.js";
import { byteSize } from "../../ir/dtype.js";
import type { Computation, Parameter } from "../../ir/graph.js";
import { rootsOf } from "../../ir/graph.js";
import { nodesBelow } from "../../ir/node.js";
import { copyElements, elementCount, type TensorData } from "../../ir/tensor.js";
import { staticShape } from "../../ir/type.js";
import { type ReferenceContext, ReferenceFailure, type ReferenceTensor } from "../../ops/define.js";
import { failurePlaces, failureText } from "../../ops/messages.js";
import { numericDType, referenceFromTensor, tensorFromReference } from "../../ops/precision.js";
import { completed, type Stepwise } from "../../ops/stepwise.js";
import type { Compiled, CompileOptions } from "../backend.js";
import type {
  Executable,
  ExecutableInfo,
  InterruptibleOutcome,
  LoopOutcome,
  LoopRequest,
  RunFailure,
  RunOutcome,
  RunState,
  StorageBlock,
  TensorSlot,
} from "../executable.js";
import type { ExecutionProfile } from "../profile.js";
import { requireMemory } from "../require_memory.js";
import { StepLoop, scalarOutputs } from "../step_loop.js";
import { type EvaluateOptions, type Evaluation, type EvaluationPlan, planOf, planValues } from "./evaluate.js";
import { liveBytesOf, StepRecorder } from "./profile.js";

/** The loop lets timers, signals and progress have their turn this often. */
const turnMilliseconds = 50;

/** A computation made ready for evaluation. Apart from `backend.ts`, so that a start that evaluates nothing loads none of this. */
export function compileReference(computation: Computation, options: CompileOptions): Compiled {
  const start = performance.now();
  const plan = planValues(rootsOf(computation));
  const variables = computation.variables.map(slotOf);
  const arenaBytes = peakOf(plan);
  const stored = variables.reduce((sum, { dtype, shape }) => sum + elementCount(shape) * byteSize(dtype), 0);
  const info: ExecutableInfo = {
    target: "reference",
    placeholders: computation.placeholders.map(slotOf),
    variables,
    assigned: computation.assignments.map(({ path }) => path),
    outputs: computation.outputs.map(({ name, value }) => slotOf({ name, type: value.type })),
    kernels: plan.steps.length,
    codeBytes: 0,
    unbounded: nodesBelow(rootsOf(computation)).some(({ op }) => op === "while"),
    arenaBytes,
    peakBytes: arenaBytes + stored,
    compileSeconds: (performance.now() - start) / 1000,
    cached: false,
  };
  requireMemory(computation.name, info.peakBytes);
  return {
    info,
    saved: undefined,
    bind: (blocks) => {
      const recorder = options.profile === true ? new StepRecorder(computation, plan, stored) : undefined;
      return new ReferenceExecutable(computation, info, options, blocks, recorder);
    },
    close: () => {},
  };
}

class ReferenceExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #computation: Computation;
  readonly #evaluate: ReturnType<typeof planOf>;
  readonly #options: EvaluateOptions;
  readonly #blocks: ReadonlyMap<string, StorageBlock>;
  readonly #loop: StepLoop<Evaluation>;
  readonly #recorder: StepRecorder | undefined;
  #busy = false;
  #closed = false;

  constructor(
    computation: Computation,
    info: ExecutableInfo,
    options: CompileOptions,
    blocks: ReadonlyMap<string, StorageBlock>,
    recorder: StepRecorder | undefined,
  ) {
    this.info = info;
    this.#recorder = recorder;
    this.#computation = computation;
    this.#evaluate = planOf(computation);
    this.#options = {
      checkNumerics: options.checkNumerics,
      onStep: recorder === undefined ? undefined : (step, start, end) => recorder.take(step, start, end),
    };
    this.#blocks = blocks;
    const scalars = scalarOutputs(info);
    this.#loop = new StepLoop(info, {
      run: (feeds, state, stepsDone, signal) => {
        const work = this.#step(feeds, state, stepsDone);
        return info.unbounded ? leisurely(work, signal) : completed(work);
      },
      numbers: ({ outputs }) => scalars.map((i) => Number(outputs[i]?.data[0])),
      assign: (result) => {
        this.#assign(result);
        return undefined;
      },
      release: () => {},
    });
  }

  run(feeds: ReadonlyMap<string, TensorData>, state: RunState): RunOutcome {
    this.#begin();
    return this.#finish(completed(this.#step(feeds, state, 0)));
  }

  /** On the JavaScript thread all the same, which is given to others now and then: a signal is seen there. */
  async runAside(
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    signal: AbortSignal | undefined,
  ): Promise<InterruptibleOutcome> {
    this.#begin();
    this.#busy = true;
    try {
      const outcome = await leisurely(this.#step(feeds, state, 0), signal);
      return outcome === undefined ? { kind: "interrupted" } : this.#finish(outcome);
    } finally {
      this.#busy = false;
    }
  }

  #finish(outcome: Evaluation | RunFailure): RunOutcome {
    if ("code" in outcome) return { kind: "failed", failure: outcome };
    this.#assign(outcome);
    return { kind: "done", outputs: outcome.outputs.map((output) => tensorFromReference(output).data) };
  }

  async loop(request: LoopRequest): Promise<LoopOutcome> {
    this.#begin();
    this.#busy = true;
    try {
      return await this.#loop.run(request);
    } finally {
      this.#busy = false;
    }
  }

  profile(): ExecutionProfile | undefined {
    return this.#recorder?.profile();
  }

  close(): void {
    if (this.#busy) throw new InternalError("an executable is closed while it runs");
    this.#closed = true;
  }

  #begin(): void {
    if (this.#closed) throw new InternalError("an executable is used after it was closed");
    if (this.#busy) throw new InternalError("an executable is used while it runs");
  }

  /** One run without its assignments. */
  *#step(
    feeds: ReadonlyMap<string, TensorData>,
    state: RunState,
    stepsDone: number,
  ): Stepwise<Evaluation | RunFailure> {
    const context: ReferenceContext = {
      ...state,
      feeds: tensorsOf(this.info.placeholders, (name) => feeds.get(name)),
      variables: tensorsOf(this.info.variables, (name) => this.#block(name).data),
    };
    this.#recorder?.enter();
    try {
      return yield* this.#evaluate(context, this.#options);
    } catch (error) {
      if (!(error instanceof ReferenceFailure)) throw error;
      const { code, node } = error;
      const spans = node === undefined ? [] : failurePlaces(node, this.#computation.sources);
      const named = node === undefined ? undefined : failureText(code, node, spans);
      return { code, message: named ?? error.message, spans, stepsDone };
    } finally {
      this.#recorder?.leave();
    }
  }

  #assign({ assignments }: Evaluation): void {
    for (const [path, value] of assignments) copyElements(this.#block(path).data, tensorFromReference(value).data);
  }

  #block(path: string): StorageBlock {
    const block = this.#blocks.get(path);
    if (block === undefined) throw new InternalError(`the variable ${path} has no storage`);
    return block;
  }
}

/** Work that was left in the middle. */
class Interrupted extends Error {}

/** Does the work, and lets timers and signals have their turn; undefined where the signal ended it. */
async function leisurely<T>(work: Stepwise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  const isAborted = (): boolean => signal?.aborted === true;
  if (isAborted()) return undefined;
  let turn = performance.now();
  for (let next = work.next(); ; next = work.next()) {
    if (next.done === true) return next.value;
    if (performance.now() - turn <= turnMilliseconds) continue;
    await nextTurn();
    turn = performance.now();
    if (isAborted()) return abandon(work);
  }
}

/** What the work has opened is closed. */
function abandon(work: Stepwise<unknown>): undefined {
  try {
    work.throw(new Interrupted());
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
  return undefined;
}

/** Widens what is there; a placeholder that nothing feeds is not read. */
function tensorsOf(
  slots: readonly TensorSlot[],
  dataOf: (name: string) => TensorData | undefined,
): ReadonlyMap<string, ReferenceTensor> {
  const tensors = new Map<string, ReferenceTensor>();
  for (const { name, dtype, shape } of slots) {
    const data = dataOf(name);
    if (data !== undefined) tensors.set(name, referenceFromTensor({ dtype, shape, data }));
  }
  return tensors;
}

function peakOf(plan: EvaluationPlan): number {
  return liveBytesOf(plan).reduce((peak, bytes) => Math.max(peak, bytes), 0);
}

function slotOf({ name, type }: Parameter): TensorSlot {
  return { name, dtype: numericDType(type.dtype), shape: staticShape(type) };
}
