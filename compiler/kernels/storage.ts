import { InternalError } from "../ir/diagnostic.js";
import type { NumericDType } from "../ir/dtype.js";
import { isTensor, type Value } from "../ir/node.js";
import { addAffine, affineEquals, rowMajorStrides, scaleAffine, strideOf, substituteAffine, zero } from "./affine.js";
import { dtypeOf } from "./expressions.js";
import type { Access, Affine, Buffer, BufferId, Storage } from "./form.js";
import type { Group, Grouping } from "./regions.js";
import { boundLoop, indexAt, type Read, type Root } from "./roots.js";
import { countOf, type Index, positionOf, shapeOf } from "./views.js";

/** Buffers as they are asked for, numbered from 0. */
export class BufferTable {
  readonly #buffers: Buffer[] = [];
  readonly #named = new Map<string, BufferId>();
  readonly #constants = new Map<Value, BufferId>();
  readonly #rows = new Set<BufferId>();

  add(dtype: NumericDType, length: number, storage: Storage, label: string): BufferId {
    const id = this.#buffers.length;
    this.#buffers.push({ id, dtype, length, storage, label });
    return id;
  }

  variable(path: string, value: Value): BufferId {
    return this.#once(`variable ${path}`, value, { kind: "variable", path }, path);
  }

  /** A temporary that holds what one iteration of the loops around it hands from one loop to another. */
  addRow(dtype: NumericDType, length: number, label: string): BufferId {
    const id = this.add(dtype, length, { kind: "temporary" }, `${label} row`);
    this.#rows.add(id);
    return id;
  }

  isRow(id: BufferId): boolean {
    return this.#rows.has(id);
  }

  /** Gives a row buffer a line for each of so many lanes. */
  repeatRow(id: BufferId, lanes: number): void {
    const buffer = this.get(id);
    this.#buffers[id] = { ...buffer, length: buffer.length * lanes };
  }

  /** The storage of a placeholder, variable, constant or of the run's state. */
  source(value: Value): BufferId {
    const { node } = value;
    switch (node.op) {
      case "placeholder": {
        const name = textAttribute(value, "name");
        return this.#once(`placeholder ${name}`, value, { kind: "placeholder", name }, name);
      }
      case "variable":
        return this.variable(textAttribute(value, "path"), value);
      case "run_state":
        return this.#once("run_state", value, { kind: "run_state" }, "run_state");
      case "constant": {
        const known = this.#constants.get(value);
        if (known !== undefined) return known;
        const literal = node.attributes["value"];
        if (literal === undefined || !isTensor(literal)) throw new InternalError("a constant without a value");
        const id = this.add(dtypeOf(value), countOf(value), { kind: "constant", data: literal.data }, "constant");
        this.#constants.set(value, id);
        return id;
      }
      default:
        throw new InternalError(`${node.op} has no storage of its own`);
    }
  }

  /** The same, where the program has it already. */
  knownSource(value: Value): BufferId | undefined {
    const { op } = value.node;
    if (op === "constant") return this.#constants.get(value);
    if (op === "run_state") return this.#named.get("run_state");
    const attribute = op === "placeholder" ? "name" : op === "variable" ? "path" : undefined;
    return attribute === undefined ? undefined : this.#named.get(`${op} ${textAttribute(value, attribute)}`);
  }

  get(id: BufferId): Buffer {
    const buffer = this.#buffers[id];
    if (buffer === undefined) throw new InternalError(`there is no buffer ${id}`);
    return buffer;
  }

  all(): readonly Buffer[] {
    return this.#buffers;
  }

  #once(key: string, value: Value, storage: Storage, label: string): BufferId {
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const id = this.add(dtypeOf(value), countOf(value), storage, label);
    this.#named.set(key, id);
    return id;
  }
}

export function textAttribute(value: Value, name: string): string {
  const text = value.node.attributes[name];
  if (typeof text !== "string") throw new InternalError(`${value.node.op} without its ${name}`);
  return text;
}

/** Who reads a root from memory: decides whether it is stored, and how much of it. */
export interface Demand {
  /** Read by another kernel, or handed out. */
  readonly full: ReadonlySet<Root>;
  /** Readers in other loops of the same kernel. */
  readonly local: ReadonlyMap<Root, readonly Root[]>;
}

export function findDemand(grouping: Grouping, rootOf: ReadonlyMap<Value, Root>): Demand {
  const full = new Set<Root>();
  const local = new Map<Root, Root[]>();
  for (const group of grouping.groups) {
    for (const root of group.roots) {
      if (root.output) full.add(root);
      for (const read of root.reads) {
        const source = rootOf.get(read.value);
        if (source === undefined) continue;
        if (grouping.groupOf.get(source) !== group || group.kind === "single") full.add(source);
        else if (!readsOwnElement(root, read, source)) {
          const readers = local.get(source) ?? [];
          readers.push(root);
          local.set(source, readers);
        }
      }
    }
  }
  return { full, local };
}

function readsOwnElement(reader: Root, read: Read, source: Root): boolean {
  const at = boundLoop(reader);
  const index = mapIndex(read.index, (affine) => substituteAffine(affine, at));
  return isOwnElement(source, index);
}

/** Whether `index`, over the kernel's loops, is the element that the source's own loops stand at. */
export function isOwnElement(source: Root, index: Index): boolean {
  const shape = shapeOf(source.value);
  const own = { kind: "axes", axes: indexAt(source, boundLoop(source)) } as const;
  return affineEquals(positionOf(index, shape), positionOf(own, shape));
}

export function mapIndex(index: Index, map: (affine: Affine) => Affine): Index {
  return index.kind === "position"
    ? { kind: "position", position: map(index.position) }
    : { kind: "axes", axes: index.axes.map(map) };
}

/** Where the elements of a tensor begin that lies in a buffer; `offset` mentions the loops of kernels around. */
export interface Storehouse {
  readonly buffer: BufferId;
  readonly offset: Affine;
}

/** A root's memory: all of it, or what one iteration of the loops that it shares with its readers needs. */
export interface Place extends Storehouse {
  /** Strides of the value's axes; 0 for one that runs along a shared loop. */
  readonly strides: readonly number[];
  /** The shared loops that the buffer leaves out. */
  readonly dropped: readonly number[];
}

/** Where roots live; places are made when they are first asked for. */
export class Places {
  readonly #buffers: BufferTable;
  readonly #demand: Demand;
  readonly #demoted: ReadonlySet<string>;
  readonly #target: (path: string, value: Value) => Storehouse;
  readonly #columnMajor: ReadonlySet<Root>;
  readonly #places = new Map<Root, Place>();

  /**
   * `demoted` are assigned variables whose new value goes to a temporary first and is copied at the end; `target` is where an
   * assigned value goes; `columnMajor` the roots whose last axis is stored outermost.
   */
  constructor(
    buffers: BufferTable,
    demand: Demand,
    demoted: ReadonlySet<string>,
    target: (path: string, value: Value) => Storehouse,
    columnMajor: ReadonlySet<Root> = new Set(),
  ) {
    this.#target = target;
    this.#buffers = buffers;
    this.#demand = demand;
    this.#demoted = demoted;
    this.#columnMajor = columnMajor;
  }

  /** All places that a root is stored to; empty for one that only its own loop body reads. */
  targets(root: Root): readonly Place[] {
    const direct = root.assigned.filter((path) => !this.#demoted.has(path));
    const strides = rowMajorStrides(shapeOf(root.value));
    const variables = direct.map((path) => ({ ...this.#target(path, root.value), strides, dropped: [] }));
    return this.#isKeptApart(root) ? [...variables, this.primary(root)] : variables;
  }

  /** The place that others read. */
  primary(root: Root): Place {
    const known = this.#places.get(root);
    if (known !== undefined) return known;
    const place = this.#make(root);
    this.#places.set(root, place);
    return place;
  }

  /** The place that others read, once it has been asked for. */
  known(root: Root): Place | undefined {
    return this.#places.get(root);
  }

  access(root: Root, place: Place, index: Index): Access {
    if (index.kind === "position") {
      const terms = index.position.terms.filter((term) => !place.dropped.includes(term.loop));
      return { buffer: place.buffer, index: addAffine({ offset: index.position.offset, terms }, place.offset) };
    }
    const at = index.axes.reduce<Affine>(
      (sum, axis, i) => addAffine(sum, scaleAffine(axis, place.strides[i] ?? 0)),
      zero,
    );
    if (at.terms.some((term) => place.dropped.includes(term.loop))) {
      throw new InternalError(`${root.value.node.op} is kept for one iteration of a loop but indexed along it`);
    }
    return { buffer: place.buffer, index: addAffine(at, place.offset) };
  }

  /** Stored beside the variables it is assigned to: somebody reads it and no variable holds it in place. */
  #isKeptApart(root: Root): boolean {
    const inPlace = root.assigned.some((path) => !this.#demoted.has(path));
    const waits = root.assigned.some((path) => this.#demoted.has(path));
    return !inPlace && (waits || this.#demand.full.has(root) || this.#demand.local.has(root));
  }

  #make(root: Root): Place {
    const shape = shapeOf(root.value);
    const direct = root.assigned.find((path) => !this.#demoted.has(path));
    if (direct !== undefined) {
      return { ...this.#target(direct, root.value), strides: rowMajorStrides(shape), dropped: [] };
    }
    const dtype = dtypeOf(root.value);
    const label = labelOf(root.value);
    const local = this.#demand.local.get(root);
    if (this.#demand.full.has(root) || root.assigned.length > 0 || local === undefined) {
      const buffer = this.#buffers.add(dtype, countOf(root.value), { kind: "temporary" }, label);
      const columns = this.#columnMajor.has(root) ? shape.at(-1) : undefined;
      const strides = columns === undefined ? rowMajorStrides(shape) : columnMajorStrides(shape, columns);
      return { buffer, offset: zero, strides, dropped: [] };
    }
    const shared = root.path.filter((loop, depth) => local.every((reader) => reader.path[depth] === loop));
    const dropped = shared.map((loop) => loop.id);
    const own = indexAt(root, boundLoop(root));
    const kept = shape.map((size, axis) =>
      dropped.some((loop) => strideOf(own[axis] ?? zero, loop) !== 0) ? 1 : size,
    );
    const length = kept.reduce((product, size) => product * size, 1);
    const strides = rowMajorStrides(kept).map((stride, axis) => (kept[axis] === 1 ? 0 : stride));
    return { buffer: this.#buffers.addRow(dtype, length, label), offset: zero, strides, dropped };
  }
}

/** The last axis outermost, the others in row-major order within it. */
function columnMajorStrides(shape: readonly number[], columns: number): readonly number[] {
  return rowMajorStrides(shape).map((stride, axis) =>
    axis === shape.length - 1 ? countOfShape(shape) / columns : stride / columns,
  );
}

function countOfShape(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function labelOf(value: Value): string {
  return value.index === 0 ? value.node.op : `${value.node.op}.${value.index}`;
}

export type { Group };
