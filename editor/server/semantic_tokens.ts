import { type SemanticTokens, SemanticTokensBuilder, type SemanticTokensLegend } from "vscode-languageserver";
import { isStandard } from "../../dsl/standard.js";
import { type Analysis, wordAt } from "./analysis.js";
import { type BinderKind, everyBinder } from "./binders.js";
import { callableOf } from "./symbols.js";

const tokenTypes = [
  "namespace",
  "typeParameter",
  "parameter",
  "variable",
  "property",
  "function",
  "event",
  "interface",
  "class",
] as const;
const tokenModifiers = ["declaration", "readonly", "defaultLibrary"] as const;

type TokenType = (typeof tokenTypes)[number];

export const semanticTokensLegend: SemanticTokensLegend = {
  tokenTypes: [...tokenTypes],
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
export function semanticTokens({ source, facts }: Analysis): SemanticTokens {
  const { file, text, document } = source;
  const kinds = new Map<number, BinderKind>();
  for (const { span, kind } of everyBinder(source.binders)) kinds.set(span.start, kind);
  const colours = new Map<number, { readonly type: TokenType; readonly modifiers: number }>();
  for (const [start, { origin, meanings, ...fact }] of facts.namesIn(file)) {
    const callable = callableOf({ origin, meanings, ...fact });
    const kind = origin?.file === file ? kinds.get(origin.start) : undefined;
    if (callable !== undefined && kind !== "parameter") {
      const isOurs = callable.kind === "intrinsic" || isStandard(callable.home.file);
      colours.set(start, { type: "function", modifiers: isOurs ? modifier("defaultLibrary") : 0 });
    } else if (kind !== undefined) {
      const modifiers = kind === "constant" ? modifier("readonly") : 0;
      colours.set(start, { type: typeOfKind[kind], modifiers });
    } else if (origin !== undefined) colours.set(start, { type: "parameter", modifiers: 0 });
  }
  for (const [start, kind] of kinds) {
    const known = colours.get(start);
    const modifiers = (known?.modifiers ?? 0) | modifier("declaration");
    colours.set(start, { type: known?.type ?? typeOfKind[kind], modifiers });
  }
  const builder = new SemanticTokensBuilder();
  for (const [start, { type, modifiers }] of [...colours].sort(([a], [b]) => a - b)) {
    const word = wordAt(text, start);
    if (word === undefined || word.start !== start) continue;
    const { line, character } = document.positionAt(start);
    builder.push(line, character, word.end - start, tokenTypes.indexOf(type), modifiers);
  }
  return builder.build();
}

function modifier(name: (typeof tokenModifiers)[number]): number {
  return 1 << tokenModifiers.indexOf(name);
}
