import type { Span } from "../../compiler/ir/span.js";
import type { Ident, Path } from "../ast.js";
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

interface Known extends NameFact {
  readonly meanings: Meaning[];
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

/**
 * A side table of an elaboration: each name in the texts with what it means, and what each call gives. Editors ask for it; without
 * them there is none. The texts of the standard library, which are expanded all the time, are left out.
 */
export class Facts {
  readonly #names = new Map<string, Map<number, Known>>();
  readonly #results = new Map<string, Map<number, Known>>();
  readonly #aliases = new Map<string, Span>();
  /** What is noted is taken in when it is asked for. */
  #waiting: (readonly Fact[])[] = [];

  /** The names of a file by the offset at which they start. */
  namesIn(file: string): ReadonlyMap<number, NameFact> {
    this.#settle();
    return this.#names.get(file) ?? new Map();
  }

  /** What calls give, by the offset at which the callee starts. */
  resultsIn(file: string): ReadonlyMap<number, NameFact> {
    this.#settle();
    return this.#results.get(file) ?? new Map();
  }

  /** Where the name that an import binds is declared. */
  declarationOf(imported: Span): Span | undefined {
    return this.#aliases.get(placeOf(imported));
  }

  addAll(facts: readonly Fact[]): void {
    if (facts.length > 0) this.#waiting.push(facts);
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const facts of waiting)
      for (const fact of facts) add(fact.about === "name" ? this.#names : this.#results, fact);
  }

  addAlias(imported: Span, declaration: Span): void {
    this.#aliases.set(placeOf(imported), declaration);
  }
}

function placeOf(span: Span): string {
  return `${span.file}:${span.start}`;
}

function add(facts: Map<string, Map<number, Known>>, { span, origin, meaning, generic }: Fact): void {
  let file = facts.get(span.file);
  if (file === undefined) {
    file = new Map();
    facts.set(span.file, file);
  }
  const known = file.get(span.start);
  if (known === undefined) file.set(span.start, { span, origin, meanings: [meaning], standIn: generic });
  // A fn that is checked alone is tried with several stand-ins: the first ones are as good as any.
  else if (!generic && known.meanings.length < mostMeanings && !known.meanings.some((one) => isSame(one, meaning)))
    known.meanings.push(meaning);
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
  if (memory?.noted(fact) !== true) facts.addAll([fact]);
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
