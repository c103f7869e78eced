import { InternalError } from "../../../ir/diagnostic.js";
import {
  type ContractScratch,
  contractScratch,
  depthOf,
  panelPitch,
  rowsPerBlock,
  type TileAxes,
  tileAxes,
} from "../../../kernels/contract_scratch.js";
import type { ContractKernel, Extent, LoopId, ScalarExpr } from "../../../kernels/form.js";
import { type ElementKind, registerElement, typeOf } from "../types.js";
import type { Value } from "../value.js";
import {
  type Counter,
  ExpressionEmitter,
  type KernelScope,
  type Position,
  type VectorPosition,
  widen,
} from "./expressions.js";
import { FactTable, loadStrides, operandsOf, rootExpressions } from "./facts.js";

/**
 * A contraction as a grid of register tiles: `rows` broadcast scalars of one operand by `vectors` registers of the other, summed
 * over k with fused multiply-adds (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). An operand
 * is read in place, or from a packed panel: the vector operand's holds, strip of columns by strip, the strip's rows one after
 * another; the scalar operand's a block of rows. Tiles at the edges are written out for their own, smaller sizes.
 */
export function emitContract(scope: KernelScope, kernel: ContractKernel): void {
  new ContractEmitter(scope, kernel).emit();
}

/** Expressions of an epilogue beyond which it is written as a loop over the tile's rows, not once for each register. */
const lightEpilogue = 8;
/** Copies of the innermost step over k in one turn of its loop. */
const depthUnroll = 4;

/** A strip of columns: where it starts, and the active lanes of each of its registers (all but perhaps in the last). */
interface Strip {
  readonly start: Counter;
  /** The strip's number as an i64. */
  readonly number: Value;
  readonly lanes: readonly number[];
}

/** Rows of a tile: the first one's index, its place in the block, and how many. */
interface TileRows {
  readonly start: Value;
  readonly inBlock: Value;
  readonly count: number;
}

class ContractEmitter {
  readonly #scope: KernelScope;
  readonly #kernel: ContractKernel;
  readonly #expressions: ExpressionEmitter;
  readonly #axes: TileAxes;
  readonly #sizes: ContractScratch;
  readonly #loops = new Map<LoopId, Counter>();
  readonly #element: ElementKind;
  readonly #lanes: number;
  readonly #width: number;
  readonly #vectorOperand: ScalarExpr;
  readonly #scalarOperand: ScalarExpr;
  /** Elements from row to row and from k to k in the scalar panel. */
  readonly #panel: { readonly row: number; readonly depth: number };

  constructor(scope: KernelScope, kernel: ContractKernel) {
    this.#scope = scope;
    this.#kernel = kernel;
    this.#expressions = new ExpressionEmitter(scope);
    this.#element = registerElement(kernel.accumulator.dtype);
    this.#lanes = scope.b.lanesOf(this.#element);
    this.#width = kernel.schedule.vectors * this.#lanes;
    this.#axes = tileAxes(kernel);
    this.#sizes = contractScratch(this.#axes, kernel.schedule, this.#lanes);
    const lanesAlongN = kernel.schedule.vectorAxis === "n";
    this.#vectorOperand = lanesAlongN ? kernel.rhs : kernel.lhs;
    this.#scalarOperand = lanesAlongN ? kernel.lhs : kernel.rhs;
    const alongRows =
      this.#isUnit(this.#scalarOperand, this.#axes.rows) && !this.#isUnit(this.#scalarOperand, this.#inner);
    this.#panel = alongRows
      ? { row: 1, depth: panelPitch(rowsPerBlock(this.#axes, kernel.schedule)) }
      : { row: panelPitch(depthOf(this.#axes)), depth: 1 };
  }

  emit(): void {
    this.#prepare();
    this.#nested(this.#axes.outer, () => this.#whole());
  }

  get #inner(): Extent {
    return this.#axes.depth.at(-1) ?? { id: -3, extent: 1 };
  }

  #isUnit(expr: ScalarExpr, loop: Extent): boolean {
    const strides = loadStrides(expr, loop.id);
    return strides.includes(1) && strides.every((stride) => stride === 0 || stride === 1);
  }

  /** Loops over extents, outermost first, with their counters open in `body`. */
  #nested(extents: readonly Extent[], body: () => void): void {
    const [first, ...rest] = extents;
    if (first === undefined) {
      body();
      return;
    }
    this.#scope.b.loop(0, first.extent, 1, (base) => {
      this.#open(first, { base, plus: 0 }, () => this.#nested(rest, body));
      return [];
    });
  }

  #open(loop: Extent, counter: Counter, body: () => void): void {
    this.#loops.set(loop.id, counter);
    this.#expressions.within(body);
    this.#loops.delete(loop.id);
  }

  /** Values that no loop changes (a learning rate, a bias correction, the key of a draw) are computed once, before all. */
  #prepare(): void {
    const facts = new FactTable();
    const stored = new Set(this.#kernel.epilogue.map((store) => store.target.buffer));
    const seen = new Set<ScalarExpr>();
    const stack = [...rootExpressions(this.#kernel.epilogue), this.#kernel.lhs, this.#kernel.rhs];
    while (stack.length > 0) {
      const expr = stack.pop();
      if (expr === undefined || seen.has(expr)) continue;
      seen.add(expr);
      if (expr.kind === "random") this.#expressions.prepareDraw(expr);
      const { loops, accumulators, loads } = facts.of(expr);
      const fixed = loops.size === 0 && accumulators.size === 0 && [...loads].every((id) => !stored.has(id));
      if (fixed && expr.kind !== "constant") this.#expressions.emit(expr, this.#position(undefined));
      else stack.push(...operandsOf(expr));
    }
  }

  /** Packs all columns; then, block of rows by block, packs the rows and runs the tiles of the block. */
  #whole(): void {
    const { b } = this.#scope;
    const { rows, columns } = this.#axes;
    if (rows.extent === 0 || columns.extent === 0) return;
    if (this.#sizes.vectorPanel > 0) this.#eachStrip((strip) => this.#packStrip(strip));
    const tile = this.#kernel.schedule.rows;
    const block = rowsPerBlock(this.#axes, this.#kernel.schedule);
    const whole = rows.extent - (rows.extent % tile);
    b.loop(0, whole, block, (start) => {
      const left = b.sub(b.index(whole), start);
      const count = whole % block === 0 ? b.index(block) : b.min(left, b.index(block));
      this.#block(start, count, tile);
      return [];
    });
    if (whole < rows.extent) this.#block(b.index(whole), b.index(rows.extent - whole), rows.extent - whole);
  }

  /** A block of `count` rows, which is a whole number of tiles of `tile` rows. */
  #block(start: Value, count: Value, tile: number): void {
    const { b } = this.#scope;
    if (this.#sizes.scalarPanel > 0) this.#packRows(start, count);
    this.#eachStrip((strip) => {
      b.loop(b.index(0), count, tile, (inBlock) => {
        this.#expressions.within(() => this.#tile(strip, { start: b.add(start, inBlock), inBlock, count: tile }));
        return [];
      });
    });
  }

  #eachStrip(body: (strip: Strip) => void): void {
    const { b } = this.#scope;
    const { extent } = this.#axes.columns;
    const full = Math.floor(extent / this.#width);
    const vectors = this.#kernel.schedule.vectors;
    b.loop(0, full, 1, (number) => {
      const start = { base: b.mul(number, b.index(this.#width)), plus: 0 };
      this.#expressions.within(() => body({ start, number, lanes: new Array<number>(vectors).fill(this.#lanes) }));
      return [];
    });
    const rest = extent - full * this.#width;
    if (rest === 0) return;
    const lanes: number[] = [];
    for (let left = rest; left > 0; left -= this.#lanes) lanes.push(Math.min(left, this.#lanes));
    const start = { base: b.index(full * this.#width), plus: 0 };
    this.#expressions.within(() => body({ start, number: b.index(full), lanes }));
  }

  /** The lanes of one register of a strip. */
  #lanesAt(strip: Strip, register: number): VectorPosition {
    const active = strip.lanes[register] ?? 0;
    const mask = active === this.#lanes ? undefined : this.#scope.b.firstLanes(active, this.#lanes);
    const first = { base: strip.start.base, plus: strip.start.plus + register * this.#lanes };
    return { loop: this.#axes.columns.id, first, lanes: this.#lanes, active, mask };
  }

  #position(vector: VectorPosition | undefined, accumulated?: Value): Position {
    return {
      loops: this.#loops,
      vector,
      accumulated: () => {
        if (accumulated === undefined) throw new InternalError("a contraction's sum is read before it is complete");
        return accumulated;
      },
    };
  }

  /** One tile: the sums over k in registers, then the stores. */
  #tile(strip: Strip, rows: TileRows): void {
    const sums = this.#sums(strip, rows);
    if (this.#kernel.epilogue.length === 0) return;
    const weight = epilogueWeight(this.#kernel);
    if (weight <= lightEpilogue) {
      for (let row = 0; row < rows.count; row++) {
        this.#storeRow(
          strip,
          { base: rows.start, plus: row },
          (register) => sums[row * strip.lanes.length + register] as Value,
        );
      }
      return;
    }
    const { b } = this.#scope;
    const type = typeOf(this.#element, this.#lanes);
    const tile = this.#scratch("tile");
    const place = (row: Value | number, register: number): Value => {
      const line = b.offsetElements(
        tile,
        this.#element,
        typeof row === "number" ? row * this.#width : b.mul(row, b.index(this.#width)),
      );
      return b.offsetElements(line, this.#element, register * this.#lanes);
    };
    sums.forEach((sum, index) => {
      b.store(sum, place(Math.floor(index / strip.lanes.length), index % strip.lanes.length));
    });
    b.loop(0, rows.count, 1, (row) => {
      const counter = { base: b.add(rows.start, row), plus: 0 };
      this.#storeRow(strip, counter, (register) => b.load(type, place(row, register)));
      return [];
    });
  }

  #storeRow(strip: Strip, row: Counter, sum: (register: number) => Value): void {
    strip.lanes.forEach((_, register) => {
      this.#open(this.#axes.rows, row, () => {
        const { b } = this.#scope;
        const position = this.#position(
          this.#lanesAt(strip, register),
          b.roundTo(sum(register), this.#kernel.accumulator.dtype),
        );
        // All values first: a store may overwrite what another store's value is computed from.
        const values = this.#kernel.epilogue.map((store) => this.#expressions.emit(store.value, position));
        this.#kernel.epilogue.forEach((store, index) => {
          this.#expressions.store(store.value.dtype, store.target, values[index] as Value, position);
        });
      });
    });
  }

  /** The sums over k of a tile, row by row: one register each. */
  #sums(strip: Strip, rows: TileRows): readonly Value[] {
    const { b } = this.#scope;
    const zero = b.constant(typeOf(this.#element, this.#lanes), 0);
    const initial = new Array<Value>(rows.count * strip.lanes.length).fill(zero);
    return this.#overDepth(this.#axes.depth, { base: b.index(0), plus: 0 }, initial, (k, sums) =>
      this.#step(strip, rows, k, sums),
    );
  }

  /** Runs `step` for each k, with the loops of k open and the position in the packed depth; carries the sums. */
  #overDepth(
    depth: readonly Extent[],
    outer: Counter,
    sums: readonly Value[],
    step: (k: Counter, sums: readonly Value[]) => readonly Value[],
  ): readonly Value[] {
    const { b } = this.#scope;
    const [first, ...rest] = depth;
    if (first === undefined) return step(outer, sums);
    const inner = rest.reduce((product, { extent }) => product * extent, 1);
    const turn = (base: Value, plus: number, state: readonly Value[]): readonly Value[] => {
      let next = state;
      this.#open(first, { base, plus }, () => {
        const scaled = inner === 1 ? base : b.mul(base, b.index(inner));
        const flat = { base: b.add(outer.base, scaled), plus: outer.plus + plus * inner };
        next = this.#overDepth(rest, flat, state, step);
      });
      return next;
    };
    const unroll = rest.length === 0 ? depthUnroll : 1;
    const whole = first.extent - (first.extent % unroll);
    const after = b.loop(
      0,
      whole,
      unroll,
      (base, state) => {
        let next = state;
        for (let copy = 0; copy < unroll; copy++) next = turn(base, copy, next);
        return next;
      },
      sums,
    );
    if (whole === first.extent) return after;
    return b.loop(whole, first.extent, 1, (base, state) => turn(base, 0, state), after);
  }

  /** One k: a register of each of the strip's vectors, times each row's scalar, added to the sums. */
  #step(strip: Strip, rows: TileRows, k: Counter, sums: readonly Value[]): readonly Value[] {
    const { b } = this.#scope;
    const vectors = strip.lanes.map((_, register) => this.#vectorAt(strip, register, k));
    const next: Value[] = [];
    for (let row = 0; row < rows.count; row++) {
      const scalar = b.splat(this.#scalarAt(rows, row, k), this.#lanes);
      vectors.forEach((vector, register) => {
        next.push(b.fma(scalar, vector, sums[row * vectors.length + register] as Value));
      });
    }
    return next;
  }

  #vectorAt(strip: Strip, register: number, k: Counter): Value {
    const { b } = this.#scope;
    if (this.#sizes.vectorPanel > 0) {
      const line = this.#panelLine(strip, k);
      return b.load(typeOf(this.#element, this.#lanes), b.offsetElements(line, this.#element, register * this.#lanes));
    }
    return this.#expressions.within(() => {
      const value = this.#expressions.emit(this.#vectorOperand, this.#position(this.#lanesAt(strip, register)));
      return widen(b, value, this.#lanes);
    });
  }

  /** The address of one k of a strip in the vector panel. */
  #panelLine(strip: Strip, k: Counter): Value {
    const { b } = this.#scope;
    const depth = depthOf(this.#axes);
    const line = b.add(b.mul(strip.number, b.index(depth)), k.base);
    const base = b.offsetElements(this.#scratch("vectorPanel"), this.#element, b.mul(line, b.index(this.#width)));
    return b.offsetElements(base, this.#element, k.plus * this.#width);
  }

  #scalarAt(rows: TileRows, row: number, k: Counter): Value {
    const { b } = this.#scope;
    if (this.#sizes.scalarPanel > 0) {
      const address = this.#rowAddress(rows.inBlock, k.base);
      const plus = row * this.#panel.row + k.plus * this.#panel.depth;
      return b.load(typeOf(this.#element), b.offsetElements(address, this.#element, plus));
    }
    let value: Value | undefined;
    this.#open(this.#axes.rows, { base: rows.start, plus: row }, () => {
      value = this.#expressions.emit(this.#scalarOperand, this.#position(undefined));
    });
    if (value === undefined) throw new InternalError("a tile without its scalar");
    return value;
  }

  #rowAddress(row: Value, k: Value): Value {
    const { b } = this.#scope;
    const index = b.add(b.mul(row, b.index(this.#panel.row)), b.mul(k, b.index(this.#panel.depth)));
    return b.offsetElements(this.#scratch("scalarPanel"), this.#element, index);
  }

  /** Copies one strip of columns into the panel, k by k; where memory runs along k instead, square blocks are transposed. */
  #packStrip(strip: Strip): void {
    const { b } = this.#scope;
    const alongDepth =
      this.#isUnit(this.#vectorOperand, this.#inner) && !this.#isUnit(this.#vectorOperand, this.#axes.columns);
    if (alongDepth && this.#inner.extent >= this.#lanes) {
      this.#packTransposed(strip);
      return;
    }
    this.#eachDepth(this.#axes.depth, b.index(0), (k) => {
      strip.lanes.forEach((_, register) => {
        this.#expressions.within(() => {
          const value = this.#expressions.emit(this.#vectorOperand, this.#position(this.#lanesAt(strip, register)));
          const line = this.#panelLine(strip, { base: k, plus: 0 });
          b.store(widen(b, value, this.#lanes), b.offsetElements(line, this.#element, register * this.#lanes));
        });
      });
    });
  }

  /** Loops over k; `body` gets the position in the packed depth. */
  #eachDepth(depth: readonly Extent[], outer: Value, body: (k: Value) => void): void {
    const { b } = this.#scope;
    const [first, ...rest] = depth;
    if (first === undefined) {
      body(outer);
      return;
    }
    const inner = rest.reduce((product, { extent }) => product * extent, 1);
    b.loop(0, first.extent, 1, (base) => {
      this.#open(first, { base, plus: 0 }, () => {
        this.#eachDepth(rest, b.add(outer, b.mul(base, b.index(inner))), body);
      });
      return [];
    });
  }

  /** Reads registers along k, one a column, and writes their transpose. */
  #packTransposed(strip: Strip): void {
    const { b } = this.#scope;
    const depth = this.#axes.depth;
    const { extent } = this.#inner;
    const block = (outer: Value, from: Counter, active: number): void => {
      strip.lanes.forEach((columns, register) => {
        const mask = active === this.#lanes ? undefined : b.firstLanes(active, this.#lanes);
        const vector = { loop: this.#inner.id, first: from, lanes: this.#lanes, active, mask };
        const lines: Value[] = [];
        for (let lane = 0; lane < this.#lanes; lane++) {
          const plus = strip.start.plus + register * this.#lanes + Math.min(lane, columns - 1);
          this.#open(this.#axes.columns, { base: strip.start.base, plus }, () => {
            const value = this.#expressions.emit(this.#vectorOperand, this.#position(vector));
            lines.push(widen(b, value, this.#lanes));
          });
        }
        b.transpose(lines)
          .slice(0, active)
          .forEach((line, k) => {
            const address = this.#panelLine(strip, { base: b.add(outer, from.base), plus: from.plus + k });
            b.store(line, b.offsetElements(address, this.#element, register * this.#lanes));
          });
      });
    };
    this.#eachDepth(depth.slice(0, -1), b.index(0), (flat) => {
      const outer = b.mul(flat, b.index(extent));
      const whole = extent - (extent % this.#lanes);
      b.loop(0, whole, this.#lanes, (base) => {
        block(outer, { base, plus: 0 }, this.#lanes);
        return [];
      });
      if (whole < extent) block(outer, { base: b.index(whole), plus: 0 }, extent - whole);
    });
  }

  /** Copies a block of rows into the scalar panel, along whichever of k and the rows lies contiguous in memory. */
  #packRows(start: Value, count: Value): void {
    const { b } = this.#scope;
    const { rows, depth } = this.#axes;
    if (this.#panel.row === 1) {
      this.#eachDepth(depth, b.index(0), (k) => {
        this.#packLine(rows, start, count, (done) => this.#rowAddress(done, k));
      });
      return;
    }
    b.loop(b.index(0), count, 1, (row) => {
      this.#open(rows, { base: b.add(start, row), plus: 0 }, () => {
        this.#eachDepth(depth.slice(0, -1), b.index(0), (flat) => {
          const line = b.mul(flat, b.index(this.#inner.extent));
          this.#packLine(this.#inner, b.index(0), b.index(this.#inner.extent), (done) =>
            this.#rowAddress(row, b.add(line, done)),
          );
        });
      });
      return [];
    });
  }

  /** Copies `count` elements along a loop that starts at `start`, a register at a time, then one by one. */
  #packLine(loop: Extent, start: Value, count: Value, address: (done: Value) => Value): void {
    const { b } = this.#scope;
    const whole = b.and(count, b.index(-this.#lanes));
    b.loop(b.index(0), whole, this.#lanes, (done) => {
      const first = { base: b.add(start, done), plus: 0 };
      const vector = { loop: loop.id, first, lanes: this.#lanes, active: this.#lanes, mask: undefined };
      this.#expressions.within(() => {
        const value = this.#expressions.emit(this.#scalarOperand, this.#position(vector));
        b.store(widen(b, value, this.#lanes), address(done));
      });
      return [];
    });
    b.loop(whole, count, 1, (done) => {
      this.#open(loop, { base: b.add(start, done), plus: 0 }, () => {
        b.store(this.#expressions.emit(this.#scalarOperand, this.#position(undefined)), address(done));
      });
      return [];
    });
  }

  #scratch(which: keyof ContractScratch): Value {
    const order = (["vectorPanel", "scalarPanel", "tile"] as const).filter((name) => this.#sizes[name] > 0);
    const buffer = this.#kernel.scratch[order.indexOf(which)];
    const pointer = buffer === undefined ? undefined : this.#scope.pointers.get(buffer);
    if (pointer === undefined) throw new InternalError(`a contraction without its ${which}`);
    return pointer;
  }
}

function epilogueWeight(kernel: ContractKernel): number {
  const seen = new Set<ScalarExpr>();
  const stack = [...rootExpressions(kernel.epilogue)];
  let weight = 0;
  while (stack.length > 0) {
    const expr = stack.pop();
    if (expr === undefined || seen.has(expr)) continue;
    seen.add(expr);
    if (expr.kind === "random") weight += 100;
    else if (expr.kind === "apply") weight += 1;
    stack.push(...operandsOf(expr));
  }
  return weight;
}
