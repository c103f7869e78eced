import type { Span } from "../../compiler/ir/span.js";
import type { Facts, NameFact } from "../../dsl/elaborate/facts.js";
import type { Callable } from "../../dsl/elaborate/meaning.js";
import { lex } from "../../dsl/lex.js";
import { isStandard } from "../../dsl/standard.js";
import { type Analysis, binderAt, factAt, type Source, type WordAt, wordAt } from "./analysis.js";
import { visibleAt } from "./binders.js";
import type { Workspace } from "./workspace.js";

/** One declared name, wherever it is used. */
export interface Symbol {
  readonly name: string;
  /** Where it is declared; undefined for what is built in. */
  readonly span: Span | undefined;
  readonly callable: Callable | undefined;
}

/** A name at a place of a file. */
export interface Found {
  readonly word: WordAt;
  readonly symbol: Symbol;
  readonly fact: NameFact | undefined;
}

export function callableOf(fact: NameFact | undefined): Callable | undefined {
  for (const meaning of fact?.meanings ?? []) if (meaning.kind === "fn") return meaning.fn;
  return undefined;
}

/** What a noted name declares or uses. An import under another name is a declaration of its own. */
function symbolOf(facts: Facts, fact: NameFact, name: string): Symbol {
  const callable = callableOf(fact);
  const { origin } = fact;
  if (origin !== undefined) {
    const declaration = facts.declarationOf(origin);
    const isSame = declaration !== undefined && (callable === undefined || declaredName(callable) === name);
    return { name, span: isSame ? declaration : origin, callable };
  }
  const span = callable === undefined || callable.kind === "intrinsic" ? undefined : callable.declaration.name.span;
  return { name, span, callable };
}

function declaredName(callable: Callable): string {
  return callable.kind === "intrinsic" ? callable.intrinsic.name : callable.declaration.name.name;
}

/** The name at a place: as the elaborator knows it, else (in what it did not come to) as the blocks around the place say. */
export function symbolAt(analysis: Analysis, offset: number): Found | undefined {
  const word = wordAt(analysis.source.text, offset);
  if (word === undefined) return undefined;
  const fact = factAt(analysis, word);
  if (fact !== undefined) return { word, symbol: symbolOf(analysis.facts, fact, word.text), fact };
  const span = writtenAt(analysis.source, analysis.facts, word);
  return span === undefined ? undefined : { word, symbol: { name: word.text, span, callable: undefined }, fact };
}

/** Where a name that the elaborator did not come to is declared, by the syntax. */
function writtenAt(source: Source, facts: Facts, word: WordAt): Span | undefined {
  const own = binderAt(source, word.start);
  if (own !== undefined) return own.kind === "import" ? (facts.declarationOf(own.span) ?? own.span) : own.span;
  const before = source.text[word.start - 1];
  if (before === "." || before === "/" || /^\s*=(?!=)/.test(source.text.slice(word.end, word.end + 8)))
    return undefined;
  const binder = visibleAt(source.binders, word.start).find(({ name }) => name === word.text);
  return binder === undefined ? undefined : (facts.declarationOf(binder.span) ?? binder.span);
}

function isSame(a: Span | undefined, b: Span | undefined): boolean {
  return a !== undefined && b !== undefined && a.file === b.file && a.start === b.start;
}

/** All places where a symbol is declared or used, in the files that can see it. */
export function referencesTo(workspace: Workspace, symbol: Symbol, from: Analysis): readonly Span[] {
  const roots = rootsOf(workspace, symbol, from);
  const found = new Map<string, Span>();
  const known = new Set<string>();
  const add = (span: Span): void => {
    found.set(`${span.file}:${span.start}`, span);
  };
  for (const root of roots) {
    for (const [file, text] of root.loaded.files) {
      if (isStandard(file)) continue;
      for (const [start, fact] of root.facts.namesIn(file)) {
        known.add(`${file}:${start}`);
        if (!text.startsWith(symbol.name, start)) continue;
        const other = symbolOf(root.facts, fact, symbol.name);
        const same =
          symbol.span === undefined
            ? other.span === undefined && symbol.callable !== undefined && isCallable(other.callable, symbol.callable)
            : isSame(other.span, symbol.span);
        if (same) add(wordSpan(file, start, symbol.name));
      }
    }
  }
  for (const root of roots) {
    for (const { image, startOffset: start } of lex(root.source.text, root.source.file).tokens) {
      const { file } = root.source;
      if (image !== symbol.name || known.has(`${file}:${start}`)) continue;
      const word = { text: image, start, end: start + image.length };
      if (isSame(writtenAt(root.source, root.facts, word), symbol.span)) add(wordSpan(file, start, image));
    }
  }
  return [...found.values()].sort((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1));
}

function isCallable(a: Callable | undefined, b: Callable): boolean {
  return a !== undefined && a.kind === b.kind && declaredName(a) === declaredName(b);
}

function wordSpan(file: string, start: number, name: string): Span {
  return { file, start, end: start + name.length };
}

/** The analyses in which a symbol may be mentioned. */
function rootsOf(workspace: Workspace, symbol: Symbol, from: Analysis): readonly Analysis[] {
  const home = symbol.span?.file;
  const files = home === undefined || isStandard(home) ? workspace.files() : [home, ...workspace.importersOf(home)];
  const all = new Set([from.source.file, ...files]);
  return [...all].flatMap((file) => {
    const mentions = workspace.source(file)?.text.includes(symbol.name) === true;
    const analysis = mentions ? workspace.analysis(file) : undefined;
    return analysis === undefined ? [] : [analysis];
  });
}
