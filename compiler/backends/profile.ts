import type { FixedBytes, KernelFacts } from "../kernels/kernel_facts.js";

/** What a back end measured of one kernel, or of one op where it knows no kernels. */
export interface KernelProfile extends Omit<KernelFacts, "kind" | "work"> {
  /** A transfer is no kernel: numbers that went to a device or came from it. */
  readonly kind: KernelFacts["kind"] | "op" | "transfer";
  /** Where it ran, of a program on two sides; the device's part of a transfer is which way it went. */
  readonly side?: "cpu" | "gpu";
  /** What one call does; undefined where nothing counts it. */
  readonly work: KernelFacts["work"] | undefined;
  readonly calls: number;
  /** All calls together. */
  readonly seconds: number;
}

/** One call of a kernel. */
export interface KernelEvent {
  /** Its position in `kernels`. */
  readonly kernel: number;
  /** Seconds from the first event of the execution. */
  readonly start: number;
  readonly seconds: number;
}

/** What was measured of a computation bound to a session, over all its runs so far. */
export interface ExecutionProfile {
  /** Entries into the target's code, each of which may do many steps. */
  readonly entries: number;
  /** Inside these entries: kernels, and what goes on between them. */
  readonly seconds: number;
  /** What measuring takes at most for each call of a kernel; where kernels overlap with it in the processor, it takes less. */
  readonly secondsPerMeasurement: number;
  readonly kernels: readonly KernelProfile[];
  /** When the first event began, in milliseconds of `performance.now()`. */
  readonly origin: number;
  /** The first calls, in order, as many as there was room for. */
  readonly events: readonly KernelEvent[];
  readonly fixedBytes: FixedBytes;
  readonly arenaBytes: number;
  /** What went to a device and came from it; absent where the target computes in this process's memory. */
  readonly moved?: { readonly up: Moved; readonly down: Moved };
}

/** All transfers in one direction. */
export interface Moved {
  readonly transfers: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** The most calls that are kept one by one. */
export const eventRoom = 50_000;
