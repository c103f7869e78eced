/**
 * What one elaboration after another puts together in the same order, mostly the same. `token` tells apart what has been put there by now:
 * the same token stands for the same things in all elaborations.
 */
export class Sequence<T> {
  readonly #isSame: (a: T, b: T) => boolean;
  #longest: T[] = [];
  #edition = 0;
  #count = 0;

  constructor(isSame: (a: T, b: T) => boolean) {
    this.#isSame = isSame;
  }

  begin(): void {
    this.#count = 0;
  }

  push(one: T): void {
    const known = this.#longest[this.#count];
    if (this.#count < this.#longest.length && (known === undefined || !this.#isSame(known, one))) {
      this.#longest = this.#longest.slice(0, this.#count);
      this.#edition++;
    }
    this.#longest[this.#count++] = one;
  }

  get token(): string {
    return `${this.#edition}:${this.#count}`;
  }
}
