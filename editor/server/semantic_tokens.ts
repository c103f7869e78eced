import {
  type SemanticTokens,
  SemanticTokensBuilder,
  type SemanticTokensDelta,
  type SemanticTokensLegend,
} from "vscode-languageserver";
import type { Facts, NameFact } from "../../dsl/elaborate/facts.js";
import { OffsetMap } from "../../dsl/offset_map.js";
import { isStandard } from "../../dsl/standard.js";
import type { Analysis, Source } from "./analysis.js";
import type { Binder, BinderKind } from "./binders.js";
import { callableOf } from "./symbols.js";

/** By the number that a token's type is told by. */
const typeNumbers = {
  namespace: 0,
  typeParameter: 1,
  parameter: 2,
  variable: 3,
  property: 4,
  function: 5,
  event: 6,
  interface: 7,
  class: 8,
} as const;
const tokenModifiers = ["declaration", "readonly", "defaultLibrary"] as const;

type TokenType = keyof typeof typeNumbers;

export const semanticTokensLegend: SemanticTokensLegend = {
  tokenTypes: Object.keys(typeNumbers),
  tokenModifiers: [...tokenModifiers],
};

const typeOfKind: Readonly<Record<BinderKind, TokenType>> = {
  import: "function",
  fn: "function",
  optimizer: "function",
  graph: "class",
  constant: "variable",
  "type parameter": "typeParameter",
  parameter: "parameter",
  dim: "typeParameter",
  placeholder: "parameter",
  variable: "property",
  binding: "variable",
  scope: "namespace",
  update: "event",
  signature: "interface",
  sequence: "variable",
  carry: "variable",
};

/** The colour of each name, by what it means; the words and signs have theirs from the grammar. */
export function semanticTokens(analysis: Analysis): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  pushColours(analysis, builder);
  return builder.build();
}

/** The colours of files as an editor was last told them, so that it need be told only what has changed. */
export class SemanticTokensSent {
  readonly #builders = new Map<string, SemanticTokensBuilder>();

  all(analysis: Analysis): SemanticTokens {
    const builder = new SemanticTokensBuilder();
    this.#builders.set(analysis.source.file, builder);
    pushColours(analysis, builder);
    return builder.build();
  }

  /** What has changed since the colours of `resultId`; all of them where those are not the last that were told. */
  since(resultId: string, analysis: Analysis): SemanticTokens | SemanticTokensDelta {
    const builder = this.#builders.get(analysis.source.file);
    if (builder === undefined) return this.all(analysis);
    builder.previousResult(resultId);
    pushColours(analysis, builder);
    return builder.canBuildEdits() ? builder.buildEdits() : builder.build();
  }

  forget(file: string): void {
    this.#builders.delete(file);
  }
}

function pushColours({ source, facts }: Analysis, builder: SemanticTokensBuilder): void {
  const { text, document } = source;
  let line = 0;
  let lineStart = 0;
  let nextLine = document.offsetAt({ line: 1, character: 0 });
  coloursIn(source, facts).forEach((colour, start) => {
    const end = wordEnd(text, start);
    if (end === undefined) return;
    if (start >= nextLine) {
      line = document.positionAt(start).line;
      lineStart = document.offsetAt({ line, character: 0 });
      nextLine = line + 1 < document.lineCount ? document.offsetAt({ line: line + 1, character: 0 }) : text.length + 1;
    }
    builder.push(line, start - lineStart, end - start, colour >> modifierBits, colour & ((1 << modifierBits) - 1));
  });
}

/** The colour of the word at each offset: its type, and behind that its modifiers. */
function coloursIn({ file, binders }: Source, facts: Facts): OffsetMap<number> {
  const kinds = new OffsetMap<BinderKind>();
  collectKinds(binders, kinds);
  const colours = new OffsetMap<number>();
  facts.namesIn(file).forEach((fact, start) => {
    const colour = colourOfName(fact, file, kinds);
    if (colour !== undefined) colours.set(start, colour);
  });
  kinds.forEach((kind, start) => {
    colours.set(start, (colours.get(start) ?? colourOf(typeOfKind[kind], 0)) | modifier("declaration"));
  });
  return colours;
}

/** The colour of a name that the elaborator knows, by what it stands for and where it is declared. */
function colourOfName(fact: NameFact, file: string, kinds: OffsetMap<BinderKind>): number | undefined {
  const { origin } = fact;
  const callable = callableOf(fact);
  const kind = origin?.file === file ? kinds.get(origin.start) : undefined;
  if (callable !== undefined && kind !== "parameter") {
    const isOurs = callable.kind === "intrinsic" || isStandard(callable.home.file);
    return colourOf("function", isOurs ? modifier("defaultLibrary") : 0);
  }
  if (kind !== undefined) return colourOf(typeOfKind[kind], kind === "constant" ? modifier("readonly") : 0);
  return origin === undefined ? undefined : colourOf("parameter", 0);
}

function collectKinds(binders: readonly Binder[], kinds: OffsetMap<BinderKind>): void {
  for (const { span, kind, children } of binders) {
    kinds.set(span.start, kind);
    if (children.length > 0) collectKinds(children, kinds);
  }
}

/** The end of the word that starts at an offset; undefined where none does. */
function wordEnd(text: string, start: number): number | undefined {
  if (!isLetter(text.charCodeAt(start)) || isWordCharacter(text.charCodeAt(start - 1))) return undefined;
  let end = start + 1;
  while (isWordCharacter(text.charCodeAt(end))) end++;
  return end;
}

/** A to Z in both cases, and `_`. */
function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

function isWordCharacter(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39);
}

const modifierBits = tokenModifiers.length;

function colourOf(type: TokenType, modifiers: number): number {
  return (typeNumbers[type] << modifierBits) | modifiers;
}

function modifier(name: (typeof tokenModifiers)[number]): number {
  return 1 << tokenModifiers.indexOf(name);
}
