/** What `graphc train --watch` and its page say to each other, as JSON. */

/** It is pausing until the steps that it is in are done: a training that is paused does none. */
export type WatchStatus =
  | "preparing"
  | "running"
  | "pausing"
  | "paused"
  | "stopping"
  | "done"
  | "early"
  | "interrupted"
  | "failed";

/** Where the numbers of a curve come from; the rate is in steps a second of the training's own time. */
export type CurveKind = "training" | "validation" | "rate";

/**
 * The points of a curve, a column for each thing that is known of a point. On long runs a point stands for several numbers one after
 * another: the last one's step and time, the mean of those that are finite (null where none is), the least and the greatest of them.
 */
export interface CurveColumns {
  readonly steps: readonly number[];
  /** Wall time since the training began, pauses included. */
  readonly seconds: readonly number[];
  readonly means: readonly (number | null)[];
  readonly least: readonly (number | null)[];
  readonly greatest: readonly (number | null)[];
  /** How many numbers were finite. */
  readonly counts: readonly number[];
  /** How many were not. */
  readonly lost: readonly number[];
}

export interface WatchCurve extends CurveColumns {
  readonly kind: CurveKind;
  readonly name: string;
}

/** What has come to a curve, or has changed in it: the points from one on. */
export interface CurveUpdate extends WatchCurve {
  readonly from: number;
}

export interface WatchSample {
  /** A PNG as a data URL, where an input is an image. */
  readonly image: string | null;
  readonly inputs: readonly WatchValue[];
  readonly outputs: readonly WatchValue[];
}

export interface WatchValue {
  readonly name: string;
  readonly text: string;
}

export interface WatchFacts {
  readonly name: string;
  readonly status: WatchStatus;
  /** What went wrong, or where the state was saved. */
  readonly message: string;
  readonly step: number;
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number | null;
  readonly target: string;
  /** There is a place that the training may be saved to. */
  readonly canSave: boolean;
  /** What computes the samples; empty where nothing can. */
  readonly signature: string;
  /** The step that the samples are of. */
  readonly samplesStep: number;
}

/** What a page does not know yet. */
export interface WatchUpdate extends WatchFacts {
  readonly curves: readonly CurveUpdate[];
  /** Null where they are as they were. */
  readonly samples: readonly WatchSample[] | null;
}

export interface WatchState extends WatchFacts {
  readonly curves: readonly WatchCurve[];
  readonly samples: readonly WatchSample[];
}

/** What a page knows after an update. Of a new connection the first update has all. */
export function updated(state: WatchState | undefined, update: WatchUpdate): WatchState {
  const curves = new Map((state?.curves ?? []).map((curve) => [curveKey(curve), curve]));
  for (const change of update.curves) curves.set(curveKey(change), continued(curves.get(curveKey(change)), change));
  return { ...update, curves: [...curves.values()], samples: update.samples ?? state?.samples ?? [] };
}

function curveKey({ kind, name }: Pick<WatchCurve, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function continued(before: WatchCurve | undefined, { from, ...change }: CurveUpdate): WatchCurve {
  if (before === undefined || from === 0) return change;
  const joined = <T>(old: readonly T[], added: readonly T[]): readonly T[] => [...old.slice(0, from), ...added];
  return {
    ...change,
    steps: joined(before.steps, change.steps),
    seconds: joined(before.seconds, change.seconds),
    means: joined(before.means, change.means),
    least: joined(before.least, change.least),
    greatest: joined(before.greatest, change.greatest),
    counts: joined(before.counts, change.counts),
    lost: joined(before.lost, change.lost),
  };
}

export const watchActions = ["pause", "resume", "stop", "save"] as const;
export type WatchAction = (typeof watchActions)[number];
