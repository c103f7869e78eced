import { leavesOf, storesOf } from "./access.js";
import { affineEquals } from "./affine.js";
import type { Buffer, BufferId, Kernel, KernelProgram, NestKernel, Statement, StoreStatement } from "./form.js";
import { mayShare } from "./hazards.js";
import { lives } from "./lives.js";
import { loopsIn, Rewriter, rewriteLeaf } from "./rewrite.js";

export interface Absorbed {
  readonly program: Omit<KernelProgram, "memory">;
  /** The buffer that took over what was in another. */
  readonly ownerOf: (id: BufferId) => BufferId;
}

/**
 * An update at run-time positions starts from a copy of its operand. Where the operand is a temporary that nothing reads afterwards,
 * the update is done in it, and the copy goes.
 */
export function absorbCopies(program: Omit<KernelProgram, "memory">): Absorbed {
  const kernels = [...program.compute, ...program.commit];
  const unchanged: Absorbed = { program, ownerOf: (id) => id };
  if (!leavesOf(kernels).some((kernel) => updatedIn(kernel) !== undefined)) return unchanged;
  const outputs = new Set(program.outputs.map((output) => output.buffer));
  const { list: found, moments } = lives(kernels, program.buffers, outputs);
  const life = new Map(found.map((one) => [one.buffer, { ...one }]));
  const into = new Map<BufferId, BufferId>();
  const without = new Map<Kernel, readonly Statement[]>();
  const ownerOf = (id: BufferId): BufferId => {
    const next = into.get(id);
    return next === undefined ? id : ownerOf(next);
  };
  moments.forEach((kernel, at) => {
    const target = kernel === undefined ? undefined : updatedIn(kernel);
    if (target === undefined || kernel?.kind !== "nest") return;
    const copy = kernel.body.find((statement) => copiedTo(statement, target) !== undefined);
    const from = copy === undefined ? undefined : copiedTo(copy, target);
    if (copy === undefined || from === undefined) return;
    const source = ownerOf(from);
    const [a, b] = [program.buffers[source], program.buffers[target]];
    const [old, next] = [life.get(source), life.get(target)];
    if (!isAlike(a, b) || old === undefined || next === undefined) return;
    if (old.to !== at || old.from === at || next.from !== at || isInLines(kernel, [from, target])) return;
    const body = kernel.body.filter((statement) => statement !== copy);
    if (!mayShare({ ...kernel, body }, from, target)) return;
    into.set(target, source);
    old.to = next.to;
    without.set(kernel, body);
  });
  if (into.size === 0) return unchanged;
  const rewriter = new Rewriter({ buffer: ownerOf });
  const rewritten = (list: readonly Kernel[]): readonly Kernel[] =>
    list.map((kernel) => rewriteBuffers(rewriter, kernel, ownerOf, without));
  return {
    program: {
      ...program,
      compute: rewritten(program.compute),
      commit: rewritten(program.commit),
      outputs: program.outputs.map((output) => ({ ...output, buffer: ownerOf(output.buffer) })),
    },
    ownerOf,
  };
}

function rewriteBuffers(
  rewriter: Rewriter,
  kernel: Kernel,
  bufferOf: (id: BufferId) => BufferId,
  without: ReadonlyMap<Kernel, readonly Statement[]>,
): Kernel {
  const inner = (list: readonly Kernel[]): readonly Kernel[] =>
    list.map((one) => rewriteBuffers(rewriter, one, bufferOf, without));
  switch (kernel.kind) {
    case "nest":
      return rewriteLeaf(rewriter, { ...kernel, body: without.get(kernel) ?? kernel.body });
    case "contract":
      return rewriteLeaf(rewriter, kernel);
    case "routine":
      return { ...kernel, operands: kernel.operands.map(bufferOf), results: kernel.results.map(bufferOf) };
    case "loop":
      return { ...kernel, body: inner(kernel.body) };
    case "while":
      return {
        ...kernel,
        condition: inner(kernel.condition),
        predicate: rewriter.access(kernel.predicate),
        body: inner(kernel.body),
      };
    case "branch":
      return {
        ...kernel,
        predicate: rewriter.access(kernel.predicate),
        whenTrue: inner(kernel.whenTrue),
        whenFalse: inner(kernel.whenFalse),
      };
  }
}

/** The buffer that a kernel updates at run-time positions. */
function updatedIn(kernel: Kernel): BufferId | undefined {
  if (kernel.kind !== "nest") return undefined;
  return storesOf(kernel).find((access) => access.dynamic !== undefined)?.buffer;
}

/** What a statement copies to `target`, element by element at the same place, and nothing else; undefined where it does more. */
function copiedTo(statement: Statement, target: BufferId): BufferId | undefined {
  if (statement.kind === "loop") {
    const [only, ...others] = statement.body;
    const isPlain = others.length === 0 && statement.accumulators.length === 0;
    return only !== undefined && isPlain ? copiedTo(only, target) : undefined;
  }
  return statement.kind === "store" ? copiedBy(statement, target) : undefined;
}

function copiedBy({ target, value, combiner }: StoreStatement, wanted: BufferId): BufferId | undefined {
  if (target.buffer !== wanted || target.dynamic !== undefined || combiner !== undefined) return undefined;
  if (value.kind !== "load" || value.access.dynamic !== undefined) return undefined;
  return affineEquals(value.access.index, target.index) ? value.access.buffer : undefined;
}

function isAlike(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return (
    a?.storage.kind === "temporary" && b?.storage.kind === "temporary" && a.dtype === b.dtype && a.length === b.length
  );
}

/** Lanes with a line each do not go through a row buffer in the order of its indices. */
function isInLines(kernel: NestKernel, buffers: readonly BufferId[]): boolean {
  return loopsIn(kernel.body).some(({ schedule }) => schedule.rows.some((id) => buffers.includes(id)));
}
