import type { Computation } from "../ir/graph.js";
import type { Executable, StorageBlock, TargetMemory } from "./executable.js";

/** A place where computations run. */
export type TargetName = "cpu" | "reference";

export interface CompileOptions {
  /** The session's variables by path: code reads and writes them in place. */
  readonly variables: ReadonlyMap<string, StorageBlock>;
  /** Check each float result, and name the first op that made a NaN or an infinity. */
  readonly checkNumerics: boolean;
}

export interface Backend {
  readonly target: TargetName;
  readonly memory: TargetMemory;
  /** For people and reports: "AVX-512, 1 thread". */
  readonly device: string;
  /** `computation` is static, optimised and free of pseudo-ops. */
  readonly compile: (computation: Computation, options: CompileOptions) => Promise<Executable>;
}
