import type { Node, Value } from "../ir/node.js";
import { innerKernels } from "./access.js";
import type { ObservedKernel } from "./block.js";
import type { Kernel, KernelProgram } from "./form.js";
import type { Plan, PlanReason } from "./plan.js";
import type { Group } from "./regions.js";
import type { Root } from "./roots.js";
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

/** What the log has of one value. */
export interface LoggedValue {
  readonly value: Value;
  readonly isRoot: boolean;
  readonly reason: PlanReason;
  /** The kernels that compute it: one for a root, for another value those of all that read it. */
  readonly kernels: readonly string[];
  /** Undefined for what is no root. */
  readonly how: FusionStep["how"] | undefined;
  readonly refused: readonly { readonly by: string; readonly why: FusionRefusal }[];
}

/** Takes down what the planner and the fusion decide, and which kernels compute each node. */
export class FusionLog {
  readonly #plans: Plan[] = [];
  readonly #steps = new Map<Value, FusionStep>();
  readonly #kernels = new Map<string, ObservedKernel>();

  plan(plan: Plan): void {
    this.#plans.push(plan);
  }

  step(step: FusionStep): void {
    // The copy of a value that is handed out is a root of its own, and comes later.
    if (!this.#steps.has(step.root.value)) this.#steps.set(step.root.value, step);
  }

  kernel(name: string, kernel: ObservedKernel): void {
    this.#kernels.set(name, kernel);
  }

  /** All values that are computed or read, in topological order, block after block, with their places in the finished program. */
  values(program: KernelProgram): readonly LoggedValue[] {
    const names = namesOf([...program.compute, ...program.commit]);
    const computing = new Map<Node, string[]>();
    const storing = new Map<Value, string>();
    for (const name of names) {
      const { nodes = [], roots = [] } = this.#kernels.get(name) ?? {};
      for (const node of nodes) computing.set(node, [...(computing.get(node) ?? []), name]);
      for (const { value } of roots) storing.set(value, name);
    }
    return this.#plans.flatMap((plan) =>
      plan.order
        .flatMap((node) => node.outputs)
        .map((value): LoggedValue => {
          const step = this.#steps.get(value);
          return {
            value,
            isRoot: plan.isRoot(value),
            reason: plan.reasonOf(value),
            kernels: computing.get(value.node) ?? [],
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

/** Those of loops and branches too, the kernels in them behind them. */
function namesOf(kernels: readonly Kernel[]): readonly string[] {
  return kernels.flatMap((kernel) => [kernel.name, ...namesOf(innerKernels(kernel))]);
}

/** Why a value is stored, or computed where it is read, for people. */
export function planReasonText({ value, reason }: LoggedValue): string {
  if (isStored(value)) return "it lies in memory already";
  return planReasonTexts[reason];
}

const planReasonTexts: Readonly<Record<PlanReason, string>> = {
  stored: "it lies in memory already",
  cheap: "computed where it is read: that costs less than storing and loading it",
  reduction: "a reduction: a loop of its own, which accumulates",
  contraction: "a contraction: a blocked kernel of its own",
  assembly: "a concatenation or padding: its parts are written into one buffer",
  routine: "a routine: hand-written loops that need whole operands in memory",
  region: "a loop or branch around kernels of its own",
  scatter: "writes at positions that only the run knows: a kernel of its own",
  result: "it is a result or is assigned to a variable, so it is stored",
  shared: "several read it, and to compute it for each would cost more than to store it",
  repeated: "it is broadcast: computed in place, it would be computed again for each repetition",
  many_arrays: "with it, a kernel of the device would read more arrays than it may",
  large: "its expression is larger than one kernel should hold",
  operand_of_contraction: "a contraction reads it many times, so it is computed once, beforehand",
  operand_of_routine: "a routine, loop or branch needs it in memory",
  operand_of_positions: "it is read at positions that only the run knows, or is read before they are written",
  operand_of_reshape: "a reshape that merges axes reads it by position, which its own expression cannot give",
  checked_position: "a position that is checked once, before anything is written",
};

/** Why two were not fused, for people. */
export const refusalTexts: Readonly<Record<FusionRefusal, string>> = {
  switched_off: "fusion is switched off",
  one_output: "a kernel of a device stores one value, and both are needed elsewhere",
  reduces: "it reduces, and an epilogue is element-wise",
  may_fail_and_writes:
    "one of them can fail the run and the other writes a variable, which waits until all checks have passed",
  kernel_is_full: "the kernel would hold too much code",
  other_space: "their loops run over different axes",
  reads_other_elements: "it reads other elements than those that the same iteration computes",
  no_common_loop: "no loop of the one is a loop of the other",
};

/** How a value came into its kernel, and which ones it was not put into, for people. */
export function fusionTexts({ how, refused, kernels, reason }: LoggedValue): readonly string[] {
  const kernel = kernels[0] ?? "";
  const into =
    how === undefined || kernel === "" || reason === "region"
      ? []
      : how === "epilogue"
        ? [`fused into the epilogue of ${kernel}: done while the sums are in registers`]
        : how === "loops"
          ? [`fused into the loops of ${kernel}`]
          : [`the first of kernel ${kernel}`];
  return [...into, ...refused.map(({ by, why }) => `not fused into ${by}: ${refusalTexts[why]}`)];
}
