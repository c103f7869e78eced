import type { Span } from "../../compiler/ir/span.js";
import type { Ident, Path } from "../ast.js";
import { OffsetMap, type ReadonlyOffsetMap } from "../offset_map.js";
import type { Meaning } from "./meaning.js";
import type { Entry } from "./names.js";
import type { Env } from "./state.js";

/** What the elaborator found out of one name in a text, a definition or a use. */
export interface NameFact {
  readonly span: Span;
  /** Where the name is bound; undefined for what is built in. */
  readonly origin: Span | undefined;
  /** What it stands for: in each training mode and each call of the fn that it stands in it may be something else. */
  readonly meanings: readonly Meaning[];
  /** Whether they come of stand-ins for a fn's arguments, as nothing calls it. */
  readonly standIn: boolean;
}

/** One thing that the elaborator found out: of a name, or of what the call of a callee at the span gives. */
export interface Fact {
  readonly about: "name" | "result";
  readonly span: Span;
  readonly origin: Span | undefined;
  readonly meaning: Meaning;
  readonly generic: boolean;
}

/** A text is elaborated once a call: what stands in a fn that is called often is as good as known after a few. */
const mostMeanings = 8;

/** What some facts say of one place, and what they say together with those that were put behind them last. */
interface PlaceFact extends NameFact {
  joined: { readonly behind: PlaceFact; readonly both: PlaceFact } | undefined;
}

/**
 * Some facts, as they were found one after another. An editor adds the same ones to each elaboration that finds them again: what they say
 * by place is put together once, since places stay apart, and stay together, when text before them comes or goes.
 */
export class FactList {
  readonly #facts: readonly Fact[];
  #names: readonly PlaceFact[] | undefined;
  #results: readonly PlaceFact[] | undefined;

  constructor(facts: readonly Fact[]) {
    this.#facts = facts;
  }

  get isEmpty(): boolean {
    return this.#facts.length === 0;
  }

  get names(): readonly PlaceFact[] {
    this.#names ??= placesOf(this.#facts, "name");
    return this.#names;
  }

  get results(): readonly PlaceFact[] {
    this.#results ??= placesOf(this.#facts, "result");
    return this.#results;
  }
}

/** So many places are looked through one by one. */
const fewPlaces = 24;

function placesOf(facts: readonly Fact[], wanted: Fact["about"]): readonly PlaceFact[] {
  const places: PlaceFact[] = [];
  const byPlace = facts.length > fewPlaces ? new Map<string, number>() : undefined;
  for (const { about, span, origin, meaning, generic } of facts) {
    if (about !== wanted) continue;
    const key = byPlace === undefined ? "" : placeOf(span);
    const at = byPlace === undefined ? indexOf(places, span) : (byPlace.get(key) ?? -1);
    const place: PlaceFact = { span, origin, meanings: [meaning], standIn: generic, joined: undefined };
    const known = places[at];
    if (known !== undefined) places[at] = joined(known, place);
    else {
      byPlace?.set(key, places.length);
      places.push(place);
    }
  }
  return places;
}

function indexOf(places: readonly PlaceFact[], span: Span): number {
  for (let i = 0; i < places.length; i++) {
    const place = places[i];
    if (place !== undefined && isPlace(place.span, span)) return i;
  }
  return -1;
}

function isPlace(a: Span, b: Span): boolean {
  return a === b || (a.start === b.start && a.file === b.file);
}

/** What is said of a place first, with what is said of it then. */
function joined(first: PlaceFact, behind: PlaceFact): PlaceFact {
  // A fn that is checked alone is tried with several stand-ins: the first ones are as good as any.
  if (behind.standIn || first.meanings.length >= mostMeanings) return first;
  if (first.joined?.behind === behind) return first.joined.both;
  const added = behind.meanings.filter((one) => !first.meanings.some((other) => isSame(other, one)));
  const meanings = [...first.meanings, ...added].slice(0, mostMeanings);
  const both = added.length === 0 ? first : { ...first, meanings, joined: undefined };
  first.joined = { behind, both };
  return both;
}

/** By file. */
type FactTable = Map<string, OffsetMap<PlaceFact>>;

/**
 * A side table of an elaboration: each name in the texts with what it means, and what each call gives. Editors ask for it; without
 * them there is none. The texts of the standard library, which are expanded all the time, are left out.
 */
export class Facts {
  readonly #names: FactTable = new Map();
  readonly #results: FactTable = new Map();
  readonly #aliases = new Map<string, Span>();
  /** What is noted is taken in when it is asked for. */
  #waiting: FactList[] = [];
  #waitingResults: FactList[] = [];

  /** The names of a file by the offset at which they start. */
  namesIn(file: string): ReadonlyOffsetMap<NameFact> {
    this.#settle();
    return this.#names.get(file) ?? new OffsetMap();
  }

  /** What calls give, by the offset at which the callee starts. */
  resultsIn(file: string): ReadonlyOffsetMap<NameFact> {
    this.#settleResults();
    return this.#results.get(file) ?? new OffsetMap();
  }

  /** Where the name that an import binds is declared. */
  declarationOf(imported: Span): Span | undefined {
    return this.#aliases.get(placeOf(imported));
  }

  addAll(facts: FactList): void {
    if (!facts.isEmpty) this.#waiting.push(facts);
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const facts of waiting) put(facts.names, this.#names);
    for (const facts of waiting) this.#waitingResults.push(facts);
  }

  /** Fewer ask for them, and later. */
  #settleResults(): void {
    this.#settle();
    const waiting = this.#waitingResults;
    this.#waitingResults = [];
    for (const facts of waiting) put(facts.results, this.#results);
  }

  addAlias(imported: Span, declaration: Span): void {
    this.#aliases.set(placeOf(imported), declaration);
  }
}

function put(facts: readonly PlaceFact[], table: FactTable): void {
  let file: string | undefined;
  let places: OffsetMap<PlaceFact> | undefined;
  for (const place of facts) {
    const { span } = place;
    if (places === undefined || span.file !== file) {
      file = span.file;
      places = table.get(file) ?? new OffsetMap();
      table.set(file, places);
    }
    const known = places.get(span.start);
    const now = known === undefined ? place : joined(known, place);
    if (now !== known) places.set(span.start, now);
  }
}

function placeOf(span: Span): string {
  return `${span.file}:${span.start}`;
}

function isSame(a: Meaning, b: Meaning): boolean {
  if (a === b) return true;
  if (a.kind === "tensor" && b.kind === "tensor") return a.value === b.value;
  if (a.kind === "fn" && b.kind === "fn") return a.fn === b.fn;
  return a.kind === b.kind && a.kind === "poisoned";
}

/** Notes what a name stands for, at its definition or a use. */
export function noteName(env: Env, span: Span, entry: Entry): void {
  note(env, "name", span, entry.span, entry.meaning);
}

/** Binds a name in a block, and notes it. */
export function define(env: Env, name: Ident, meaning: Meaning): void {
  const entry = { meaning, span: name.span };
  env.names.bind(name.name, entry);
  noteName(env, name.span, entry);
}

/** Notes what a call gives. */
export function noteResult(env: Env, callee: Span, meaning: Meaning): void {
  note(env, "result", callee, undefined, meaning);
}

function note(env: Env, about: Fact["about"], span: Span, origin: Span | undefined, meaning: Meaning): void {
  const { facts, memory } = env.state.shared;
  if (facts === undefined || env.frame.standard) return;
  const fact: Fact = { about, span, origin, meaning, generic: env.state.generic };
  if (memory?.noted(fact) !== true) facts.addAll(new FactList([fact]));
}

/** Notes the names of a path as far as it goes through scopes: what a call holds is bound in the call's fn. */
export function notePath(env: Env, path: Path): void {
  if (env.state.shared.facts === undefined) return;
  let names = env.names;
  for (const [i, segment] of path.segments.entries()) {
    const entry = i === 0 ? names.lookup(segment.name) : names.own(segment.name);
    if (entry === undefined) return;
    noteName(env, segment.span, entry);
    if (path.separators[i] !== "." || entry.meaning.kind !== "scope") return;
    names = entry.meaning.names;
  }
}
