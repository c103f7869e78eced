import type { Computation } from "../ir/graph.js";
import type { DeviceCounts, Executable, ExecutableInfo, StorageBlock, TargetMemory } from "./executable.js";

/** A place where computations run. */
export type TargetName = "cpu" | "gpu" | "reference";

export interface CompileOptions {
  /** Check each float result, and name the first op that made a NaN or an infinity. */
  readonly checkNumerics: boolean;
  /** Measure each kernel: `Executable.profile` gives what was found. Slower by what the profile says that measuring takes. */
  readonly profile?: boolean | undefined;
}

export interface Backend {
  readonly target: TargetName;
  readonly memory: TargetMemory;
  /** Whether it computes each node where the text places it; without it, all is computed in one place. */
  readonly followsPlaces?: true;
  /** For people and reports: "AVX-512". */
  readonly device: string;
  /** What its device has been asked to do since it was opened; absent where the target has none. */
  readonly counts?: () => Promise<DeviceCounts>;
  /** What computes the variables' first values where there are many; without it this back end does. */
  readonly initialiser?: Backend;
  /** All of the machine that code depends on, for the keys of caches. */
  readonly identity: string;
  /** `computation` is static, optimised and free of pseudo-ops. */
  readonly compile: (computation: Computation, options: CompileOptions) => Promise<Compiled>;
  /**
   * Makes again what a `Compiled` of this back end said of itself as `saved`, also in another process of the same version;
   * undefined where a part of it is gone.
   */
  readonly restore: (saved: unknown) => Compiled | undefined;
}

/** Loaded code: shared by all sessions of a program, each of which binds it to variables of its own. */
export interface Compiled {
  readonly info: ExecutableInfo;
  /** Plain data (what a structured clone takes) from which `Backend.restore` makes it again; undefined where nothing can. */
  readonly saved: unknown;
  /** Code reads and writes the variables in place; `variables` holds at least those of `info.variables`, by path. */
  readonly bind: (variables: ReadonlyMap<string, StorageBlock>) => Executable;
  /** Unloads the code. No executable of it may be used any more. */
  readonly close: () => void;
}
