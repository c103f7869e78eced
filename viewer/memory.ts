import { typeText } from "../compiler/ir/type.js";
import type { Buffer, BufferId, KernelProgram } from "../compiler/kernels/form.js";
import { byteLength, lives } from "../compiler/kernels/lives.js";
import type { BufferName } from "./buffer_names.js";
import type { BufferModel, MemoryModel } from "./model.js";

/** Where the program's tensors lie, and when temporaries are in use. */
export function memoryOf(program: KernelProgram, names: ReadonlyMap<BufferId, BufferName>): MemoryModel {
  const { memory, buffers, compute, commit, outputs } = program;
  const found = lives([...compute, ...commit], buffers, new Set(outputs.map(({ buffer }) => buffer)));
  const life = new Map(found.list.map((one) => [one.buffer, one]));
  return {
    arenaBytes: memory.arenaBytes,
    peakBytes: memory.peakBytes,
    moments: found.moments.length,
    buffers: buffers.map((buffer) => bufferModel(buffer, names.get(buffer.id), memory.offsets, life.get(buffer.id))),
  };
}

function bufferModel(
  buffer: Buffer,
  name: BufferName | undefined,
  offsets: ReadonlyMap<BufferId, number>,
  life: { readonly from: number; readonly to: number } | undefined,
): BufferModel {
  const { storage } = buffer;
  return {
    label:
      storage.kind === "variable"
        ? storage.path
        : storage.kind === "placeholder"
          ? storage.name
          : (name?.label ?? buffer.label),
    storage: storage.kind === "run_state" ? "run state" : storage.kind,
    type: name?.type ?? typeText({ dtype: buffer.dtype, shape: [buffer.length] }),
    bytes: byteLength(buffer),
    offset: offsets.get(buffer.id),
    from: life?.from ?? 0,
    to: life?.to ?? 0,
  };
}

/** The buffers of several programs in a row. Each launch makes a new array, so that none has a place. */
export function memoryOfParts(
  parts: readonly { readonly program: KernelProgram; readonly names: ReadonlyMap<BufferId, BufferName> }[],
): MemoryModel {
  const buffers = parts.flatMap(({ program, names }) =>
    program.buffers.map((buffer) => bufferModel(buffer, names.get(buffer.id), new Map(), undefined)),
  );
  const bytes = (storage: BufferModel["storage"]): number =>
    buffers.reduce((sum, one) => (one.storage === storage ? sum + one.bytes : sum), 0);
  return { arenaBytes: bytes("temporary"), peakBytes: bytes("temporary") + bytes("variable"), moments: 0, buffers };
}
