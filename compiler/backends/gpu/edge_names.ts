import type { Computation } from "../../ir/graph.js";
import type { Value } from "../../ir/node.js";
import { writtenAs } from "../../ir/sources.js";

/**
 * Names for the edges that parts of a run hand each other, for people too: what the text calls them, else what is computed and where.
 * None of them twice, and none that is a placeholder's.
 */
export class EdgeNames {
  readonly #computation: Computation;
  /** The text's shortest name for each edge of the typed graph: a call's result is called what it is bound to. */
  readonly #written = new Map<Value, string>();
  readonly #given = new Map<Value, string>();
  readonly #used: Set<string>;

  constructor(computation: Computation) {
    this.#computation = computation;
    this.#used = new Set(computation.placeholders.map(({ name }) => name));
    for (const [name, value] of computation.names ?? []) {
      const known = this.#written.get(value);
      if (known === undefined || name.length < known.length) this.#written.set(value, name);
    }
  }

  nameOf(value: Value): string {
    return this.#given.get(value) ?? this.give(value, this.#textOf(value));
  }

  /** Calls an edge so that has no name yet, with a number where the name is another's. */
  give(value: Value, wanted: string): string {
    const known = this.#given.get(value);
    if (known !== undefined) return known;
    let name = wanted;
    for (let count = 2; this.#used.has(name); count++) name = `${wanted} (${count})`;
    this.#used.add(name);
    this.#given.set(value, name);
    return name;
  }

  /** All that have a name, by it. */
  edges(): ReadonlyMap<string, Value> {
    return new Map([...this.#given].map(([value, name]) => [name, value]));
  }

  #textOf(value: Value): string {
    const { sources } = this.#computation;
    const { node } = value;
    const through = sources.isBackward(node) ? "gradient through " : "";
    for (const stem of sources.stemsOf(node)) {
      const typed = stem.outputs[stem.outputs.length === node.outputs.length ? value.index : 0];
      const name = typed === undefined ? undefined : this.#written.get(typed);
      if (typed === undefined || name === undefined) continue;
      // What passes made of it may be a step on the way to it.
      const isIt = typed.type.dtype === value.type.dtype && typed.type.shape.length === value.type.shape.length;
      return isIt || through !== "" ? `${through}${name}` : `${node.op} for ${name}`;
    }
    const scope = sources.scopeOf(node)?.path;
    // In a call the word would be the call's own.
    return scope === undefined || scope === ""
      ? `${through}${writtenAs(sources.spansOf(node), node.op)}`
      : `${through}${node.op} in ${scope}`;
  }
}
