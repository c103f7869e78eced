import { deviceNow } from "../../compiler/ir/device.js";
import type { Assignment, CallUpdate, Placeholder, Signature, Variable } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { LoadedFile } from "../imports.js";
import { Aliases, type AliasKind } from "./aliases.js";
import { type AliasUse, Changes, type NameWrite, nothingWritten, type Step } from "./changes.js";
import { type Fact, FactList } from "./facts.js";
import type { Home, Item } from "./meaning.js";
import { type Entry, Names, type NamesWatch } from "./names.js";
import { NamesKnown } from "./names_known.js";
import type { Minimized, Postponed } from "./optimizer_steps.js";
import { type OriginNote, RecordedSources } from "./recorded_sources.js";
import { Sequence } from "./sequence.js";
import type { State } from "./state.js";
import { StepMap } from "./step_map.js";
import type { NamedSymbol } from "./symbol_table.js";
import { type Check, type Effect, type Recorded, type Recorder, Units, type Version, type When } from "./units.js";

/** What one elaboration of a unit read and did, as far as it has come. */
interface Recording {
  readonly checks: Check[];
  readonly asked: Check[];
  readonly effects: Effect[];
  readonly facts: Fact[];
  readonly symbols: NamedSymbol[];
  readonly origins: OriginNote[];
  /** What it has read or written: the first read is what counts, and what it wrote itself is no read. */
  known: Set<string> | undefined;
  readonly names: NamesKnown;
  read: Set<string> | undefined;
  readonly aliases: AliasUse[];
  readonly bound: NameWrite[];
  written: Set<string> | undefined;
  /** It found a problem, whose text may rest on anything: it is elaborated anew each time. */
  hasProblem: boolean;
}

/** Blocks and edges of names that are not there any more: beyond so many, and several times those that are, nothing is worth keeping. */
const mostBlocks = 1000;
const mostAliases = 20_000;
const mostForEach = 4;

/**
 * What an editor keeps from one elaboration of a file to the next: of each statement and each step of an optimizer what it read and did.
 * Where the text is the same (the same tree, see `trees.ts`) and all that was read is the same, the effects are repeated, and nothing is
 * elaborated. What cannot have changed, as nothing differs by then from the elaboration before (`changes.ts`), is not even looked at. A name
 * of the graph stands for an edge of its own (`aliases.ts`), so that what is computed from it does not change with its
 * definition, as long as its type is the same. What is found is exactly what a new elaboration would find; only the graph has more nodes,
 * and is for nobody to run.
 *
 * What is of one elaboration alone stands in maps and sets that are made anew, not cleared: the table that a map leaves behind points to its
 * next one, so that old garbage would keep what is new, and all that followed would grow old, too.
 */
export class Memory implements NamesWatch, Recorder {
  readonly statements = new Units<undefined>(this);
  readonly steps = new Units<readonly Assignment[]>(this);
  /** Those of the library's optimizers: what they do waits until somebody looks. */
  readonly librarySteps = new Units<readonly Assignment[]>(this, "when asked");
  readonly minimized = new Units<Minimized | undefined>(this);
  readonly signatures = new Units<Signature>(this);
  /** Files of the standard library, which stay as they are. */
  readonly library = new Map<string, { readonly file: LoadedFile; readonly text: string }>();
  readonly homes = new WeakMap<LoadedFile, Home>();
  prelude: Names | undefined;
  /** How many units the last elaboration elaborated, and how many it only repeated. */
  readonly counts = { elaborated: 0, repeated: 0 };
  readonly changes = new Changes();
  readonly aliases = new Aliases();
  /** What can be trained, what can be fed, and in each mode what calls assign, in the order of the graph. */
  readonly trainables = new Sequence<Variable>(
    (a, b) => a.path === b.path && a.value === b.value && a.device === b.device,
  );
  readonly placeholders = new Sequence<Placeholder>(
    (a, b) =>
      a.name === b.name && a.value === b.value && (a.defaultValue === undefined) === (b.defaultValue === undefined),
  );
  readonly #callUpdates = [new Sequence<CallUpdate>(sameCallUpdate), new Sequence<CallUpdate>(sameCallUpdate)] as const;
  /** Whether a signature of the file asks for an update in inference mode. */
  updatesInference = false;
  /** Of this elaboration, by update. */
  trained = new Map<string, Minimized>();
  postponed: Postponed[] = [];
  #recording: Recording | undefined;
  #repeating: "as before" | "anew" | undefined;
  #isWhole = false;
  /** Whether no elaboration has come to its end yet. */
  isFirst = true;
  readonly #blocks = new Map<string, Names>();
  readonly #bindings = new WeakMap<Names, StepMap<Step>>();
  readonly #userHomes = new Map<string, Home>();
  #opened = new Set<string>();

  #lastKey = { training: false, device: deviceNow(), prefix: "", key: "" };

  /** What tells apart the ways to elaborate a statement: one text for many statements. */
  keyOf(training: boolean, prefix: string): string {
    const device = deviceNow();
    const last = this.#lastKey;
    if (last.key !== "" && last.training === training && last.device === device && last.prefix === prefix)
      return last.key;
    const key = `${training} ${device} ${prefix}`;
    this.#lastKey = { training, device, prefix, key };
    return key;
  }

  /** An elaboration begins. */
  begin(): void {
    this.counts.elaborated = 0;
    this.counts.repeated = 0;
    this.#recording = undefined;
    this.#repeating = undefined;
    this.#opened = new Set();
    this.trained = new Map();
    this.postponed = [];
    this.aliases.begin();
    this.changes.begin(this.#isWhole);
    this.#isWhole = false;
    for (const sequence of [this.trainables, this.placeholders, ...this.#callUpdates]) sequence.begin();
    for (const names of this.#blocks.values()) names.clear();
  }

  /** Whether so much of it is about what is not there any more that one is to begin anew. */
  get isFull(): boolean {
    const { known, used } = this.aliases;
    if (known > Math.max(mostAliases, mostForEach * used)) return this.#isWhole;
    return this.#isWhole && this.#blocks.size > Math.max(mostBlocks, mostForEach * this.#opened.size);
  }

  /** It has come to its end. */
  end(): void {
    this.#isWhole = true;
    this.isFirst = false;
  }

  get isRecording(): boolean {
    return this.#recording !== undefined;
  }

  callUpdates(training: boolean): Sequence<CallUpdate> {
    return this.#callUpdates[training ? 1 : 0];
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
    this.#recording?.names.add({ names, name, entry, isOwn: false });
  }

  binds(names: Names, name: string, entry: Entry): void {
    if (this.#recording !== undefined) {
      this.#recording.names.add({ names, name, entry, isOwn: true });
      this.#recording.effects.push(() => names.bind(name, entry));
      this.#recording.bound.push({ names, name, entry });
    }
    if (this.#recording !== undefined || this.#repeating === "anew") this.changes.binds(names, name, entry);
    else if (this.#repeating === "as before") this.changes.bindsAgain(names, name);
    else this.#bindsOutside(names, name, entry);
  }

  #bindsOutside(names: Names, name: string, entry: Entry): void {
    let all = this.#bindings.get(names);
    if (all === undefined) {
      all = new StepMap();
      this.#bindings.set(names, all);
    }
    let step = all.get(name);
    if (step === undefined || this.changes.hasDone(step)) {
      step = { elaboration: -1, at: -1, writes: nothingWritten };
      all.set(name, step, this.changes.elaboration);
    }
    this.changes.bindsOutside(step, { names, name, entry });
  }

  /** Something other than a name was read, of which `did` tells under the same name. */
  consulted(what: string, check: Check): void {
    if (!this.#isFirst(what)) return;
    this.#recording?.checks.push(check);
    if (this.#recording === undefined) return;
    this.#recording.read ??= new Set();
    this.#recording.read.add(what);
  }

  /** Something was read of which nothing tells: it is asked again each time. */
  asked(what: string, check: Check): void {
    if (this.#isFirst(what)) this.#recording?.asked.push(check);
  }

  /** Whether a unit reads something that it has neither read nor written before. */
  #isFirst(what: string): boolean {
    if (this.#recording === undefined || this.#recording.known?.has(what) === true) return false;
    this.#recording.known ??= new Set();
    this.#recording.known.add(what);
    return true;
  }

  /** Something was done; `what` is what a later read of it would consult. */
  did(effect: Effect, what?: string): void {
    if (this.#recording === undefined) {
      if (what !== undefined && this.#repeating === undefined)
        this.changes.wrote({ tables: new Set([what]), aliases: [] });
      return;
    }
    if (what !== undefined) {
      this.#recording.known ??= new Set();
      this.#recording.known.add(what);
      this.#recording.written ??= new Set();
      this.#recording.written.add(what);
    }
    this.#recording.effects.push(effect);
  }

  /** Keeps a note for the end of the unit; gives false where there is none, and it is to be taken at once. */
  noted(fact: Fact): boolean {
    this.#recording?.facts.push(fact);
    return this.#recording !== undefined;
  }

  /** The same for a name that is bound. */
  notedSymbol(symbol: NamedSymbol): boolean {
    this.#recording?.symbols.push(symbol);
    return this.#recording !== undefined;
  }

  foundProblem(): void {
    if (this.#recording !== undefined) this.#recording.hasProblem = true;
  }

  sources(): RecordedSources {
    return new RecordedSources((note) => this.#recording?.origins.push(note));
  }

  /** The edge that a path stands for; the edge itself where it is made of constants only, since the compiler looks at those. */
  alias(state: State, path: string, value: Value, kind: AliasKind): Value {
    const { training } = state;
    const use: AliasUse = { key: this.aliases.key(training, path, value), value };
    const found = this.aliases.for(training, use);
    const register: Effect = () => this.aliases.register(training, use, found, kind);
    register(state);
    if (this.#recording === undefined) this.changes.wrote({ tables: nothingWritten.tables, aliases: [use] });
    else {
      this.#recording.checks.push(() => this.aliases.for(training, use) === found);
      this.#recording.aliases.push(use);
      this.#recording.effects.push(register);
    }
    return found;
  }

  /** Elaborates a unit, and gives what is to be kept of it. */
  record<T>(state: State, inputs: readonly Item[], run: () => T): Recorded<T> {
    const recording: Recording = {
      checks: [],
      asked: [],
      effects: [],
      facts: [],
      symbols: [],
      origins: [],
      known: undefined,
      names: new NamesKnown(),
      read: undefined,
      aliases: [],
      bound: [],
      written: undefined,
      hasProblem: false,
    };
    const before = state.calls;
    this.#recording = recording;
    this.counts.elaborated++;
    let ended: { readonly result: T } | { readonly error: unknown };
    try {
      ended = { result: run() };
    } catch (error) {
      ended = { error };
    }
    this.#recording = undefined;
    const facts = new FactList(recording.facts);
    state.shared.facts?.addAll(facts);
    state.shared.symbolTable.addAll(recording.symbols);
    const { checks, asked, effects, symbols, origins, aliases, bound } = recording;
    const writes = { names: bound, tables: recording.written ?? nothingWritten.tables, aliases };
    if ("error" in ended) {
      const { error } = ended;
      const fail = (): never => {
        throw error;
      };
      return { result: fail, writes, version: undefined };
    }
    const { result } = ended;
    const reads = { names: recording.names.all, tables: recording.read ?? nothingWritten.tables, aliases };
    const calls = state.calls - before;
    const version = { checks, asked, reads, effects, writes, facts, symbols, origins, inputs, calls, result };
    return { result: () => result, writes, version: recording.hasProblem ? undefined : version };
  }

  repeat<T>(state: State, version: Version<T>, isAsBefore: boolean, when: When): T {
    const { effects, facts, symbols, origins, calls, result, writes } = version;
    const perform = (): void => {
      for (const effect of effects) effect(state);
    };
    if (when === "when asked" && isAsBefore && writes.names.length === 0 && writes.aliases.length === 0)
      state.shared.deferred.add(perform);
    else {
      this.#repeating = isAsBefore ? "as before" : "anew";
      perform();
      this.#repeating = undefined;
    }
    state.calls += calls;
    state.shared.facts?.addAll(facts);
    state.shared.symbolTable.addAll(symbols);
    const { sources } = state.shared;
    if (sources instanceof RecordedSources) sources.addAll(origins);
    this.counts.repeated++;
    return result;
  }
}

function sameCallUpdate(a: CallUpdate, b: CallUpdate): boolean {
  return (
    a.anchors.length === b.anchors.length &&
    a.anchors.every((anchor, i) => anchor === b.anchors[i]) &&
    a.assignments.length === b.assignments.length &&
    a.assignments.every(({ path, value }, i) => path === b.assignments[i]?.path && value === b.assignments[i]?.value)
  );
}
