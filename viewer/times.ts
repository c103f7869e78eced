import { leavesOf } from "../compiler/kernels/access.js";
import type { KernelProgram } from "../compiler/kernels/form.js";

/** Measured seconds by the kernel's name, where there is a profile. */
export type KernelTimes = ReadonlyMap<string, number>;

/** Kernels of a computation, with the names that they are measured under where those are not their own. */
export interface TimedPart {
  readonly program: KernelProgram;
  readonly measured: ReadonlyMap<string, readonly string[]>;
}

/**
 * What a profile has of a computation, by its parts: under its name, or, as training asks for what it reports and not for a signature, under
 * another one with the same kernels. A kernel of several launches takes as long as all of them.
 */
export function timesOf(
  computation: string,
  parts: readonly TimedPart[],
  measured: ReadonlyMap<string, KernelTimes>,
): readonly KernelTimes[] {
  const kernels = parts.map(({ program, measured: own }) =>
    leavesOf([...program.compute, ...program.commit]).map(({ name }) => ({ name, as: own.get(name) ?? [name] })),
  );
  const names = kernels.flatMap((part) => part.flatMap(({ as }) => as));
  const times = measured.get(computation) ?? mostAlike(names, measured);
  return kernels.map(
    (part) =>
      new Map(
        part.flatMap(({ name, as }): readonly (readonly [string, number])[] => {
          const seconds = as.reduce((sum, one) => sum + (times.get(one) ?? Number.NaN), 0);
          return Number.isNaN(seconds) || as.length === 0 ? [] : [[name, seconds]];
        }),
      ),
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
