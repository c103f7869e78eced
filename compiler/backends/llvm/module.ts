import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Llvm from "llvm-bindings";
import { InternalError } from "../../ir/diagnostic.js";
import { type LlvmBindings, loadLlvm } from "./bindings.js";
import { Builder } from "./builder.js";
import {
  dataLayout,
  declarationText,
  type FunctionSignature,
  type HelperFunction,
  preludeText,
  typeAnchors,
} from "./prelude.js";
import type { CpuTarget } from "./target.js";
import { elementKinds, type LlvmType, maximumLanes, typeOf } from "./types.js";
import type { Value } from "./value.js";
import { diagnoseBrokenModule } from "./verify.js";

/** A function of the module, as calls name it. */
export interface FunctionRef {
  readonly signature: FunctionSignature;
}

type Emit = (builder: Builder, parameters: readonly Value[]) => void;

interface Definition {
  readonly signature: FunctionSignature;
  readonly emit: Emit;
}

/** One parsed LLVM module under construction. */
export interface ModulePart {
  readonly handle: Llvm.Module;
  readonly callees: Map<string, Llvm.FunctionCallee>;
}

/** One context for the process: llvm-bindings never frees one, and types are the same in all modules of a context. */
interface Context {
  readonly llvm: LlvmBindings;
  readonly handle: Llvm.LLVMContext;
  readonly types: Map<LlvmType, Llvm.Type>;
  readonly pointers: Map<LlvmType, Llvm.Type>;
}

let context: Context | undefined;

function parseText(context: Pick<Context, "llvm" | "handle">, text: string): Llvm.Module {
  const folder = mkdtempSync(join(tmpdir(), "graphc-"));
  try {
    const path = join(folder, "prelude.ll");
    writeFileSync(path, text);
    return context.llvm.parseIRFile(path, new context.llvm.SMDiagnostic(), context.handle);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openContext(): Context {
  if (context !== undefined) return context;
  const loaded = loadLlvm();
  if (!loaded.ok) throw new InternalError(`llvm-bindings cannot be loaded: ${loaded.reason}`);
  const llvm = loaded.module;
  const handle = new llvm.LLVMContext();
  // llvm-bindings cannot make a vector type; it can name the types of a parsed function.
  const anchors = parseText({ llvm, handle }, typeAnchors());
  const types = new Map<LlvmType, Llvm.Type>();
  const pointers = new Map<LlvmType, Llvm.Type>();
  for (const element of elementKinds) {
    for (let lanes = 1; lanes <= maximumLanes; lanes *= 2) {
      if (lanes > 1 && (element === "ptr" || element === "i128")) break;
      const type = typeOf(element, lanes);
      const anchor = anchors.getFunction(`type.${element}.${lanes}`);
      if (anchor === null) throw new InternalError(`no anchor for ${type.text}`);
      const llvmType = anchor.getReturnType();
      types.set(type, llvmType);
      pointers.set(type, llvm.PointerType.get(llvmType, 0));
    }
  }
  context = { llvm, handle, types, pointers };
  return context;
}

/**
 * A module of native code under construction. Functions are declared with `define` (their bodies are written later, by
 * `finish`, in order), because llvm-bindings can give attributes to a function only by parsing its declaration.
 * Definitions made while bodies are written go to a further part; all parts are linked into one module at the end.
 */
export class ModuleBuilder {
  readonly target: CpuTarget;
  readonly #context = openContext();
  readonly #definitions = new Map<string, Definition>();
  readonly #helpers = new Map<string, HelperFunction>();
  #pending: Definition[] = [];
  #finished = false;

  constructor(target: CpuTarget) {
    this.target = target;
  }

  /** Adds a function; `emit` writes its body when the module is finished. Throws InternalError when the name is taken. */
  define(signature: FunctionSignature, emit: Emit): FunctionRef {
    if (this.#finished) throw new InternalError(`${signature.name} defined after the module was finished`);
    if (this.#definitions.has(signature.name)) throw new InternalError(`function ${signature.name} defined twice`);
    declarationText(signature); // validates names and attributes now, where the caller stands on the stack
    const definition = { signature, emit };
    this.#definitions.set(signature.name, definition);
    this.#pending.push(definition);
    return { signature };
  }

  /** As `define`, but gives the function that already has this name: for library functions made on first use. */
  defineOnce(signature: FunctionSignature, emit: Emit): FunctionRef {
    const known = this.#definitions.get(signature.name);
    return known === undefined ? this.define(signature, emit) : { signature: known.signature };
  }

  /** A function that another object file or libc provides. */
  declareExternal(signature: FunctionSignature): FunctionRef {
    declarationText(signature);
    return { signature };
  }

  /** Names of the functions that stay visible in the library. */
  exportedNames(): readonly string[] {
    return this.#namesOf("export");
  }

  /** Names of the functions that other parts of the library call. */
  sharedNames(): readonly string[] {
    return this.#namesOf("part");
  }

  #namesOf(linkage: FunctionSignature["linkage"]): readonly string[] {
    return [...this.#definitions.values()]
      .filter(({ signature }) => signature.linkage === linkage)
      .map(({ signature }) => signature.name);
  }

  /** Writes all bodies, links the parts and verifies. Throws InternalError with LLVM's own message for a broken module. */
  finish(): FinishedModule {
    if (this.#finished) throw new InternalError("a module is finished once");
    const { llvm } = this.#context;
    let whole: Llvm.Module | undefined;
    while (this.#pending.length > 0) {
      const round = this.#pending;
      this.#pending = [];
      const declarations = round.map(({ signature }) => declarationText(signature));
      const part: ModulePart = {
        handle: parseText(this.#context, preludeText(this.target, declarations)),
        callees: new Map(),
      };
      for (const definition of round) this.#writeBody(part, definition);
      whole = this.#link(whole, part.handle);
    }
    this.#finished = true;
    if (whole === undefined) throw new InternalError("a module without functions");
    if (this.#helpers.size > 0) {
      const texts = [...this.#helpers.values()].map((helper) => helper.definition);
      const intrinsics = new Set([...this.#helpers.values()].flatMap((helper) => helper.declarations));
      whole = this.#link(whole, parseText(this.#context, preludeText(this.target, [...intrinsics, ...texts])));
    }
    whole.setDataLayout(dataLayout);
    // The temporary file of the prelude must not make equal modules differ in the cache.
    whole.setModuleIdentifier("graphc");
    whole.setSourceFileName("graphc");
    return new FinishedModule(llvm, whole, this.target, this.exportedNames());
  }

  #link(whole: Llvm.Module | undefined, part: Llvm.Module): Llvm.Module {
    if (whole === undefined) return part;
    if (this.#context.llvm.Linker.linkModules(whole, part)) throw new InternalError("LLVM could not link two parts");
    return whole;
  }

  #writeBody(part: ModulePart, { signature, emit }: Definition): void {
    const handle = part.handle.getFunction(signature.name);
    if (handle === null) throw new InternalError(`function ${signature.name} is not in its prelude`);
    const builder = new Builder(this, part, handle, signature);
    const parameters = signature.parameters.map(({ type }, index) => builder.parameter(index, type));
    emit(builder, parameters);
    builder.close();
  }

  /** For the builder: LLVM's object for a type. */
  llvmType(type: LlvmType): Llvm.Type {
    const llvmType = this.#context.types.get(type);
    if (llvmType === undefined) throw new InternalError(`unknown type ${type.text}`);
    return llvmType;
  }

  /** For the builder: LLVM's object for a typed pointer, which loads and address arithmetic of LLVM 14 want. */
  pointerTo(type: LlvmType): Llvm.Type {
    const llvmType = this.#context.pointers.get(type);
    if (llvmType === undefined) throw new InternalError(`unknown type ${type.text}`);
    return llvmType;
  }

  /** For the builder. */
  get bindings(): LlvmBindings {
    return this.#context.llvm;
  }

  /** For the builder. */
  get contextHandle(): Llvm.LLVMContext {
    return this.#context.handle;
  }

  /** For the builder: the callee of a signature in the part under construction, declared there on first use. */
  callee(part: ModulePart, signature: FunctionSignature): Llvm.FunctionCallee {
    const known = part.callees.get(signature.name);
    if (known !== undefined) return known;
    const { llvm, handle } = this.#context;
    const result = signature.result === undefined ? llvm.Type.getVoidTy(handle) : this.llvmType(signature.result);
    const parameters = signature.parameters.map(({ type }) => this.llvmType(type));
    const callee = part.handle.getOrInsertFunction(signature.name, llvm.FunctionType.get(result, parameters, false));
    part.callees.set(signature.name, callee);
    return callee;
  }

  /** For the builder: keeps the text of a helper that a body has called; the last part defines it. */
  useHelper(helper: HelperFunction): void {
    this.#helpers.set(helper.signature.name, helper);
  }

  hasHelper(name: string): boolean {
    return this.#helpers.has(name);
  }

  helper(name: string): HelperFunction {
    const helper = this.#helpers.get(name);
    if (helper === undefined) throw new InternalError(`no helper ${name}`);
    return helper;
  }
}

/** A verified module: printable, and writable as bitcode for the tools. */
export class FinishedModule {
  readonly target: CpuTarget;
  readonly exports: readonly string[];
  readonly #llvm: LlvmBindings;
  readonly #module: Llvm.Module;

  constructor(llvm: LlvmBindings, module: Llvm.Module, target: CpuTarget, exports: readonly string[]) {
    this.#llvm = llvm;
    this.#module = module;
    this.target = target;
    this.exports = exports;
    if (llvm.verifyModule(module)) throw diagnoseBrokenModule(module.print());
  }

  /** The module as LLVM assembly, for `inspect --stage llvm`. */
  text(): string {
    return this.#module.print();
  }

  /** Writes LLVM bitcode to a file. */
  writeBitcode(path: string): void {
    this.#llvm.WriteBitcodeToFile(this.#module, path);
  }
}
