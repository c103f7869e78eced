import { InternalError } from "../../ir/diagnostic.js";
import type { CpuTarget } from "./target.js";
import { elementKinds, type LlvmType, maximumLanes, typeOf } from "./types.js";

/** A parameter with what the optimiser may assume of it. The pointer facts stand on `ptr` parameters only. */
export interface Parameter {
  readonly type: LlvmType;
  /** No other pointer of the function reaches this memory while the function runs. */
  readonly noalias?: boolean;
  /** The function only reads, or only writes, through it. */
  readonly access?: "read" | "write";
  /** The address is a multiple of so many bytes. */
  readonly align?: number;
  /** So many bytes may be read from it at any time. */
  readonly dereferenceable?: number;
}

/** Name, types and attributes of a function. */
export interface FunctionSignature {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Nothing where the function returns nothing. */
  readonly result?: LlvmType;
  /** `export`: an entry of the library. `internal`: removed when every call is inlined. `part`: visible to other parts of
   * one library only. `libc`: resolved by the loader. */
  readonly linkage: "export" | "internal" | "part" | "libc";
  readonly inline?: "always" | "never";
  /** The function reads and writes no memory: calls with the same arguments are shared. */
  readonly pure?: boolean;
}

/** A function written as LLVM text: what llvm-bindings has no call for (shuffles, flags, metadata). Always inlined. */
export interface HelperFunction {
  readonly signature: FunctionSignature;
  readonly definition: string;
  /** `declare` lines that the text needs. */
  readonly declarations: readonly string[];
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_.]*$/;

function parameterText(name: string, parameter: Parameter): string {
  const { type, noalias, access, align, dereferenceable } = parameter;
  const words: string[] = [type.text];
  const hasFacts =
    noalias !== undefined || access !== undefined || align !== undefined || dereferenceable !== undefined;
  if (hasFacts && type.element !== "ptr") throw new InternalError(`${name}: pointer attributes on ${type.text}`);
  if (noalias === true) words.push("noalias");
  if (type.element === "ptr") words.push("nocapture");
  if (access === "read") words.push("readonly");
  if (access === "write") words.push("writeonly");
  if (align !== undefined) {
    if (!Number.isInteger(Math.log2(align))) throw new InternalError(`${name}: ${align} is no alignment`);
    words.push(`align ${align}`);
  }
  if (dereferenceable !== undefined) {
    if (!Number.isSafeInteger(dereferenceable) || dereferenceable < 1) {
      throw new InternalError(`${name}: ${dereferenceable} is no number of bytes`);
    }
    words.push(`dereferenceable(${dereferenceable})`);
  }
  return words.join(" ");
}

/** The `declare` line of a function. Throws InternalError for a name or an attribute that LLVM would not parse. */
export function declarationText(signature: FunctionSignature): string {
  const { name, parameters, result, linkage, inline, pure } = signature;
  if (!namePattern.test(name)) throw new InternalError(`"${name}" is no name for a native function`);
  const hidden = linkage === "internal" || linkage === "part" ? "hidden " : "";
  const attributes = ["#0", ...(pure === true ? ["readnone"] : []), ...inlineAttributes(inline)];
  const list = parameters.map((parameter) => parameterText(name, parameter)).join(", ");
  return `declare ${hidden}${result?.text ?? "void"} @${name}(${list}) ${attributes.join(" ")}`;
}

function inlineAttributes(inline: FunctionSignature["inline"]): readonly string[] {
  if (inline === undefined) return [];
  return [inline === "always" ? "alwaysinline" : "noinline"];
}

/** What LLVM 14 says of x86-64 Linux. */
export const dataLayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-f80:128-n8:16:32:64-S128";

/**
 * While the module is built, vectors have the alignment of a byte, so that IRBuilder's loads and stores of vectors (it
 * takes no alignment) are unaligned ones; `finish` sets the true layout.
 */
const buildLayout = `${dataLayout}-${[16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((bits) => `v${bits}:8`).join("-")}`;

/** A whole `.ll` text of some declarations and definitions. */
export function preludeText(target: CpuTarget, lines: readonly string[]): string {
  return [
    `target datalayout = "${buildLayout}"`,
    `target triple = "x86_64-pc-linux-gnu"`,
    ...lines,
    `attributes #0 = { nounwind "prefer-vector-width"="${target.preferVectorWidth}" }`,
    `attributes #1 = { alwaysinline nounwind }`,
    "!0 = !{i32 1}",
    "",
  ].join("\n");
}

/** One declaration for each type, named so that the type can be found again. */
export function typeAnchors(): string {
  const lines: string[] = [];
  for (const element of elementKinds) {
    for (let lanes = 1; lanes <= maximumLanes; lanes *= 2) {
      if (lanes > 1 && (element === "ptr" || element === "i128")) break;
      lines.push(`declare ${typeOf(element, lanes).text} @type.${element}.${lanes}()`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Makes a helper of a body that names its parameters %0, %1, ... and returns `result`. */
export function helperFunction(
  name: string,
  parameters: readonly LlvmType[],
  result: LlvmType | undefined,
  body: readonly string[],
  declarations: readonly string[] = [],
): HelperFunction {
  const signature: FunctionSignature = {
    name,
    parameters: parameters.map((type) => ({ type })),
    ...(result === undefined ? {} : { result }),
    linkage: "internal",
    inline: "always",
  };
  const list = parameters.map((type, index) => `${type.text} %p${index}`).join(", ");
  const head = `define linkonce_odr hidden ${result?.text ?? "void"} @${name}(${list}) #1 {`;
  return {
    signature,
    definition: [head, ...body.map((line) => `  ${line}`), "}"].join("\n"),
    declarations,
  };
}
