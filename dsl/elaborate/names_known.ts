import type { NameRead } from "./changes.js";
import type { Names } from "./names.js";

/** So many are looked through one by one: most units read fewer, and tables for each would take longer to make. */
const few = 16;

/** The names that a unit has read or written, each as it was found first. */
export class NamesKnown {
  readonly all: NameRead[] = [];
  #byNames: Map<Names, Set<string>> | undefined;

  add(one: NameRead): void {
    if (this.#has(one)) return;
    this.all.push(one);
    if (this.#byNames !== undefined) put(this.#byNames, one);
    else if (this.all.length > few) {
      this.#byNames = new Map();
      for (const known of this.all) put(this.#byNames, known);
    }
  }

  #has({ names, name }: NameRead): boolean {
    if (this.#byNames !== undefined) return this.#byNames.get(names)?.has(name) === true;
    for (const known of this.all) if (known.names === names && known.name === name) return true;
    return false;
  }
}

function put(all: Map<Names, Set<string>>, { names, name }: NameRead): void {
  const known = all.get(names);
  if (known === undefined) all.set(names, new Set([name]));
  else known.add(name);
}
