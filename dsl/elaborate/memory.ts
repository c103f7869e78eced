import type { Assignment } from "../../compiler/ir/graph.js";
import { type Alias, type Node, newAlias, type Value } from "../../compiler/ir/node.js";
import { typeText } from "../../compiler/ir/type.js";
import type { LoadedFile } from "../imports.js";
import type { Fact } from "./facts.js";
import type { Home, Item } from "./meaning.js";
import { type Entry, Names, type NamesWatch } from "./names.js";
import { Reaches } from "./reached.js";
import { type OriginNote, RecordedSources } from "./recorded_sources.js";
import { sameEntry, sameItem } from "./same.js";
import { maximumCalls, type State } from "./state.js";

/** What a unit does to the elaboration around it. */
export type Effect = (state: State) => void;

/** Whether what a unit read is still as it was. */
type Check = (state: State) => boolean;

/** What one elaboration of a unit read and did. */
interface Recording {
  readonly checks: Check[];
  readonly effects: Effect[];
  readonly facts: Fact[];
  readonly origins: OriginNote[];
  /** What it has read or written: the first read is what counts, and what it wrote itself is no read. */
  readonly known: Set<string>;
  readonly names: Map<Names, Set<string>>;
  /** It found a problem, whose text may rest on anything: it is elaborated anew each time. */
  hasProblem: boolean;
}

interface Version<T> extends Omit<Recording, "known" | "names" | "hasProblem"> {
  readonly inputs: readonly Item[];
  readonly calls: number;
  readonly result: T;
}

/** Of a statement that is broken and mended again and again, some versions are kept. */
const mostVersions = 3;

/** Names that stand for an edge; beyond so many all is forgotten. */
const mostAliases = 100_000;

/**
 * What an editor keeps from one elaboration of a file to the next: of each statement and each step of an optimizer what it read and did.
 * Where the text is the same (the same tree, see `trees.ts`) and all that was read is the same, the effects are repeated, and nothing is
 * elaborated. A name of the graph stands for an edge of its own (`alias`), so that what is computed from it does not change with its
 * definition, as long as its type is the same. What is found is exactly what a new elaboration would find; only the graph has more nodes,
 * and is for nobody to run.
 */
export class Memory implements NamesWatch {
  readonly statements = new Units<undefined>(this);
  readonly steps = new Units<readonly Assignment[]>(this);
  /** Files of the standard library, which stay as they are. */
  readonly library = new Map<string, { readonly file: LoadedFile; readonly text: string }>();
  readonly homes = new WeakMap<LoadedFile, Home>();
  prelude: Names | undefined;
  /** How many units the last elaboration elaborated, and how many it only repeated. */
  readonly counts = { elaborated: 0, repeated: 0 };
  #recording: Recording | undefined;
  readonly #blocks = new Map<string, Names>();
  readonly #userHomes = new Map<string, Home>();
  readonly #opened = new Set<string>();
  readonly #aliases = new Map<string, Alias>();
  readonly #aliasNodes = new WeakSet<Node>();
  readonly reaches = new Reaches((node) => this.#aliasNodes.has(node));
  /** In this elaboration: the alias of each edge, and the edge of each alias, in each mode. */
  readonly #aliasOf = new Map<string, Map<Value, Value>>();
  readonly #claimed = new Map<string, Value>();
  readonly #fed = new WeakMap<Node, boolean>();

  /** An elaboration begins. */
  begin(): void {
    this.counts.elaborated = 0;
    this.counts.repeated = 0;
    this.#recording = undefined;
    this.#opened.clear();
    this.#aliasOf.clear();
    this.#claimed.clear();
    if (this.#aliases.size > mostAliases) this.#aliases.clear();
    for (const names of this.#blocks.values()) names.clear();
  }

  get isRecording(): boolean {
    return this.#recording !== undefined;
  }

  /** The names of a block of the text: one object for all elaborations. */
  block(key: string, parent: Names): Names {
    if (this.#opened.has(key)) return new Names(parent, undefined, this);
    this.#opened.add(key);
    const known = this.#blocks.get(key);
    if (known?.parent === parent) return known;
    const made = new Names(parent, undefined, this);
    this.#blocks.set(key, made);
    return made;
  }

  /** The home of a file of the user's. */
  home(path: string, prelude: Names): Home {
    const names = this.block(`file ${path}`, prelude);
    const known = this.#userHomes.get(path);
    if (known?.names === names) return known;
    const made: Home = { file: path, names, standard: false };
    this.#userHomes.set(path, made);
    return made;
  }

  looked(names: Names, name: string, entry: Entry | undefined): void {
    if (this.#recording === undefined || !this.#first(this.#recording, names, name)) return;
    this.#recording.checks.push(() => sameEntry(names.peek(name), entry));
  }

  bound(names: Names, name: string, entry: Entry): void {
    if (this.#recording === undefined) return;
    this.#first(this.#recording, names, name);
    this.#recording.effects.push(() => names.bind(name, entry));
  }

  #first({ names: all }: Recording, names: Names, name: string): boolean {
    const known = all.get(names);
    if (known === undefined) all.set(names, new Set([name]));
    else if (known.has(name)) return false;
    else known.add(name);
    return true;
  }

  /** Something other than a name was read; `what` says which. */
  consulted(what: string, check: Check): void {
    if (this.#recording === undefined || this.#recording.known.has(what)) return;
    this.#recording.known.add(what);
    this.#recording.checks.push(check);
  }

  /** Something was done; `what` is what a later read of it in the unit would consult. */
  did(effect: Effect, what?: string): void {
    if (this.#recording === undefined) return;
    if (what !== undefined) this.#recording.known.add(what);
    this.#recording.effects.push(effect);
  }

  /** Keeps a note for the end of the unit; gives false where there is none, and it is to be taken at once. */
  noted(fact: Fact): boolean {
    this.#recording?.facts.push(fact);
    return this.#recording !== undefined;
  }

  foundProblem(): void {
    if (this.#recording !== undefined) this.#recording.hasProblem = true;
  }

  sources(): RecordedSources {
    return new RecordedSources((note) => this.#recording?.origins.push(note));
  }

  /** The edge that a path stands for; the edge itself where it is made of constants only, since the compiler looks at those. */
  alias(state: State, path: string, value: Value): Value {
    const found = this.#aliasFor(state, path, value);
    this.consulted(`alias ${path}`, (later) => this.#aliasFor(later, path, value) === found);
    const register: Effect = (later) => this.#register(later, path, value, found);
    register(state);
    this.did(register);
    return found;
  }

  #key(state: State, path: string, value: Value): string {
    return `${state.training} ${path} ${typeText(value.type)}`;
  }

  #aliasFor(state: State, path: string, value: Value): Value {
    const { op } = value.node;
    if (this.#aliasNodes.has(value.node) || op === "variable" || op === "placeholder" || !this.#isFed(value))
      return value;
    const known = this.#aliasOf.get(String(state.training))?.get(value);
    if (known !== undefined) return known;
    const key = this.#key(state, path, value);
    // A name that is bound twice is a problem, which is told.
    if (this.#claimed.has(key)) return value;
    const alias = this.#aliases.get(key);
    if (alias !== undefined) return alias.value;
    const made = newAlias(value);
    this.#aliasNodes.add(made.value.node);
    this.#aliases.set(key, made);
    return made.value;
  }

  #register(state: State, path: string, value: Value, found: Value): void {
    if (found === value) return;
    const key = this.#key(state, path, value);
    const mode = String(state.training);
    let known = this.#aliasOf.get(mode);
    if (known === undefined) {
      known = new Map();
      this.#aliasOf.set(mode, known);
    }
    if (known.get(value) !== undefined) return;
    known.set(value, found);
    this.#claimed.set(key, value);
    this.#aliases.get(key)?.pointTo(value);
  }

  /** What an edge stands for in the end. */
  behind(value: Value): Value {
    let found = value;
    while (this.#aliasNodes.has(found.node) && found.node.inputs[0] !== undefined) found = found.node.inputs[0];
    return found;
  }

  /** Whether a run feeds or assigns something that the edge is computed from. */
  #isFed(value: Value): boolean {
    const stack = [value.node];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const below = node.inputs.find((input) => !this.#fed.has(input.node));
      const isSource = node.op === "placeholder" || node.op === "variable" || node.op === "parameter";
      if (below !== undefined && !isSource && !this.#aliasNodes.has(node)) {
        stack.push(below.node);
        continue;
      }
      const fed =
        isSource || this.#aliasNodes.has(node) || node.inputs.some((input) => this.#fed.get(input.node) === true);
      this.#fed.set(node, fed);
      stack.pop();
    }
    return this.#fed.get(value.node) === true;
  }

  /** Elaborates a unit, and gives what is to be kept of it; undefined where it is not to be kept. */
  record<T>(
    state: State,
    inputs: readonly Item[],
    run: () => T,
  ): { readonly result: T; readonly version: Version<T> | undefined } {
    const recording: Recording = {
      checks: [],
      effects: [],
      facts: [],
      origins: [],
      known: new Set(),
      names: new Map(),
      hasProblem: false,
    };
    const calls = state.calls;
    this.#recording = recording;
    this.counts.elaborated++;
    try {
      const result = run();
      const { checks, effects, facts, origins } = recording;
      const version = { checks, effects, facts, origins, inputs, calls: state.calls - calls, result };
      return { result, version: recording.hasProblem ? undefined : version };
    } finally {
      this.#recording = undefined;
      state.shared.facts?.addAll(recording.facts);
    }
  }

  /** Does again what a unit did. */
  repeat<T>(state: State, { effects, facts, origins, calls, result }: Version<T>): T {
    for (const effect of effects) effect(state);
    state.calls += calls;
    state.shared.facts?.addAll(facts);
    const { sources } = state.shared;
    if (sources instanceof RecordedSources) sources.addAll(origins);
    this.counts.repeated++;
    return result;
  }
}

/** Units of one kind, by the part of a tree that they are. */
export class Units<T> {
  readonly #memory: Memory;
  readonly #versions = new WeakMap<object, Map<string, readonly Version<T>[]>>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Runs a unit, or does again what it did where all that it read is the same. `key` tells apart the ways to elaborate one part. */
  run(state: State, part: object, key: string, inputs: readonly Item[], run: () => T): T {
    if (this.#memory.isRecording) return run();
    let all = this.#versions.get(part);
    if (all === undefined) {
      all = new Map();
      this.#versions.set(part, all);
    }
    const versions = all.get(key) ?? [];
    for (const version of versions) if (holds(version, state, inputs)) return this.#memory.repeat(state, version);
    const { result, version } = this.#memory.record(state, inputs, run);
    if (version !== undefined) all.set(key, [version, ...versions].slice(0, mostVersions));
    return result;
  }
}

function holds<T>(version: Version<T>, state: State, inputs: readonly Item[]): boolean {
  if (state.calls + version.calls > maximumCalls || version.inputs.length !== inputs.length) return false;
  const isSame = version.inputs.every((one, i) => {
    const other = inputs[i];
    return other !== undefined && sameItem(one, other);
  });
  return isSame && version.checks.every((check) => check(state));
}
