import { InternalError } from "../../ir/diagnostic.js";
import { MemoryBuilder } from "./builder-memory.js";
import { helperFunction } from "./prelude.js";
import { i32, i64, type LlvmType, ptr } from "./types.js";
import { requireType, type Value } from "./value.js";

/** The body of a counted loop: gets the counter and the carried values, gives their next values. */
export type LoopBody = (index: Value, state: readonly Value[]) => readonly Value[] | undefined;

/** Bits 15 and 6 of MXCSR: results below the normal range become zero; so do operands. */
const flushToZero = 0x8040;

/** Writes one function: everything of the layers below, and control flow. */
export class Builder extends MemoryBuilder {
  /**
   * `for (i = from; i < to; i += step)` over i64, signed; gives the carried values after the last turn (the initial ones
   * where there is none). Written as LLVM likes loops: the test stands at the end, guarded where it may not run at all.
   */
  loop(
    from: Value | number,
    to: Value | number,
    step: Value | number,
    body: LoopBody,
    initial: readonly Value[] = [],
  ): readonly Value[] {
    const [first, limit, stride] = [from, to, step].map((x) => (typeof x === "number" ? this.index(x) : x));
    if (first === undefined || limit === undefined || stride === undefined) throw new InternalError("loop bounds");
    for (const bound of [first, limit, stride]) requireType("loop", bound, i64);
    if (stride.constant !== undefined && Number(stride.constant) <= 0) throw new InternalError("a loop steps forwards");
    const known = first.constant !== undefined && limit.constant !== undefined;
    const runs = known ? BigInt(first.constant) < BigInt(limit.constant) : undefined;
    if (runs === false) return initial;
    const before = this.block;
    const turn = this.newBlock("loop");
    const after = this.newBlock("after");
    if (runs === true) this.branch(turn);
    else this.branchIf(this.compare("lt", first, limit), turn, after);
    this.continueIn(turn);
    const counter = this.ir.CreatePHI(this.module.llvmType(i64), 2);
    counter.addIncoming(first.handle, before);
    const carried = initial.map((value) => {
      const phi = this.ir.CreatePHI(this.module.llvmType(value.type), 2);
      phi.addIncoming(value.handle, before);
      return phi;
    });
    const index = this.wrap(i64, counter);
    const state = initial.map((value, slot) => this.wrap(value.type, carried[slot] ?? value.handle));
    const next = this.#stateAfter(body(index, state), initial);
    const following = this.add(index, stride);
    const latch = this.block;
    counter.addIncoming(following.handle, latch);
    for (const [slot, phi] of carried.entries()) phi.addIncoming((next[slot] ?? index).handle, latch);
    this.branchIf(this.compare("lt", following, limit), turn, after);
    this.continueIn(after);
    return initial.map((value, slot) => {
      const phi = this.ir.CreatePHI(this.module.llvmType(value.type), 2);
      if (runs === undefined) phi.addIncoming(value.handle, before);
      phi.addIncoming((next[slot] ?? value).handle, latch);
      return this.wrap(value.type, phi);
    });
  }

  #stateAfter(given: readonly Value[] | undefined, initial: readonly Value[]): readonly Value[] {
    const next = given ?? [];
    if (next.length !== initial.length)
      throw new InternalError(`a body carries ${next.length} of ${initial.length} values`);
    for (const [slot, value] of initial.entries()) requireType("carried value", next[slot] ?? value, value.type);
    return next;
  }

  /** `while (condition(state)) state = body(state)`; gives the state for which the condition failed. */
  loopWhile(
    initial: readonly Value[],
    condition: (state: readonly Value[]) => Value,
    body: (state: readonly Value[]) => readonly Value[],
  ): readonly Value[] {
    const before = this.block;
    const head = this.newBlock("while");
    const turn = this.newBlock("do");
    const after = this.newBlock("done");
    this.branch(head);
    this.continueIn(head);
    const phis = initial.map((value) => {
      const phi = this.ir.CreatePHI(this.module.llvmType(value.type), 2);
      phi.addIncoming(value.handle, before);
      return phi;
    });
    const state = initial.map((value, slot) => this.wrap(value.type, phis[slot] ?? value.handle));
    this.branchIf(condition(state), turn, after);
    this.continueIn(turn);
    const next = this.#stateAfter(body(state), initial);
    const latch = this.block;
    for (const [slot, phi] of phis.entries())
      phi.addIncoming((next[slot] ?? state[slot] ?? initial[0])?.handle ?? phi, latch);
    this.branch(head);
    this.continueIn(after);
    return state;
  }

  /** Runs one of two bodies; they give values of the same types, which are joined. */
  ifElse(
    condition: Value,
    then: () => readonly Value[] | undefined,
    otherwise: () => readonly Value[] | undefined = () => [],
  ): readonly Value[] {
    const thenBlock = this.newBlock("then");
    const otherwiseBlock = this.newBlock("else");
    const join = this.newBlock("join");
    this.branchIf(condition, thenBlock, otherwiseBlock);
    this.continueIn(thenBlock);
    const yes = then() ?? [];
    const yesEnd = this.block;
    this.branch(join);
    this.continueIn(otherwiseBlock);
    const no = otherwise() ?? [];
    const noEnd = this.block;
    this.branch(join);
    this.continueIn(join);
    if (yes.length !== no.length) throw new InternalError(`branches give ${yes.length} and ${no.length} values`);
    return yes.map((value, slot) => {
      const other = no[slot] ?? value;
      requireType("branch value", other, value.type);
      const phi = this.ir.CreatePHI(this.module.llvmType(value.type), 2);
      phi.addIncoming(value.handle, yesEnd);
      phi.addIncoming(other.handle, noEnd);
      return this.wrap(value.type, phi);
    });
  }

  /** Ends the function early where the condition holds. */
  returnIf(condition: Value, value?: Value): void {
    const leave = this.newBlock("leave");
    const stay = this.newBlock("stay");
    this.branchIf(condition, leave, stay);
    this.continueIn(leave);
    this.return(value);
    this.continueIn(stay);
  }

  /** The floating-point control word (i32). */
  readControlWord(): Value {
    return this.helperValue("mxcsr.read", [], () =>
      helperFunction(
        "mxcsr.read",
        [],
        i32,
        [
          "%a = alloca i32, align 4",
          "%b = bitcast i32* %a to i8*",
          "call void @llvm.x86.sse.stmxcsr(i8* %b)",
          "%r = load volatile i32, i32* %a, align 4",
          "ret i32 %r",
        ],
        ["declare void @llvm.x86.sse.stmxcsr(i8*)"],
      ),
    );
  }

  writeControlWord(word: Value): void {
    requireType("writeControlWord", word, i32);
    this.helper("mxcsr.write", [word], () =>
      helperFunction(
        "mxcsr.write",
        [i32],
        undefined,
        [
          "%a = alloca i32, align 4",
          "store volatile i32 %p0, i32* %a, align 4",
          "%b = bitcast i32* %a to i8*",
          "call void @llvm.x86.sse.ldmxcsr(i8* %b)",
          "ret void",
        ],
        ["declare void @llvm.x86.sse.ldmxcsr(i8*)"],
      ),
    );
  }

  /**
   * Runs `body` with subnormal operands and results taken as zero, then restores the caller's word. The body must do its
   * arithmetic in a function of its own that is not inlined: LLVM may move plain arithmetic across the switch.
   */
  withFlushToZero(body: () => void): void {
    const saved = this.readControlWord();
    this.writeControlWord(this.or(saved, this.constant(i32, flushToZero)));
    body();
    this.writeControlWord(saved);
  }

  /** The i-th word of an argument block (a row of 8-byte words): an address, an i64 or another scalar. */
  argument(block: Value, word: number, type: LlvmType = ptr): Value {
    requireType("argument", block, ptr);
    return this.load(type, this.offsetElements(block, "i64", word));
  }
}
