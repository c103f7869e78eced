import type { Step } from "./changes.js";

/** Below this, nothing is looked through. */
const few = 1024;

/** How many elaborations ago a step may have been done last. Text that goes may come back: it is undone, or mended. */
const longAgo = 64;

/** Steps by what they are known by; where there are many, those go that have not been done for long. */
export class StepMap<T extends Step> {
  readonly #all = new Map<string, T>();
  #most = few;

  get size(): number {
    return this.#all.size;
  }

  get(key: string): T | undefined {
    return this.#all.get(key);
  }

  /** `elaboration` is the number of the one that goes on. */
  set(key: string, step: T, elaboration: number): void {
    if (this.#all.size >= this.#most) {
      for (const [other, { elaboration: last }] of this.#all) if (last < elaboration - longAgo) this.#all.delete(other);
      this.#most = Math.max(few, 2 * this.#all.size);
    }
    this.#all.set(key, step);
  }
}
