/** A source of choices: each takes the next number, so that fast-check shrinks to small graphs. */
export class Choices {
  readonly #numbers: readonly number[];
  #at = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  get left(): number {
    return this.#numbers.length - this.#at;
  }
  below(limit: number): number {
    return (this.#numbers[this.#at++] ?? 0) % limit;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  flags<T>(list: readonly T[]): readonly T[] {
    return list.filter(() => this.below(2) === 0);
  }
}
