import type { DeviceName } from "../compiler/backends/gpu/devices/device.js";
import type { Excerpt } from "../compiler/backends/llvm/excerpt.js";
import type { Graph } from "../compiler/ir/graph.js";
import type { Value } from "../compiler/ir/node.js";
import type { BufferId, Kernel } from "../compiler/kernels/form.js";
import type { LoggedValue } from "../compiler/kernels/fusion_log.js";
import type { KernelWork } from "../compiler/kernels/work.js";
import type { ConstantPlaces } from "./constant_places.js";
import type { Subject } from "./explain_subject.js";
import type { Sized } from "./specialisation.js";

export interface Explained {
  readonly graph: Graph;
  /** As typed. */
  readonly file: string;
  readonly subject: Subject;
  readonly sized: Sized;
  /** Of a constant that has a name: which of its places are that name's. */
  readonly constant: ConstantPlaces | undefined;
  /** Of an edge, or of what is assigned; undefined where the passes left nothing of it. */
  readonly edge: Edge | undefined;
  /** Of what lies in memory before a run: where, and who reads or writes it, the writers first. */
  readonly memory: Memory | undefined;
  readonly uses: readonly Use[];
  /** What becomes of an update's variables, or of the one that is explained. */
  readonly assigned: readonly Assigned[];
  readonly kernels: readonly ExplainedKernel[];
  /** The kernel that was asked for; undefined shows the first. */
  readonly shown: string | undefined;
  /** Where times are from. */
  readonly timedFrom: string | undefined;
  /** Whether a device has a share of it. */
  readonly hasTwoSides: boolean;
  /** What the device is called, where somebody said so. */
  readonly device: DeviceName | undefined;
}

/** What is left of an edge after all passes. */
export interface Edge {
  readonly logged: LoggedValue;
  /** Nodes of gradients that stem from it. */
  readonly backward: number;
  /** The loop or branch that makes it, or that runs the kernels that do; undefined for what no loop has to do with. */
  readonly loop: LoopAround | undefined;
}

/** A loop or branch, and the kernels in it. */
export interface LoopAround {
  /** Whether the edge is a result of it; else it is computed in its body. */
  readonly isMaker: boolean;
  readonly kernel: NumberedKernel;
  /** All in it, those of loops in it behind those. */
  readonly inner: readonly NumberedKernel[];
  /** Those of them with code that write the edge. */
  readonly makers: readonly string[];
}

/** `6.1` is the first kernel in the sixth of a run. */
export interface NumberedKernel {
  readonly number: string;
  readonly name: string;
  readonly kind: Kernel["kind"];
  /** Of a loop, where it is known. */
  readonly rounds: number | undefined;
  /** Of code of its own. */
  readonly work: KernelWork | undefined;
}

/** Where something lies: `code` is a number that kernels have in their code. */
export interface Memory {
  readonly kind: "variable" | "placeholder" | "constant" | "code";
  readonly bytes: number | undefined;
  /** The side that keeps a variable, where there are two. */
  readonly device: "cpu" | "gpu" | undefined;
}

/** What a kernel reads something for: the forward pass, gradients, or new values of variables. */
export type Role = "forward" | "gradient" | "update";

export interface Use {
  readonly kernel: string;
  readonly device: "cpu" | "gpu";
  readonly reads: boolean;
  readonly writes: boolean;
  readonly roles: readonly Role[];
}

/** What a run gives a variable. */
export interface Assigned {
  readonly path: string;
  /** After all passes. */
  readonly value: Value;
  /** Those that write it, and those that compute it for them. */
  readonly kernels: readonly string[];
}

export interface Listing {
  readonly form: "LLVM" | "assembly" | "gpu.js";
  readonly excerpt: Excerpt;
}

export interface NamedBuffer {
  readonly id: BufferId;
  readonly label: string;
  readonly type: string;
}

export interface ExplainedKernel {
  readonly name: string;
  readonly device: "cpu" | "gpu";
  /** Whether the reference evaluates its ops one by one instead. */
  readonly isEvaluated: boolean;
  readonly kind: string;
  readonly work: KernelWork;
  /** Of a call, where it was measured. */
  readonly seconds: number | undefined;
  /** What lies in the buffers of its text, where that is a value of the graph. */
  readonly buffers: readonly NamedBuffer[];
  readonly text: readonly string[];
  /** In the forms that it takes on the way to the machine, or to the device. */
  readonly code: readonly Listing[];
}
