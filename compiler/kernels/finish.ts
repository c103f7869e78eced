import { absorbCopies } from "./absorb.js";
import { buffersOf } from "./access.js";
import { loopAffine } from "./affine.js";
import { requireBounded } from "./bounds.js";
import type { AccumulatorId, BufferId, Extent, Kernel, KernelProgram, LoopId } from "./form.js";
import { shareInPlace } from "./in_place.js";
import { planMemory } from "./memory.js";
import { Rewriter } from "./rewrite.js";

/**
 * Drops buffers that no kernel mentions, numbers buffers, loops and accumulators from 0 in order of appearance (so that equal
 * computations print and hash equally), and plans the memory.
 */
export function finishProgram(given: Omit<KernelProgram, "memory">): {
  readonly program: KernelProgram;
  /** The number that a buffer has in the end; undefined for one that was dropped. */
  readonly bufferOf: (id: BufferId) => BufferId | undefined;
} {
  const { program, ownerOf } = absorbCopies(given);
  const outputs = new Set(program.outputs.map((output) => output.buffer));
  const used = new Set<BufferId>(outputs);
  for (const kernel of [...program.compute, ...program.commit]) for (const id of buffersOf(kernel)) used.add(id);
  const buffers = program.buffers
    .filter((buffer) => used.has(buffer.id))
    .map((buffer, id) => ({ old: buffer.id, buffer: { ...buffer, id } }));
  const bufferNames = new Map(buffers.map(({ old, buffer }) => [old, buffer.id]));
  const loops = new Map<LoopId, LoopId>();
  const accumulators = new Map<AccumulatorId, AccumulatorId>();
  const numbered = (map: Map<number, number>, id: number): number => {
    const known = map.get(id) ?? map.size;
    map.set(id, known);
    return known;
  };
  const bufferOf = (id: BufferId): BufferId => bufferNames.get(id) ?? id;
  const loopOf = (id: LoopId): LoopId => numbered(loops, id);
  const accumulatorOf = (id: AccumulatorId): AccumulatorId => numbered(accumulators, id);
  const renumber = (kernel: Kernel): Kernel => {
    const rewriter = new Rewriter({
      loop: (loop) => loopAffine(loopOf(loop)),
      buffer: bufferOf,
      accumulator: accumulatorOf,
    });
    const extent = (loop: Extent): Extent => ({ ...loop, id: loopOf(loop.id) });
    switch (kernel.kind) {
      case "nest":
        return { ...kernel, body: rewriter.statements(kernel.body, loopOf) };
      case "contract":
        return {
          ...kernel,
          batch: kernel.batch.map(extent),
          m: kernel.m.map(extent),
          n: kernel.n.map(extent),
          k: kernel.k.map(extent),
          lhs: rewriter.expression(kernel.lhs),
          rhs: rewriter.expression(kernel.rhs),
          accumulator: { ...kernel.accumulator, id: accumulatorOf(kernel.accumulator.id) },
          epilogue: kernel.epilogue.map((store) => ({
            ...store,
            target: rewriter.access(store.target),
            value: rewriter.expression(store.value),
          })),
          scratch: kernel.scratch.map(bufferOf),
          ...(kernel.panel === undefined ? {} : { panel: { ...kernel.panel, buffer: bufferOf(kernel.panel.buffer) } }),
        };
      case "routine":
        return {
          ...kernel,
          operands: kernel.operands.map(bufferOf),
          results: kernel.results.map(bufferOf),
          scratch: kernel.scratch.map(bufferOf),
        };
      case "loop":
        return { ...kernel, loop: extent(kernel.loop), body: kernel.body.map(renumber) };
      case "while":
        return {
          ...kernel,
          loop: loopOf(kernel.loop),
          condition: kernel.condition.map(renumber),
          predicate: rewriter.access(kernel.predicate),
          body: kernel.body.map(renumber),
        };
      case "branch":
        return {
          ...kernel,
          predicate: rewriter.access(kernel.predicate),
          whenTrue: kernel.whenTrue.map(renumber),
          whenFalse: kernel.whenFalse.map(renumber),
        };
    }
  };
  const compute = program.compute.map(renumber);
  const commit = program.commit.map(renumber);
  const kept = buffers.map(({ buffer }) => buffer);
  const outputIds = new Set([...outputs].map(bufferOf));
  const kernels = [...compute, ...commit];
  requireBounded({ buffers: kept, compute, commit });
  return {
    program: {
      name: program.name,
      buffers: kept,
      compute,
      commit,
      outputs: program.outputs.map((output) => ({ ...output, buffer: bufferOf(output.buffer) })),
      failures: program.failures,
      memory: planMemory(kernels, kept, outputIds, shareInPlace(kernels, kept, outputIds)),
    },
    bufferOf: (id) => bufferNames.get(ownerOf(id)),
  };
}
