import { type Dim, dimText, isSymbolic, type SymbolicDim } from "../../compiler/ir/dim.js";
import type { DType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Span } from "../../compiler/ir/span.js";
import { shapeText, type TensorType, typeText } from "../../compiler/ir/type.js";
import type { FunctionDeclaration, OptimizerDeclaration } from "../ast.js";
import type { Intrinsic } from "./intrinsic.js";
import type { Names } from "./names.js";

/** What an expression stands for: an edge of the graph, or a value that only the compiler sees. */
export type Meaning =
  | { readonly kind: "tensor"; readonly value: Value; readonly variable?: string }
  | IntMeaning
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "dtype"; readonly value: DType }
  | { readonly kind: "shape"; readonly value: readonly Dim[] }
  | ListMeaning
  /** What an omitted `axis` means. */
  | { readonly kind: "all_axes" }
  | { readonly kind: "fn"; readonly fn: Callable }
  | { readonly kind: "scope"; readonly names: Names }
  | { readonly kind: "update" }
  /** The outputs of a call with several; only a binding takes it. */
  | { readonly kind: "many"; readonly outputs: readonly Meaning[]; readonly callee: string }
  /** Its definition failed and has been reported: whatever uses it is silent. */
  | { readonly kind: "poisoned" };

/** An integer known to the compiler: a number, or a size over declared dims. */
export interface IntMeaning {
  readonly kind: "int";
  readonly value: bigint | SymbolicDim;
}

/** A list as written: a tensor, a shape, axes or a list of tensors, by the place where it stands. */
export interface ListMeaning {
  readonly kind: "list";
  readonly items: readonly Item[];
}

/** A meaning and where it was written. */
export interface Item {
  readonly meaning: Meaning;
  readonly span: Span;
}

export type Callable =
  | { readonly kind: "fn"; readonly declaration: FunctionDeclaration; readonly home: Home }
  | { readonly kind: "optimizer"; readonly declaration: OptimizerDeclaration; readonly home: Home }
  | { readonly kind: "intrinsic"; readonly intrinsic: Intrinsic };

/** The file that a fn was written in: what its body sees. */
export interface Home {
  readonly file: string;
  readonly names: Names;
  /** A file of the standard library: problems inside are shown at the user's call. */
  readonly standard: boolean;
}

export const poisoned: Meaning = { kind: "poisoned" };

export function tensor(value: Value): Meaning {
  return { kind: "tensor", value };
}

export function int(value: Dim | bigint): IntMeaning {
  return { kind: "int", value: typeof value === "number" ? BigInt(value) : value };
}

export function shape(value: readonly Dim[]): Meaning {
  return { kind: "shape", value };
}

/** The size that an int stands for; undefined beyond the safe integers. */
export function dimOf({ value }: IntMeaning): Dim | undefined {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

export function intText({ value }: IntMeaning): string {
  return typeof value === "bigint" ? String(value) : dimText(value);
}

export function isStaticInt(meaning: IntMeaning): boolean {
  return typeof meaning.value === "bigint" || !isSymbolic(meaning.value);
}

/** A number, bool or list of such, as written or computed by the compiler: it takes the dtype that its place wants. */
export function isLiteral(meaning: Meaning): boolean {
  switch (meaning.kind) {
    case "int":
    case "float":
    case "bool":
      return true;
    case "list":
      return meaning.items.every((item) => isLiteral(item.meaning));
    default:
      return false;
  }
}

export function isPoisoned(meaning: Meaning): boolean {
  if (meaning.kind === "list") return meaning.items.some((item) => isPoisoned(item.meaning));
  return meaning.kind === "poisoned";
}

/** The dtype of a literal alone: integers are i64, decimals f32. */
export function literalDType(meaning: Meaning): DType {
  const kinds = new Set<Meaning["kind"]>();
  const visit = (m: Meaning): void => {
    if (m.kind === "list") for (const item of m.items) visit(item.meaning);
    else kinds.add(m.kind);
  };
  visit(meaning);
  if (kinds.has("float")) return "f32";
  if (kinds.has("int")) return "i64";
  return kinds.has("bool") ? "bool" : "f32";
}

/** A float as the language writes it: `1.0`, not `1`. */
export function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/** With its article, for messages: "a tensor f32[3]", "the int 3". */
export function describe(meaning: Meaning): string {
  switch (meaning.kind) {
    case "tensor":
      return `the tensor ${typeText(meaning.value.type)}`;
    case "int":
      return `the int ${intText(meaning)}`;
    case "float":
      return `the float ${floatText(meaning.value)}`;
    case "bool":
      return `the bool ${meaning.value}`;
    case "string":
      return "a string";
    case "dtype":
      return `the dtype ${meaning.value}`;
    case "shape":
      return `the shape ${shapeText(meaning.value)}`;
    case "list":
      return "a list";
    case "all_axes":
      return "all axes";
    case "fn":
      return meaning.fn.kind === "optimizer" ? "an optimizer" : "a function";
    case "scope":
      return "a scope";
    case "update":
      return "an update";
    case "many":
      return `${meaning.outputs.length} outputs`;
    case "poisoned":
      return "an unknown value";
  }
}

/** The type of what a tensor parameter would see; undefined where it cannot be one. */
export function tensorTypeOf(meaning: Meaning): TensorType | undefined {
  return meaning.kind === "tensor" ? meaning.value.type : undefined;
}

export function calleeName(fn: Callable): string {
  return fn.kind === "intrinsic" ? fn.intrinsic.name : fn.declaration.name.name;
}
