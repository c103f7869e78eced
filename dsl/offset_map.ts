/** Room for the offsets of a short text. */
const fewOffsets = 4096;

/** A map from offsets of a text, for many of them: cheaper than a `Map`, and in the order of the text. */
export class OffsetMap<T> {
  readonly #all: T[] = [];
  /** By offset, 1 more than the index in the list; 0 where there is nothing. */
  #indices = new Int32Array(fewOffsets);

  get size(): number {
    return this.#all.length;
  }

  has(offset: number): boolean {
    return (this.#indices[offset] ?? 0) > 0;
  }

  get(offset: number): T | undefined {
    return this.#all[(this.#indices[offset] ?? 0) - 1];
  }

  set(offset: number, one: T): void {
    if (offset >= this.#indices.length) {
      const wider = new Int32Array(2 ** Math.ceil(Math.log2(offset + 1)));
      wider.set(this.#indices);
      this.#indices = wider;
    }
    const index = this.#indices[offset] ?? 0;
    if (index > 0) this.#all[index - 1] = one;
    else this.#indices[offset] = this.#all.push(one);
  }

  forEach(visit: (one: T, offset: number) => void): void {
    const indices = this.#indices;
    for (let offset = 0; offset < indices.length; offset++) {
      const index = indices[offset] ?? 0;
      if (index === 0) continue;
      const one = this.#all[index - 1];
      if (one !== undefined) visit(one, offset);
    }
  }

  *[Symbol.iterator](): Iterator<readonly [offset: number, one: T]> {
    for (const [offset, index] of this.#indices.entries()) {
      const one = this.#all[index - 1];
      if (index > 0 && one !== undefined) yield [offset, one];
    }
  }
}

export interface ReadonlyOffsetMap<T> extends Iterable<readonly [offset: number, one: T]> {
  readonly size: number;
  has(offset: number): boolean;
  get(offset: number): T | undefined;
  forEach(visit: (one: T, offset: number) => void): void;
}
