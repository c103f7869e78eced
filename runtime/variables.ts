import type { StorageBlock, TargetMemory } from "../compiler/backends/executable.js";
import { problem } from "../compiler/ir/codes.js";
import { GraphError } from "../compiler/ir/diagnostic.js";
import type { NumericDType } from "../compiler/ir/dtype.js";
import type { Graph, Variable } from "../compiler/ir/graph.js";
import { nearestName } from "../compiler/ir/nearest.js";
import { copyElements, elementCount, holdsDType, type Tensor, type TensorData } from "../compiler/ir/tensor.js";
import { staticShape, typeText } from "../compiler/ir/type.js";
import { listNames } from "./files/errors.js";

interface Slot {
  readonly variable: Variable;
  readonly shape: readonly number[];
  readonly block: StorageBlock;
}

/** The variables of one session, each in the target's own memory, in logical (row-major) order. */
export class VariableStore {
  readonly #slots = new Map<string, Slot>();

  constructor(graph: Graph, memory: TargetMemory) {
    for (const variable of graph.variables) {
      const { type } = variable.value;
      const shape = staticShape(type);
      const block = memory.allocate(type.dtype as NumericDType, elementCount(shape));
      this.#slots.set(variable.path, { variable, shape, block });
    }
  }

  get paths(): readonly string[] {
    return [...this.#slots.keys()];
  }

  /** Where the target's code reads and writes them. */
  blocks(): ReadonlyMap<string, StorageBlock> {
    return new Map([...this.#slots].map(([path, slot]) => [path, slot.block]));
  }

  /** What a checkpoint of this graph must hold. */
  expected(): ReadonlyMap<string, { readonly dtype: NumericDType; readonly shape: readonly number[] }> {
    return new Map([...this.#slots].map(([path, slot]) => [path, { dtype: dtypeOf(slot), shape: slot.shape }]));
  }

  /**
   * A copy of a variable's value. Throws GraphError: G083 for an unknown path, G123 where a run on a device has changed it since
   * it was last read.
   */
  get(path: string): Tensor {
    const slot = this.#slot(path);
    if (slot.block.mirror?.isCurrent === false) {
      const message = `the value of \`${path}\` is on the device`;
      throw new GraphError([
        problem("G123", undefined, message, { hint: `\`await session.read(${JSON.stringify(path)})\` brings it here` }),
      ]);
    }
    return { dtype: dtypeOf(slot), shape: slot.shape, data: slot.block.data.slice() };
  }

  /** Brings what a device has changed to this process's memory: one variable, or all. Throws GraphError G083. */
  async pull(path?: string): Promise<void> {
    const slots = path === undefined ? [...this.#slots.values()] : [this.#slot(path)];
    for (const { block } of slots) await block.mirror?.pull();
  }

  /** What `work` gives for a variable's elements as they lie here, without a copy; `pull` brings what a device changed. */
  look<T>(path: string, work: (data: TensorData) => T): T {
    return work(this.#slot(path).block.data);
  }

  /** Says that their memory has been written to from outside. */
  written(): void {
    for (const { block } of this.#slots.values()) block.mirror?.written();
  }

  /** Copies of all of them: what a checkpoint saves. */
  snapshot(): ReadonlyMap<string, Tensor> {
    return new Map(this.paths.map((path) => [path, this.get(path)]));
  }

  /** Overwrites a variable. Throws GraphError G083, G081 or G082. */
  set(path: string, value: Tensor): void {
    const slot = this.#slot(path);
    const expected = slot.variable.value.type;
    const declared = `it is ${typeText(expected)}`;
    if (!ArrayBuffer.isView(value.data) || !Array.isArray(value.shape)) {
      throw mismatch("G082", slot, `${declared}, and the value is no tensor { dtype, shape, data }`);
    }
    if (value.dtype !== expected.dtype) throw mismatch("G082", slot, `${declared}, the value ${value.dtype}`);
    if (!holdsDType(value.dtype, value.data)) {
      throw mismatch("G082", slot, `${declared}, and the value's data is no array of that dtype`);
    }
    const shape = value.shape.join(", ");
    if (shape !== slot.shape.join(", ")) throw mismatch("G081", slot, `${declared}, the value has shape [${shape}]`);
    const { length } = value.data;
    if (length !== slot.block.data.length) {
      throw mismatch(
        "G081",
        slot,
        `${declared}, and the value's data has ${length} elements, not ${slot.block.data.length}`,
      );
    }
    if (slot.block.mirror === undefined) copyElements(slot.block.data, value.data);
    else slot.block.mirror.overwrite(value.data);
  }

  free(): void {
    for (const slot of this.#slots.values()) slot.block.free();
    this.#slots.clear();
  }

  #slot(path: string): Slot {
    const slot = this.#slots.get(path);
    if (slot !== undefined) return slot;
    // The end of a path is what the file itself says: `w` in the scope `hidden`, `dense/w` in the call that makes `y`.
    const isEnd = (known: string): boolean => known.endsWith(`/${path}`) || known.endsWith(`.${path}`);
    const nearest = this.paths.find(isEnd) ?? nearestName(path, this.paths);
    const all = this.paths.length === 0 ? "the graph has no variables" : `its variables are ${listNames(this.paths)}`;
    const hint = nearest === undefined ? all : `did you mean \`${nearest}\`?`;
    throw new GraphError([problem("G083", undefined, `there is no variable \`${path}\``, { hint })]);
  }
}

function dtypeOf(slot: Slot): NumericDType {
  return slot.variable.value.type.dtype as NumericDType;
}

function mismatch(code: "G081" | "G082", slot: Slot, detail: string): GraphError {
  const { path, span } = slot.variable;
  return new GraphError([
    problem(code, span, `the value for the variable \`${path}\` does not fit: ${detail}`, {
      label: "declared here",
      hint: "`session.get(path)` gives a value of the right form",
    }),
  ]);
}
