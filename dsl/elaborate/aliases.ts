import { type Alias, type Node, newAlias, type Value } from "../../compiler/ir/node.js";
import { typeText } from "../../compiler/ir/type.js";
import type { AliasUse } from "./changes.js";
import { Reaches } from "./reached.js";

/** What an edge of its own stands for: a name of the graph, or the gradient that a step of an optimizer is given. */
export type AliasKind = "name" | "slope";

/** An edge of its own in one training mode. */
interface ModeAliases {
  /** In this elaboration: the alias of each edge, and the keys that are given away. */
  of: Map<Value, Value>;
  claimed: Set<string>;
  /** Changes where an alias comes to stand for an edge from which something else is reached. */
  readonly reach: Record<AliasKind, number>;
}

function emptyMode(): ModeAliases {
  return { of: new Map(), claimed: new Set(), reach: { name: 0, slope: 0 } };
}

/** The edges of their own that names of a graph stand for in an editor; see `memory.ts`. */
export class Aliases {
  readonly #known = new Map<string, Alias>();
  readonly #nodes = new WeakSet<Node>();
  readonly reaches = new Reaches((node) => this.#nodes.has(node));
  readonly #inference = emptyMode();
  readonly #training = emptyMode();
  readonly #fed = new WeakMap<Node, boolean>();

  /** An elaboration begins. */
  begin(): void {
    for (const mode of [this.#inference, this.#training]) {
      mode.of = new Map();
      mode.claimed = new Set();
    }
  }

  /** How many there are, and how many the last elaboration gave. */
  get known(): number {
    return this.#known.size;
  }

  get used(): number {
    return this.#inference.of.size + this.#training.of.size;
  }

  #mode(training: boolean): ModeAliases {
    return training ? this.#training : this.#inference;
  }

  key(training: boolean, path: string, { type }: Value): string {
    return `${training} ${path} ${typeText(type)}`;
  }

  /** Two texts where nothing else is reached from the names of a mode than before. */
  reachToken(training: boolean, kinds: readonly AliasKind[]): string {
    const { reach } = this.#mode(training);
    return kinds.map((kind) => reach[kind]).join(":");
  }

  /** The edge that a key stands for; the edge itself where it is made of constants only, since the compiler looks at those. */
  for(training: boolean, { key, value }: AliasUse): Value {
    const { op } = value.node;
    if (this.#nodes.has(value.node) || op === "variable" || op === "placeholder" || !this.#isFed(value)) return value;
    const { of, claimed } = this.#mode(training);
    const known = of.get(value);
    if (known !== undefined) return known;
    // A name that is bound twice is a problem, which is told.
    if (claimed.has(key)) return value;
    const alias = this.#known.get(key);
    if (alias !== undefined) return alias.value;
    const made = newAlias(value);
    this.#nodes.add(made.value.node);
    this.#known.set(key, made);
    return made.value;
  }

  register(training: boolean, { key, value }: AliasUse, found: Value, kind: AliasKind): void {
    if (found === value) return;
    const { of, claimed, reach } = this.#mode(training);
    if (of.has(value)) return;
    of.set(value, found);
    claimed.add(key);
    const alias = this.#known.get(key);
    const before = alias?.value.node.inputs[0];
    if (alias === undefined || before === value) return;
    alias.pointTo(value);
    if (before !== undefined && !this.reaches.isAlike(before, value)) reach[kind]++;
  }

  /** What an edge stands for in the end. */
  behind(value: Value): Value {
    let found = value;
    while (this.#nodes.has(found.node) && found.node.inputs[0] !== undefined) found = found.node.inputs[0];
    return found;
  }

  /** Whether a run feeds or assigns something that the edge is computed from. */
  #isFed(value: Value): boolean {
    const known = this.#fed.get(value.node);
    if (known !== undefined) return known;
    const stack = [value.node];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const below = node.inputs.find((input) => !this.#fed.has(input.node));
      const isSource = node.op === "placeholder" || node.op === "variable" || node.op === "parameter";
      if (below !== undefined && !isSource && !this.#nodes.has(node)) {
        stack.push(below.node);
        continue;
      }
      const fed = isSource || this.#nodes.has(node) || node.inputs.some((input) => this.#fed.get(input.node) === true);
      this.#fed.set(node, fed);
      stack.pop();
    }
    return this.#fed.get(value.node) === true;
  }
}
