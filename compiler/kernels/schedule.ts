import { byteSize, type NumericDType } from "../ir/dtype.js";
import type { ContractSchedule } from "./form.js";

/** What schedules need to know of a target, as data. */
export interface TargetLimits {
  /** Bytes of one vector register. */
  readonly vectorBytes: number;
  readonly registers: number;
  readonly l1Bytes: number;
  readonly l2Bytes: number;
  readonly l3Bytes: number;
  /** Contractions may copy their operands into panels first; not where this is false. */
  readonly panels?: boolean;
  /** Arrays that one kernel may read, where that is bounded. */
  readonly mostInputs?: number;
  /** Arithmetic that is done again by every reader rather than by a kernel more, in additions; 3 where a kernel costs little. */
  readonly cheap?: number;
}

export function lanesOf(dtype: NumericDType, target: TargetLimits): number {
  return Math.max(1, Math.floor(target.vectorBytes / byteSize(dtype)));
}

/** A contraction as its schedule sees it. */
export interface ContractShape {
  readonly dtype: NumericDType;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The innermost loops, of which register tiles are cut. */
  readonly tile: { readonly m: number; readonly n: number };
  /** For each number of outer loops of k that may run outside the tiles: how long k is inside, and what elements are then read. */
  readonly turns: readonly { readonly depth: number; readonly lhs: number; readonly rhs: number }[];
  /** Results in all. */
  readonly sums: number;
  readonly lhs: OperandShape;
  readonly rhs: OperandShape;
  /** Accesses of the epilogue that are not contiguous when lanes run along the axis: gathers and scatters. */
  readonly strided: { readonly m: number; readonly n: number };
}

export interface OperandShape {
  /** A load from memory without any arithmetic: it can be read in place. */
  readonly plain: boolean;
  /** Consecutive elements of the innermost free axis lie next to each other. */
  readonly unitFree: boolean;
  /** The same for the contracted axis. */
  readonly unitContracted: boolean;
  /** Sliding windows: a panel would hold each element several times. */
  readonly windowed: boolean;
  /** Elements from one term of the innermost contracted axis to the next. */
  readonly step: number;
  /** From the first to the last that is read. */
  readonly elements: number;
  /**
   * Where neighbours on the innermost free axis read the same elements within one turn of the loop over k, as windows of few channels do:
   * how many a tile reads besides one for each of its rows. LLVM loads each once and keeps all in registers. 0 where nothing is shared.
   */
  readonly shared: number;
  /** The same in each turn of the loop around: its panel is filled once, before. */
  readonly fixed: boolean;
}

/** Copies of the innermost step over k in one turn of its loop; a short loop has no turns. */
export function stepsInTurn(extent: number): number {
  return extent <= shortDepth ? extent : depthUnroll;
}

const shortDepth = 6;
const depthUnroll = 4;

/**
 * Chooses the lanes' axis, the register tile and the cache blocks. After Goto and van de Geijn, "Anatomy of high-performance
 * matrix multiplication" (2008): a panel of the vector operand stays in L1, a block of the other in L2; operands that fit L2
 * whole are read in place, since packing them costs as much as it saves.
 */
export function scheduleContraction(shape: ContractShape, target: TargetLimits): ContractSchedule {
  const lanes = lanesOf(shape.dtype, target);
  const size = byteSize(shape.dtype);
  const bytes = (shape.lhs.elements + shape.rhs.elements) * size;
  const small = bytes <= 0.8 * target.l2Bytes;
  const vectorAxis = chooseVectorAxis(shape, lanes, target, small);
  const vectorOperand = vectorAxis === "n" ? shape.rhs : shape.lhs;
  const scalarOperand = vectorAxis === "n" ? shape.lhs : shape.rhs;
  const vectorExtent = vectorAxis === "n" ? shape.tile.n : shape.tile.m;
  const scalarExtent = vectorAxis === "n" ? shape.tile.m : shape.tile.n;
  const { rows, vectors } = chooseTile(scalarExtent, vectorExtent, lanes, scalarOperand.shared, target);
  // A panel that is filled before a loop holds all of k.
  const outerDepth = vectorOperand.fixed ? 0 : turnsOutside(shape, vectorAxis, size, target);
  const depth = shape.turns[outerDepth]?.depth ?? shape.k;
  // Short rows, each right after the other, are as good as a panel.
  const dense = vectorExtent * size <= shortRow && scalarOperand.windowed;
  const packVectorOperand = !vectorOperand.plain || !vectorOperand.unitFree || !(small || dense);
  const near = scalarOperand.windowed && scalarOperand.step * size <= nearStep;
  const packScalarOperand = !scalarOperand.plain || !(small || near);

  const width = vectors * lanes;
  const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
  // k is not blocked otherwise: sums stay in registers from the first to the last term, and each result is written once.
  const blockDepth = depth;
  const rowsInL2 = Math.max(rows, Math.floor(target.l2Bytes / 2 / (blockDepth * size)));
  const blockRows = small ? roundUp(scalarExtent, rows) : roundUp(balanced(scalarExtent, rowsInL2, rows), rows);
  const columnsInL3 = Math.floor(Math.min(target.l3Bytes / 4, mostPanel) / (blockDepth * size));
  // A panel that is filled before a loop, and sums that wait between turns, are those of all columns.
  const oneBlock = !packVectorOperand || vectorOperand.fixed || outerDepth > 0;
  const blockColumns = oneBlock
    ? roundUp(vectorExtent, width)
    : roundUp(balanced(vectorExtent, Math.max(leastColumns, columnsInL3), width), width);
  return {
    vectorAxis,
    packVectorOperand,
    packScalarOperand,
    rows,
    vectors,
    blockRows,
    blockColumns,
    blockDepth,
    outerDepth,
  };
}

/** Bytes of a row of the vector operand that needs no panel. */
const shortRow = 1024;
/** Bytes from term to term beyond which a panel pays: lines so far apart fall into few sets of the cache. */
const nearStep = 512;
/** Bytes of a block of columns: other cores use the last cache, too. */
const mostPanel = 4 * 1024 * 1024;
/** Columns in a block at least: each block packs the rows anew, which costs as much as two to eight columns' products. */
const leastColumns = 512;
/** Terms that a sum has at least before it is put down in memory: the less, the more time goes into loads and stores. */
const leastDepth = 64;

/**
 * How many loops of k run outside the tiles. None where half of L2 holds all columns of the vector operand, which every block of
 * rows reads again, or where the sums themselves are too many to wait in memory; else as few as make both operands fit there.
 */
function turnsOutside(shape: ContractShape, vectorAxis: "m" | "n", size: number, target: TargetLimits): number {
  const limit = target.l2Bytes / 2;
  const whole = shape.turns[0];
  const columns = vectorAxis === "n" ? whole?.rhs : whole?.lhs;
  if (columns === undefined || columns * size <= limit || shape.sums * size > 2 * target.l2Bytes) return 0;
  const fits = shape.turns.findIndex(({ lhs, rhs }) => (lhs + rhs) * size <= limit);
  for (let outer = fits < 0 ? shape.turns.length - 1 : fits; outer > 0; outer--) {
    if ((shape.turns[outer]?.depth ?? 0) >= leastDepth) return outer;
  }
  return 0;
}

/** With fewer rows in a block, reading the panel of columns from the last cache takes longer than multiplying with it. */
const leastRows = 64;
/** Terms of a turn: each turn loads and stores all sums, and a strip of the panel should stay in L1. */
const shortestTurn = 128;
const longestTurn = 320;

/**
 * Terms of a turn where one loop of k is so long that a block of L2 holds only few rows of it: each block would read all columns
 * again, from far away. In turns both operands stay in L2, and so do the sums that wait. A divisor of k; undefined where k stays whole.
 */
export function depthOfTurn(
  { dtype, m, n, k }: Pick<ContractShape, "dtype" | "m" | "n" | "k">,
  target: TargetLimits,
): number | undefined {
  const limit = Math.floor(target.l2Bytes / 2 / byteSize(dtype));
  const rows = Math.floor(limit / k);
  const readsOnce = Math.min(m, n) <= Math.max(rows, 1);
  if (rows >= leastRows || readsOnce || Math.min(m, n) * k <= limit || m * n > limit) return undefined;
  for (let depth = Math.min(longestTurn, Math.floor(limit / (m + n))); depth >= shortestTurn; depth--)
    if (k % depth === 0) return depth;
  return undefined;
}

/** Pieces of nearly equal size, none above `most`, so that the last is not a sliver; a multiple of `step`. */
function balanced(extent: number, most: number, step: number): number {
  const limit = Math.max(step, Math.floor(most / step) * step);
  const pieces = Math.max(1, Math.ceil(extent / limit));
  return Math.min(extent, Math.ceil(extent / pieces / step) * step);
}

/** The axis that takes fewer cycles: multiplying, packing, and the write-back's gathers and scatters. */
function chooseVectorAxis(shape: ContractShape, lanes: number, target: TargetLimits, small: boolean): "m" | "n" {
  const cycles = (axis: "m" | "n"): number => {
    const [operand, extent] = axis === "n" ? [shape.rhs, shape.n] : [shape.lhs, shape.m];
    const { shared } = axis === "n" ? shape.lhs : shape.rhs;
    const { m, n } = shape.tile;
    const tiles = (shape.m / Math.max(1, m)) * (shape.n / Math.max(1, n));
    const [rows, columns] = axis === "n" ? [m, n] : [n, m];
    const cost = tiles * chooseTile(rows, columns, lanes, shared, target).cost;
    // Measured: a transposing pass over the operand, and a strided load or store in the write-back.
    const packing = operand.fixed ? 0 : operand.plain && operand.unitFree ? (small ? 0 : 2 / lanes) : 0.25;
    return cost * shape.k + packing * extent * shape.k + 0.6 * shape.strided[axis] * shape.m * shape.n;
  };
  return cycles("m") < cycles("n") ? "m" : "n";
}

/** The tile whose steps waste the fewest lanes and rows, then the one with the most accumulators (they hide FMA latency). */
function chooseTile(
  rowsExtent: number,
  vectorExtent: number,
  lanes: number,
  shared: number,
  target: TargetLimits,
): { readonly rows: number; readonly vectors: number; readonly cost: number } {
  const columns = Math.ceil(vectorExtent / lanes);
  const widest = target.registers >= 32 || shared > 0 ? 4 : 3;
  let best = { rows: 1, vectors: 1 };
  let bestCost = Number.POSITIVE_INFINITY;
  for (let vectors = 1; vectors <= Math.min(widest, columns); vectors++) {
    // Beside the sums and a register for each vector there are the scalars: one at a time, or all that are shared.
    const most =
      shared > 0
        ? Math.floor((target.registers - vectors - shared) / (vectors + 1))
        : Math.floor((target.registers - vectors - 1) / vectors);
    for (let rows = 1; rows <= Math.min(most, rowsExtent, 24); rows++) {
      // Tiles at the edges are written for their own, smaller sizes.
      const cost = pieces(rowsExtent, rows).reduce(
        (sum, [r, times]) =>
          pieces(columns, vectors).reduce(
            (inner, [v, across]) => inner + times * across * stepCycles(r, v, target),
            sum,
          ),
        0,
      );
      if (cost < bestCost - 1e-9) {
        best = { rows, vectors };
        bestCost = cost;
      }
    }
  }
  return { ...best, cost: bestCost };
}

/** Whole tiles, and the one that is left over, each with how often it occurs. */
function pieces(extent: number, tile: number): readonly (readonly [number, number])[] {
  const rest = extent % tile;
  return rest === 0
    ? [[tile, extent / tile]]
    : [
        [tile, Math.floor(extent / tile)],
        [rest, 1],
      ];
}

/**
 * Cycles of one step over k: fused multiply-adds, two loads (a vector or a broadcast) a cycle, the latency of four cycles that
 * independent sums must hide, and the loop itself. Some cores do two 512-bit multiply-adds a cycle and some one; the latter is
 * taken, because wasted lanes cost those more than packing costs the others. Of equal tiles, the one with the fewest loads.
 */
function stepCycles(rows: number, vectors: number, target: TargetLimits): number {
  const fused = target.vectorBytes === 64 ? 1 : 2;
  return Math.max((rows * vectors) / fused, (rows + vectors) / 2, 4) + 0.5 + 0.005 * (rows + vectors);
}
