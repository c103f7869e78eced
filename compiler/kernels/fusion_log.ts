import type { Node, Value } from "../ir/node.js";
import { innerKernels, writtenBy } from "./access.js";
import type { ObservedKernel } from "./block.js";
import type { BufferId, Kernel, KernelProgram } from "./form.js";
import type { Plan, PlanReason } from "./plan.js";
import type { Group } from "./regions.js";
import type { Root, RootKind } from "./roots.js";
import { isStored } from "./semantics.js";

/** Why a root was not put into a kernel that it reads from, or that has the same space. */
export type FusionRefusal =
  | "switched_off"
  | "one_output"
  | "reduces"
  | "may_fail_and_writes"
  | "kernel_is_full"
  | "other_space"
  | "reads_other_elements"
  | "no_common_loop";

/** What became of a root, for whoever wants to know: told as it happens. */
export interface FusionStep {
  readonly root: Root;
  readonly group: Group;
  /** How it came into its kernel: as the first, by its loops, or as part of a contraction's epilogue. */
  readonly how: "new" | "loops" | "epilogue";
  readonly refused: readonly { readonly by: Root; readonly why: FusionRefusal }[];
}

/** What a value is wanted for by others than kernels that read it. */
export type Wanted =
  | { readonly kind: "result"; readonly name: string }
  /** Of a variable. */
  | { readonly kind: "assigned"; readonly path: string }
  /** By the other side of a device. */
  | { readonly kind: "sent"; readonly to: "cpu" | "gpu" }
  /** What the next round of a loop finds in a parameter. */
  | { readonly kind: "next"; readonly carry: Value }
  /** What a loop keeps of each round: the result of it that these become. */
  | { readonly kind: "stacked"; readonly result: Value }
  /** Whether a loop goes on. */
  | { readonly kind: "condition" }
  /** Of a branch. */
  | { readonly kind: "branch_result" };

/**
 * Where a value is, by what the kernels store: `whole` in memory, in `parts`, one after another in one small buffer, `nowhere` but in the
 * registers of the kernels that compute it; `given` is what was there before, `counted` the number of a loop's round.
 */
export type Kept = "whole" | "parts" | "nowhere" | "given" | "counted";

/** What the log has of one value. */
export interface LoggedValue {
  readonly value: Value;
  /** Why it is computed by itself or where it is read; `evaluated` where there is no such choice, op by op. */
  readonly reason: PlanReason | "evaluated";
  readonly kept: Kept;
  readonly wanted: readonly Wanted[];
  /** The kernels that find it in memory. */
  readonly readers: readonly string[];
  /** The kernels that compute it: one for a root, for another value those of all that read it. */
  readonly kernels: readonly string[];
  /** Undefined for what is no root. */
  readonly kind: RootKind | undefined;
  /** Undefined for what is no root. */
  readonly how: FusionStep["how"] | undefined;
  readonly refused: readonly { readonly by: string; readonly why: FusionRefusal }[];
}

/** What there is to know of a block beside its plan. */
export interface LoggedBlock {
  readonly wanted: ReadonlyMap<Value, readonly Wanted[]>;
  readonly isCounted: (value: Value) => boolean;
}

/** How a program is run that is a part of a computation. */
export interface PartRun {
  /** What others want an output of it for. */
  readonly wantedAs: (output: string) => readonly Wanted[];
  /** Whether its ops are evaluated one by one: then the kernels are of no account. */
  readonly isEvaluated: boolean;
}

/** Of a program that is all of a computation. */
export const wholeRun: PartRun = { wantedAs: (name) => [{ kind: "result", name }], isEvaluated: false };

/** Takes down what the planner and the fusion decide, and which kernels compute each node. */
export class FusionLog {
  readonly #blocks: { readonly plan: Plan; readonly block: LoggedBlock }[] = [];
  readonly #steps = new Map<Value, FusionStep>();
  readonly #kernels = new Map<string, ObservedKernel>();

  plan(plan: Plan, block: LoggedBlock): void {
    this.#blocks.push({ plan, block });
  }

  step(step: FusionStep): void {
    // The copy of a value that is handed out is a root of its own, and comes later.
    if (!this.#steps.has(step.root.value)) this.#steps.set(step.root.value, step);
  }

  /** Buffers are asked for when the program is finished. */
  kernel(name: string, kernel: ObservedKernel): void {
    this.#kernels.set(name, kernel);
  }

  /** All values that are computed or read, in topological order, block after block, with their places in the finished program. */
  values(program: KernelProgram, { wantedAs, isEvaluated }: PartRun): readonly LoggedValue[] {
    const kernels = kernelsIn([...program.compute, ...program.commit]);
    const computing = new Map<Node, string[]>();
    const storing = new Map<Value, string>();
    const kept = new Map<Value, Kept>();
    for (const kernel of kernels) {
      const { name } = kernel;
      const { nodes = [], roots = [] } = this.#kernels.get(name) ?? {};
      for (const node of nodes) computing.set(node, [...(computing.get(node) ?? []), name]);
      const written = roots.length === 0 ? none : writtenBy(kernel);
      for (const { value, targets, isInParts } of roots) {
        storing.set(value, name);
        if (targets().some((id) => written.has(id))) kept.set(value, isInParts() ? "parts" : "whole");
      }
    }
    const readers = new Map<Value, Set<string>>();
    for (const { name } of kernels)
      for (const node of this.#kernels.get(name)?.nodes ?? [])
        for (const input of node.inputs)
          if (storing.has(input) && storing.get(input) !== name)
            readers.set(input, (readers.get(input) ?? new Set()).add(name));
    return this.#blocks.flatMap(({ plan, block }) =>
      plan.order
        .flatMap((node) => node.outputs)
        .map((value): LoggedValue => {
          const step = this.#steps.get(value);
          const wanted = block.wanted.get(value) ?? [];
          const found = {
            value,
            wanted: wanted.flatMap((one) => (one.kind === "result" ? wantedAs(one.name) : [one])),
            readers: [...(readers.get(value) ?? [])],
            kernels: computing.get(value.node) ?? [],
          };
          const before = block.isCounted(value) ? "counted" : isStored(value) ? "given" : undefined;
          if (isEvaluated)
            return {
              ...found,
              reason: "evaluated",
              kept: before ?? "whole",
              kind: undefined,
              how: undefined,
              refused: [],
            };
          return {
            ...found,
            reason: plan.reasonOf(value),
            kept: before ?? kept.get(value) ?? "nowhere",
            kind: step?.root.kind,
            how: step?.how,
            refused: (step?.refused ?? []).map(({ by, why }) => ({
              by: storing.get(by.value) ?? by.value.node.op,
              why,
            })),
          };
        }),
    );
  }
}

const none: ReadonlySet<BufferId> = new Set();

/** Those of loops and branches too, the kernels in them behind them. */
function kernelsIn(kernels: readonly Kernel[]): readonly Kernel[] {
  return kernels.flatMap((kernel) => [kernel, ...kernelsIn(innerKernels(kernel))]);
}
