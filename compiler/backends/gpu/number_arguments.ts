import type { NumberArgument } from "./form.js";

/** The numbers that each launch of a kernel is given, each once. */
export class NumberArguments {
  readonly #list: NumberArgument[] = [];
  readonly #keys: string[] = [];

  get list(): readonly NumberArgument[] {
    return this.#list;
  }

  /** What a kernel calls one of them. */
  name(argument: NumberArgument): string {
    const key = JSON.stringify(argument, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
    const known = this.#keys.indexOf(key);
    if (known >= 0) return `n${known}`;
    this.#keys.push(key);
    return `n${this.#list.push(argument) - 1}`;
  }
}
