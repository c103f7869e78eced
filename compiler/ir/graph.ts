import type { Condition } from "./condition.js";
import type { DataReference } from "./data.js";
import type { DeviceKind } from "./device.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Value } from "./node.js";
import type { SourceTable } from "./sources.js";
import type { Span } from "./span.js";
import type { TensorType } from "./type.js";

/** `dim N <= 1024`: the bound sizes the memory plan; without one the dim is bound only when a program is specialised. */
export interface DimDeclaration {
  readonly name: string;
  readonly bound: number | undefined;
  readonly span: Span;
}

export interface Placeholder {
  readonly name: string;
  readonly value: Value;
  /** What is used when nothing is fed; without one an unfed placeholder is an error. */
  readonly defaultValue: Value | undefined;
  readonly span: Span;
  readonly doc: string | undefined;
}

export interface Variable {
  /** `hidden/dense/w`, `learn/adam/hidden/dense/w/m`: the key in checkpoints. */
  readonly path: string;
  readonly value: Value;
  /** Built of random ops and constants only. */
  readonly initial: Value;
  /** A float variable that is not frozen, and no optimizer's slot: `minimize` may train it. */
  readonly trainable: boolean;
  /** Where its declaration stands: an optimizer updates it there, unless its own statement says where. */
  readonly device: DeviceKind | undefined;
  readonly span: Span;
  readonly doc: string | undefined;
}

export interface Assignment {
  readonly path: string;
  readonly value: Value;
  readonly span: Span;
}

/** A named atomic group of assignments; each value is a function of the run's start state. */
export interface Update {
  readonly name: string;
  readonly assignments: readonly Assignment[];
  readonly span: Span;
}

/** A fn's own `:=` in training mode: done when any of `anchors`, the call's outputs, is part of what the run computes. */
export interface CallUpdate {
  readonly anchors: readonly Value[];
  readonly assignments: readonly Assignment[];
}

/** What names mean in one training mode: a fn may read the compile-time bool `training`, so each mode has its own edges. */
export interface Mode {
  /** Every fetchable edge by its path: bindings, scoped bindings (`metrics.loss`), and edges inside calls (`hidden/dense/y`). */
  readonly names: ReadonlyMap<string, Value>;
  readonly updates: ReadonlyMap<string, Update>;
  readonly callUpdates: readonly CallUpdate[];
}

/** A rate that depends on the step, for the first `steps` of them. */
export interface Schedule {
  readonly steps: number;
  readonly span: Span | undefined;
}

export interface Signature {
  readonly name: string;
  /** Placeholder names. */
  readonly inputs: readonly string[];
  /** Update names. */
  readonly updates: readonly string[];
  readonly training: boolean;
  /** Names in the mode's table. */
  readonly outputs: readonly string[];
  /** What its runs read of schedules that end: a step from `steps` on fails. */
  readonly schedules: readonly Schedule[];
  readonly span: Span;
  readonly doc: string | undefined;
}

/** What sizes must fulfil once they are known; checked when the program is specialised. */
export interface Constraint {
  readonly condition: Condition;
  /** What is reported when it is broken. */
  readonly diagnostic: Diagnostic;
  /**
   * How its message gets the sizes found: "placed" where `{left}` and `{right}` in it stand for those of a comparison, "appended" where
   * the sizes of the dims follow it.
   */
  readonly sizes: "placed" | "appended";
  /** Where one of these is broken it is not told, as it would only follow from that. */
  readonly premises: readonly Condition[];
  /** The edges that rest on it: it holds for the runs that compute one of them. Without any it holds for all runs. */
  readonly anchors: ReadonlySet<Value>;
}

/** A whole .graph file after typing. Differentiation is still the `gradients` pseudo-op until the pass has run. */
export interface Graph {
  readonly name: string;
  readonly file: string;
  readonly seed: bigint;
  /** Where its text places something, with the first statement that does; empty where it leaves all to the target. */
  readonly devices: ReadonlyMap<DeviceKind, Span>;
  readonly dims: readonly DimDeclaration[];
  readonly placeholders: readonly Placeholder[];
  readonly variables: readonly Variable[];
  /** String constants by path: fetchable, never tensors. */
  readonly strings: ReadonlyMap<string, string>;
  readonly inference: Mode;
  readonly training: Mode;
  readonly signatures: readonly Signature[];
  readonly train: TrainPlan | undefined;
  readonly constraints: readonly Constraint[];
  readonly sources: SourceTable;
}

/** Rows of a data file, as the `train` block names it: `idx("train-images-idx3-ubyte")[0:55000]`. */
export interface DataSource {
  /** The path as written; resolved from the file's folder or `--data-dir`. */
  readonly reference: DataReference;
  readonly span: Span;
}

/** Where a run keeps its state: each so many steps, the last few of them. */
export interface CheckpointPlan {
  readonly every: number | undefined;
  readonly to: string;
  readonly keep: number | undefined;
}

/** Where the state is kept that was the best by an output of the validation. */
export interface BestPlan {
  readonly metric: string;
  readonly mode: "min" | "max";
  readonly to: string;
}

/** The place of a path in the file: it is judged only when it is used. */
interface Placed {
  readonly span: Span;
}

/** The `train` block: data, not code. Names are checked against the graph; files are looked at only when it runs. */
export interface TrainPlan {
  readonly run: string;
  readonly data: ReadonlyMap<string, DataSource>;
  readonly validate: { readonly run: string; readonly data: ReadonlyMap<string, DataSource> } | undefined;
  readonly batch: number | undefined;
  readonly shuffle: boolean;
  readonly remainder: "drop" | "keep";
  readonly epochs: number | undefined;
  readonly steps: number | undefined;
  /** Where `epochs` or `steps` is given; the block where neither is. */
  readonly lengthSpan: Span;
  readonly checkpoint: (CheckpointPlan & Placed) | undefined;
  /** After a validation: keep the best by this output, and stop when it has not improved `patience` times. */
  readonly best: (BestPlan & Placed) | undefined;
  readonly earlyStopping:
    | { readonly metric: string; readonly mode: "min" | "max"; readonly patience: number; readonly minDelta: number }
    | undefined;
  readonly report: { readonly every: number | undefined; readonly of: readonly string[] } | undefined;
  readonly summary: { readonly every: number; readonly of: readonly string[] } | undefined;
  readonly span: Span;
}

/**
 * What one run computes, cut out of a Graph for a signature or a free request: the unit that passes rewrite and back ends
 * compile. Purely functional: (placeholders, variables, run state) -> (outputs, assigned variables).
 */
export interface Computation {
  readonly name: string;
  readonly placeholders: readonly Parameter[];
  /** Every variable of the graph that it reads or assigns. */
  readonly variables: readonly Parameter[];
  readonly outputs: readonly Output[];
  readonly assignments: readonly { readonly path: string; readonly value: Value }[];
  /** What its sizes must fulfil. */
  readonly constraints?: readonly Constraint[];
  /** What the text calls edges of the typed graph, for whoever shows it. */
  readonly names?: ReadonlyMap<string, Value>;
  readonly sources: SourceTable;
}

export interface Parameter {
  readonly name: string;
  readonly type: TensorType;
}

export interface Output {
  readonly name: string;
  readonly value: Value;
}

/** The edges that keep everything else alive. */
export function rootsOf(computation: Computation): readonly Value[] {
  return [...computation.outputs.map((output) => output.value), ...computation.assignments.map((a) => a.value)];
}
