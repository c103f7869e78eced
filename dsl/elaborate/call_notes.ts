import type { SourceCall } from "../../compiler/ir/sources.js";
import { deriveSpan, type Span } from "../../compiler/ir/span.js";
import { shapeText, typeText } from "../../compiler/ir/type.js";
import { type Callable, calleeName, floatText, type Item, intText, type Meaning } from "./meaning.js";
import type { Names } from "./names.js";
import type { Env } from "./state.js";

/** What one call is given and gives: who draws the graph asks for it, and nothing is put into words before. */
export function noteCall(
  { state, scope, names }: Env,
  fn: Extract<Callable, { kind: "fn" | "optimizer" }>,
  items: ReadonlyMap<string, Item>,
  outputs: readonly Meaning[],
  span: Span,
): void {
  if (state.generic || scope === undefined) return;
  state.shared.sources.noteCall(scope, state.training, () => describeCall(names, fn, items, outputs, span));
}

function describeCall(
  names: Names,
  { declaration }: Extract<Callable, { kind: "fn" | "optimizer" }>,
  items: ReadonlyMap<string, Item>,
  outputs: readonly Meaning[],
  call: Span,
): SourceCall {
  let variable: string | undefined;
  const parameters = declaration.parameters.map(({ name: { name }, default: otherwise }) => {
    const item = items.get(name);
    const meaning = names.own(name)?.meaning ?? item?.meaning;
    const written = item === undefined ? otherwise?.span : writtenIn(item, call);
    const value = meaning === undefined ? "" : valueText(meaning);
    // An optimizer is given its variable unasked.
    const own = written === undefined && meaning?.kind === "tensor" ? meaning.variable : undefined;
    if (declaration.kind === "optimizer") variable ??= own;
    return {
      name,
      value: own === undefined ? value : `${own}: ${value}`,
      isKnown: meaning !== undefined && !isComputed(meaning),
      written,
      isDefault: item === undefined,
    };
  });
  return {
    variable,
    parameters,
    doc: declaration.doc?.text ?? "",
    header: deriveSpan(declaration.span, { end: declaration.body.span.start }),
    outputs:
      declaration.kind === "optimizer"
        ? []
        : declaration.outputs.map(({ name: { name } }, i) => ({ name, value: valueText(outputs[i] ?? nothing) })),
  };
}

const nothing: Meaning = { kind: "update" };

/** What a call is given unasked, as an optimizer its variable and an initialiser its shape, has the place of the call. */
function writtenIn({ span }: Item, { file, start, end }: Span): Span | undefined {
  return span.file === file && span.start === start && span.end === end ? undefined : span;
}

/** Whether only a run tells what it is: its type is known, or that of a part of it. */
function isComputed(meaning: Meaning): boolean {
  switch (meaning.kind) {
    case "tensor":
      return true;
    case "list":
      return meaning.items.some((item) => isComputed(item.meaning));
    case "many":
      return meaning.outputs.some(isComputed);
    case "int":
    case "float":
    case "bool":
    case "string":
    case "dtype":
    case "shape":
    case "all_axes":
    case "fn":
    case "scope":
    case "update":
    case "poisoned":
      return false;
  }
}

/** A type, or the value that only the compiler sees; empty for what is neither. */
function valueText(meaning: Meaning): string {
  switch (meaning.kind) {
    case "tensor":
      return typeText(meaning.value.type);
    case "int":
      return intText(meaning);
    case "float":
      return floatText(meaning.value);
    case "bool":
      return String(meaning.value);
    case "string":
      return JSON.stringify(meaning.value);
    case "dtype":
      return meaning.value;
    case "shape":
      return shapeText(meaning.value);
    case "list":
      return `[${meaning.items.map((item) => valueText(item.meaning)).join(", ")}]`;
    case "all_axes":
      return "all axes";
    case "fn":
      return calleeName(meaning.fn);
    case "many":
      return `(${meaning.outputs.map(valueText).join(", ")})`;
    case "scope":
    case "update":
    case "poisoned":
      return "";
  }
}
