import { InternalError } from "../../ir/diagnostic.js";
import { forEachExpression, loadsOf } from "../../kernels/access.js";
import { affineEquals, strideOf } from "../../kernels/affine.js";
import type {
  Affine,
  Buffer,
  BufferId,
  ContractKernel,
  Kernel,
  KernelProgram,
  LoopId,
  LoopKernel,
  LoopStatement,
  NestKernel,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "../../kernels/form.js";
import { Rewriter } from "../../kernels/rewrite.js";
import { workOf } from "../../kernels/work.js";
import { nestOf } from "./contraction.js";
import { type DeviceKernel, mostArrays, type Step } from "./form.js";
import { type Rows, rowsOf } from "./grid.js";
import { sourcesOf } from "./math.js";
import { coversAll, decode } from "./places.js";
import { mapStores, stackedLoop } from "./stacks.js";
import { inStages, type Temporaries } from "./stages.js";
import { ThreadWriter } from "./thread.js";
import { inTiles, writeTiles } from "./tiles.js";

/** The launches of a program whose kernels store one value each. */
export interface Lowered {
  readonly steps: readonly Step[];
  /** The program's buffers, and what two-stage sums hand on. */
  readonly lengths: readonly number[];
}

/**
 * Spells out kernels for devices. `onDevice`: the placeholders that another part has left on the device; `vectors`: whether a thread
 * may make several elements. Throws InternalError for what placement should have kept on the processor.
 */
export function lowerProgram(program: KernelProgram, onDevice: ReadonlySet<string>, vectors: boolean): Lowered {
  // Devices have f32, whatever the dtype.
  const buffers = program.buffers.map((buffer): Buffer => ({ ...buffer, dtype: "f32" }));
  const temporaries: Temporaries = {
    add: (length) => {
      const id = buffers.length;
      buffers.push({ id, label: "", dtype: "f32", length, storage: { kind: "temporary" } });
      return id;
    },
  };
  const context: Context = { buffers, onDevice, vectors, temporaries };
  const steps = [...program.compute, ...program.commit].flatMap((kernel) => lowerKernel(kernel, context));
  return { steps, lengths: buffers.map(({ length }) => length) };
}

interface Context {
  /** Those that kernels hand on among themselves are added as they are found. */
  readonly buffers: readonly Buffer[];
  readonly onDevice: ReadonlySet<string>;
  readonly vectors: boolean;
  readonly temporaries: Temporaries;
}

function lowerKernel(kernel: Kernel, context: Context): readonly Step[] {
  const list = (kernels: readonly Kernel[]): readonly Step[] => kernels.flatMap((one) => lowerKernel(one, context));
  switch (kernel.kind) {
    case "nest":
      return lowerNest(kernel, context);
    case "contract":
      return lowerContraction(kernel, context);
    case "loop":
      return [lowerLoop(kernel, context)];
    case "while":
      return [
        {
          kind: "while",
          loop: kernel.loop,
          condition: list(kernel.condition),
          predicate: kernel.predicate.buffer,
          body: list(kernel.body),
        },
      ];
    case "branch":
      return [
        {
          kind: "branch",
          predicate: kernel.predicate.buffer,
          whenTrue: list(kernel.whenTrue),
          whenFalse: list(kernel.whenFalse),
        },
      ];
    case "routine":
      throw new InternalError(`devices have no routine ${kernel.routine}`);
  }
}

function lowerLoop(kernel: LoopKernel, context: Context): Step {
  const { id, extent } = kernel.loop;
  const { body, stacks } = stackedLoop(kernel, context.buffers, loopsAroundStore, context.temporaries.add);
  return { kind: "loop", loop: id, extent, body: body.flatMap((one) => lowerKernel(one, context)), stacks };
}

function loopsAroundStore(kernel: NestKernel | ContractKernel, store: StoreStatement): readonly LoopStatement[] {
  const { body } = kernel.kind === "nest" ? kernel : nestOf(kernel);
  return pathsOf(body).find((path) => path.store === store)?.loops ?? [];
}

function lowerContraction(kernel: ContractKernel, context: Context): readonly Step[] {
  const { buffers, vectors, temporaries } = context;
  const isRoomy = arraysOf([{ body: kernel.epilogue }], context).size < mostArrays;
  const tiles = vectors && isRoomy ? inTiles(kernel, temporaries.add) : undefined;
  if (tiles === undefined) return lowerNest(nestOf(kernel), context);
  const { sums, rest } = tiles;
  const work = workOf({ ...kernel, epilogue: [] }, buffers);
  const first: DeviceKernel = {
    ...writeTiles(sums, (buffer) => isScalar(buffer, context)),
    name: `${kernel.name}_sums`,
    of: kernel.name,
    work: { ...work, writtenBytes: Float32Array.BYTES_PER_ELEMENT * sums.length },
    spans: kernel.spans,
  };
  return [{ kind: "launch", kernel: first, output: sums.target }, ...lowerNest(rest, context)];
}

/** One store and what leads to it: the loops around it, and in each of their bodies the sums that it waits for. */
export interface StorePath {
  readonly store: StoreStatement;
  readonly body: readonly Statement[];
  readonly loops: readonly LoopStatement[];
  /** For each body, from the outermost: the statements before the next loop, or before the store. */
  readonly before: readonly (readonly Statement[])[];
}

/** A nest stores to all its targets at once, which a device does one after another: what it overwrites is read by its old name. */
function lowerNest(kernel: NestKernel, context: Context): readonly Step[] {
  const targets = [...new Set(pathsOf(kernel.body).map(({ store }) => store.target.buffer))];
  const read = new Set(loadsOf(kernel).map(({ buffer }) => buffer));
  const overwritten = targets.length < 2 ? [] : targets.filter((target) => read.has(target));
  if (overwritten.length === 0) return lowerTargets(kernel, targets, context);
  const old = new Map(
    overwritten.map((target) => [target, context.temporaries.add(context.buffers[target]?.length ?? 0)] as const),
  );
  const loads = new Rewriter({ buffer: (id) => old.get(id) ?? id });
  const stores = new Rewriter({ buffer: (id) => targets.find((target) => old.get(target) === id) ?? id });
  const body = mapStores(loads.statements(kernel.body), (store) => ({ ...store, target: stores.access(store.target) }));
  const names = [...old].map(([from, to]): Step => ({ kind: "alias", from, to }));
  return [...names, ...lowerTargets({ ...kernel, body }, targets, context)];
}

function lowerTargets(kernel: NestKernel, targets: readonly BufferId[], context: Context): readonly Step[] {
  const paths = pathsOf(kernel.body);
  return targets.flatMap((target, i) => {
    const length = context.buffers[target]?.length ?? 0;
    const stores = paths.filter(({ store }) => store.target.buffer === target);
    if (length === 0) return [];
    const copied = stores.length === 1 ? copiedWhole(stores[0] as StorePath, context) : undefined;
    if (copied !== undefined) return [{ kind: "alias", from: copied, to: target }];
    const [only] = stores;
    const twin =
      only === undefined || stores.length > 1 ? undefined : twinOf(only, paths, targets.slice(0, i), context);
    if (twin !== undefined) return [{ kind: "alias", from: twin, to: target }];
    if (only !== undefined && stores.length === 1 && coversAll(only, length)) {
      const staged = inStages(only, length, context.temporaries);
      if (staged !== undefined)
        return staged.flatMap((part) => launches(kernel, part.stores, part.target, part.length, context));
    }
    return launches(kernel, stores, target, length, context);
  });
}

/** An earlier target that gets the very same value whole, as a carry that is stacked too. */
function twinOf(
  path: StorePath,
  paths: readonly StorePath[],
  earlier: readonly BufferId[],
  { buffers }: Context,
): BufferId | undefined {
  const length = buffers[path.store.target.buffer]?.length ?? 0;
  return earlier.find((target) => {
    const [only, ...others] = paths.filter(({ store }) => store.target.buffer === target);
    if (only === undefined || others.length > 0 || only.store.value !== path.store.value) return false;
    const isSame = buffers[target]?.length === length && affineEquals(only.store.target.index, path.store.target.index);
    return isSame && coversAll(only, length) && coversAll(path, length);
  });
}

/** Kernels that fill one buffer; several where the parts of it read more arrays than a kernel may. */
function launches(
  kernel: Pick<NestKernel, "name" | "spans">,
  stores: readonly StorePath[],
  target: BufferId,
  length: number,
  context: Context,
): readonly Step[] {
  const parts: StorePath[][] = [[]];
  for (const store of stores) {
    const part = parts.at(-1) as StorePath[];
    const together = arraysOf([...part, store], context);
    if (part.length > 0 && together.size > mostArrays - 1) parts.push([store]);
    else part.push(store);
  }
  // Boxes that together are as large as the whole: nothing of what was there is left.
  const isWhole = stores.some((store) => coversAll(store, length)) || sizeOf(stores) === length;
  return parts.map((part, i): Step => {
    const fresh = isWhole && i === 0;
    const suffix = i === 0 ? "" : `_${i + 1}`;
    return {
      kind: "launch",
      kernel: writeKernel(kernel, suffix, part, target, length, fresh, context),
      output: target,
    };
  });
}

function arraysOf(stores: readonly Pick<StorePath, "body">[], context: Context): ReadonlySet<BufferId> {
  const body = stores.flatMap((path) => path.body);
  const loads = loadsOf({ kind: "nest", name: "", body, spans: [] });
  return new Set(loads.map((access) => access.buffer).filter((buffer) => !isScalar(buffer, context)));
}

function sizeOf(stores: readonly StorePath[]): number {
  return stores.reduce(
    (sum, { loops, store }) =>
      store.target.dynamic === undefined && store.combiner === undefined
        ? sum + loops.reduce((product, { extent }) => product * extent, 1)
        : Number.NaN,
    0,
  );
}

/** One number that is fed is given to launches as such. */
function isScalar(buffer: BufferId, { buffers, onDevice }: Context): boolean {
  const known = buffers[buffer];
  return known?.storage.kind === "placeholder" && known.length === 1 && !onDevice.has(known.storage.name);
}

function writeKernel(
  { name, spans }: Pick<NestKernel, "name" | "spans">,
  suffix: string,
  stores: readonly StorePath[],
  target: BufferId,
  length: number,
  fresh: boolean,
  context: Context,
): DeviceKernel {
  const writer = new ThreadWriter((buffer) => isScalar(buffer, context));
  const [only] = stores;
  const alone = only !== undefined && stores.length === 1 && coversAll(only, length) ? only : undefined;
  const rows = alone === undefined ? undefined : rowsOf(alone, length);
  const place = writer.fresh("p");
  if (rows !== undefined) {
    const along = writer.fresh("x");
    writer.line(`const ${along} = this.thread.x;`);
    writer.nameLoop(rows.along.id, along);
  }
  writer.line(`const ${place} = this.thread.${rows === undefined ? "x" : "y"};`);
  if (alone !== undefined) {
    const result = writePath(writer, alone, place, length, undefined, rows);
    writer.line(`return ${result};`);
  } else {
    writer.line(`let y = ${fresh ? "0.0" : `${writer.array(target)}[${place}]`};`);
    for (const path of stores) writePath(writer, path, place, length, "y");
    writer.line("return y;");
  }
  const body = stores.flatMap((path) => path.body);
  return {
    name: `${name}${suffix}`,
    of: name,
    source: writer.source(),
    functions: sourcesOf(writer.functions),
    grid: rows === undefined ? [length] : [rows.along.extent, rows.count],
    perThread: 1,
    length,
    arrays: writer.arrays,
    numbers: writer.numbers,
    work: workOf({ kind: "nest", name, body, spans }, context.buffers),
    spans,
  };
}

/**
 * What a store leaves at `place`: the loops that its index mentions are found from the place (each stride is more than all
 * smaller ones reach), the others run. Without `result` it stores to every place, and the value is returned. With `rows`, `place` is
 * the number of a row, and the loop along it has its name.
 */
function writePath(
  writer: ThreadWriter,
  path: StorePath,
  place: string,
  length: number,
  result: string | undefined,
  rows?: Rows,
): string {
  const { store, loops } = path;
  const { dynamic = [] } = store.target;
  const index = rows === undefined ? store.target.index : rows.index;
  const moving = loopsMentioned(dynamic.map((term) => term.value));
  const found = loops.filter((loop) => strideOf(store.target.index, loop.id) !== 0 && !moving.has(loop.id));
  const told = found.filter((loop) => loop !== rows?.along);
  const whole = coversAll(path, length);
  let value = "";
  const finish = (): void => {
    value = writer.stored(store, result ?? "");
    if (result !== undefined) writer.line(`${result} = ${value};`);
  };
  const decoded = (write: () => void): void => decode(writer, index, dynamic, told, place, whole, write);
  const walk = (depth: number): void => {
    writer.statements(path.before[depth] ?? []);
    const loop = loops[depth];
    if (loop === undefined) {
      if (dynamic.length > 0) decoded(finish);
      else finish();
      return;
    }
    for (const accumulator of loop.accumulators) writer.declare(accumulator);
    if (found.includes(loop)) walk(depth + 1);
    else writer.forEach(loop, () => walk(depth + 1));
  };
  if (dynamic.length > 0) walk(0);
  else decoded(() => walk(0));
  return value;
}

function loopsMentioned(expressions: readonly ScalarExpr[]): ReadonlySet<LoopId> {
  const found = new Set<LoopId>();
  const seen = new Set<ScalarExpr>();
  const add = (index: Affine): void => {
    for (const { loop } of index.terms) found.add(loop);
  };
  for (const root of expressions) {
    forEachExpression(root, seen, (e) => {
      if (e.kind === "load") add(e.access.index);
      else if (e.kind === "index") add(e.value);
      else if (e.kind === "random") add(e.position);
    });
  }
  return found;
}

/** The buffer that a store copies as it is; undefined where it does anything else. */
function copiedWhole(path: StorePath, context: Context): BufferId | undefined {
  const { store } = path;
  const { value, target } = store;
  const to = context.buffers[target.buffer];
  if (value.kind !== "load" || value.access.dynamic !== undefined || to === undefined) return undefined;
  const from = context.buffers[value.access.buffer];
  if (from === undefined || from.length !== to.length || isScalar(from.id, context)) return undefined;
  return coversAll(path, to.length) && affineEquals(value.access.index, target.index) ? from.id : undefined;
}

/** The stores of a nest in order, each with what it depends on. */
function pathsOf(body: readonly Statement[]): readonly StorePath[] {
  const found: StorePath[] = [];
  const visit = (
    statements: readonly Statement[],
    loops: readonly LoopStatement[],
    before: readonly (readonly Statement[])[],
  ): void => {
    statements.forEach((statement, i) => {
      const sums = statements.slice(0, i).filter((earlier) => earlier.kind !== "store");
      const here = [...before, sums.map(withoutStores).filter(computes)];
      if (statement.kind === "store") {
        const whole = loops.reduceRight<readonly Statement[]>(
          (inner, loop, depth) => [...(here[depth] ?? []), { ...loop, body: inner }],
          [...(here[loops.length] ?? []), statement],
        );
        found.push({ store: statement, loops, before: here, body: whole });
      } else if (statement.kind === "loop") visit(statement.body, [...loops, statement], here);
    });
  };
  visit(body, [], []);
  return found;
}

function withoutStores(statement: Statement): Statement {
  if (statement.kind !== "loop") return statement;
  return { ...statement, body: statement.body.filter((inner) => inner.kind !== "store").map(withoutStores) };
}

/** Whether anything is summed up in a statement. */
function computes(statement: Statement): boolean {
  return statement.kind === "accumulate" || (statement.kind === "loop" && statement.body.some(computes));
}
