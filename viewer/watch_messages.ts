/** What `graphc train --watch` and its page say to each other, as JSON. */

export type WatchStatus = "preparing" | "running" | "paused" | "stopping" | "done" | "early" | "interrupted" | "failed";

/** A point of the curves; what is not finite is null. */
export interface WatchPoint {
  readonly step: number;
  readonly metrics: Readonly<Record<string, number | null>>;
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

export interface WatchState {
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
  readonly training: readonly WatchPoint[];
  readonly validation: readonly WatchPoint[];
  /** What computes the samples; empty where nothing can. */
  readonly signature: string;
  readonly samples: readonly WatchSample[];
}

export const watchActions = ["pause", "resume", "stop", "save"] as const;
export type WatchAction = (typeof watchActions)[number];
