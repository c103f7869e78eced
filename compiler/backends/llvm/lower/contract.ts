import { InternalError } from "../../../ir/diagnostic.js";
import { operandsOf } from "../../../kernels/access.js";
import { rowsPerBlock } from "../../../kernels/contract_scratch.js";
import type { ContractKernel, Extent, ScalarExpr } from "../../../kernels/form.js";
import { stepsInTurn } from "../../../kernels/schedule.js";
import { typeOf } from "../types.js";
import type { Value } from "../value.js";
import { packRows, packStrip } from "./contract_packing.js";
import { type ColumnBlock, ContractScope, type Strip } from "./contract_scope.js";
import { type Counter, type KernelScope, widen } from "./expressions.js";
import { FactTable, rootExpressions } from "./facts.js";

/**
 * A contraction as a grid of register tiles: `rows` broadcast scalars of one operand by `vectors` registers of the other, summed
 * over k with fused multiply-adds (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). An operand
 * is read in place, or from a packed panel: the vector operand's holds, strip of columns by strip, the strip's rows one after
 * another; the scalar operand's a block of rows. Tiles at the edges are written out for their own, smaller sizes.
 */
export function emitContract(scope: KernelScope, kernel: ContractKernel): void {
  new ContractEmitter(new ContractScope(scope, kernel), kernel).emit();
}

/** Expressions of an epilogue beyond which it is written as a loop over the tile's rows, not once for each register. */
const lightEpilogue = 8;

/** Rows of a tile: the first one's index, its place in the block, and how many. */
interface TileRows {
  readonly start: Value;
  readonly inBlock: Value;
  readonly count: number;
}

class ContractEmitter {
  readonly #scope: ContractScope;
  readonly #kernel: ContractKernel;

  constructor(scope: ContractScope, kernel: ContractKernel) {
    this.#scope = scope;
    this.#kernel = kernel;
  }

  emit(): void {
    this.#prepare();
    const { rows, columns, turns, outer } = this.#scope.axes;
    if (rows.extent === 0 || columns.extent === 0) return;
    if (turns.length === 0) {
      this.#eachTile();
      return;
    }
    this.#clearSums();
    this.#scope.nested(turns, () => this.#eachTile());
    this.#scope.nested(outer, () => this.#storeSums());
  }

  /** Packs the vector operand where a loop changed it, a block of columns at a time, and runs all tiles. */
  #eachTile(): void {
    const { ofPanel, others } = this.#scope.outerLoops;
    this.#scope.nested(ofPanel, () => {
      this.#scope.eachColumnBlock((columns) => {
        if (this.#scope.sizes.vectorPanel > 0 && this.#kernel.panel === undefined)
          this.#scope.eachStrip(columns, (strip) => packStrip(this.#scope, strip));
        this.#scope.nested(others, () => this.#blocks(columns));
      });
    });
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
      if (expr.kind === "random") this.#scope.expressions.prepareDraw(expr);
      const { loops, accumulators, loads } = facts.of(expr);
      const fixed =
        [...loops].every((loop) => this.#scope.isAround(loop)) &&
        accumulators.size === 0 &&
        [...loads].every((id) => !stored.has(id));
      if (fixed && expr.kind !== "constant") this.#scope.expressions.emit(expr, this.#scope.position(undefined));
      else stack.push(...operandsOf(expr));
    }
  }

  /** Block of rows by block, packs the rows and runs the tiles of the block. */
  #blocks(columns: ColumnBlock): void {
    const { b } = this.#scope;
    const { rows } = this.#scope.axes;
    const tile = this.#kernel.schedule.rows;
    const block = rowsPerBlock(this.#scope.axes, this.#kernel.schedule);
    const whole = rows.extent - (rows.extent % tile);
    b.loop(0, whole, block, (start) => {
      const left = b.sub(b.index(whole), start);
      const count = whole % block === 0 ? b.index(block) : b.min(left, b.index(block));
      this.#block(columns, start, count, tile);
      return [];
    });
    if (whole < rows.extent) this.#block(columns, b.index(whole), b.index(rows.extent - whole), rows.extent - whole);
  }

  /** A block of `count` rows, which is a whole number of tiles of `tile` rows. */
  #block(columns: ColumnBlock, start: Value, count: Value, tile: number): void {
    const { b } = this.#scope;
    if (this.#scope.sizes.scalarPanel > 0) packRows(this.#scope, start, count);
    this.#scope.eachStrip(columns, (strip) => {
      b.loop(b.index(0), count, tile, (inBlock) => {
        this.#scope.expressions.within(() => this.#tile(strip, { start: b.add(start, inBlock), inBlock, count: tile }));
        return [];
      });
    });
  }

  /** One tile: the sums over k in registers, then the stores. */
  #tile(strip: Strip, rows: TileRows): void {
    const sums = this.#sums(strip, rows);
    if (this.#scope.sizes.sums > 0) {
      this.#eachSum(strip, rows, (place, index) => this.#scope.b.store(sums[index] as Value, place));
      return;
    }
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
    const type = typeOf(this.#scope.element, this.#scope.lanes);
    const tile = this.#scope.scratch("tile");
    const place = (row: Value | number, register: number): Value => {
      const line = b.offsetElements(
        tile,
        this.#scope.element,
        typeof row === "number" ? row * this.#scope.width : b.mul(row, b.index(this.#scope.width)),
      );
      return b.offsetElements(line, this.#scope.element, register * this.#scope.lanes);
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
      this.#scope.open(this.#scope.axes.rows, row, () => {
        const { b } = this.#scope;
        const position = this.#scope.position(
          this.#scope.lanesAt(strip, register),
          b.roundTo(sum(register), this.#kernel.accumulator.dtype),
        );
        // All values first: a store may overwrite what another store's value is computed from.
        const values = this.#kernel.epilogue.map((store) => this.#scope.expressions.emit(store.value, position));
        this.#kernel.epilogue.forEach((store, index) => {
          this.#scope.expressions.store(store, values[index] as Value, position);
        });
      });
    });
  }

  /** The sums over k of a tile, row by row: one register each. */
  #sums(strip: Strip, rows: TileRows): readonly Value[] {
    const { b } = this.#scope;
    const type = typeOf(this.#scope.element, this.#scope.lanes);
    const initial = new Array<Value>(rows.count * strip.lanes.length).fill(b.constant(type, 0));
    if (this.#scope.sizes.sums > 0) {
      this.#eachSum(strip, rows, (place, index) => {
        initial[index] = b.load(type, place);
      });
    }
    return this.#overDepth(this.#scope.axes.depth, { base: b.index(0), plus: 0 }, initial, (k, sums) =>
      this.#step(strip, rows, k, sums),
    );
  }

  /** The places of a tile's sums between two turns. */
  #eachSum(strip: Strip, rows: TileRows, visit: (place: Value, index: number) => void): void {
    const { b, element, lanes, width } = this.#scope;
    const first = this.#scope.sumsAddress(strip, rows.start);
    for (let row = 0; row < rows.count; row++) {
      strip.lanes.forEach((_, register) => {
        visit(b.offsetElements(first, element, row * width + register * lanes), row * strip.lanes.length + register);
      });
    }
  }

  #clearSums(): void {
    const { b, element, lanes, sizes } = this.#scope;
    const zero = b.constant(typeOf(element, lanes), 0);
    b.loop(0, sizes.sums, lanes, (at) => {
      b.store(zero, b.offsetElements(this.#scope.scratch("sums"), element, at));
      return [];
    });
  }

  /** After the last turn: the sums from memory, row by row, into the epilogue. */
  #storeSums(): void {
    const { b, element, lanes, axes } = this.#scope;
    this.#scope.eachStrip(this.#scope.allColumns, (strip) => {
      b.loop(0, axes.rows.extent, 1, (row) => {
        const place = this.#scope.sumsAddress(strip, row);
        this.#storeRow(strip, { base: row, plus: 0 }, (register) =>
          b.load(typeOf(element, lanes), b.offsetElements(place, element, register * lanes)),
        );
        return [];
      });
    });
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
      this.#scope.open(first, { base, plus }, () => {
        const scaled = inner === 1 ? base : b.mul(base, b.index(inner));
        const flat = { base: b.add(outer.base, scaled), plus: outer.plus + plus * inner };
        next = this.#overDepth(rest, flat, state, step);
      });
      return next;
    };
    const unroll = rest.length === 0 ? Math.max(1, stepsInTurn(first.extent)) : 1;
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
      const scalar = b.splat(this.#scalarAt(rows, row, k), this.#scope.lanes);
      vectors.forEach((vector, register) => {
        next.push(b.fma(scalar, vector, sums[row * vectors.length + register] as Value));
      });
    }
    return next;
  }

  #vectorAt(strip: Strip, register: number, k: Counter): Value {
    const { b } = this.#scope;
    if (this.#scope.sizes.vectorPanel > 0) {
      const line = this.#scope.panelLine(strip, k);
      return b.load(
        typeOf(this.#scope.element, this.#scope.lanes),
        b.offsetElements(line, this.#scope.element, register * this.#scope.lanes),
      );
    }
    return this.#scope.expressions.within(() => {
      const value = this.#scope.expressions.emit(
        this.#scope.vectorOperand,
        this.#scope.position(this.#scope.lanesAt(strip, register)),
      );
      return widen(b, value, this.#scope.lanes);
    });
  }

  #scalarAt(rows: TileRows, row: number, k: Counter): Value {
    const { b } = this.#scope;
    if (this.#scope.sizes.scalarPanel > 0) {
      const address = this.#scope.rowAddress(rows.inBlock, k.base);
      const plus = row * this.#scope.panel.row + k.plus * this.#scope.panel.depth;
      return b.load(typeOf(this.#scope.element), b.offsetElements(address, this.#scope.element, plus));
    }
    let value: Value | undefined;
    this.#scope.open(this.#scope.axes.rows, { base: rows.start, plus: row }, () => {
      value = this.#scope.expressions.emit(this.#scope.scalarOperand, this.#scope.position(undefined));
    });
    if (value === undefined) throw new InternalError("a tile without its scalar");
    return value;
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
