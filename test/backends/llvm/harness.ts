import { probe } from "../../../compiler/backends/llvm/availability.js";
import type { Builder } from "../../../compiler/backends/llvm/builder.js";
import { loadLibrary, type NativeLibrary } from "../../../compiler/backends/llvm/library.js";
import { allocateNative } from "../../../compiler/backends/llvm/memory.js";
import { ModuleBuilder } from "../../../compiler/backends/llvm/module.js";
import { type CpuTarget, hostTarget, targetLevels } from "../../../compiler/backends/llvm/target.js";
import { buildLibrary } from "../../../compiler/backends/llvm/toolchain.js";
import { type ElementKind, i64, ptr, typeOf } from "../../../compiler/backends/llvm/types.js";
import type { Value } from "../../../compiler/backends/llvm/value.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import { byteSize } from "../../../compiler/ir/dtype.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";

export const nativeIsAvailable = probe().available;

/** The levels that this machine can run, the lowest first. */
export function testTargets(): readonly CpuTarget[] {
  const best = targetLevels.indexOf(hostTarget().level);
  return targetLevels.slice(0, best + 1).map((level) => hostTarget(level));
}

/** A function from vectors of one kind to a vector of another, as a test wants to see it at work. */
export interface LaneFunction {
  readonly name: string;
  readonly lanes: number;
  readonly inputs: readonly NumericDType[];
  readonly output: NumericDType;
  readonly emit: (b: Builder, inputs: readonly Value[]) => Value;
}

export interface Applied {
  /** Applies a function to arrays of one length, a multiple of its lanes, with subnormals flushed. */
  readonly apply: (name: string, inputs: readonly TensorData[]) => TensorData;
  readonly unload: () => void;
}

/** Compiles lane functions to one library whose entries apply them to arrays. */
export async function compileLaneFunctions(target: CpuTarget, functions: readonly LaneFunction[]): Promise<Applied> {
  const module = new ModuleBuilder(target);
  for (const lane of functions) {
    const block = { type: ptr, access: "read" as const, align: 8 };
    const inner = module.define(
      { name: `${lane.name}.inner`, parameters: [block], linkage: "internal", inline: "never" },
      (b, [words]) => {
        if (words === undefined) return;
        const addresses = lane.inputs.map((_, index) => b.argument(words, 2 + index));
        const result = b.argument(words, 1);
        b.loop(0, b.argument(words, 0, i64), lane.lanes, (index) => {
          const inputs = lane.inputs.map((dtype, slot) =>
            b.load(
              typeOf(storage(dtype), lane.lanes),
              b.offsetElements(addresses[slot] ?? words, storage(dtype), index),
            ),
          );
          b.store(lane.emit(b, inputs), b.offsetElements(result, storage(lane.output), index));
          return [];
        });
      },
    );
    module.define({ name: lane.name, parameters: [block], result: i64, linkage: "export" }, (b, [words]) => {
      if (words === undefined) return;
      b.withFlushToZero(() => {
        b.call(inner, [words]);
      });
      b.return(b.index(0));
    });
  }
  const built = await buildLibrary([module.finish()]);
  const library = loadLibrary(built.path);
  return { apply: (name, inputs) => applyEntry(library, functions, name, inputs), unload: () => library.unload() };
}

function storage(dtype: NumericDType): ElementKind {
  switch (dtype) {
    case "f16":
    case "bf16":
      return "i16";
    case "u8":
    case "bool":
      return "i8";
    default:
      return dtype;
  }
}

function applyEntry(
  library: NativeLibrary,
  functions: readonly LaneFunction[],
  name: string,
  inputs: readonly TensorData[],
): TensorData {
  const lane = functions.find((candidate) => candidate.name === name);
  const count = inputs[0]?.length ?? 0;
  if (lane === undefined || count % lane.lanes !== 0) throw new Error(`cannot apply ${name} to ${count} elements`);
  const block = allocateNative(8 * (2 + inputs.length));
  const words = block.view("i64", 0, 2 + inputs.length);
  const output = allocateNative(count * byteSize(lane.output));
  const buffers = inputs.map((data, slot) => {
    const dtype = lane.inputs[slot] ?? "f32";
    const buffer = allocateNative(data.byteLength);
    const view = buffer.view(dtype, 0, data.length);
    new Uint8Array(view.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return buffer;
  });
  [BigInt(count), output.address, ...buffers.map(({ address }) => address)].forEach((word, index) => {
    words[index] = word;
  });
  library.entry(name).call(block.address);
  const result = output.view(lane.output, 0, count).slice();
  for (const buffer of [block, output, ...buffers]) buffer.free();
  return result;
}

/** What a lane function of two operands of one type does. */
export type Pair = (b: Builder, x: Value, y: Value) => Value;

/** A lane function of two operands and a result of one dtype. */
export function binary(name: string, dtype: LaneFunction["output"], lanes: number, emit: Pair): LaneFunction {
  return {
    name,
    lanes,
    inputs: [dtype, dtype],
    output: dtype,
    emit: (b, [x, y]) => {
      if (x === undefined || y === undefined) throw new Error("two operands");
      return emit(b, x, y);
    },
  };
}

/** A lane function of one operand. */
export function unary(
  name: string,
  input: LaneFunction["output"],
  output: LaneFunction["output"],
  lanes: number,
  emit: (b: Builder, x: Value) => Value,
): LaneFunction {
  return {
    name,
    lanes,
    inputs: [input],
    output,
    emit: (b, [x]) => {
      if (x === undefined) throw new Error("one operand");
      return emit(b, x);
    },
  };
}
