import { leavesOf, loadsOf, storesOf, writtenBy } from "./access.js";
import type { BufferId, Kernel, KernelProgram, LeafKernel } from "./form.js";
import { mayShare, overwrittenTooEarly } from "./hazards.js";
import { byteLength, lives } from "./lives.js";

/** The part of the verifier that looks at the arena and at the order of writes and reads. */
export function verifyMemory(
  program: KernelProgram,
  report: (kernel: Kernel | undefined, message: string) => void,
): void {
  const kernels = [...program.compute, ...program.commit];
  const outputs = new Set(program.outputs.map((output) => output.buffer));
  const { memory, buffers } = program;

  // Overlap in the arena. Two that meet in one kernel may share a place when the kernel works element by element.
  const { list, moments } = lives(kernels, buffers, outputs);
  const all = list.map((life) => ({ ...life, offset: memory.offsets.get(life.buffer) }));
  const byOffset = [...all].sort((a, b) => (a.offset ?? 0) - (b.offset ?? 0));
  byOffset.forEach((a, i) => {
    if (a.offset === undefined || a.offset % 64 !== 0 || a.offset + a.bytes > memory.arenaBytes) {
      report(undefined, `the temporary b${a.buffer} has no good place in the arena (${a.offset})`);
      return;
    }
    for (let j = i + 1; j < byOffset.length; j++) {
      const b = byOffset[j];
      if (b?.offset === undefined || b.offset >= a.offset + a.bytes) break;
      if (a.to < b.from || b.to < a.from || a.bytes === 0 || b.bytes === 0) continue;
      const [first, second] = a.from <= b.from ? [a, b] : [b, a];
      const kernel = moments[second.from];
      const handsOver = first.to === second.from && first.from < second.from && first.offset === second.offset;
      if (!handsOver || kernel === undefined || !worksInPlace(kernel, first.buffer, second.buffer)) {
        report(kernel, `the temporaries b${first.buffer} and b${second.buffer} overlap in the arena while both live`);
      }
    }
  });

  const written = new Set<BufferId>();
  const assigned = new Set<BufferId>();
  for (const kernel of leavesOf(kernels)) {
    const writes = writtenBy(kernel);
    for (const id of kernel.kind === "routine" ? kernel.operands : loadsOf(kernel).map((access) => access.buffer)) {
      const buffer = buffers[id];
      if (buffer?.storage.kind === "temporary" && buffer.length > 0 && !written.has(id) && !writes.has(id)) {
        report(kernel, `the temporary b${id} is read before it is written`);
      }
    }
    const variables = new Set([...writes].filter((id) => buffers[id]?.storage.kind === "variable"));
    for (const id of overwrittenTooEarly(kernel, variables))
      report(kernel, `the variable b${id} is overwritten while its old value is needed`);
    for (const id of variables) {
      if (assigned.has(id)) report(kernel, `the variable b${id} is written by two kernels`);
      assigned.add(id);
    }
    for (const id of writes) written.add(id);
  }
  for (const id of outputs) {
    const buffer = buffers[id];
    if (buffer === undefined) report(undefined, `there is no buffer b${id}`);
    else if (buffer.storage.kind === "temporary" && !written.has(id) && buffer.length > 0)
      report(undefined, `the output b${id} is never written`);
  }
  const fixed = buffers
    .filter(({ storage }) => storage.kind === "variable" || storage.kind === "constant")
    .reduce((sum, buffer) => sum + byteLength(buffer), 0);
  if (memory.peakBytes !== memory.arenaBytes + fixed)
    report(undefined, `the peak is ${memory.arenaBytes + fixed} bytes, not ${memory.peakBytes}`);
}

function worksInPlace(kernel: LeafKernel, from: BufferId, to: BufferId): boolean {
  if (kernel.kind === "routine") return false;
  if (
    storesOf(kernel).some((access) => access.buffer === from) ||
    loadsOf(kernel).some((access) => access.buffer === to)
  )
    return false;
  return mayShare(kernel, from, to);
}
