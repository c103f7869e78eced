import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver";
import { dtypes } from "../../compiler/ir/dtype.js";
import {
  type DataReader,
  dataReaderNamed,
  dataReaders,
  type TrainField,
  type TrainValue,
} from "../../dsl/elaborate/train_fields.js";
import * as t from "../../dsl/tokens.js";
import type { Analysis, Source } from "./analysis.js";
import { type Binder, visibleAt } from "./binders.js";
import { type Context, contextAt } from "./context.js";
import { nameItem } from "./name_items.js";
import { type TrainPlace, trainPlaceAt } from "./train_place.js";

/** What may stand at a place of a `train` block; undefined where the place is in none, or is for names as anywhere. */
export function trainItems(
  analysis: Analysis,
  context: Context,
  offset: number,
): readonly CompletionItem[] | undefined {
  const place = trainPlaceAt(context);
  if (place === undefined) return undefined;
  const { stands } = place;
  const inString = context.string !== undefined;
  switch (stands.kind) {
    case "key":
      if (inString) return [];
      return place.fields === undefined
        ? columnItems(analysis, place, context, offset)
        : place.fields.filter(({ name }) => !place.given.has(name)).map((field, i) => fieldItem(field, i, context));
    case "value":
      if (stands.isColumn) return inString ? [] : dataReaders.map(readerItem);
      return stands.field === undefined ? [] : valueItems(analysis, place, stands.field.value, offset, inString);
    case "argument":
      return inString ? [] : argumentItems(stands);
    case "other":
      return context.before.at(-1)?.tokenType === t.Dot && !inString ? undefined : [];
  }
}

function documented(doc: string) {
  return { documentation: { kind: "markdown" as const, value: doc } };
}

/** `name = `, unless the sign stands there already. */
function assigned(name: string, { after }: Context, value = "") {
  if (after[0]?.tokenType === t.Equal) return {};
  return { insertText: `${name} = ${value}`, ...(value === "" ? {} : { insertTextFormat: InsertTextFormat.Snippet }) };
}

function fieldItem(field: TrainField, index: number, context: Context): CompletionItem {
  const { name, doc, value } = field;
  const isRecord = value.kind === "record" || value.kind === "columns";
  return {
    label: name,
    kind: CompletionItemKind.Property,
    detail: valueText(value),
    sortText: String(index).padStart(2, "0"),
    ...documented(doc),
    ...assigned(name, context, isRecord ? "{ $0 }" : ""),
  };
}

/** The inputs of the signature that the data are for, those that have no column yet. */
function columnItems(
  analysis: Analysis,
  place: TrainPlace,
  context: Context,
  offset: number,
): readonly CompletionItem[] {
  const binders = visibleAt(analysis.source.binders, offset);
  const inputs = partsOf(analysis.source, binders, place.run)?.inputs;
  return binders
    .filter(({ kind, name }) => kind === "placeholder" && !place.given.has(name) && inputs?.includes(name) !== false)
    .map((binder) => ({ ...nameItem(analysis, binder), ...assigned(binder.name, context) }));
}

function valueItems(
  analysis: Analysis,
  place: TrainPlace,
  value: TrainValue,
  offset: number,
  inString: boolean,
): readonly CompletionItem[] {
  const binders = visibleAt(analysis.source.binders, offset);
  if (inString && value.kind !== "words") return [];
  switch (value.kind) {
    case "words":
      return value.words.map(wordItem);
    case "signature":
      return binders
        .filter((binder) => binder.kind === "signature" && trains(analysis.source, binder) === value.trains)
        .map((binder) => nameItem(analysis, binder));
    case "metric":
      return (partsOf(analysis.source, binders, place.validation)?.outputs ?? []).map((label) => ({
        label,
        kind: CompletionItemKind.Variable,
      }));
    case "scalars":
      return scalarItems(analysis, binders, place);
    case "bool":
      return ["true", "false"].map(wordItem);
    case "columns":
    case "record":
      return [
        {
          label: "{ }",
          kind: CompletionItemKind.Struct,
          insertText: "{ $0 }",
          insertTextFormat: InsertTextFormat.Snippet,
        },
      ];
    case "integer":
    case "number":
    case "string":
      return [];
  }
}

/** What a step may be asked for: what the signature gives comes first, and what is known to be no scalar is left out. */
function scalarItems(analysis: Analysis, binders: readonly Binder[], place: TrainPlace): readonly CompletionItem[] {
  const outputs = partsOf(analysis.source, binders, place.run)?.outputs ?? [];
  const dotted = outputs
    .filter((name) => name.includes("."))
    .map((label) => ({ label, kind: CompletionItemKind.Variable, sortText: `0${label}` }));
  const names = binders
    .filter(({ kind }) => kind === "binding" || kind === "variable" || kind === "scope")
    .map((binder) => nameItem(analysis, binder))
    .filter(({ detail }) => detail?.includes("[") !== true)
    .map((item) => ({ ...item, sortText: `${outputs.includes(item.label) ? 0 : 1}${item.label}` }));
  return [...dotted, ...names];
}

function argumentItems(stands: TrainPlace["stands"] & { readonly kind: "argument" }): readonly CompletionItem[] {
  const { reader, position, named, given, starts } = stands;
  const parameter =
    named === undefined ? reader.parameters[position] : reader.parameters.find(({ name }) => name === named);
  if (named === undefined && !starts) return [];
  const values =
    parameter?.kind === "bool"
      ? ["true", "false"]
      : parameter?.kind === "dtype"
        ? dtypes.filter((one) => one !== "string")
        : [];
  const names = named === undefined ? reader.parameters.filter(({ name }, i) => i >= position && !given.has(name)) : [];
  return [
    ...values.map(wordItem),
    ...names.map(({ name, doc }) => ({
      label: `${name}=`,
      kind: CompletionItemKind.Property,
      ...documented(doc),
    })),
  ];
}

function wordItem(label: string): CompletionItem {
  return { label, kind: CompletionItemKind.EnumMember };
}

function readerItem({ name, doc, parameters }: DataReader): CompletionItem {
  return {
    label: name,
    kind: CompletionItemKind.Function,
    labelDetails: { detail: `(${parameters.map((one) => one.name).join(", ")})` },
    insertText: `${name}("$1")`,
    insertTextFormat: InsertTextFormat.Snippet,
    ...documented(doc),
  };
}

interface SignatureParts {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

function signatureText({ text }: Source, { statement }: Binder): string {
  return text.slice(statement.start, statement.end);
}

/** Whether a step of the signature changes anything. */
function trains(source: Source, binder: Binder): boolean {
  return /\)\s*(?:does\b|training\s*=\s*true\b)/.test(signatureText(source, binder));
}

/** `signature NAME(inputs) ... -> (outputs)`; undefined where there is none of that name. */
function partsOf(source: Source, binders: readonly Binder[], name: string | undefined): SignatureParts | undefined {
  const binder = binders.find((one) => one.kind === "signature" && one.name === name);
  if (binder === undefined) return undefined;
  const [, inputs = "", outputs = ""] =
    /\(([^)]*)\)(?:[\s\S]*->\s*\(?([^)]*))?/.exec(signatureText(source, binder)) ?? [];
  const names = (list: string): readonly string[] => list.match(/[A-Za-z_][\w.]*/g) ?? [];
  return { inputs: names(inputs), outputs: names(outputs) };
}

function valueText(value: TrainValue): string {
  switch (value.kind) {
    case "signature":
    case "integer":
    case "number":
    case "bool":
    case "string":
      return value.kind;
    case "columns":
      return "{ PLACEHOLDER = reader, ... }";
    case "metric":
      return "output";
    case "scalars":
      return "names";
    case "words":
      return value.words.join(" | ");
    case "record":
      return `{ ${value.fields.map(({ name }) => name).join(", ")} }`;
  }
}

/** The declaration and the documentation of a field, a reader or a reader's parameter. */
export function trainWordAt(source: Source, word: { readonly text: string; readonly start: number }) {
  const context = contextAt(source, word.start);
  if (context.comment || context.string !== undefined) return undefined;
  const place = trainPlaceAt(context);
  if (place === undefined) return undefined;
  const { stands } = place;
  const next = context.after[0]?.tokenType;
  if (stands.kind === "key" && next === t.Equal) {
    const field = place.fields?.find(({ name }) => name === word.text);
    if (field === undefined) return undefined;
    const owner = place.owner === undefined ? "" : `${place.owner.name}.`;
    return { code: `(train) ${owner}${field.name}: ${valueText(field.value)}`, doc: field.doc };
  }
  if (stands.kind === "value" && stands.isColumn && next === t.LeftParen) {
    const reader = dataReaderNamed(word.text);
    if (reader === undefined) return undefined;
    return {
      code: `${reader.name}(${reader.parameters.map(({ name, kind }) => `${name}: ${kind}`).join(", ")})`,
      doc: reader.doc,
    };
  }
  if (stands.kind !== "argument" || next !== t.Equal) return undefined;
  const parameter = stands.reader.parameters.find(({ name }) => name === word.text);
  return parameter === undefined
    ? undefined
    : { code: `(parameter) ${parameter.name}: ${parameter.kind}`, doc: parameter.doc };
}
