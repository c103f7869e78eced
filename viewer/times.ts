import { leavesOf } from "../compiler/kernels/access.js";
import type { KernelProgram } from "../compiler/kernels/form.js";

/** Measured seconds by the kernel's name, where there is a profile. */
export type KernelTimes = ReadonlyMap<string, number>;

/** Kernels of a computation, those of a device with the names that their launches are measured under. */
export interface TimedPart {
  readonly program: KernelProgram;
  readonly launches: ReadonlyMap<string, readonly string[]>;
}

/**
 * What a profile has of a computation: under its name, or, as training asks for what it reports and not for a signature, under
 * another one with the same kernels. A kernel of several launches takes as long as all of them.
 */
export function timesOf(
  computation: string,
  parts: readonly TimedPart[],
  measured: ReadonlyMap<string, KernelTimes>,
): KernelTimes {
  const kernels = new Map<string, readonly string[]>();
  for (const { program, launches } of parts)
    for (const { name } of leavesOf([...program.compute, ...program.commit]))
      kernels.set(name, launches.get(name) ?? [name]);
  const names = [...kernels.values()].flat();
  const times = measured.get(computation) ?? mostAlike(names, measured);
  return new Map(
    [...kernels].flatMap(([kernel, launches]): readonly (readonly [string, number])[] => {
      const seconds = launches.reduce((sum, launch) => sum + (times.get(launch) ?? Number.NaN), 0);
      return Number.isNaN(seconds) || launches.length === 0 ? [] : [[kernel, seconds]];
    }),
  );
}

function mostAlike(names: readonly string[], measured: ReadonlyMap<string, KernelTimes>): KernelTimes {
  const shares = [...measured.values()].map((times) => ({
    times,
    share: names.filter((name) => times.has(name)).length / Math.max(1, names.length),
  }));
  const [best] = shares.sort((a, b) => b.share - a.share);
  return best === undefined || best.share < 0.8 ? new Map() : best.times;
}
