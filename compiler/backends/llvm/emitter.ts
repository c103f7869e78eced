import type * as Llvm from "llvm-bindings";
import { InternalError } from "../../ir/diagnostic.js";
import type { FunctionRef, ModuleBuilder, ModulePart } from "./module.js";
import type { FunctionSignature, HelperFunction } from "./prelude.js";
import type { CpuTarget } from "./target.js";
import { type ElementKind, elementBits, isFloatElement, isIntegerElement, type LlvmType, typeOf } from "./types.js";
import { requireType, type Value } from "./value.js";

/**
 * The ground of the builder: blocks, constants and calls. A value of another function or module must not be used here;
 * LLVM's verifier finds that at the end.
 */
export class Emitter {
  readonly module: ModuleBuilder;
  readonly signature: FunctionSignature;
  protected readonly part: ModulePart;
  protected readonly ir: Llvm.IRBuilder;
  readonly #function: Llvm.Function;
  readonly #constants = new Map<string, Value>();
  #block: Llvm.BasicBlock;
  #terminated = false;

  constructor(module: ModuleBuilder, part: ModulePart, handle: Llvm.Function, signature: FunctionSignature) {
    this.module = module;
    this.part = part;
    this.signature = signature;
    this.#function = handle;
    this.ir = new module.bindings.IRBuilder(module.contextHandle);
    this.#block = this.newBlock("entry");
    this.ir.SetInsertPoint(this.#block);
  }

  get target(): CpuTarget {
    return this.module.target;
  }

  /** Lanes of one vector register for an element kind (at least 1). */
  lanesOf(element: ElementKind): number {
    return Math.max(1, (this.target.vectorBytes * 8) / Math.max(8, elementBits(element)));
  }

  protected wrap(type: LlvmType, handle: Llvm.Value): Value {
    return { type, handle };
  }

  /** For the module: the value of a parameter. */
  parameter(index: number, type: LlvmType): Value {
    if (index < 0 || index >= this.signature.parameters.length) throw new InternalError(`no parameter ${index}`);
    return this.wrap(type, this.#function.getArg(index));
  }

  /** A number as a value of `type`, in every lane. Integers wrap to their width; floats round to their precision. */
  constant(type: LlvmType, value: number | bigint | boolean): Value {
    const number = typeof value === "boolean" ? Number(value) : value;
    const key = `${type.text} ${typeof number} ${Object.is(number, -0) ? "-0" : number}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = {
      type,
      handle: this.#constantHandle(type, number),
      constant: number,
    };
    this.#constants.set(key, made);
    return made;
  }

  #constantHandle(type: LlvmType, value: number | bigint): Llvm.Value {
    const { ConstantFP, ConstantInt, Constant } = this.module.bindings;
    const llvmType = this.module.llvmType(type);
    if (isFloatElement(type.element)) return ConstantFP.get(llvmType, Number(value));
    if (!isIntegerElement(type.element)) throw new InternalError(`no constants of ${type.text}`);
    if (typeof value === "number" && !Number.isInteger(value)) throw new InternalError(`${value} as ${type.text}`);
    if (type.element === "i1") {
      return Number(value) === 0 ? Constant.getNullValue(llvmType) : Constant.getAllOnesValue(llvmType);
    }
    const wrapped = BigInt.asIntN(Math.min(64, elementBits(type.element)), BigInt(value));
    if (type.element === "i128" && wrapped !== BigInt(value)) throw new InternalError(`${value} is wider than 64 bits`);
    if (wrapped >= -(2n ** 53n) && wrapped <= 2n ** 53n) return ConstantInt.get(llvmType, Number(wrapped), true);
    // A JavaScript number holds 53 bits: join two halves, which LLVM folds into one constant.
    const high = ConstantInt.get(llvmType, Number(wrapped >> 32n), true);
    const low = ConstantInt.get(llvmType, Number(wrapped & 0xffffffffn), true);
    return this.ir.CreateOr(this.ir.CreateShl(high, ConstantInt.get(llvmType, 32, true)), low);
  }

  /** An i64: sizes, offsets and loop bounds. */
  index(value: number | bigint): Value {
    return this.constant(typeOf("i64"), value);
  }

  /** Any bits: for lanes that are never read. */
  undefined(type: LlvmType): Value {
    return this.wrap(type, this.module.bindings.UndefValue.get(this.module.llvmType(type)));
  }

  /** Calls a function; gives its result, or nothing for a function without. */
  call(callee: FunctionRef, operands: readonly Value[]): Value | undefined {
    const { signature } = callee;
    this.#checkCall(signature, operands);
    const handle = this.ir.CreateCall(
      this.module.callee(this.part, signature),
      operands.map((operand) => operand.handle),
    );
    return signature.result === undefined ? undefined : this.wrap(signature.result, handle);
  }

  /** Calls a function that has a result. */
  callValue(callee: FunctionRef, operands: readonly Value[]): Value {
    const result = this.call(callee, operands);
    if (result === undefined) throw new InternalError(`${callee.signature.name} has no result`);
    return result;
  }

  #checkCall(signature: FunctionSignature, operands: readonly Value[]): void {
    if (operands.length !== signature.parameters.length) {
      throw new InternalError(
        `${signature.name} takes ${signature.parameters.length} operands, not ${operands.length}`,
      );
    }
    for (const [index, operand] of operands.entries()) {
      const parameter = signature.parameters[index];
      if (parameter !== undefined) requireType(`operand ${index} of ${signature.name}`, operand, parameter.type);
    }
  }

  /** An LLVM intrinsic by its full name, such as `llvm.fma.v16f32`. */
  protected intrinsic(name: string, operands: readonly Value[], result: LlvmType): Value {
    const parameters = operands.map(({ type }) => ({ type }));
    return this.callValue({ signature: { name, parameters, result, linkage: "libc" } }, operands);
  }

  /** Calls a helper, making its text on first use. */
  protected helper(name: string, operands: readonly Value[], make: () => HelperFunction): Value | undefined {
    if (!this.module.hasHelper(name)) this.module.useHelper(make());
    const helper = this.module.helper(name);
    return this.call({ signature: helper.signature }, operands);
  }

  protected helperValue(name: string, operands: readonly Value[], make: () => HelperFunction): Value {
    const result = this.helper(name, operands, make);
    if (result === undefined) throw new InternalError(`helper ${name} has no result`);
    return result;
  }

  protected newBlock(name: string): Llvm.BasicBlock {
    return this.module.bindings.BasicBlock.Create(this.module.contextHandle, name, this.#function);
  }

  protected get block(): Llvm.BasicBlock {
    return this.#block;
  }

  protected continueIn(block: Llvm.BasicBlock): void {
    this.#block = block;
    this.#terminated = false;
    this.ir.SetInsertPoint(block);
  }

  protected branch(block: Llvm.BasicBlock): void {
    this.#requireOpen();
    this.ir.CreateBr(block);
    this.#terminated = true;
  }

  protected branchIf(condition: Value, then: Llvm.BasicBlock, otherwise: Llvm.BasicBlock): void {
    this.#requireOpen();
    requireType("branch", condition, typeOf("i1"));
    this.ir.CreateCondBr(condition.handle, then, otherwise);
    this.#terminated = true;
  }

  #requireOpen(): void {
    if (this.#terminated) throw new InternalError(`${this.signature.name}: code after the end of a block`);
  }

  /** Ends the function with its result (none for a function without). */
  return(value?: Value): void {
    this.#requireOpen();
    const { name, result } = this.signature;
    if ((value === undefined) !== (result === undefined)) throw new InternalError(`${name}: wrong kind of return`);
    if (value !== undefined && result !== undefined) requireType(`result of ${name}`, value, result);
    if (value === undefined) this.ir.CreateRetVoid();
    else this.ir.CreateRet(value.handle);
    this.#terminated = true;
  }

  /** For the module: a function without a result may end without saying so. */
  close(): void {
    if (this.#terminated) return;
    if (this.signature.result !== undefined) throw new InternalError(`${this.signature.name} ends without its result`);
    this.return();
  }
}
