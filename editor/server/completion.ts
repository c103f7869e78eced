import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver";
import { deviceKinds } from "../../compiler/ir/device.js";
import { dtypes } from "../../compiler/ir/dtype.js";
import type { Callable } from "../../dsl/elaborate/meaning.js";
import { parse } from "../../dsl/parse.js";
import * as t from "../../dsl/tokens.js";
import type { Analysis, Source } from "./analysis.js";
import { type Binder, type BinderKind, bindersOf, visibleAt } from "./binders.js";
import { type Context, callAround, callableOfBinder, contextAt, importedSource } from "./context.js";
import { callableDoc, parametersOf } from "./describe.js";
import { type Expected, expectedAt, fitsFunction, fitsName } from "./expected.js";
import { importTextEdit } from "./imports.js";
import { library, libraryFiles } from "./library.js";
import { itemKinds, nameItem } from "./name_items.js";
import { trainItems } from "./train_help.js";
import type { Workspace } from "./workspace.js";

/** What may stand at a place. */
export function completionAt(workspace: Workspace, given: Analysis, offset: number): readonly CompletionItem[] {
  const analysis = { ...given, source: withoutLine(given.source, offset) };
  const { source } = analysis;
  const context = contextAt(source, offset);
  if (context.comment) return [];
  const inTrain = trainItems(analysis, context, offset);
  if (inTrain !== undefined) return inTrain;
  const { before, statement, string } = context;
  const last = before.at(-1);
  if (string !== undefined && last?.image === "on")
    return deviceKinds.map((label) => ({ label, kind: CompletionItemKind.EnumMember }));
  if (string !== undefined && last?.image === "from") return importPaths(source.file);
  const expected = expectedAt(workspace, analysis, context);
  if (string !== undefined) return (expected?.strings ?? []).map((label) => valueItem(label));
  if (statement[0]?.image === "import" && statement.at(-1)?.tokenType !== t.Text)
    return imported(workspace, analysis, context, offset);
  if (last?.tokenType === t.Dot) return members(analysis, context, offset);
  if (statement[0]?.image === "signature" && !context.startsStatement) return signatureParts(analysis, context, offset);
  if (isTypePlace(context)) return types(analysis, context, offset);
  const words = context.startsStatement ? statementWords(context) : [];
  if (statement[0]?.image === "update" && statement.length === 3 && last?.tokenType === t.Equal)
    return functions(
      analysis,
      offset,
      (callable) => callable.kind === "intrinsic" && callable.intrinsic.name === "minimize",
    );
  const names = namesFor(workspace, analysis, offset, expected).map((binder) => nameItem(analysis, binder));
  if (context.startsStatement) return [...words, ...names.filter(({ kind }) => kind !== CompletionItemKind.Function)];
  return [
    ...valuesOf(expected),
    ...parameterItems(workspace, analysis, context),
    ...names,
    ...functions(analysis, offset, (callable) => fitsFunction(callable, expected)),
    ...literals.filter(({ label }) => fitsLiteral(label, expected)),
  ];
}

function valueItem(label: string, kind: CompletionItemKind = CompletionItemKind.EnumMember): CompletionItem {
  return { label, kind, sortText: `00${label}` };
}

/** What an argument takes that has a word, a sign or a string of its own. */
function valuesOf(expected: Expected | undefined): readonly CompletionItem[] {
  if (expected?.begins !== true) return [];
  const { kind, strings, axes } = expected;
  return [
    ...strings.map((text) => valueItem(`"${text}"`)),
    ...axes.map((axis) => valueItem(String(axis))),
    ...(kind === "dtype" ? dtypes.map((name) => valueItem(name, CompletionItemKind.Keyword)) : []),
  ];
}

function fitsLiteral(label: string, expected: Expected | undefined): boolean {
  const isNumber = label === "inf" || label === "nan";
  switch (expected?.kind) {
    case undefined:
    case "any":
    case "tensor":
    case "list":
      return true;
    case "float":
      return isNumber;
    case "bool":
      return !isNumber;
    case "int":
    case "string":
    case "dtype":
    case "shape":
    case "axes":
    case "fn":
    case "optimizer":
      return false;
  }
}

/** The names that may stand at a place; of functions, those whose calls may. */
function namesFor(
  workspace: Workspace,
  analysis: Analysis,
  offset: number,
  expected: Expected | undefined,
): readonly Binder[] {
  return visibleNames(analysis, offset).filter((binder) => {
    const callable = callableOfBinder(workspace, analysis.source, binder);
    return callable === undefined ? fitsName(analysis, binder, expected) : fitsFunction(callable, expected);
  });
}

/**
 * What a half-written line makes of the lines behind it is not what is meant: where the text is better understood without the line,
 * its names are those of the text without it.
 */
function withoutLine(source: Source, offset: number): Source {
  const { text, file, parsed } = source;
  if (parsed.ok) return source;
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const end = newline < 0 ? text.length : newline;
  const other = parse(text.slice(0, start) + " ".repeat(end - start) + text.slice(end), file);
  if (other.diagnostics.length >= parsed.diagnostics.length) return source;
  return { ...source, binders: bindersOf(other.ast) };
}

/** The documentation of a function, when the list of completions comes to it. */
export function resolveCompletion(item: CompletionItem): CompletionItem {
  const known = typeof item.data === "string" ? library().get(item.data) : undefined;
  const doc = known === undefined ? undefined : callableDoc(known.callable);
  return doc === undefined ? item : { ...item, documentation: { kind: "markdown", value: doc } };
}

const literals: readonly CompletionItem[] = ["true", "false", "inf", "nan", "training"].map((label) => ({
  label,
  kind: CompletionItemKind.Constant,
}));

const bindsAtEnd: ReadonlySet<BinderKind> = new Set([
  "binding",
  "variable",
  "constant",
  "placeholder",
  "dim",
  "update",
]);

/** What is bound before the place; functions may stand anywhere in the file. */
function visibleNames({ source }: Analysis, offset: number): readonly Binder[] {
  const seen = new Set<string>();
  return visibleAt(source.binders, offset).filter(({ kind, name, span, statement }) => {
    const isEverywhere = kind === "fn" || kind === "optimizer" || kind === "import";
    // What a statement binds is not visible in it yet.
    const isWriting = bindsAtEnd.has(kind) && statement.start <= offset && offset <= statement.end;
    if (kind === "signature" || kind === "graph" || seen.has(name) || isWriting) return false;
    if (!isEverywhere && span.start >= offset) return false;
    seen.add(name);
    return true;
  });
}

function functions(
  analysis: Analysis,
  offset: number,
  fits: (callable: Callable) => boolean,
): readonly CompletionItem[] {
  const own = new Set(visibleAt(analysis.source.binders, offset).map(({ name }) => name));
  return [...library().values()]
    .filter(({ name, callable }) => !own.has(name) && fits(callable))
    .map(({ name, callable, importFrom }) => ({
      label: name,
      kind: CompletionItemKind.Function,
      detail: importFrom ?? "",
      sortText: `${importFrom === undefined ? 2 : 3}${name}`,
      labelDetails: {
        detail: parameterList(callable),
        ...(importFrom === undefined ? {} : { description: importFrom }),
      },
      data: name,
      ...(importFrom === undefined ? {} : { additionalTextEdits: [importTextEdit(analysis.source, name, importFrom)] }),
    }));
}

function parameterList(callable: Parameters<typeof parametersOf>[0]): string {
  return `(${parametersOf(callable, () => undefined)
    .map(({ name }) => name)
    .join(", ")})`;
}

/** Parameters of the call around the place that are not given yet. */
function parameterItems(workspace: Workspace, { source }: Analysis, context: Context): readonly CompletionItem[] {
  const call = callAround(workspace, source, context);
  if (call === undefined || !call.startsArgument) return [];
  const textOf = (file: string): string | undefined => workspace.source(file)?.text;
  return parametersOf(call.callable, textOf)
    .filter(({ name }, i) => !call.given.has(name) && i >= call.position)
    .map(({ name, label, doc }) => ({
      label: `${name}=`,
      kind: CompletionItemKind.Property,
      detail: label,
      sortText: `0${name}`,
      ...(doc === undefined ? {} : { documentation: { kind: "markdown", value: doc } }),
    }));
}

/** A type stands after the `:` of a name, not after that of a slice. */
function isTypePlace({ before, open }: Context): boolean {
  const bracket = open === undefined ? undefined : before[open]?.tokenType;
  return before.at(-1)?.tokenType === t.Colon && bracket !== t.LeftBracket;
}

const parameterKinds = ["int", "float", "bool", "string", "dtype", "shape", "list", "axes", "fn"];

function types({ source }: Analysis, { statement }: Context, offset: number): readonly CompletionItem[] {
  const own = visibleAt(source.binders, offset).filter(({ kind }) => kind === "type parameter");
  const first = statement[0]?.image;
  const words = new Set<string>([...dtypes, ...(first === "fn" || first === "optimizer" ? parameterKinds : [])]);
  return [
    ...own.map(({ name }) => ({ label: name, kind: CompletionItemKind.TypeParameter })),
    ...[...words].map((label) => ({ label, kind: CompletionItemKind.Keyword })),
  ];
}

/** What a scope holds. */
function members(analysis: Analysis, { before }: Context, offset: number): readonly CompletionItem[] {
  const path: string[] = [];
  for (let i = before.length - 1; before[i]?.tokenType === t.Dot; i -= 2) path.unshift(before[i - 1]?.image ?? "");
  const [first, ...rest] = path;
  let scope = visibleAt(analysis.source.binders, offset).find(({ name, kind }) => name === first && kind === "scope");
  for (const name of rest) scope = scope?.children.find((child) => child.name === name && child.kind === "scope");
  return (scope?.children ?? []).map((binder) => nameItem(analysis, binder));
}

/** `signature NAME(placeholders) does updates -> (names)`. */
function signatureParts(analysis: Analysis, { statement }: Context, offset: number): readonly CompletionItem[] {
  const images = statement.map(({ image }) => image);
  const visible = visibleAt(analysis.source.binders, offset);
  const item = (binder: Binder): CompletionItem => nameItem(analysis, binder);
  if (images.includes("->"))
    return visible.filter(({ kind }) => ["binding", "variable", "scope", "constant"].includes(kind)).map(item);
  if (images.includes("does")) return visible.filter(({ kind }) => kind === "update").map(item);
  if (images.includes("(") && !images.includes(")"))
    return visible.filter(({ kind }) => kind === "placeholder").map(item);
  return images.includes(")") ? [{ label: "does", kind: CompletionItemKind.Keyword }] : [];
}

/** `import { NAMES } from "FILE"`. */
function imported(
  workspace: Workspace,
  { source }: Analysis,
  context: Context,
  offset: number,
): readonly CompletionItem[] {
  if (context.open === undefined) return [{ label: "from", kind: CompletionItemKind.Keyword }];
  const from = /^[^{}\n]*\}\s*from\s*"([^"\n]*)"/.exec(source.text.slice(offset))?.[1];
  if (from?.startsWith("std/") === true) {
    return [...library().values()]
      .filter(({ importFrom }) => importFrom === from)
      .map(({ name }) => ({ label: name, kind: CompletionItemKind.Function, data: name }));
  }
  if (from !== undefined) {
    const other = importedSource(workspace, source, from);
    const exported = other?.binders.filter(({ kind }) => kind === "fn" || kind === "optimizer" || kind === "constant");
    return (exported ?? []).map(({ name, kind }) => ({ label: name, kind: itemKinds[kind] }));
  }
  return [...library().values()]
    .filter(({ importFrom }) => importFrom !== undefined)
    .map(({ name, importFrom }) => ({
      label: name,
      kind: CompletionItemKind.Function,
      detail: importFrom ?? "",
      data: name,
    }));
}

function importPaths(file: string): readonly CompletionItem[] {
  const standard = libraryFiles().map((name) => `std/${name}`);
  let beside: readonly string[] = [];
  try {
    beside = readdirSync(dirname(file))
      .filter((name) => name.endsWith(".graph") && !file.endsWith(`/${name}`))
      .map((name) => name.slice(0, -".graph".length));
  } catch {
    // A document that is not on the disk has no folder.
  }
  return [...standard, ...beside].map((label) => ({ label, kind: CompletionItemKind.File }));
}

const graphOnly: ReadonlySet<string> = new Set(t.graphWords);
const fileOnly: ReadonlySet<string> = new Set(t.fileWords);

/** The words that may begin a statement, with what follows them. */
function statementWords({ open }: Context): readonly CompletionItem[] {
  const words = t.statementWords.filter((word) =>
    open === undefined ? fileOnly.has(word) || word === "constant" : !fileOnly.has(word),
  );
  return words.map((label) => ({
    label,
    kind: CompletionItemKind.Keyword,
    sortText: `${graphOnly.has(label) ? 1 : 0}${label}`,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: snippets.get(label) ?? `${label} `,
  }));
}

/** A place that the cursor goes to, with what stands there at first. */
function field(index: number, text: string): string {
  return ["$", "{", index, ":", text, "}"].join("");
}

/** A place with what may stand there. */
function choice(index: number, texts: readonly string[]): string {
  return ["$", "{", index, "|", texts.join(","), "|}"].join("");
}

const snippets: ReadonlyMap<string, string> = new Map([
  ["graph", `graph ${field(1, "name")} {\n  $0\n}`],
  ["fn", `fn ${field(1, "name")}(${field(2, "x")}) -> (${field(3, "y")}) {\n  $0\n}`],
  ["optimizer", `optimizer ${field(1, "name")}(p, g, learning_rate: float = 0.01) {\n  $0\n}`],
  ["import", `import { $2 } from "${field(1, "std/layers")}"`],
  ["dim", `dim ${field(1, "N")} <= ${field(2, "1024")}`],
  ["placeholder", `placeholder ${field(1, "x")}: ${field(2, "f32")}[$3]`],
  ["variable", `variable ${field(1, "w")}: ${field(2, "f32")}[$3] = ${field(4, "zeros()")}`],
  ["constant", `constant ${field(1, "k")} = $0`],
  ["scope", `scope ${field(1, "name")} {\n  $0\n}`],
  ["on", `on "${choice(1, deviceKinds)}" {\n  $0\n}`],
  ["update", `update ${field(1, "learn")} = minimize(${field(2, "loss")}, ${field(3, "adam(learning_rate=1e-3)")})`],
  ["signature", `signature ${field(1, "predict")}($2) -> ($3)`],
  ["train", `train {\n  run = ${field(1, "fit")}\n  $0\n}`],
]);
