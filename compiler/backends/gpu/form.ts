import type { Span } from "../../ir/span.js";
import type { BufferId, LoopId, ScalarExpr } from "../../kernels/form.js";
import type { KernelWork } from "../../kernels/work.js";

/**
 * A program for a device: launches of kernels over flat arrays of f32, and what decides how often they run. Every launch makes a
 * new array; a buffer is a name for the array that was made last.
 */
export type Step =
  | { readonly kind: "launch"; readonly kernel: DeviceKernel; readonly output: BufferId }
  /** `to` is the array that `from` is now. */
  | { readonly kind: "alias"; readonly from: BufferId; readonly to: BufferId }
  | {
      readonly kind: "loop";
      readonly loop: LoopId;
      readonly extent: number;
      readonly body: readonly Step[];
      readonly stacks: readonly Stack[];
    }
  | {
      readonly kind: "while";
      readonly loop: LoopId;
      readonly condition: readonly Step[];
      readonly predicate: BufferId;
      readonly body: readonly Step[];
    }
  | {
      readonly kind: "branch";
      readonly predicate: BufferId;
      readonly whenTrue: readonly Step[];
      readonly whenFalse: readonly Step[];
    };

/** What each iteration leaves in `slab` lies one after another in `to` when the loop is done, last first where `isReversed`. */
export interface Stack {
  readonly slab: BufferId;
  readonly to: BufferId;
  readonly isReversed: boolean;
}

/** `source` is what a thread does: a function whose parameters are the arrays, then the numbers. */
export interface DeviceKernel {
  readonly name: string;
  /** The kernel of the program that it computes, alone or with others. */
  readonly of: string;
  readonly source: string;
  /** Functions that the source calls, those they call themselves included. */
  readonly functions: readonly string[];
  /** Threads, those along x next to each other: all in a row, or rows of them. */
  readonly grid: readonly [number] | readonly [number, number];
  /** Elements that one thread computes: an array of so many is what its function returns, or a number. */
  readonly perThread: 1 | 4;
  /** Elements of the result: row by row what the threads compute. */
  readonly length: number;
  /** What one launch does; undefined for what only moves numbers. */
  readonly work: KernelWork | undefined;
  readonly arrays: readonly BufferId[];
  readonly numbers: readonly NumberArgument[];
  readonly spans: readonly Span[];
}

/** A number that each launch is given. */
export type NumberArgument =
  /** Where a loop around the kernel stands. */
  | { readonly kind: "loop"; readonly loop: LoopId }
  /** The one element of something that is fed. */
  | { readonly kind: "scalar"; readonly buffer: BufferId }
  /** 16 bits of the key of a draw: low and high half of each of its three words. */
  | {
      readonly kind: "key";
      readonly path: string;
      readonly index: number;
      readonly loopIndices: readonly ScalarExpr[];
      readonly part: 0 | 1 | 2 | 3 | 4 | 5;
    }
  /** What has no spelling in the kernels' language that all devices know. */
  | { readonly kind: "special"; readonly value: "NaN" | "Infinity" | "-Infinity" };

/** The first integer that f32 does not hold all below of: sizes, positions and integers stay under it. */
export const exactIntegers = 2 ** 24;
/** Iterations of one loop: some devices stop silently beyond 65,535, and long sums lose bits. */
export const longestLoop = 4096;
/** Arrays that a kernel may read: eight storage buffers with its result is all that WebGPU promises. */
export const mostArrays = 7;

/** The kernels that steps launch, each as often as it stands there. */
export function kernelsOf(steps: readonly Step[]): readonly DeviceKernel[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case "launch":
        return [step.kernel];
      case "alias":
        return [];
      case "loop":
        return kernelsOf(step.body);
      case "while":
        return kernelsOf([...step.condition, ...step.body]);
      case "branch":
        return kernelsOf([...step.whenTrue, ...step.whenFalse]);
    }
  });
}
