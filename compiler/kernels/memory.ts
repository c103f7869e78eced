import type { Buffer, BufferId, Kernel, MemoryPlan } from "./form.js";
import { byteLength, type Life, lives } from "./lives.js";

/**
 * Places temporaries in the arena. Up to a few thousand: the largest first, each at the lowest gap between those placed that live
 * at the same time (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020: greedy by size).
 * Beyond that, in order of time with best fit among the free gaps, which is near-linear. `shared` maps a temporary to one that it
 * takes over in place.
 */
export function planMemory(
  kernels: readonly Kernel[],
  buffers: readonly Buffer[],
  outputs: ReadonlySet<BufferId>,
  shared: ReadonlyMap<BufferId, BufferId> = new Map(),
): MemoryPlan {
  const separate = lives(kernels, buffers, outputs).list;
  const { merged, ownerOf } = mergeShared(separate, shared);
  const offsets = merged.length <= 3000 ? placeBySize(merged) : placeByTime(merged);
  const all = new Map<BufferId, number>();
  let arenaBytes = 0;
  for (const life of separate) {
    const offset = offsets.get(ownerOf(life.buffer)) ?? 0;
    all.set(life.buffer, offset);
    arenaBytes = Math.max(arenaBytes, offset + life.bytes);
  }
  let fixed = 0;
  for (const { storage, ...buffer } of buffers) {
    if (storage.kind === "variable" || storage.kind === "constant") fixed += byteLength({ ...buffer, storage });
  }
  return { arenaBytes, offsets: all, peakBytes: arenaBytes + fixed };
}

function mergeShared(
  separate: readonly Life[],
  shared: ReadonlyMap<BufferId, BufferId>,
): { readonly merged: readonly Life[]; readonly ownerOf: (id: BufferId) => BufferId } {
  const ownerOf = (id: BufferId): BufferId => {
    let owner = id;
    for (let next = shared.get(owner); next !== undefined; next = shared.get(owner)) owner = next;
    return owner;
  };
  const byOwner = new Map<BufferId, { buffer: BufferId; bytes: number; from: number; to: number }>();
  for (const life of separate) {
    const owner = ownerOf(life.buffer);
    const known = byOwner.get(owner);
    if (known === undefined) byOwner.set(owner, { ...life, buffer: owner });
    else {
      known.from = Math.min(known.from, life.from);
      known.to = Math.max(known.to, life.to);
      known.bytes = Math.max(known.bytes, life.bytes);
    }
  }
  return { merged: [...byOwner.values()], ownerOf };
}

function placeBySize(list: readonly Life[]): ReadonlyMap<BufferId, number> {
  const offsets = new Map<BufferId, number>();
  const placed: { readonly life: Life; readonly offset: number }[] = [];
  const bySize = [...list].sort((a, b) => b.bytes - a.bytes || a.from - b.from || a.buffer - b.buffer);
  for (const life of bySize) {
    let offset = 0;
    // `placed` is sorted by offset: the first gap that is large enough.
    for (const other of placed) {
      if (other.life.to < life.from || other.life.from > life.to) continue;
      if (other.offset - offset >= life.bytes) break;
      offset = Math.max(offset, other.offset + other.life.bytes);
    }
    offsets.set(life.buffer, offset);
    let at = placed.length;
    while (at > 0 && (placed[at - 1]?.offset ?? 0) > offset) at--;
    placed.splice(at, 0, { life, offset });
  }
  return offsets;
}

function placeByTime(list: readonly Life[]): ReadonlyMap<BufferId, number> {
  const offsets = new Map<BufferId, number>();
  const byStart = [...list].sort((a, b) => a.from - b.from || b.bytes - a.bytes || a.buffer - b.buffer);
  const byEnd = [...list].sort((a, b) => a.to - b.to);
  let gaps: { offset: number; bytes: number }[] = [];
  let top = 0;
  let ended = 0;
  const release = (offset: number, bytes: number): void => {
    if (bytes === 0) return;
    const at = gaps.findIndex((gap) => gap.offset > offset);
    gaps.splice(at < 0 ? gaps.length : at, 0, { offset, bytes });
    const joined: { offset: number; bytes: number }[] = [];
    for (const gap of gaps) {
      const before = joined.at(-1);
      if (before !== undefined && before.offset + before.bytes === gap.offset) before.bytes += gap.bytes;
      else joined.push({ ...gap });
    }
    gaps = joined;
  };
  for (const life of byStart) {
    for (let next = byEnd[ended]; next !== undefined && next.to < life.from; next = byEnd[++ended]) {
      release(offsets.get(next.buffer) ?? 0, next.bytes);
    }
    let best: { offset: number; bytes: number } | undefined;
    for (const gap of gaps) if (gap.bytes >= life.bytes && (best === undefined || gap.bytes < best.bytes)) best = gap;
    if (best === undefined) {
      offsets.set(life.buffer, top);
      top += life.bytes;
      continue;
    }
    offsets.set(life.buffer, best.offset);
    best.offset += life.bytes;
    best.bytes -= life.bytes;
    gaps = gaps.filter((gap) => gap.bytes > 0);
  }
  return offsets;
}
