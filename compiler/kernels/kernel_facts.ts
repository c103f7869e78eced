import type { Span } from "../ir/span.js";
import { leavesOf } from "./access.js";
import type { KernelProgram, LeafKernel } from "./form.js";
import { byteLength, lives } from "./lives.js";
import { type KernelWork, workOf } from "./work.js";

/** What is known of a kernel before it runs. Plain data. */
export interface KernelFacts {
  readonly name: string;
  readonly kind: LeafKernel["kind"];
  /** What one call does. */
  readonly work: KernelWork;
  /** Bytes of the arena that hold a value which is needed while it runs or after it. */
  readonly liveBytes: number;
  readonly spans: readonly Span[];
}

/** Bytes that are there for the whole run, beside the arena. */
export interface FixedBytes {
  readonly variables: number;
  readonly constants: number;
}

/** The facts of all code of a program, in the order of `leavesOf`. */
export function kernelFacts(program: KernelProgram): readonly KernelFacts[] {
  const kernels = [...program.compute, ...program.commit];
  const live = liveBytes(program);
  return leavesOf(kernels).map((kernel) => ({
    name: kernel.name,
    kind: kernel.kind,
    work: workOf(kernel, program.buffers),
    liveBytes: live.get(kernel) ?? 0,
    spans: kernel.spans,
  }));
}

export function fixedBytes({ buffers }: KernelProgram): FixedBytes {
  const sum = (kind: "variable" | "constant"): number =>
    buffers.reduce((total, buffer) => total + (buffer.storage.kind === kind ? byteLength(buffer) : 0), 0);
  return { variables: sum("variable"), constants: sum("constant") };
}

/** Values that share bytes (one is taken over in place by the next) count once. */
function liveBytes({ compute, commit, buffers, outputs, memory }: KernelProgram): ReadonlyMap<LeafKernel, number> {
  const { list, moments } = lives([...compute, ...commit], buffers, new Set(outputs.map(({ buffer }) => buffer)));
  const ranges = list
    .map(({ buffer, bytes, from, to }) => ({ start: memory.offsets.get(buffer) ?? 0, bytes, from, to }))
    .sort((a, b) => a.start - b.start);
  const found = new Map<LeafKernel, number>();
  moments.forEach((kernel, moment) => {
    if (kernel === undefined) return;
    let total = 0;
    let covered = 0;
    for (const { start, bytes, from, to } of ranges) {
      if (moment < from || moment > to) continue;
      total += Math.max(0, start + bytes - Math.max(start, covered));
      covered = Math.max(covered, start + bytes);
    }
    found.set(kernel, total);
  });
  return found;
}
