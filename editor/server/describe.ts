import { typeText } from "../../compiler/ir/type.js";
import type { FunctionDeclaration, OptimizerDeclaration } from "../../dsl/ast.js";
import { signatureText } from "../../dsl/elaborate/calls.js";
import type { NameFact } from "../../dsl/elaborate/facts.js";
import { type Callable, floatText, intText, type Meaning } from "../../dsl/elaborate/meaning.js";

/** A type or value as the language writes it; undefined for what has none to show. */
export function meaningText(meaning: Meaning): string | undefined {
  switch (meaning.kind) {
    case "tensor":
      return typeText(meaning.value.type);
    case "int":
      return `int = ${intText(meaning)}`;
    case "float":
      return Number.isNaN(meaning.value) ? "float" : `float = ${floatText(meaning.value)}`;
    case "bool":
      return `bool = ${meaning.value}`;
    case "string":
      return "string";
    case "dtype":
      return `dtype = ${meaning.value}`;
    case "shape":
      return `shape = [${meaning.value.map((dim) => (typeof dim === "number" ? dim : dim.key)).join(", ")}]`;
    case "list":
      return "list";
    case "many": {
      const parts = meaning.outputs.map((output) => meaningText(output) ?? "?");
      return `(${parts.join(", ")})`;
    }
    case "all_axes":
      return "axes";
    case "fn":
    case "scope":
    case "update":
    case "poisoned":
      return undefined;
  }
}

/** What a name is in each mode and call, each once. */
export function meaningTexts(fact: NameFact | undefined): readonly string[] {
  const texts = (fact?.meanings ?? []).map(meaningText).filter((text) => text !== undefined);
  return [...new Set(texts)];
}

/** `fn dense[T: float, I](x: T[..., I], units: int) -> (y: T[..., units])`, as it was written. */
export function declarationText(
  declaration: FunctionDeclaration | OptimizerDeclaration,
  text: string | undefined,
): string {
  const { span, body } = declaration;
  const written = text?.slice(span.start, body.span.start).trim();
  if (written === undefined || !written.startsWith(declaration.kind))
    return `${declaration.kind} ${declaration.name.name}`;
  return written.replace(/^\s*#.*$/gm, "").replace(/\n\s*\n/g, "\n");
}

export function callableText(callable: Callable, textOf: (file: string) => string | undefined): string {
  if (callable.kind === "intrinsic") return signatureText(callable);
  return declarationText(callable.declaration, textOf(callable.home.file));
}

export function callableDoc(callable: Callable): string | undefined {
  return callable.kind === "intrinsic" ? callable.intrinsic.doc : callable.declaration.doc?.text;
}

/** The parameters of a call, with what is known of each. */
export interface ParameterText {
  readonly name: string;
  readonly label: string;
  readonly doc: string | undefined;
}

export function parametersOf(
  callable: Callable,
  textOf: (file: string) => string | undefined,
): readonly ParameterText[] {
  if (callable.kind === "intrinsic") {
    return callable.intrinsic.parameters.map(({ name, kind, default: value, variadic, doc }) => {
      const shown = `${name}${variadic === undefined ? "" : "..."}: ${kind}`;
      return { name, label: value === undefined ? shown : `${shown} = ${value}`, doc };
    });
  }
  const text = textOf(callable.home.file);
  // An optimizer's first two parameters are given by `minimize`.
  const own =
    callable.kind === "optimizer" ? callable.declaration.parameters.slice(2) : callable.declaration.parameters;
  return own.map(({ name, span, doc }) => ({
    name: name.name,
    label: text?.slice(span.start, span.end) ?? name.name,
    doc: doc?.text,
  }));
}
