import type { DeviceMemory } from "./arrays.js";
import type { DeviceBlock } from "./storage.js";

/** A change of variables that can be made again: a run, or a value that was set. */
export interface JournalEntry {
  /** The program that ran, which is not unloaded while it may be needed again. */
  readonly owner: object | undefined;
  readonly assigned: readonly DeviceBlock[];
  /** What the entry holds in this process's memory. */
  readonly bytes: number;
  readonly replay: (memory: DeviceMemory) => Promise<void>;
}

/** When variables are copied: what would have to be done again is a matter of seconds, and copies are rare beside what is fed. */
const most = { seconds: 10, runs: 1000, bytes: 2 ** 26, timesVariables: 4 } as const;

/**
 * What has changed variables on a device since they were last copied from it. A run is a function of variables, feeds, seed and
 * step, so a device that is lost takes nothing with it: on another the runs are done again, from the copies, to the same bits.
 */
export class Journal {
  readonly #blocks = new Set<DeviceBlock>();
  readonly #retired = new Map<object, () => void>();
  /** What the entries assign. */
  readonly #assigned = new Set<DeviceBlock>();
  #entries: JournalEntry[] = [];
  #bytes = 0;
  #since = 0;
  #isCopying = false;

  /** Whether there is anything that would be done again, for which the variables' values of before are needed. */
  get isOpen(): boolean {
    return this.#entries.length > 0;
  }

  add(block: DeviceBlock): void {
    this.#blocks.add(block);
  }

  /** A variable is freed: its session ends, and what was done in it with it. */
  remove(block: DeviceBlock): void {
    this.#blocks.delete(block);
    this.#keepOnly(this.#entries.filter(({ assigned }) => !assigned.includes(block)));
  }

  record(entry: JournalEntry): void {
    if (!this.isOpen) this.#since = performance.now();
    this.#entries.push(entry);
    for (const block of entry.assigned) this.#assigned.add(block);
    this.#bytes += entry.bytes;
  }

  /** `unload` is called as soon as no entry needs its owner. */
  retire(owner: object, unload: () => void): void {
    this.#retired.set(owner, unload);
    this.#keepOnly(this.#entries);
  }

  /** Copies the variables to this process, where that is due. A device that fails at it keeps its entries, and is told of by the next run. */
  async copyIfDue(memory: DeviceMemory): Promise<void> {
    if (!this.#isDue() || this.#isCopying) return;
    this.#isCopying = true;
    const copied = new Set(this.#entries);
    const snapshots = [...this.#assigned].map((block) => block.snapshot());
    this.#since = performance.now();
    try {
      for (const snapshot of snapshots) await snapshot.download(memory);
      for (const snapshot of snapshots) snapshot.keep();
      this.#keepOnly(this.#entries.filter((entry) => !copied.has(entry)));
    } catch {
      // What was there is still there.
    } finally {
      for (const snapshot of snapshots) snapshot.release();
      this.#isCopying = false;
    }
  }

  /** Brings the variables to a new device as the last completed run left them on the one that was lost. */
  async recover(memory: DeviceMemory): Promise<void> {
    for (const block of this.#blocks) block.lose();
    for (const { replay } of [...this.#entries]) await replay(memory);
  }

  #isDue(): boolean {
    if (!this.isOpen) return false;
    const variables = [...this.#assigned].reduce((sum, { data }) => sum + data.byteLength, 0);
    return (
      this.#entries.length >= most.runs ||
      this.#bytes > Math.max(most.bytes, most.timesVariables * variables) ||
      performance.now() - this.#since > 1000 * most.seconds
    );
  }

  #keepOnly(entries: JournalEntry[]): void {
    this.#entries = entries;
    this.#bytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#assigned.clear();
    for (const { assigned } of entries) for (const block of assigned) this.#assigned.add(block);
    if (!this.isOpen) for (const block of this.#blocks) block.forget();
    const needed = new Set(entries.map(({ owner }) => owner));
    for (const [owner, unload] of this.#retired) {
      if (needed.has(owner)) continue;
      this.#retired.delete(owner);
      unload();
    }
  }
}
