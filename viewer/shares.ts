import { innerKernels, isLeaf } from "../compiler/kernels/access.js";
import type { Buffer, Kernel } from "../compiler/kernels/form.js";
import { workOf } from "../compiler/kernels/work.js";
import type { KernelTimes } from "./times.js";

/** What a kernel takes in one run: the bytes that it reads and writes, and the seconds where a profile has them. */
export interface Cost {
  readonly bytes: number;
  readonly seconds: number | undefined;
}

/** Of a loop, as often as it goes round; of one that nobody knows the rounds of, those of one. */
export function costOf(kernel: Kernel, buffers: readonly Buffer[], times: KernelTimes): Cost {
  if (isLeaf(kernel)) {
    const { readBytes, writtenBytes } = workOf(kernel, buffers);
    return { bytes: readBytes + writtenBytes, seconds: times.get(kernel.name) };
  }
  const { bytes, seconds } = sumOf(innerKernels(kernel).map((inner) => costOf(inner, buffers, times)));
  const rounds = kernel.kind === "loop" ? kernel.loop.extent : 1;
  return { bytes: bytes * rounds, seconds: seconds === undefined ? undefined : seconds * rounds };
}

/** Seconds where at least one has them: a profile may lack what is only moved. */
export function sumOf(costs: readonly Cost[]): Cost {
  const measured = costs.flatMap(({ seconds }) => seconds ?? []);
  return {
    bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
    seconds: measured.length === 0 ? undefined : measured.reduce((sum, one) => sum + one, 0),
  };
}

/** Of the time where it was measured, else of the bytes that kernels move; nothing where there is nothing to share. */
export function shareText(part: Cost, whole: Cost, isLong: boolean): readonly string[] {
  const isTime = whole.seconds !== undefined && whole.seconds > 0;
  const [some, all] = isTime ? [part.seconds ?? 0, whole.seconds] : [part.bytes, whole.bytes];
  if (all === undefined || all === 0) return [];
  const percent = (100 * some) / all;
  const text = percent > 0 && percent < 1 ? "under 1 %" : `${Math.round(percent)} %`;
  return [isLong ? `${text} of the ${isTime ? "time" : "bytes"}` : text];
}
