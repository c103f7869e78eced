import { InternalError, unreachable } from "../ir/diagnostic.js";
import { isInteger, type NumericDType } from "../ir/dtype.js";
import {
  expressionsOfStatement,
  forEachExpression,
  forEachStatement,
  innerKernels,
  storesOf,
  writtenBy,
} from "./access.js";
import { affineRange } from "./affine.js";
import type {
  Access,
  Buffer,
  BufferId,
  Kernel,
  KernelProgram,
  LoopId,
  ScalarExpr,
  Statement,
  StoreStatement,
} from "./form.js";

/** Values lie in [least, most]. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/**
 * What is known of integer expressions whatever a run is fed: a check's result lies within its limit (it is 0 where the check fails),
 * and what a temporary holds is what all of its stores put there. Undefined where nothing is known.
 */
export class Bounds {
  readonly #buffers: readonly Buffer[];
  readonly #stores = new Map<BufferId, StoreStatement[]>();
  /** Written by something else than plain stores. */
  readonly #opaque = new Set<BufferId>();
  readonly #ofBuffer = new Map<BufferId, Range | undefined>();
  readonly #extents = new Map<LoopId, number>();

  constructor(program: Pick<KernelProgram, "buffers" | "compute" | "commit">) {
    this.#buffers = program.buffers;
    for (const kernel of [...program.compute, ...program.commit]) this.#collect(kernel);
  }

  #collect(kernel: Kernel): void {
    const keep = (store: StoreStatement): void => {
      const list = this.#stores.get(store.target.buffer) ?? [];
      list.push(store);
      this.#stores.set(store.target.buffer, list);
    };
    switch (kernel.kind) {
      case "loop":
        this.#extents.set(kernel.loop.id, kernel.loop.extent);
        for (const inner of kernel.body) this.#collect(inner);
        return;
      case "while":
        this.#extents.set(kernel.loop, Number.MAX_SAFE_INTEGER);
        for (const inner of innerKernels(kernel)) this.#collect(inner);
        return;
      case "branch":
        for (const inner of innerKernels(kernel)) this.#collect(inner);
        return;
      case "nest":
        forEachStatement(kernel.body, (statement) => {
          if (statement.kind === "store") keep(statement);
          else if (statement.kind === "loop") this.#extents.set(statement.id, statement.extent);
        });
        break;
      case "contract":
        kernel.epilogue.forEach(keep);
        for (const { id, extent } of [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k])
          this.#extents.set(id, extent);
        break;
      case "routine":
        break;
      default:
        unreachable(kernel);
    }
    const plain = new Set(storesOf(kernel).map((access) => access.buffer));
    for (const id of writtenBy(kernel)) if (!plain.has(id)) this.#opaque.add(id);
  }

  of(expression: ScalarExpr): Range | undefined {
    switch (expression.kind) {
      case "check_index":
        // The result of a check that fails is 0.
        return { least: 0, most: Math.max(0, expression.limit - 1) };
      case "constant":
        return { least: Number(expression.value), most: Number(expression.value) };
      case "index":
        return rangeOf(affineRange(expression.value, (loop) => this.#extents.get(loop) ?? 1));
      case "load":
        return this.#load(expression.access.buffer);
      case "apply": {
        const [only] = expression.args;
        const range =
          expression.op === "cast" && only !== undefined && isInteger(only.dtype) ? this.of(only) : undefined;
        const room = roomOf(expression.dtype);
        // A cast that wraps round says nothing.
        return range !== undefined && range.least >= room.least && range.most <= room.most ? range : undefined;
      }
      case "check_nonzero":
        return this.of(expression.value);
      case "random":
      case "accumulated":
      case "check_finite":
        return undefined;
    }
  }

  /** Whether an access at run-time positions stays in its buffer. */
  holds({ buffer, index, dynamic = [] }: Access): boolean {
    let { min, max } = affineRange(index, (loop) => this.#extents.get(loop) ?? 1);
    for (const { value, stride } of dynamic) {
      const range = this.of(value);
      if (range === undefined) return false;
      min += Math.min(range.least * stride, range.most * stride);
      max += Math.max(range.least * stride, range.most * stride);
    }
    return min >= 0 && max < (this.#buffers[buffer]?.length ?? 0);
  }

  #load(id: BufferId): Range | undefined {
    if (this.#ofBuffer.has(id)) return this.#ofBuffer.get(id);
    // A temporary that depends on itself is not known.
    this.#ofBuffer.set(id, undefined);
    const range = this.#scan(id);
    this.#ofBuffer.set(id, range);
    return range;
  }

  #scan(id: BufferId): Range | undefined {
    const buffer = this.#buffers[id];
    if (buffer === undefined || this.#opaque.has(id)) return undefined;
    if (buffer.storage.kind === "constant") {
      const { data } = buffer.storage;
      let [least, most] = [0, 0];
      for (const element of data) {
        least = Math.min(least, Number(element));
        most = Math.max(most, Number(element));
      }
      return { least, most };
    }
    const stores = this.#stores.get(id);
    if (buffer.storage.kind !== "temporary" || stores === undefined) return undefined;
    let [least, most] = [0, 0];
    for (const store of stores) {
      const range = store.combiner === undefined ? this.of(store.value) : undefined;
      if (range === undefined) return undefined;
      least = Math.min(least, range.least);
      most = Math.max(most, range.most);
    }
    return { least, most };
  }
}

/** That no access at a run-time position can leave its buffer: a defect here would be one of memory. */
export function requireBounded(program: Pick<KernelProgram, "buffers" | "compute" | "commit">): void {
  const accesses = [...program.compute, ...program.commit].flatMap(dynamicAccesses);
  if (accesses.length === 0) return;
  const bounds = new Bounds(program);
  const wrong = accesses.find((access) => !bounds.holds(access));
  if (wrong !== undefined) throw new InternalError(`no check bounds a position in buffer ${wrong.buffer}`);
}

/** The accesses at run-time positions of a kernel, without those in loops that never run. */
function dynamicAccesses(kernel: Kernel): readonly Access[] {
  switch (kernel.kind) {
    case "nest":
      return dynamicIn(kernel.body);
    case "contract": {
      const runs = [...kernel.batch, ...kernel.m, ...kernel.n].every(({ extent }) => extent > 0);
      const operands = kernel.k.every(({ extent }) => extent > 0) ? [kernel.lhs, kernel.rhs] : [];
      return runs ? [...loadsIn(operands), ...dynamicIn(kernel.epilogue)] : [];
    }
    case "routine":
      return [];
    case "loop":
      return kernel.loop.extent === 0 ? [] : kernel.body.flatMap(dynamicAccesses);
    case "while":
    case "branch":
      return innerKernels(kernel).flatMap(dynamicAccesses);
  }
}

function dynamicIn(body: readonly Statement[]): readonly Access[] {
  return body.flatMap((statement) => {
    if (statement.kind === "loop") return statement.extent === 0 ? [] : dynamicIn(statement.body);
    const loads = loadsIn(expressionsOfStatement(statement));
    return statement.kind === "store" && statement.target.dynamic !== undefined ? [...loads, statement.target] : loads;
  });
}

function loadsIn(roots: readonly ScalarExpr[]): readonly Access[] {
  const found: Access[] = [];
  const seen = new Set<ScalarExpr>();
  for (const root of roots) {
    forEachExpression(root, seen, (e) => {
      if (e.kind === "load" && e.access.dynamic !== undefined) found.push(e.access);
    });
  }
  return found;
}

function roomOf(dtype: NumericDType): Range {
  switch (dtype) {
    case "i64":
      return { least: -(2 ** 63), most: 2 ** 63 };
    case "i32":
      return { least: -(2 ** 31), most: 2 ** 31 - 1 };
    case "i8":
      return { least: -128, most: 127 };
    case "u8":
      return { least: 0, most: 255 };
    default:
      return { least: 0, most: -1 };
  }
}

function rangeOf({ min, max }: { readonly min: number; readonly max: number }): Range {
  return { least: min, most: max };
}
