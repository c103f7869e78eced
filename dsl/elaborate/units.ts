import { type Changes, nothingWritten, type Reads, type Step, type Writes } from "./changes.js";
import type { FactList } from "./facts.js";
import { maximumCalls } from "./limits.js";
import type { Item } from "./meaning.js";
import type { OriginNote } from "./recorded_sources.js";
import { sameEntry, sameItem } from "./same.js";
import type { State } from "./state.js";
import { StepMap } from "./step_map.js";
import type { NamedSymbol } from "./symbol_table.js";

/** What a unit does to the elaboration around it. */
export type Effect = (state: State) => void;

/** Whether what a unit read is still as it was. */
export type Check = (state: State) => boolean;

/** What one elaboration of a unit read, did and found. */
export interface Version<T> {
  /** Of what it read other than names, and of what it asked that no step of the elaboration tells of. */
  readonly checks: readonly Check[];
  readonly asked: readonly Check[];
  readonly reads: Reads;
  readonly effects: readonly Effect[];
  readonly writes: Writes;
  readonly facts: FactList;
  readonly symbols: readonly NamedSymbol[];
  readonly origins: readonly OriginNote[];
  readonly inputs: readonly Item[];
  readonly calls: number;
  readonly result: T;
}

/** What a unit did, and how that is to be kept; `version` is undefined where it found a problem. */
export interface Recorded<T> {
  /** Throws what the unit has thrown. */
  readonly result: () => T;
  readonly writes: Writes;
  readonly version: Version<T> | undefined;
}

/** What units need of the memory that they belong to. */
export interface Recorder {
  readonly changes: Changes;
  readonly isRecording: boolean;
  record<T>(state: State, inputs: readonly Item[], run: () => T): Recorded<T>;
  /** Does again what a unit did; `isAsBefore` says that the elaboration before did just that, too. */
  repeat<T>(state: State, version: Version<T>, isAsBefore: boolean, when: When): T;
}

/** When what is repeated is done: at once, or when somebody looks at one of the tables that it is for (`late_map.ts`). */
export type When = "at once" | "when asked";

interface Unit<T> extends Step {
  versions: readonly Version<T>[];
  /** What was done last. */
  last: Version<T> | undefined;
}

function newUnit<T>(): Unit<T> {
  return { elaboration: -1, at: -1, writes: nothingWritten, versions: [], last: undefined };
}

/** Of a statement that is broken and mended again and again, some versions are kept. */
const mostVersions = 3;

/** Units of one kind, by the part of a tree that they are. */
export class Units<T> {
  readonly #recorder: Recorder;
  readonly #when: When;
  readonly #units = new WeakMap<object, StepMap<Unit<T>>>();

  constructor(recorder: Recorder, when: When = "at once") {
    this.#recorder = recorder;
    this.#when = when;
  }

  /** Runs a unit, or does again what it did where all that it read is the same. `key` tells apart the ways to elaborate one part. */
  run(state: State, part: object, key: string, inputs: readonly Item[], run: () => T): T {
    const recorder = this.#recorder;
    if (recorder.isRecording) return run();
    const { changes } = recorder;
    const unit = this.#unit(part, key);
    const isInOrder = changes.follow(unit);
    const { last } = unit;
    if (isInOrder && last !== undefined && fits(last, state, inputs) && changes.spare(last.reads)) {
      if (last.asked.every((check) => check(state))) return recorder.repeat(state, last, true, this.#when);
    }
    for (const version of unit.versions) {
      if (!fits(version, state, inputs) || !holds(version, state)) continue;
      const isAsBefore = isInOrder && version === last;
      const result = recorder.repeat(state, version, isAsBefore, this.#when);
      if (!isAsBefore) changes.replace(unit, version.writes, isInOrder);
      unit.last = version;
      return result;
    }
    const { result, writes, version } = recorder.record(state, inputs, run);
    changes.replace(unit, writes, isInOrder);
    unit.last = version;
    if (version !== undefined) unit.versions = [version, ...unit.versions].slice(0, mostVersions);
    return result();
  }

  #unit(part: object, key: string): Unit<T> {
    let all = this.#units.get(part);
    if (all === undefined) {
      all = new StepMap();
      this.#units.set(part, all);
    }
    const known = all.get(key);
    // What is done twice in one elaboration is a problem, which is told.
    if (known !== undefined && !this.#recorder.changes.hasDone(known)) return known;
    const made = newUnit<T>();
    all.set(key, made, this.#recorder.changes.elaboration);
    return made;
  }
}

function fits<T>({ calls, inputs: known }: Version<T>, state: State, inputs: readonly Item[]): boolean {
  if (state.calls + calls > maximumCalls || known.length !== inputs.length) return false;
  return known.every((one, i) => {
    const other = inputs[i];
    return other !== undefined && sameItem(one, other);
  });
}

function holds<T>({ reads, checks, asked }: Version<T>, state: State): boolean {
  if (!reads.names.every(({ names, name, entry, isOwn }) => isOwn || sameEntry(names.peek(name), entry))) return false;
  return checks.every((check) => check(state)) && asked.every((check) => check(state));
}
