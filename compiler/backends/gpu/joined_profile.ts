import { type ExecutionProfile, eventRoom, type KernelEvent, type KernelProfile } from "../profile.js";
import type { DeviceProfile } from "./measured.js";

/**
 * Names of kernels that several parts have: the later ones are numbered. A profile and who reads it go through all parts in order, and
 * through a part's kernels, and so find the same names.
 */
export class MeasuredNames {
  readonly #used = new Set<string>();

  next(name: string): string {
    let unique = name;
    for (let count = 2; this.#used.has(unique); count++) unique = `${name}_${count}`;
    this.#used.add(unique);
    return unique;
  }
}

/** What was measured on both sides, as of one program: kernels in the order of the parts, then transfers. */
export function joinedProfile(
  device: DeviceProfile,
  hosts: readonly (ExecutionProfile | undefined)[],
): ExecutionProfile {
  const names = new MeasuredNames();
  const kernels: KernelProfile[] = [];
  const events: (KernelEvent & { readonly at: number })[] = [];
  let measuring = 0;
  /** Takes over some kernels of a profile, and the calls that were kept of them. */
  const take = (
    { kernels: own, events: calls, origin, secondsPerMeasurement }: ExecutionProfile,
    isWanted: (kernel: number) => boolean,
    side: "cpu" | "gpu",
  ): void => {
    const places = new Map<number, number>();
    own.forEach((kernel, i) => {
      if (!isWanted(i)) return;
      places.set(i, kernels.length);
      measuring += kernel.calls * secondsPerMeasurement;
      kernels.push({ ...kernel, name: names.next(kernel.name), side });
    });
    for (const { kernel, start, seconds } of calls) {
      const place = places.get(kernel);
      if (place !== undefined) events.push({ kernel: place, at: origin + 1000 * start, start, seconds });
    }
  };
  hosts.forEach((host, part) => {
    if (host !== undefined) take(host, () => true, "cpu");
    else take(device.profile, (kernel) => device.parts[kernel] === part, "gpu");
  });
  take(device.profile, (kernel) => device.parts[kernel] === undefined, "gpu");
  const calls = kernels.reduce((sum, kernel) => sum + kernel.calls, 0);
  const kept = events.sort((a, b) => a.at - b.at).slice(0, eventRoom);
  const origin = kept[0]?.at ?? 0;
  return {
    ...device.profile,
    secondsPerMeasurement: calls === 0 ? 0 : measuring / calls,
    kernels,
    origin,
    events: kept.map(({ kernel, at, seconds }) => ({ kernel, start: (at - origin) / 1000, seconds })),
  };
}
