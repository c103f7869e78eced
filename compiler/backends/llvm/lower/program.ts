import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import { innerKernels, isLeaf } from "../../../kernels/access.js";
import type { Access, BufferId, Kernel, KernelProgram, LeafKernel, LoopId } from "../../../kernels/form.js";
import type { Builder } from "../builder.js";
import { type FunctionRef, ModuleBuilder } from "../module.js";
import type { Parameter } from "../prelude.js";
import type { CpuTarget } from "../target.js";
import { i32, i64, ptr, storageElement } from "../types.js";
import type { Value } from "../value.js";
import {
  blockWords,
  entryName,
  interrupted,
  placeholderWord,
  placeholderWords,
  statusWords,
  variableWord,
} from "./block.js";
import { emitContract } from "./contract.js";
import type { KernelScope } from "./expressions.js";
import { type Layout, layOut, type Place, type PointerGroup, pointerGroups, useOf } from "./layout.js";
import { emitLoop } from "./loop.js";
import { emitNest } from "./nest.js";
import { Stopwatch } from "./profile.js";
import { emitRoutine } from "./routine.js";

export interface LoweringOptions {
  /** Puts kernels into modules of their own, by their numbers, to be linked with the one that is given back. */
  readonly placeOf?: (kernel: number) => ModuleBuilder | undefined;
  /** Each call of a kernel is measured. */
  readonly profiled?: boolean;
}

/** Native code for a kernel program: a function a kernel, one that does a step, and the entry, which does n steps. */
export function lowerProgram(
  program: KernelProgram,
  target: CpuTarget,
  { placeOf = () => undefined, profiled = false }: LoweringOptions = {},
): ModuleBuilder {
  const module = new ModuleBuilder(target);
  const layout = layOut(program);
  const kernels = enclosed([...program.compute, ...program.commit], []);
  // A program of one kernel is a loop around it: inlined, its constants and addresses stay in registers from step to step. What is
  // measured stays apart, or its arithmetic would move out from between the two readings of the clock.
  const inline = kernels.length === 1 && !profiled ? "always" : "never";
  const compiled = new Map(
    kernels.map(({ kernel, around }, index) => {
      const place = placeOf(index);
      const linkage = place === undefined ? "internal" : "part";
      return [kernel, defineKernel(place ?? module, layout, { kernel, around }, index, inline, linkage)];
    }),
  );
  const step = module.define(
    { name: "graphc_step", parameters: [{ type: ptr, noalias: false }], linkage: "internal", inline: "always" },
    (b, [block]) => {
      if (block === undefined) throw new InternalError("a step without a block");
      const stopwatch = profiled ? new Stopwatch(b, block, kernels.length) : undefined;
      new StepEmitter(b, block, layout, compiled, stopwatch).emit([...program.compute, ...program.commit]);
    },
  );
  const run = module.define(
    { name: "graphc_run", parameters: [{ type: ptr }], linkage: "internal", inline: "never" },
    (b, [block]) => {
      if (block === undefined) throw new InternalError("a run without a block");
      const steps = (): void => emitLoop(b, block, program, layout, step);
      if (profiled) new Stopwatch(b, block, kernels.length).entry(steps);
      else steps();
    },
  );
  module.define({ name: entryName, parameters: [{ type: ptr }], result: i64, linkage: "export" }, (b, [block]) => {
    if (block === undefined) throw new InternalError("an entry without a block");
    b.withFlushToZero(() => {
      b.call(run, [block]);
    });
    b.return(b.load(i64, b.offsetElements(block, "i64", blockWords.status)));
  });
  return module;
}

/** A kernel and the loops whose kernels contain it, outermost first. */
interface Enclosed {
  readonly kernel: LeafKernel;
  readonly around: readonly LoopId[];
}

/** All code of a list of kernels, in the order of `leavesOf`. */
function enclosed(kernels: readonly Kernel[], around: readonly LoopId[]): readonly Enclosed[] {
  return kernels.flatMap((kernel) => {
    if (isLeaf(kernel)) return [{ kernel, around }];
    const own = kernel.kind === "loop" ? [kernel.loop.id] : kernel.kind === "while" ? [kernel.loop] : [];
    return enclosed(innerKernels(kernel), [...around, ...own]);
  });
}

interface CompiledKernel extends Enclosed {
  /** Its number among all. */
  readonly index: number;
  readonly function: FunctionRef;
  readonly groups: readonly PointerGroup[];
  readonly checks: boolean;
}

/** Its parameters: the block, where the loops around it stand, then one pointer a group of buffers. */
function defineKernel(
  module: ModuleBuilder,
  layout: Layout,
  { kernel, around }: Enclosed,
  index: number,
  inline: "always" | "never",
  linkage: "internal" | "part",
): CompiledKernel {
  const use = useOf(kernel);
  const groups = pointerGroups(layout, use);
  const parameters: readonly Parameter[] = [
    { type: ptr },
    ...around.map(() => ({ type: i64 })),
    ...groups.map((group) => pointerParameter(layout, group, inline)),
  ];
  const name = `k${index}_${kernel.name.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 60)}`;
  const defined = module.define({ name, parameters, linkage, inline }, (b, [block, ...others]) => {
    if (block === undefined) throw new InternalError("a kernel without a block");
    const pointers = others.slice(around.length);
    const byBuffer = new Map<BufferId, Value>();
    groups.forEach((group, slot) => {
      const pointer = pointers[slot];
      if (pointer === undefined) throw new InternalError("a kernel without a pointer");
      for (const id of group.buffers) byBuffer.set(id, pointer);
    });
    const scope: KernelScope = {
      b,
      pointers: byBuffer,
      status: use.checks ? b.offsetElements(block, "i64", blockWords.status) : undefined,
      runState: use.draws ? b.offsetElements(block, "i64", blockWords.runState) : undefined,
      around: new Map(around.map((loop, i) => [loop, { base: others[i] as Value, plus: 0 }])),
    };
    emitKernel(scope, kernel, layout);
  });
  return { kernel, around, index, function: defined, groups, checks: use.checks };
}

function emitKernel(scope: KernelScope, kernel: LeafKernel, layout: Layout): void {
  switch (kernel.kind) {
    case "nest":
      emitNest(scope, kernel);
      break;
    case "contract":
      emitContract(scope, kernel);
      break;
    case "routine":
      emitRoutine(scope, kernel, layout.buffers);
      break;
  }
}

function pointerParameter(layout: Layout, group: PointerGroup, inline: "always" | "never"): Parameter {
  const { place } = group;
  // A placeholder may point at any row of a data set: its elements' own size is all that is known.
  const buffer = layout.buffers.get(group.buffers[0] as BufferId);
  const align = place.word === "placeholder" ? byteSize(buffer?.dtype ?? "u8") : place.word === "runState" ? 8 : 64;
  // Two placeholders may be fed the same array; both are only read, and that is no aliasing that matters. When LLVM 14 inlines, it
  // turns noalias into metadata, and there it looks through six casts and offsets only: of an address beyond, it says that it
  // is apart from the parameter that it comes from, and stores were moved past loads of the same place.
  const isApart = !group.aliased && inline === "never";
  return {
    type: ptr,
    ...(isApart ? { noalias: true } : {}),
    align,
    ...(group.written ? {} : { access: "read" as const }),
  };
}

/** Calls the kernels one after another, in their loops and branches; after one that can fail, returns early when it did. */
class StepEmitter {
  readonly #b: Builder;
  readonly #block: Value;
  readonly #layout: Layout;
  readonly #compiled: ReadonlyMap<Kernel, CompiledKernel>;
  readonly #stopwatch: Stopwatch | undefined;
  readonly #bases = new Map<string, Value>();
  readonly #loops = new Map<LoopId, Value>();

  constructor(
    b: Builder,
    block: Value,
    layout: Layout,
    compiled: ReadonlyMap<Kernel, CompiledKernel>,
    stopwatch: Stopwatch | undefined,
  ) {
    this.#b = b;
    this.#block = block;
    this.#layout = layout;
    this.#compiled = compiled;
    this.#stopwatch = stopwatch;
  }

  emit(kernels: readonly Kernel[]): void {
    // The addresses are needed inside loops and after a return that may be taken: read them all first, where they dominate all.
    for (const { groups } of this.#compiled.values()) for (const group of groups) this.#base(group.place);
    for (const kernel of composites(kernels)) {
      if (kernel.kind !== "loop") this.#base(this.#placeOf(kernel.predicate.buffer));
    }
    this.#run(kernels);
  }

  #run(kernels: readonly Kernel[]): void {
    for (const kernel of kernels) this.#kernel(kernel);
  }

  #kernel(kernel: Kernel): void {
    const b = this.#b;
    switch (kernel.kind) {
      case "nest":
      case "contract":
      case "routine":
        this.#call(kernel);
        return;
      case "loop":
        b.loop(0, kernel.loop.extent, 1, (at) => {
          this.#within(kernel.loop.id, at, () => this.#run(kernel.body));
          return [];
        });
        return;
      case "while":
        b.loopWhile(
          [b.index(0)],
          ([turn]) => {
            this.#within(kernel.loop, turn as Value, () => this.#run(kernel.condition));
            return this.#isTrue(kernel.predicate);
          },
          ([turn]) => {
            this.#returnIfInterrupted();
            this.#within(kernel.loop, turn as Value, () => this.#run(kernel.body));
            return [b.add(turn as Value, b.index(1))];
          },
        );
        return;
      case "branch":
        b.ifElse(
          this.#isTrue(kernel.predicate),
          () => {
            this.#run(kernel.whenTrue);
            return [];
          },
          () => {
            this.#run(kernel.whenFalse);
            return [];
          },
        );
        return;
    }
  }

  #returnIfInterrupted(): void {
    const b = this.#b;
    const flag = b.load(ptr, b.offsetElements(this.#block, "i64", blockWords.stop));
    const asked = b.compare("ne", b.loadVolatile(i32, flag), b.constant(i32, 0));
    b.ifElse(asked, () => {
      b.store(
        b.constant(i64, interrupted),
        b.offsetElements(this.#block, "i64", blockWords.status + statusWords.failure),
      );
    });
    b.returnIf(asked);
  }

  #within(loop: LoopId, at: Value, body: () => void): void {
    this.#loops.set(loop, at);
    body();
    this.#loops.delete(loop);
  }

  #call(kernel: LeafKernel): void {
    const b = this.#b;
    const compiled = this.#compiled.get(kernel);
    if (compiled === undefined) throw new InternalError(`the kernel ${kernel.name} was not compiled`);
    const loops = compiled.around.map((loop) => this.#loopAt(loop));
    const pointers = compiled.groups.map(({ place }) => this.#address(place));
    const begin = this.#stopwatch?.begin();
    b.call(compiled.function, [this.#block, ...loops, ...pointers]);
    if (begin !== undefined) this.#stopwatch?.end(compiled.index, begin);
    if (!compiled.checks) return;
    const failure = b.load(i64, b.offsetElements(this.#block, "i64", blockWords.status));
    b.returnIf(b.compare("ne", failure, b.index(0)));
  }

  /** The bool at a place, as i1. */
  #isTrue({ buffer, index }: Access): Value {
    const b = this.#b;
    const start = this.#address(this.#placeOf(buffer));
    const at = index.terms.reduce<Value>(
      (sum, { loop, stride }) => b.add(sum, b.mul(this.#loopAt(loop), b.index(stride))),
      b.index(index.offset),
    );
    return b.loadElements("bool", 1, b.offsetElements(start, storageElement("bool"), at));
  }

  #loopAt(loop: LoopId): Value {
    const at = this.#loops.get(loop);
    if (at === undefined) throw new InternalError(`the loop ${loop} is not open here`);
    return at;
  }

  #placeOf(buffer: BufferId): Place {
    const place = this.#layout.places.get(buffer);
    if (place === undefined) throw new InternalError(`the buffer ${buffer} has no place`);
    return place;
  }

  #address(place: Place): Value {
    return this.#b.offsetBytes(this.#base(place), place.offset);
  }

  #base(place: Place): Value {
    const key = `${place.word} ${place.slot}`;
    const base = this.#bases.get(key) ?? baseOf(this.#b, this.#block, this.#layout, place);
    this.#bases.set(key, base);
    return base;
  }
}

/** The loops and branches of a list of kernels, inner ones too. */
function composites(kernels: readonly Kernel[]): readonly Exclude<Kernel, LeafKernel>[] {
  return kernels.flatMap((kernel) => (isLeaf(kernel) ? [] : [kernel, ...composites(innerKernels(kernel))]));
}

function baseOf(b: Builder, block: Value, layout: Layout, place: Place): Value {
  const word = (index: number): Value => b.argument(block, index);
  switch (place.word) {
    case "placeholder":
      return word(placeholderWord(place.slot, placeholderWords.address));
    case "variable":
      return word(variableWord(layout.placeholders.length, place.slot));
    case "arena":
      return word(blockWords.arena);
    case "constants":
      return word(blockWords.constants);
    case "runState":
      return b.offsetElements(block, "i64", blockWords.runState);
    default:
      throw new InternalError(`no base ${place.word}`);
  }
}
