import { loadsOf, storesOf } from "./access.js";
import type { Buffer, BufferId, Kernel } from "./form.js";
import { mayShare } from "./hazards.js";
import { lives } from "./lives.js";
import { loopsIn } from "./rewrite.js";

/**
 * Temporaries that take over the bytes of one that is read for the last time by the kernel that first writes them: element-wise
 * work in place. The test is that of in-place updates of variables: were both the same buffer, no element would be overwritten
 * while it is still needed.
 */
export function shareInPlace(
  kernels: readonly Kernel[],
  buffers: readonly Buffer[],
  outputs: ReadonlySet<BufferId>,
): ReadonlyMap<BufferId, BufferId> {
  const shared = new Map<BufferId, BufferId>();
  const { list, moments } = lives(kernels, buffers, outputs);
  const span = new Map(list.map((life) => [life.buffer, life]));
  const taken = new Set<BufferId>();
  moments.forEach((kernel, at) => {
    if (kernel === undefined) return;
    if (kernel.kind === "routine") return;
    const stored = new Set(storesOf(kernel).map((access) => access.buffer));
    // Lanes with a line each do not go through a row buffer in the order of its indices.
    const rows = new Set(kernel.kind === "nest" ? loopsIn(kernel.body).flatMap((loop) => loop.schedule.rows) : []);
    const loaded = new Set(loadsOf(kernel).map((access) => access.buffer));
    for (const target of stored) {
      if (span.get(target)?.from !== at || loaded.has(target) || rows.has(target)) continue;
      for (const source of loaded) {
        if (taken.has(source) || stored.has(source) || span.get(source)?.to !== at || span.get(source)?.from === at)
          continue;
        const [a, b] = [buffers[source], buffers[target]];
        if (a === undefined || b === undefined || a.dtype !== b.dtype || a.length !== b.length) continue;
        if (!mayShare(kernel, source, target)) continue;
        shared.set(target, source);
        taken.add(source);
        break;
      }
    }
  });
  return shared;
}
