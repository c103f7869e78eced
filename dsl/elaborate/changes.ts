import type { Value } from "../../compiler/ir/node.js";
import type { Entry, Names } from "./names.js";
import { sameEntry } from "./same.js";

/** A name that was bound. */
export interface NameWrite {
  readonly names: Names;
  readonly name: string;
  readonly entry: Entry;
}

/** A name that was looked up, or written before that, and what it stood for. */
export interface NameRead {
  readonly names: Names;
  readonly name: string;
  readonly entry: Entry | undefined;
  readonly isOwn: boolean;
}

/** The edge of a name, and what it was given for. */
export interface AliasUse {
  readonly key: string;
  readonly value: Value;
}

/** What a step of an elaboration did that a later one may read. */
export interface Writes {
  readonly names: readonly NameWrite[];
  readonly tables: ReadonlySet<string>;
  readonly aliases: readonly AliasUse[];
}

/** What it read, other than what is asked anew each time. */
export interface Reads {
  readonly names: readonly NameRead[];
  readonly tables: ReadonlySet<string>;
  readonly aliases: readonly AliasUse[];
}

/** A unit, or a name that is bound outside of all units: what an elaboration does one after another. */
export interface Step {
  /** The last elaboration that did it, and its place there. */
  elaboration: number;
  at: number;
  writes: Writes;
}

export const nothingWritten: Writes = { names: [], tables: new Set(), aliases: [] };

/**
 * What differs between an elaboration and the one before it, where both have come to. The steps of the two are followed side by side: what
 * only one of them did makes a difference until the other has done the same. What read nothing that differs reads what it read.
 */
export class Changes {
  #before: readonly Step[] = [];
  #now: Step[] = [];
  /** How many elaborations have begun. */
  elaboration = 0;
  #followed = 0;
  /** What names stood for before, where that is something else now. */
  #names = new Map<Names, Map<string, Entry | undefined>>();
  #differing = 0;
  #tables = new Set<string>();
  #aliasKeys = new Set<string>();
  #aliased = new Set<Value>();

  /** `isWhole` says whether the elaboration before came to its end. */
  begin(isWhole: boolean): void {
    this.#before = isWhole ? this.#now : [];
    this.#now = [];
    this.elaboration++;
    this.#followed = 0;
    this.#names = new Map();
    this.#differing = 0;
    this.#tables = new Set();
    this.#aliasKeys = new Set();
    this.#aliased = new Set();
  }

  /** Whether this elaboration has done a step already. */
  hasDone(step: Step): boolean {
    return step.elaboration === this.elaboration;
  }

  /** Comes to a step; gives whether the elaboration before did it, too, in the same order. */
  follow(step: Step): boolean {
    const isKnown = this.#before[step.at] === step && step.elaboration === this.elaboration - 1;
    const isInOrder = isKnown && step.at >= this.#followed;
    if (isInOrder) {
      for (let i = this.#followed; i < step.at; i++) this.#wroteBefore(this.#before[i]?.writes ?? nothingWritten);
      this.#followed = step.at + 1;
    }
    step.elaboration = this.elaboration;
    step.at = this.#now.length;
    this.#now.push(step);
    return isInOrder;
  }

  /** The step did something now that it may not have done before. */
  replace(step: Step, writes: Writes, isInOrder: boolean): void {
    const before = step.writes;
    step.writes = writes;
    this.wrote(writes);
    if (isInOrder && before !== writes) this.#wroteBefore(before);
  }

  wrote({ tables, aliases }: Omit<Writes, "names">): void {
    for (const one of tables) this.#tables.add(one);
    for (const { key, value } of aliases) {
      this.#aliasKeys.add(key);
      this.#aliased.add(value);
    }
  }

  #wroteBefore(writes: Writes): void {
    this.wrote(writes);
    for (const { names, name, entry } of writes.names) {
      if (sameEntry(names.peek(name), entry)) this.#agree(names, name);
      else this.#differ(names, name, entry);
    }
  }

  /** A name is about to be bound now; what it stood for before stays. */
  binds(names: Names, name: string, entry: Entry): void {
    const known = this.#names.get(names);
    const before = known?.has(name) === true ? known.get(name) : names.peek(name);
    if (sameEntry(before, entry)) this.#agree(names, name);
    else this.#differ(names, name, before);
  }

  /** A step that is nothing but a name is about to be done. */
  bindsOutside(step: Step, write: NameWrite): void {
    const { names, name, entry } = write;
    const before = this.follow(step) ? step.writes.names[0] : undefined;
    step.writes = { ...nothingWritten, names: [write] };
    if (before === undefined) this.binds(names, name, entry);
    else if (sameEntry(before.entry, entry)) this.#agree(names, name);
    else this.#differ(names, name, before.entry);
  }

  /** A name is about to be bound now, and was before. */
  bindsAgain(names: Names, name: string): void {
    if (this.#differing > 0) this.#agree(names, name);
  }

  #differ(names: Names, name: string, before: Entry | undefined): void {
    const known = this.#names.get(names);
    if (known === undefined) this.#names.set(names, new Map([[name, before]]));
    else if (known.has(name)) {
      known.set(name, before);
      return;
    } else known.set(name, before);
    this.#differing++;
  }

  #agree(names: Names, name: string): void {
    if (this.#names.get(names)?.delete(name) === true) this.#differing--;
  }

  /** Whether all that was read is as it was before. */
  spare({ names, tables, aliases }: Reads): boolean {
    if (this.#differing > 0) {
      for (const { names: block, name } of names) if (this.#names.get(block)?.has(name) === true) return false;
    }
    if (this.#tables.size > 0) for (const one of tables) if (this.#tables.has(one)) return false;
    if (this.#aliased.size === 0) return true;
    return aliases.every(({ key, value }) => !this.#aliasKeys.has(key) && !this.#aliased.has(value));
  }
}
