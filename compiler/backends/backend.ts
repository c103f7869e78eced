import type { Computation } from "../ir/graph.js";
import type { Executable, ExecutableInfo, StorageBlock, TargetMemory } from "./executable.js";

/** A place where computations run. */
export type TargetName = "cpu" | "reference";

export interface CompileOptions {
  /** Check each float result, and name the first op that made a NaN or an infinity. */
  readonly checkNumerics: boolean;
}

export interface Backend {
  readonly target: TargetName;
  readonly memory: TargetMemory;
  /** For people and reports: "AVX-512". */
  readonly device: string;
  /** `computation` is static, optimised and free of pseudo-ops. */
  readonly compile: (computation: Computation, options: CompileOptions) => Promise<Compiled>;
}

/** Loaded code: shared by all sessions of a program, each of which binds it to variables of its own. */
export interface Compiled {
  readonly info: ExecutableInfo;
  /** Code reads and writes the variables in place; `variables` holds at least those of `info.variables`, by path. */
  readonly bind: (variables: ReadonlyMap<string, StorageBlock>) => Executable;
  /** Unloads the code. No executable of it may be used any more. */
  readonly close: () => void;
}
