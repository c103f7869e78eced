import type { Hover, MarkupContent } from "vscode-languageserver";
import { type dtypes, isDType } from "../../compiler/ir/dtype.js";
import type { NameFact } from "../../dsl/elaborate/facts.js";
import type { Analysis } from "./analysis.js";
import { binderAt, wordAt } from "./analysis.js";
import type { Binder } from "./binders.js";
import { callableDoc, callableText, meaningTexts } from "./describe.js";
import { rangeOf } from "./ranges.js";
import { type Found, symbolAt } from "./symbols.js";
import { trainWordAt } from "./train_help.js";
import type { Workspace } from "./workspace.js";

/** What a name is: its declaration, type and documentation. */
export function hoverAt(workspace: Workspace, analysis: Analysis, offset: number): Hover | undefined {
  const { source } = analysis;
  const word = wordAt(source.text, offset);
  if (word === undefined) return undefined;
  const range = rangeOf(source.document, word);
  const train = trainWordAt(source, word);
  if (train !== undefined) return { contents: markdown([code(train.code), train.doc]), range };
  const found = symbolAt(analysis, offset);
  const parts = found === undefined ? [] : describe(workspace, analysis, found);
  if (parts.length > 0) return { contents: markdown(parts), range };
  if (!isDType(word.text)) return undefined;
  return { contents: markdown([code(word.text), dtypeDoc(word.text)]), range };
}

function describe(workspace: Workspace, analysis: Analysis, { symbol, fact, word }: Found): readonly string[] {
  const textOf = (file: string): string | undefined => workspace.source(file)?.text;
  const home = symbol.span === undefined ? undefined : workspace.source(symbol.span.file);
  const binder = home === undefined || symbol.span === undefined ? undefined : binderAt(home, symbol.span.start);
  const { callable } = symbol;
  if (callable !== undefined && binder?.kind !== "parameter") {
    const result = meaningTexts(analysis.facts.resultsIn(analysis.source.file).get(word.start));
    const gives = result.length === 0 ? [] : [`Gives here: ${result.map((text) => `\`${text}\``).join(" or ")}`];
    return [code(callableText(callable, textOf)), ...gives, ...docOf(callableDoc(callable))];
  }
  if (binder?.declaration !== undefined) {
    const { declaration } = binder;
    const text = textOf(declaration.span.file)?.slice(declaration.span.start, declaration.body.span.start).trim();
    return [code(text ?? binder.name), ...docOf(binder.doc)];
  }
  const types = meaningTexts(fact);
  const places = placesOf(fact);
  if (binder === undefined) return types.length === 0 ? [] : [code(`${symbol.name}: ${types[0]}`), ...places];
  return [code(headline(binder, types, home?.text)), ...others(types), ...places, ...docOf(binder.doc)];
}

/** `placeholder image: u8[N, 28, 28]`. */
function headline(binder: Binder, types: readonly string[], text: string | undefined): string {
  const { kind, name, type, statement } = binder;
  const written = type === undefined ? undefined : text?.slice(type.span.start, type.span.end);
  const shown = kind === "binding" || kind === "import" ? name : `${kind} ${name}`;
  switch (kind) {
    case "dim":
    case "signature":
      return text?.slice(statement.start, statement.end) ?? shown;
    case "parameter":
      return `(${kind}) ${binder.parameter === undefined ? name : (text?.slice(statement.start, statement.end) ?? name)}`;
    case "type parameter":
      return `(${kind}) ${text?.slice(statement.start, statement.end) ?? name}`;
    default: {
      const [first] = types;
      return first === undefined ? `${shown}${written === undefined ? "" : `: ${written}`}` : `${shown}: ${first}`;
    }
  }
}

/** Where the text places what a name stands for. */
function placesOf(fact: NameFact | undefined): readonly string[] {
  const devices = (fact?.meanings ?? []).flatMap((one) =>
    one.kind === "tensor" && one.value.node.device !== undefined ? [one.value.node.device] : [],
  );
  const named = [...new Set(devices)].map((device) => `\`"${device}"\``);
  return named.length === 0 ? [] : [`Computed on ${named.join(" or ")}.`];
}

/** What a name in a fn is in further calls. */
function others(types: readonly string[]): readonly string[] {
  return types.length < 2 ? [] : [`In its calls: ${types.map((text) => `\`${text}\``).join(", ")}`];
}

function docOf(doc: string | undefined): readonly string[] {
  return doc === undefined || doc.trim() === "" ? [] : [doc];
}

function code(text: string): string {
  return `\`\`\`graph\n${text.replaceAll("```", "'''")}\n\`\`\``;
}

export function markdown(parts: readonly string[]): MarkupContent {
  return { kind: "markdown", value: parts.join("\n\n") };
}

function dtypeDoc(name: (typeof dtypes)[number]): string {
  if (name === "bool") return "True or false.";
  if (name === "string") return "Text; constants only.";
  if (name === "bf16") return "A float of 16 bits with the range of f32 (bfloat16).";
  const bits = name.slice(1);
  if (name.startsWith("f")) return `A float of ${bits} bits (IEEE 754).`;
  return `An integer of ${bits} bits, ${name.startsWith("u") ? "without" : "with"} sign; it wraps.`;
}
