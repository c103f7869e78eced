import type { Computation } from "../../ir/graph.js";
import { elementCount } from "../../ir/tensor.js";
import { staticShape, type TensorType } from "../../ir/type.js";
import { type ExecutionProfile, eventRoom, type KernelEvent } from "../profile.js";
import type { EvaluationPlan } from "./evaluate.js";

/** Bytes in use while each step runs: every result takes 8 bytes an element from when it is computed until its last use. */
export function liveBytesOf({ steps }: EvaluationPlan): readonly number[] {
  const bytesOf = (values: readonly { readonly type: TensorType }[]): number =>
    values.reduce((sum, { type }) => sum + 8 * elementCount(staticShape(type)), 0);
  let live = 0;
  return steps.map(({ node, freed }) => {
    live += bytesOf(node.outputs);
    const during = live;
    live -= bytesOf([...new Set(freed)]);
    return during;
  });
}

/** What the steps of a plan are measured as. */
export function stepNames({ steps }: EvaluationPlan): readonly string[] {
  const seen = new Map<string, number>();
  return steps.map(({ node: { op } }) => {
    const count = (seen.get(op) ?? 0) + 1;
    seen.set(op, count);
    return count === 1 ? op : `${op}_${count}`;
  });
}

/** The evaluator has no loops to count operations in: an op's own time, and how often. */
export class StepRecorder {
  readonly #names: readonly string[];
  readonly #computation: Computation;
  readonly #plan: EvaluationPlan;
  readonly #storedBytes: number;
  readonly #calls: number[];
  readonly #milliseconds: number[];
  readonly #events: KernelEvent[] = [];
  #origin: number | undefined;
  #entries = 0;
  #entered = 0;
  #total = 0;

  constructor(computation: Computation, plan: EvaluationPlan, storedBytes: number) {
    this.#computation = computation;
    this.#plan = plan;
    this.#storedBytes = storedBytes;
    this.#calls = plan.steps.map(() => 0);
    this.#milliseconds = plan.steps.map(() => 0);
    this.#names = stepNames(plan);
  }

  enter(): void {
    this.#entries += 1;
    this.#entered = performance.now();
  }

  leave(): void {
    this.#total += performance.now() - this.#entered;
  }

  take(step: number, start: number, end: number): void {
    this.#calls[step] = (this.#calls[step] ?? 0) + 1;
    this.#milliseconds[step] = (this.#milliseconds[step] ?? 0) + end - start;
    if (this.#events.length >= eventRoom) return;
    this.#origin ??= start;
    this.#events.push({ kernel: step, start: (start - this.#origin) / 1000, seconds: (end - start) / 1000 });
  }

  profile(): ExecutionProfile {
    const live = liveBytesOf(this.#plan);
    const kernels = this.#plan.steps.map(({ node }, step) => ({
      name: this.#names[step] ?? node.op,
      kind: "op" as const,
      work: undefined,
      liveBytes: live[step] ?? 0,
      spans: this.#computation.sources.spansOf(node),
      calls: this.#calls[step] ?? 0,
      seconds: (this.#milliseconds[step] ?? 0) / 1000,
    }));
    return {
      entries: this.#entries,
      seconds: this.#total / 1000,
      secondsPerMeasurement: measurementSeconds(),
      kernels,
      origin: this.#origin ?? 0,
      events: [...this.#events],
      fixedBytes: { variables: this.#storedBytes, constants: 0 },
      arenaBytes: live.reduce((peak, bytes) => Math.max(peak, bytes), 0),
    };
  }
}

/** What two readings of the clock take, the least of a few tries. */
export function measurementSeconds(): number {
  const readings = 1000;
  const tries = Array.from({ length: 5 }, () => {
    const start = performance.now();
    for (let i = 0; i < 2 * readings; i++) performance.now();
    return (performance.now() - start) / readings / 1000;
  });
  return Math.min(...tries);
}
