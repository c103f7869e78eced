import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import { operandsOf } from "../../../kernels/access.js";
import type { Buffer, BufferId, KernelProgram, LeafKernel, ScalarExpr, Statement } from "../../../kernels/form.js";
import { rootExpressions } from "./facts.js";

/** Where native code finds a buffer: the word of the block that holds a base address, and the bytes from there. */
export interface Place {
  readonly word: number | "placeholder" | "variable" | "arena" | "constants" | "runState";
  readonly slot: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Where all buffers of a program lie. Constants stand one behind the other, each on a 64-byte line. */
export interface Layout {
  readonly places: ReadonlyMap<BufferId, Place>;
  readonly buffers: ReadonlyMap<BufferId, Buffer>;
  readonly placeholders: readonly Buffer[];
  readonly variables: readonly Buffer[];
  readonly constants: readonly { readonly buffer: Buffer; readonly offset: number }[];
  readonly constantBytes: number;
}

export function layOut(program: KernelProgram): Layout {
  const places = new Map<BufferId, Place>();
  const placeholders: Buffer[] = [];
  const variables: Buffer[] = [];
  const constants: { buffer: Buffer; offset: number }[] = [];
  let constantBytes = 0;
  for (const buffer of program.buffers) {
    const bytes = buffer.length * byteSize(buffer.dtype);
    switch (buffer.storage.kind) {
      case "placeholder":
        places.set(buffer.id, { word: "placeholder", slot: placeholders.push(buffer) - 1, offset: 0, bytes });
        break;
      case "variable":
        places.set(buffer.id, { word: "variable", slot: variables.push(buffer) - 1, offset: 0, bytes });
        break;
      case "constant":
        constants.push({ buffer, offset: constantBytes });
        places.set(buffer.id, { word: "constants", slot: 0, offset: constantBytes, bytes });
        constantBytes += Math.ceil(bytes / 64) * 64;
        break;
      case "run_state":
        places.set(buffer.id, { word: "runState", slot: 0, offset: 0, bytes });
        break;
      case "temporary": {
        // An output without elements is written by no kernel, and so is not in the plan.
        const offset = program.memory.offsets.get(buffer.id) ?? (bytes === 0 ? 0 : undefined);
        if (offset === undefined) throw new InternalError(`${buffer.label} has no place in the arena`);
        places.set(buffer.id, { word: "arena", slot: 0, offset, bytes });
        break;
      }
    }
  }
  const buffers = new Map(program.buffers.map((buffer) => [buffer.id, buffer]));
  return { places, buffers, placeholders, variables, constants, constantBytes };
}

/** What a kernel touches. */
export interface KernelUse {
  readonly reads: ReadonlySet<BufferId>;
  readonly writes: ReadonlySet<BufferId>;
  readonly checks: boolean;
  readonly draws: boolean;
}

export function useOf(kernel: LeafKernel): KernelUse {
  const reads = new Set<BufferId>();
  const writes = new Set<BufferId>();
  let checks = false;
  let draws = false;
  if (kernel.kind === "routine") {
    for (const id of kernel.operands) reads.add(id);
    for (const id of [...kernel.results, ...kernel.scratch]) writes.add(id);
    return { reads, writes, checks: kernel.failure !== undefined, draws: false };
  }
  const statements: readonly Statement[] = kernel.kind === "nest" ? kernel.body : kernel.epilogue;
  const roots = [...rootExpressions(statements), ...(kernel.kind === "contract" ? [kernel.lhs, kernel.rhs] : [])];
  const seen = new Set<ScalarExpr>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop();
    if (expr === undefined || seen.has(expr)) continue;
    seen.add(expr);
    if (expr.kind === "load") reads.add(expr.access.buffer);
    else if (expr.kind === "check_index" || expr.kind === "check_nonzero" || expr.kind === "check_finite")
      checks = true;
    else if (expr.kind === "random") draws = true;
    stack.push(...operandsOf(expr));
  }
  const visit = (statement: Statement): void => {
    if (statement.kind === "store") writes.add(statement.target.buffer);
    else if (statement.kind === "loop") statement.body.forEach(visit);
  };
  statements.forEach(visit);
  if (kernel.kind === "contract") {
    for (const id of kernel.scratch) writes.add(id);
    if (kernel.panel !== undefined) reads.add(kernel.panel.buffer);
  }
  return { reads, writes, checks, draws };
}

/**
 * Buffers of a kernel that begin at one address are one pointer of its function: an in-place step reads and writes through the
 * same. `aliased` says that a pointer's bytes overlap another's, so that nothing may be assumed of it.
 */
export interface PointerGroup {
  readonly buffers: readonly BufferId[];
  readonly place: Place;
  readonly aliased: boolean;
  readonly written: boolean;
}

export function pointerGroups(layout: Layout, use: KernelUse): readonly PointerGroup[] {
  const byAddress = new Map<string, { buffers: BufferId[]; place: Place; bytes: number; written: boolean }>();
  for (const id of new Set([...use.reads, ...use.writes])) {
    const place = layout.places.get(id);
    if (place === undefined) throw new InternalError(`buffer ${id} has no place`);
    const key = `${place.word} ${place.slot} ${place.offset}`;
    const group = byAddress.get(key);
    if (group === undefined)
      byAddress.set(key, { buffers: [id], place, bytes: place.bytes, written: use.writes.has(id) });
    else {
      group.buffers.push(id);
      group.bytes = Math.max(group.bytes, place.bytes);
      group.written ||= use.writes.has(id);
    }
  }
  const groups = [...byAddress.values()];
  return groups.map((group) => ({
    buffers: group.buffers,
    place: group.place,
    written: group.written,
    aliased: groups.some((other) => other !== group && overlaps(group, other)),
  }));
}

interface Range {
  readonly place: Place;
  readonly bytes: number;
}

function overlaps(a: Range, b: Range): boolean {
  if (a.place.word !== b.place.word || a.place.slot !== b.place.slot) return false;
  return a.place.offset < b.place.offset + b.bytes && b.place.offset < a.place.offset + a.bytes;
}
