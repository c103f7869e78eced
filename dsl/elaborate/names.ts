import type { Span } from "../../compiler/ir/span.js";
import type { Meaning } from "./meaning.js";

export interface Entry {
  readonly meaning: Meaning;
  /** Where it was bound; undefined for what is built in. */
  readonly span: Span | undefined;
}

/** Is told what is looked up and bound in the blocks that outlive an elaboration. */
export interface NamesWatch {
  looked(names: Names, name: string, entry: Entry | undefined): void;
  /** Told before the name is bound. */
  binds(names: Names, name: string, entry: Entry): void;
}

/** The names of one block, and through `parent` those around it. A Map, so that `__proto__` is a name like any other. */
export class Names {
  readonly parent: Names | undefined;
  /** How many regions are around the block: an edge that a name stands for belongs to the region of this depth. */
  readonly depth: number;
  #entries = new Map<string, Entry>();
  /** Functions of a library that are read when they are first looked up. */
  #deferred = new Map<string, () => Entry>();
  /** Names that statements further down will bind. */
  #later = new Map<string, Span>();

  readonly #watch: NamesWatch | undefined;
  #incomplete = false;

  constructor(parent: Names | undefined, depth: number = parent?.depth ?? 0, watch?: NamesWatch) {
    this.parent = parent;
    this.depth = depth;
    this.#watch = watch;
  }

  /** Forgets all names, for another elaboration of the block; with new maps, see `memory.ts`. */
  clear(): void {
    this.#entries = new Map();
    this.#deferred = new Map();
    this.#later = new Map();
    this.#incomplete = false;
  }

  /** A statement here was not understood, and may have bound any name: an unknown one is no problem of its own. */
  markIncomplete(): void {
    this.#incomplete = true;
  }

  get incomplete(): boolean {
    return this.#incomplete || this.parent?.incomplete === true;
  }

  /** Whether the block itself has the name, without reading what it stands for. */
  has(name: string): boolean {
    return this.#entries.has(name) || this.#deferred.has(name);
  }

  /** What is bound by now; a look that the watch is not told of. */
  peek(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  own(name: string): Entry | undefined {
    const entry = this.#read(name);
    this.#watch?.looked(this, name, entry);
    return entry;
  }

  #read(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const read = this.#deferred.get(name);
    if (read === undefined) return undefined;
    this.#deferred.delete(name);
    const made = read();
    this.#entries.set(name, made);
    return made;
  }

  /** Binds a function that is read when it is first looked up. */
  defer(name: string, read: () => Entry): void {
    this.#deferred.set(name, read);
  }

  lookup(name: string): Entry | undefined {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      const entry = names.own(name);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** The block that binds the name. */
  holderOf(name: string): Names | undefined {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      if (names.own(name) !== undefined) return names;
    }
    return undefined;
  }

  /** The nearest function of this name: a tensor called `softmax` does not hide the function. */
  lookupCallable(name: string): Entry | undefined {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      const entry = names.own(name);
      if (entry?.meaning.kind === "fn" || entry?.meaning.kind === "poisoned") return entry;
    }
    return undefined;
  }

  bind(name: string, entry: Entry): void {
    this.#watch?.binds(this, name, entry);
    this.#entries.set(name, entry);
    this.#later.delete(name);
  }

  expect(name: string, span: Span): void {
    if (!this.#entries.has(name) && !this.#later.has(name)) this.#later.set(name, span);
  }

  /** Where a name that is not bound yet will be. */
  later(name: string): Span | undefined {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      const span = names.#later.get(name);
      if (span !== undefined) return span;
    }
    return undefined;
  }

  *visible(): Iterable<string> {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      yield* names.#entries.keys();
      yield* names.#deferred.keys();
    }
  }

  *visibleCallables(): Iterable<string> {
    for (let names: Names | undefined = this; names !== undefined; names = names.parent) {
      for (const [name, entry] of names.#entries) if (entry.meaning.kind === "fn") yield name;
      yield* names.#deferred.keys();
    }
  }

  ownEntries(): Iterable<[string, Entry]> {
    return this.#entries;
  }
}
