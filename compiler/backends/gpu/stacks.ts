import { leavesOf, loadsOf, storesOf } from "../../kernels/access.js";
import { strideOf } from "../../kernels/affine.js";
import type {
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
  const read = new Set(leaves.flatMap((kernel) => loadsOf(kernel).map(({ buffer }) => buffer)));
  const stacks: Stack[] = [];
  const slabOf = (kernel: NestKernel | ContractKernel, store: StoreStatement): StoreStatement => {
    const { buffer, index, dynamic } = store.target;
    const whole = buffers[buffer];
    const slab = (whole?.length ?? 0) / loop.extent;
    const isAlone = !read.has(buffer) && written.filter((id) => id === buffer).length === 1;
    if (whole?.storage.kind !== "temporary" || !isAlone || dynamic !== undefined || slab < 1) return store;
    const stride = strideOf(index, loop.id);
    if (Math.abs(stride) !== slab || index.offset !== (stride < 0 ? (loop.extent - 1) * slab : 0)) return store;
    const within: StoreStatement = { ...store, target: { buffer, index: without(index, loop.id) } };
    if (!coversAll({ store: within, loops: loopsOf(kernel, store) }, slab)) return store;
    const target = add(slab);
    stacks.push({ slab: target, to: buffer, isReversed: stride < 0 });
    return { ...within, target: { ...within.target, buffer: target } };
  };
  const rewritten = body.map((kernel): Kernel => {
    if (kernel.kind === "nest") return { ...kernel, body: mapStores(kernel.body, (store) => slabOf(kernel, store)) };
    if (kernel.kind !== "contract") return kernel;
    return { ...kernel, epilogue: kernel.epilogue.map((store) => slabOf(kernel, store)) };
  });
  return { body: rewritten, stacks };
}

function without({ terms }: Affine, loop: LoopId): Affine {
  return { offset: 0, terms: terms.filter((term) => term.loop !== loop) };
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
