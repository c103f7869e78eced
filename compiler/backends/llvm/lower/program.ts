import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import type { BufferId, Kernel, KernelProgram } from "../../../kernels/form.js";
import type { Builder } from "../builder.js";
import { type FunctionRef, ModuleBuilder } from "../module.js";
import type { Parameter } from "../prelude.js";
import type { CpuTarget } from "../target.js";
import { i64, ptr } from "../types.js";
import type { Value } from "../value.js";
import { blockWords, entryName, placeholderWord, placeholderWords, variableWord } from "./block.js";
import { emitContract } from "./contract.js";
import type { KernelScope } from "./expressions.js";
import { type Layout, layOut, type Place, type PointerGroup, pointerGroups, useOf } from "./layout.js";
import { emitLoop } from "./loop.js";
import { emitNest } from "./nest.js";
import { emitRoutine } from "./routine.js";

/**
 * Native code for a kernel program: a function a kernel, one that does a step, and the entry, which does n steps. `placeOf` puts kernels
 * into modules of their own, by their numbers, to be linked with this one.
 */
export function lowerProgram(
  program: KernelProgram,
  target: CpuTarget,
  placeOf: (kernel: number) => ModuleBuilder | undefined = () => undefined,
): ModuleBuilder {
  const module = new ModuleBuilder(target);
  const layout = layOut(program);
  const kernels = [...program.compute, ...program.commit];
  // A program of one kernel is a loop around it: inlined, its constants and addresses stay in registers from step to step.
  const inline = kernels.length === 1 ? "always" : "never";
  const compiled = kernels.map((kernel, index) => {
    const place = placeOf(index);
    return defineKernel(place ?? module, layout, kernel, index, inline, place === undefined ? "internal" : "part");
  });
  const step = module.define(
    { name: "graphc_step", parameters: [{ type: ptr, noalias: false }], linkage: "internal", inline: "always" },
    (b, [block]) => {
      if (block === undefined) throw new InternalError("a step without a block");
      emitStep(b, block, layout, compiled.slice(0, program.compute.length), compiled.slice(program.compute.length));
    },
  );
  const run = module.define(
    { name: "graphc_run", parameters: [{ type: ptr }], linkage: "internal", inline: "never" },
    (b, [block]) => {
      if (block === undefined) throw new InternalError("a run without a block");
      emitLoop(b, block, program, layout, step);
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

interface CompiledKernel {
  readonly kernel: Kernel;
  readonly function: FunctionRef;
  readonly groups: readonly PointerGroup[];
  readonly checks: boolean;
}

/** Its parameters: the block, then one pointer a group of buffers. */
function defineKernel(
  module: ModuleBuilder,
  layout: Layout,
  kernel: Kernel,
  index: number,
  inline: "always" | "never",
  linkage: "internal" | "part",
): CompiledKernel {
  const use = useOf(kernel);
  const groups = pointerGroups(layout, use);
  const parameters: readonly Parameter[] = [
    { type: ptr },
    ...groups.map((group) => pointerParameter(layout, group, inline)),
  ];
  const name = `k${index}_${kernel.name.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 60)}`;
  const defined = module.define({ name, parameters, linkage, inline }, (b, [block, ...pointers]) => {
    if (block === undefined) throw new InternalError("a kernel without a block");
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
    };
    emitKernel(scope, kernel, layout);
  });
  return { kernel, function: defined, groups, checks: use.checks };
}

function emitKernel(scope: KernelScope, kernel: Kernel, layout: Layout): void {
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

/** Calls the kernels one after another; after one that can fail, returns early when it did. */
function emitStep(
  b: Builder,
  block: Value,
  layout: Layout,
  compute: readonly CompiledKernel[],
  commit: readonly CompiledKernel[],
): void {
  const bases = new Map<string, Value>();
  const address = (place: Place): Value => {
    const key = `${place.word} ${place.slot}`;
    const base = bases.get(key) ?? baseOf(b, block, layout, place);
    bases.set(key, base);
    return b.offsetBytes(base, place.offset);
  };
  const call = (compiled: CompiledKernel): void => {
    b.call(compiled.function, [block, ...compiled.groups.map((group) => address(group.place))]);
  };
  const leaveOnFailure = (): void => {
    const failure = b.load(i64, b.offsetElements(block, "i64", blockWords.status));
    b.returnIf(b.compare("ne", failure, b.index(0)));
  };
  // The addresses are needed after a return that may be taken: read them all first, where they dominate every call.
  for (const compiled of [...compute, ...commit]) for (const group of compiled.groups) address(group.place);
  for (const compiled of compute) {
    call(compiled);
    if (compiled.checks) leaveOnFailure();
  }
  commit.forEach(call);
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
