import { InternalError } from "../../../ir/diagnostic.js";
import {
  type ContractScratch,
  contractScratch,
  depthOf,
  panelPitch,
  rowsPerBlock,
  scratchOrder,
  stripsPerBlock,
  sumsPerOuter,
  type TileAxes,
  tileAxes,
} from "../../../kernels/contract_scratch.js";
import type { ContractKernel, Extent, LoopId, ScalarExpr } from "../../../kernels/form.js";
import type { Builder } from "../builder.js";
import { type ElementKind, registerElement } from "../types.js";
import type { Value } from "../value.js";
import {
  type Counter,
  ExpressionEmitter,
  type KernelScope,
  type Position,
  type VectorPosition,
} from "./expressions.js";
import { FactTable, loadStrides } from "./facts.js";

/** A strip of columns: where it starts, and the active lanes of each of its registers (all but perhaps in the last). */
export interface Strip {
  readonly start: Counter;
  /** The strip's number as an i64, among all and in the panel, which may hold one block of columns. */
  readonly number: Value;
  readonly inPanel: Value;
  readonly lanes: readonly number[];
}

/** Strips of columns that are packed, and multiplied with all rows, before the next ones are. */
export interface ColumnBlock {
  readonly first: Value;
  /** Whole strips. */
  readonly count: Value;
  /** Whether the strip that is not whole belongs to it: known, or an i1. */
  readonly last: true | Value;
}

/** What all parts of a contraction's code share: its axes, operands and panels, and the loops that are open. */
export class ContractScope {
  readonly b: Builder;
  readonly kernel: ContractKernel;
  readonly expressions: ExpressionEmitter;
  readonly axes: TileAxes;
  readonly sizes: ContractScratch;
  readonly element: ElementKind;
  readonly lanes: number;
  /** Columns of a whole strip. */
  readonly width: number;
  readonly vectorOperand: ScalarExpr;
  readonly scalarOperand: ScalarExpr;
  /** Elements from row to row and from k to k in the scalar panel. */
  readonly panel: { readonly row: number; readonly depth: number };
  readonly #pointers: KernelScope["pointers"];
  readonly #loops: Map<LoopId, Counter>;
  readonly #around: KernelScope["around"];

  constructor(scope: KernelScope, kernel: ContractKernel) {
    this.b = scope.b;
    this.kernel = kernel;
    this.#pointers = scope.pointers;
    this.#loops = new Map(scope.around);
    this.#around = scope.around;
    this.expressions = new ExpressionEmitter(scope);
    this.element = registerElement(kernel.accumulator.dtype);
    this.lanes = scope.b.lanesOf(this.element);
    this.width = kernel.schedule.vectors * this.lanes;
    this.axes = tileAxes(kernel);
    this.sizes = contractScratch(this.axes, kernel.schedule, this.lanes);
    const lanesAlongN = kernel.schedule.vectorAxis === "n";
    this.vectorOperand = lanesAlongN ? kernel.rhs : kernel.lhs;
    this.scalarOperand = lanesAlongN ? kernel.lhs : kernel.rhs;
    const alongRows = this.isUnit(this.scalarOperand, this.axes.rows) && !this.isUnit(this.scalarOperand, this.inner);
    this.panel = alongRows
      ? { row: 1, depth: panelPitch(rowsPerBlock(this.axes, kernel.schedule)) }
      : { row: panelPitch(depthOf(this.axes)), depth: 1 };
  }

  /** Whether a loop is one whose kernels contain this one: it stands still here. */
  isAround(loop: LoopId): boolean {
    return this.#around.has(loop);
  }

  /** The innermost loop of k. */
  get inner(): Extent {
    return this.axes.depth.at(-1) ?? { id: -3, extent: 1 };
  }

  /** Whether an operand's elements lie next to each other along a loop. */
  isUnit(expr: ScalarExpr, loop: Extent): boolean {
    const strides = loadStrides(expr, loop.id);
    return strides.includes(1) && strides.every((stride) => stride === 0 || stride === 1);
  }

  /** Runs `body` with a loop standing at `counter`. */
  open(loop: Extent, counter: Counter, body: () => void): void {
    this.#loops.set(loop.id, counter);
    this.expressions.within(body);
    this.#loops.delete(loop.id);
  }

  /** Loops over extents, outermost first, with their counters open in `body`. */
  nested(extents: readonly Extent[], body: () => void): void {
    const [first, ...rest] = extents;
    if (first === undefined) {
      body();
      return;
    }
    this.b.loop(0, first.extent, 1, (base) => {
      this.open(first, { base, plus: 0 }, () => this.nested(rest, body));
      return [];
    });
  }

  /** Loops over k; `body` gets the position in the packed depth. */
  eachDepth(depth: readonly Extent[], outer: Value, body: (k: Value) => void): void {
    const { b } = this;
    const [first, ...rest] = depth;
    if (first === undefined) {
      body(outer);
      return;
    }
    const inner = rest.reduce((product, { extent }) => product * extent, 1);
    b.loop(0, first.extent, 1, (base) => {
      this.open(first, { base, plus: 0 }, () => {
        this.eachDepth(rest, b.add(outer, b.mul(base, b.index(inner))), body);
      });
      return [];
    });
  }

  /** All strips at once, where nothing is packed in blocks. */
  get allColumns(): ColumnBlock {
    const { b } = this;
    return { first: b.index(0), count: b.index(Math.floor(this.axes.columns.extent / this.width)), last: true };
  }

  eachColumnBlock(body: (block: ColumnBlock) => void): void {
    const { b } = this;
    const full = Math.floor(this.axes.columns.extent / this.width);
    const most = stripsPerBlock(this.axes, this.kernel.schedule, this.lanes);
    if (most >= full || this.sizes.vectorPanel === 0) {
      body(this.allColumns);
      return;
    }
    b.loop(0, full, most, (first) => {
      const count = full % most === 0 ? b.index(most) : b.min(b.sub(b.index(full), first), b.index(most));
      const last = b.compare("eq", b.add(first, count), b.index(full));
      this.expressions.within(() => body({ first, count, last }));
      return [];
    });
  }

  eachStrip({ first, count, last }: ColumnBlock, body: (strip: Strip) => void): void {
    const { b } = this;
    const { extent } = this.axes.columns;
    const full = Math.floor(extent / this.width);
    const { vectors } = this.kernel.schedule;
    b.loop(b.index(0), count, 1, (inPanel) => {
      const number = b.add(first, inPanel);
      const start = { base: b.mul(number, b.index(this.width)), plus: 0 };
      this.expressions.within(() => {
        body({ start, number, inPanel, lanes: new Array<number>(vectors).fill(this.lanes) });
      });
      return [];
    });
    const rest = extent - full * this.width;
    if (rest === 0) return;
    const lanes: number[] = [];
    for (let left = rest; left > 0; left -= this.lanes) lanes.push(Math.min(left, this.lanes));
    const start = { base: b.index(full * this.width), plus: 0 };
    const partial = (): readonly [] => {
      this.expressions.within(() => body({ start, number: b.index(full), inPanel: count, lanes }));
      return [];
    };
    if (last === true) partial();
    else b.ifElse(last, partial, () => []);
  }

  /** The lanes of one register of a strip. */
  lanesAt(strip: Strip, register: number): VectorPosition {
    const active = strip.lanes[register] ?? 0;
    const mask = active === this.lanes ? undefined : this.b.firstLanes(active, this.lanes);
    const first = { base: strip.start.base, plus: strip.start.plus + register * this.lanes };
    return { loop: this.axes.columns.id, first, lanes: this.lanes, active, mask };
  }

  position(vector: VectorPosition | undefined, accumulated?: Value): Position {
    return {
      loops: this.#loops,
      vector,
      accumulated: () => {
        if (accumulated === undefined) throw new InternalError("a contraction's sum is read before it is complete");
        return accumulated;
      },
    };
  }

  /** Loops outside the tiles, those first that the vector operand mentions: its panel is packed inside of these only. */
  get outerLoops(): { readonly ofPanel: readonly Extent[]; readonly others: readonly Extent[] } {
    const { outer } = this.axes;
    const mentioned = new FactTable().of(this.vectorOperand).loops;
    return {
      ofPanel: outer.filter((loop) => mentioned.has(loop.id)),
      others: outer.filter((loop) => !mentioned.has(loop.id)),
    };
  }

  /** Where a row of a strip's sums waits, from turn to turn. */
  sumsAddress(strip: Strip, row: Value): Value {
    const { b } = this;
    const { rows, outer } = this.axes;
    let flat = b.index(0);
    for (const { id, extent } of outer) {
      const counter = this.#loops.get(id);
      if (counter === undefined) throw new InternalError(`loop ${id} is not open here`);
      flat = b.add(b.mul(flat, b.index(extent)), b.add(counter.base, b.index(counter.plus)));
    }
    const outerStart = b.mul(flat, b.index(sumsPerOuter(this.axes, this.kernel.schedule, this.lanes)));
    const line = b.add(b.mul(strip.number, b.index(rows.extent)), row);
    const index = b.add(outerStart, b.mul(line, b.index(this.width)));
    return b.offsetElements(this.scratch("sums"), this.element, index);
  }

  /** The address of one k of a strip in the vector panel. */
  panelLine(strip: Strip, k: Counter): Value {
    const { b } = this;
    const line = b.add(b.mul(strip.inPanel, b.index(depthOf(this.axes))), k.base);
    const base = b.offsetElements(this.scratch("vectorPanel"), this.element, b.mul(line, b.index(this.width)));
    return b.offsetElements(base, this.element, k.plus * this.width);
  }

  /** The address of one row's k in the scalar panel. */
  rowAddress(row: Value, k: Value): Value {
    const { b } = this;
    const index = b.add(b.mul(row, b.index(this.panel.row)), b.mul(k, b.index(this.panel.depth)));
    return b.offsetElements(this.scratch("scalarPanel"), this.element, index);
  }

  scratch(which: keyof ContractScratch): Value {
    const { panel, scratch } = this.kernel;
    const isReady = (name: keyof ContractScratch): boolean => name === "vectorPanel" && panel !== undefined;
    const order = scratchOrder.filter((name) => this.sizes[name] > 0 && !isReady(name));
    const buffer = isReady(which) ? panel?.buffer : scratch[order.indexOf(which)];
    const pointer = buffer === undefined ? undefined : this.#pointers.get(buffer);
    if (pointer === undefined) throw new InternalError(`a contraction without its ${which}`);
    return pointer;
  }
}
