import { unreachable } from "../ir/diagnostic.js";
import { forEachStatement, storesOf, writtenBy } from "./access.js";
import { affineRange } from "./affine.js";
import type { Buffer, BufferId, Kernel, KernelProgram, LoopId, ScalarExpr, StoreStatement } from "./form.js";

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
        if (expression.op !== "cast" || expression.dtype !== "i64" || only === undefined) return undefined;
        return only.dtype.startsWith("i") || only.dtype === "u8" ? this.of(only) : undefined;
      }
      case "check_nonzero":
        return this.of(expression.value);
      case "random":
      case "accumulated":
      case "check_finite":
        return undefined;
    }
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

function rangeOf({ min, max }: { readonly min: number; readonly max: number }): Range {
  return { least: min, most: max };
}
