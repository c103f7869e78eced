import type { Builder } from "../builder.js";
import { i64 } from "../types.js";
import type { Value } from "../value.js";
import { blockWords } from "./block.js";

/**
 * Where profiled code writes: words of 8 bytes. Time is the processor's counter of cycles at its base rate, which no change of
 * frequency touches, and which costs a few nanoseconds to read where a call of the system's clock costs twenty.
 */
export const profileWords = {
  /** Entries, and the cycles spent in them. */
  entries: 0,
  cycles: 1,
  /** The least that measuring one kernel took. */
  measurement: 2,
  /** When the last entry began. */
  begun: 3,
  /** Events so far and the room for them. */
  events: 4,
  room: 5,
  /** From here: two words a kernel and one more such pair, then three an event: its kernel, its begin and its end. */
  kernels: 6,
} as const;

export const kernelWords = { calls: 0, cycles: 1, count: 2 } as const;
export const eventWords = { kernel: 0, begin: 1, end: 2, count: 3 } as const;

export function kernelWord(kernel: number, word: number): number {
  return profileWords.kernels + kernel * kernelWords.count + word;
}

/** The first word of an event, in a program of so many kernels: behind theirs is a pair that only tries are counted in. */
export function eventWord(kernels: number, event: number): number {
  return kernelWord(kernels + 1, 0) + event * eventWords.count;
}

/** How often the cost of measuring is tried in each entry. */
const tries = 8;

/** Writes the measuring code of one function. */
export class Stopwatch {
  readonly #b: Builder;
  readonly #place: Value;
  readonly #kernels: number;

  constructor(b: Builder, block: Value, kernels: number) {
    this.#b = b;
    this.#place = b.argument(block, blockWords.profile);
    this.#kernels = kernels;
  }

  begin(): Value {
    return this.#b.cycles();
  }

  /** Counts a call of a kernel that began at `begin`. */
  end(kernel: number, begin: Value): void {
    const b = this.#b;
    const end = this.#count(kernel, begin);
    const events = this.#get(profileWords.events);
    b.ifElse(b.compare("lt", events, this.#get(profileWords.room)), () => {
      const first = b.mul(events, b.index(eventWords.count));
      const row = b.offsetElements(this.#at(eventWord(this.#kernels, 0)), "i64", first);
      b.store(b.index(kernel), b.offsetElements(row, "i64", eventWords.kernel));
      b.store(begin, b.offsetElements(row, "i64", eventWords.begin));
      b.store(end, b.offsetElements(row, "i64", eventWords.end));
      this.#set(profileWords.events, b.add(events, b.index(1)));
    });
  }

  /** Measures a whole entry, and, before it, what measuring costs. */
  entry(body: () => void): void {
    const b = this.#b;
    b.loop(0, tries, 1, () => {
      const before = b.cycles();
      this.#count(this.#kernels, b.cycles());
      const cost = b.sub(b.cycles(), before);
      this.#set(profileWords.measurement, b.min(cost, this.#get(profileWords.measurement)));
      return [];
    });
    const begun = b.cycles();
    this.#set(profileWords.begun, begun);
    body();
    this.#add(profileWords.cycles, b.sub(b.cycles(), begun));
    this.#add(profileWords.entries, b.index(1));
  }

  #count(kernel: number, begin: Value): Value {
    const end = this.#b.cycles();
    this.#add(kernelWord(kernel, kernelWords.calls), this.#b.index(1));
    this.#add(kernelWord(kernel, kernelWords.cycles), this.#b.sub(end, begin));
    return end;
  }

  #at(word: number): Value {
    return this.#b.offsetElements(this.#place, "i64", word);
  }

  #get(word: number): Value {
    return this.#b.load(i64, this.#at(word));
  }

  #set(word: number, value: Value): void {
    this.#b.store(value, this.#at(word));
  }

  #add(word: number, value: Value): void {
    this.#set(word, this.#b.add(this.#get(word), value));
  }
}
