import type { Diagnostic } from "../../compiler/ir/diagnostic.js";
import type { Span } from "../../compiler/ir/span.js";
import { lex } from "../../dsl/lex.js";
import { parse } from "../../dsl/parse.js";
import { isStandard } from "../../dsl/standard.js";
import { Name } from "../../dsl/tokens.js";
import { type Analysis, sourceOf } from "./analysis.js";
import { referencesTo, type Symbol, symbolAt } from "./symbols.js";
import type { Workspace } from "./workspace.js";

/** Why a name cannot be renamed so, for the user. */
export class RenameRefusal extends Error {
  override readonly name = "RenameRefusal";
}

/** The symbol at a place, where it can be renamed. Throws RenameRefusal. */
export function renamable(
  analysis: Analysis,
  offset: number,
): { readonly symbol: Symbol; readonly word: { readonly start: number; readonly end: number } } {
  const found = symbolAt(analysis, offset);
  if (found === undefined) throw new RenameRefusal("there is no name here that is declared somewhere");
  const { span, name } = found.symbol;
  if (span === undefined) throw new RenameRefusal(`\`${name}\` is built in`);
  if (isStandard(span.file)) throw new RenameRefusal(`\`${name}\` is declared in the standard library`);
  return { symbol: found.symbol, word: found.word };
}

/**
 * The places to write a new name to. All files that see the symbol are analysed with it: throws RenameRefusal where that makes a
 * problem that was not there, or where the new name would mean something else somewhere.
 */
export function rename(workspace: Workspace, analysis: Analysis, offset: number, name: string): readonly Span[] {
  const { symbol } = renamable(analysis, offset);
  if (!isName(name))
    throw new RenameRefusal(`\`${name}\` is no name: letters, digits and \`_\`, and no word of the language`);
  const places = referencesTo(workspace, symbol, analysis);
  if (name === symbol.name) return places;
  const texts = new Map<string, string>();
  for (const file of new Set(places.map((place) => place.file))) {
    texts.set(
      file,
      replaced(
        workspace.read(file),
        places.filter((place) => place.file === file),
        name,
      ),
    );
  }
  const read = (file: string): string => texts.get(file) ?? workspace.read(file);
  for (const file of texts.keys()) {
    const before = workspace.analysis(file);
    if (before === undefined) throw new RenameRefusal(`${file} cannot be read`);
    const text = read(file);
    const after = workspace.analyse(sourceOf(file, text, parse(text, file)), read, parse);
    const problems = after.loaded.diagnostics.filter(({ severity }) => severity === "error");
    const known = before.loaded.diagnostics.filter(({ severity }) => severity === "error").length;
    if (problems.length > known) throw new RenameRefusal(whyNot(before, problems, places, symbol, name, read));
    requireSameMeaning(after, places, symbol, name);
  }
  return places;
}

/** The problem that a rename makes. Those that were there before say nothing of it. */
function whyNot(
  before: Analysis,
  problems: readonly Diagnostic[],
  places: readonly Span[],
  symbol: Symbol,
  name: string,
  read: (file: string) => string,
): string {
  const problem = firstNew(before.loaded.diagnostics, problems, symbol, name);
  const first = problem?.notes.find(({ message }) => message === "first here")?.span;
  if (problem?.code !== "G010" || first === undefined || problem.span === undefined) {
    // What cannot be read may be the reason, and hides what would be.
    const isWhole = before.source.parsed.diagnostics.every(({ severity }) => severity !== "error");
    return isWhole && problem !== undefined
      ? `\`${name}\` does not fit: ${problem.message}`
      : `whether \`${name}\` fits cannot be told yet: names can be changed once the text is whole`;
  }
  const isRenamed = places.some(
    (place) => place.file === first.file && moved(places, symbol, name, place) === first.start,
  );
  const { file, start } = isRenamed ? problem.span : first;
  const line = read(file).slice(0, start).split("\n").length;
  return `\`${name}\` is bound already, in line ${line}${file === before.source.file ? "" : ` of ${file}`}`;
}

function firstNew(
  before: readonly Diagnostic[],
  after: readonly Diagnostic[],
  symbol: Symbol,
  name: string,
): Diagnostic | undefined {
  const key = ({ code, message }: Diagnostic): string =>
    `${code} ${message.replaceAll(`\`${symbol.name}\``, `\`${name}\``)}`;
  const left = new Map<string, number>();
  for (const one of before) left.set(key(one), (left.get(key(one)) ?? 0) + 1);
  return after.find((one) => {
    const known = left.get(key(one)) ?? 0;
    left.set(key(one), known - 1);
    return known <= 0;
  });
}

/** Where a place stands once the names before it are changed. */
function moved(places: readonly Span[], symbol: Symbol, name: string, place: Span): number {
  const before = places.filter((other) => other.file === place.file && other.start < place.start).length;
  return place.start + before * (name.length - symbol.name.length);
}

function isName(text: string): boolean {
  const { tokens, diagnostics } = lex(text, "");
  const [token] = tokens;
  return diagnostics.length === 0 && tokens.length === 1 && token?.tokenType === Name && token.image === text;
}

function replaced(text: string, places: readonly Span[], name: string): string {
  let result = "";
  let at = 0;
  for (const { start, end } of places) {
    result += text.slice(at, start) + name;
    at = end;
  }
  return result + text.slice(at);
}

/** Each renamed place still means the symbol: no other declaration of the name has come between. */
function requireSameMeaning(after: Analysis, places: readonly Span[], symbol: Symbol, name: string): void {
  const movedTo = (place: Span): number => moved(places, symbol, name, place);
  const target = places.find((place) => place.file === symbol.span?.file && place.start === symbol.span.start);
  for (const place of places) {
    if (place.file !== after.source.file) continue;
    const found = symbolAt(after, movedTo(place));
    const span = found?.symbol.span;
    if (found === undefined || span === undefined || target === undefined) continue;
    if (span.file === target.file && span.start === movedTo(target)) continue;
    throw new RenameRefusal(`\`${name}\` means something else at one of the places`);
  }
}
