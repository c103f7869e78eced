import { leavesOf, loadsOf, storesOf } from "../../kernels/access.js";
import { strideOf } from "../../kernels/affine.js";
import type {
  Access,
  Affine,
  Buffer,
  BufferId,
  ContractKernel,
  Kernel,
  LoopId,
  LoopKernel,
  LoopStatement,
  NestKernel,
  Statement,
  StoreStatement,
} from "../../kernels/form.js";
import { Rewriter } from "../../kernels/rewrite.js";
import type { Stack } from "./form.js";
import { coversAll } from "./places.js";

/**
 * What a loop stacks: each iteration writes a slab of its own. A device makes a new array with each launch, so to write slab after slab
 * into one array would copy all of it each time. Each slab is an array of its own instead, and they are joined after the loop.
 */
export interface StackedLoop {
  readonly body: readonly Kernel[];
  readonly stacks: readonly Stack[];
}

/** `loopsOf`: the loops around a store of a kernel. `add` makes a temporary. */
export function stackedLoop(
  { loop, body }: LoopKernel,
  buffers: readonly Buffer[],
  loopsOf: (kernel: NestKernel | ContractKernel, store: StoreStatement) => readonly LoopStatement[],
  add: (length: number) => BufferId,
): StackedLoop {
  const leaves = leavesOf(body);
  const written = leaves.flatMap((kernel) => storesOf(kernel).map(({ buffer }) => buffer));
  const stacks: Stack[] = [];
  /** Whether all that read a stack in the loop read what the iteration itself has left there before. */
  const isReadAfter = (writer: Kernel, { buffer, index }: Access): boolean => {
    const readers = leaves.filter((kernel) => loadsOf(kernel).some((load) => load.buffer === buffer));
    return readers.every((kernel) => {
      const isLater = body.indexOf(kernel) > body.indexOf(writer) && body.includes(writer);
      if (kernel.kind !== "nest" || !isLater) return false;
      const extents = extentsIn(kernel.body);
      return loadsOf(kernel).every((load) => load.buffer !== buffer || isOfSameTurn(load, index, loop, extents));
    });
  };
  /** `around`: the loops between this one and the kernel. */
  const slabOf = (
    kernel: NestKernel | ContractKernel,
    store: StoreStatement,
    around: readonly LoopKernel["loop"][],
  ): StoreStatement => {
    const { buffer, index, dynamic } = store.target;
    const whole = buffers[buffer];
    const slab = (whole?.length ?? 0) / loop.extent;
    const isAlone = written.filter((id) => id === buffer).length === 1 && isReadAfter(kernel, store.target);
    if (whole?.storage.kind !== "temporary" || !isAlone || dynamic !== undefined || slab < 1) return store;
    const stride = strideOf(index, loop.id);
    if (Math.abs(stride) !== slab) return store;
    const within: StoreStatement = { ...store, target: { buffer, index: without(index, loop) } };
    const loops = [...around, ...loopsOf(kernel, store)];
    // What a loop leaves last first is as much.
    const upwards = { ...within, target: { buffer, index: turned(within.target.index, around) } };
    if (!coversAll({ store: upwards, loops }, slab)) return store;
    const target = add(slab);
    stacks.push({ slab: target, to: buffer, isReversed: stride < 0 });
    return { ...within, target: { ...within.target, buffer: target } };
  };
  // A stack of stacks is written in a loop inside, whose own stack it is then one iteration of.
  const rewritten = (kernels: readonly Kernel[], around: readonly LoopKernel["loop"][]): readonly Kernel[] =>
    kernels.map((kernel): Kernel => {
      switch (kernel.kind) {
        case "nest":
          return { ...kernel, body: mapStores(kernel.body, (store) => slabOf(kernel, store, around)) };
        case "contract":
          return { ...kernel, epilogue: kernel.epilogue.map((store) => slabOf(kernel, store, around)) };
        case "loop":
          return { ...kernel, body: rewritten(kernel.body, [...around, kernel.loop]) };
        default:
          return kernel;
      }
    });
  const stored = rewritten(body, []);
  const reader = new SlabReader(new Map(stacks.map(({ to, slab }) => [to, slab])), loop);
  return {
    body: stored.map((kernel) =>
      kernel.kind === "nest" ? { ...kernel, body: reader.statements(kernel.body) } : kernel,
    ),
    stacks,
  };
}

/** What an iteration reads of a stack is the slab that it has written. */
class SlabReader extends Rewriter {
  readonly #slabs: ReadonlyMap<BufferId, BufferId>;
  readonly #loop: LoopKernel["loop"];

  constructor(slabs: ReadonlyMap<BufferId, BufferId>, loop: LoopKernel["loop"]) {
    super({});
    this.#slabs = slabs;
    this.#loop = loop;
  }

  override access(access: Access): Access {
    const slab = this.#slabs.get(access.buffer);
    if (slab === undefined) return super.access(access);
    return { buffer: slab, index: without(access.index, this.#loop) };
  }
}

/** Whether a load reads within the slab that an iteration stores at `index`. */
function isOfSameTurn(
  { index, dynamic }: Access,
  target: Affine,
  loop: LoopKernel["loop"],
  extents: ReadonlyMap<LoopId, number>,
): boolean {
  const stride = strideOf(target, loop.id);
  if (dynamic !== undefined || strideOf(index, loop.id) !== stride) return false;
  const { offset, terms } = without(index, loop);
  let [least, most] = [offset, offset];
  for (const term of terms) {
    const extent = extents.get(term.loop);
    if (extent === undefined) return false;
    least += Math.min(0, term.stride) * (extent - 1);
    most += Math.max(0, term.stride) * (extent - 1);
  }
  return least >= 0 && most < Math.abs(stride);
}

function extentsIn(body: readonly Statement[]): ReadonlyMap<LoopId, number> {
  return new Map(
    body.flatMap((statement) =>
      statement.kind === "loop" ? [[statement.id, statement.extent] as const, ...extentsIn(statement.body)] : [],
    ),
  );
}

/** An index without a loop, and without what that adds to the offset where it goes downwards. */
function without({ offset, terms }: Affine, { id, extent }: LoopKernel["loop"]): Affine {
  const down = terms.reduce((sum, { loop, stride }) => sum + (loop === id ? Math.min(0, stride) : 0), 0);
  return { offset: offset + down * (extent - 1), terms: terms.filter((term) => term.loop !== id) };
}

/** An index with all of `loops` upwards. */
function turned(index: Affine, loops: readonly LoopKernel["loop"][]): Affine {
  return loops.reduce((found, loop) => {
    const stride = strideOf(found, loop.id);
    if (stride >= 0) return found;
    const { offset, terms } = without(found, loop);
    return { offset, terms: [...terms, { loop: loop.id, stride: -stride }] };
  }, index);
}

/** Statements with each store changed. */
export function mapStores(
  body: NestKernel["body"],
  change: (store: StoreStatement) => StoreStatement,
): NestKernel["body"] {
  return body.map((statement): Statement => {
    if (statement.kind === "store") return change(statement);
    return statement.kind === "loop" ? { ...statement, body: mapStores(statement.body, change) } : statement;
  });
}
