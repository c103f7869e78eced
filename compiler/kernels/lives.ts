import { byteSize } from "../ir/dtype.js";
import { buffersOf, isLeaf, writtenBy } from "./access.js";
import type { Buffer, BufferId, Kernel, LeafKernel } from "./form.js";

/** Alignment of every temporary: a cache line, and the widest vector register. */
const alignment = 64;

export function byteLength(buffer: Buffer): number {
  return buffer.length * byteSize(buffer.dtype);
}

function rounded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** When a temporary is in use: from the first to the last moment that it is needed at, both included. */
export interface Life {
  readonly buffer: BufferId;
  readonly bytes: number;
  readonly from: number;
  to: number;
}

export interface Lives {
  readonly list: readonly Life[];
  /** The code that runs at each moment; undefined for one at which a loop begins or ends, or a predicate is read. */
  readonly moments: readonly (LeafKernel | undefined)[];
}

/** A loop around a moment, with the moments at which it begins and ends. */
interface Around {
  readonly begin: number;
  end: number;
}

interface Mentions {
  first: number;
  last: number;
  readonly startsWithWrite: boolean;
  /** The loops around all mentions so far, outermost first. */
  common: readonly Around[];
  /** Loops around some mention and not around all: what is in them lives through them. */
  readonly partial: Set<Around>;
}

/**
 * Numbers the moments of a program in the order in which its text runs, and finds the lives of its temporaries. One that is
 * mentioned inside a loop and outside it lives through the whole loop; so does one that is read in an iteration before that
 * iteration has written it. All others begin and end within one iteration, whose next one may use their bytes anew.
 */
export function lives(kernels: readonly Kernel[], buffers: readonly Buffer[], outputs: ReadonlySet<BufferId>): Lives {
  const moments: (LeafKernel | undefined)[] = [];
  const found = new Map<BufferId, Mentions>();
  const mention = (id: BufferId, around: readonly Around[], writes: boolean): void => {
    if (buffers[id]?.storage.kind !== "temporary") return;
    const at = moments.length;
    const known = found.get(id);
    if (known === undefined) {
      found.set(id, { first: at, last: at, startsWithWrite: writes, common: around, partial: new Set() });
      return;
    }
    known.last = at;
    let shared = 0;
    while (shared < known.common.length && known.common[shared] === around[shared]) shared++;
    for (const loop of [...known.common.slice(shared), ...around.slice(shared)]) known.partial.add(loop);
    known.common = known.common.slice(0, shared);
  };
  const visit = (list: readonly Kernel[], around: readonly Around[]): void => {
    for (const kernel of list) {
      if (isLeaf(kernel)) {
        const written = writtenBy(kernel);
        for (const id of buffersOf(kernel)) mention(id, around, written.has(id));
        moments.push(kernel);
        continue;
      }
      if (kernel.kind === "branch") {
        mention(kernel.predicate.buffer, around, false);
        moments.push(undefined);
        visit(kernel.whenTrue, around);
        visit(kernel.whenFalse, around);
        continue;
      }
      const loop: Around = { begin: moments.length, end: moments.length };
      const inside = [...around, loop];
      moments.push(undefined);
      if (kernel.kind === "while") {
        visit(kernel.condition, inside);
        mention(kernel.predicate.buffer, inside, false);
        moments.push(undefined);
      }
      visit(kernel.body, inside);
      loop.end = moments.length;
      moments.push(undefined);
    }
  };
  visit(kernels, []);
  // Outputs are read when all is done.
  for (const id of outputs) if (found.has(id)) mention(id, [], false);
  const list = [...found].map(([id, mentions]): Life => {
    const through = [...mentions.partial, ...(mentions.startsWithWrite ? [] : mentions.common)];
    return {
      buffer: id,
      bytes: rounded(byteLength(buffers[id] as Buffer)),
      from: Math.min(mentions.first, ...through.map(({ begin }) => begin)),
      to: Math.max(mentions.last, ...through.map(({ end }) => end)),
    };
  });
  return { list, moments };
}
