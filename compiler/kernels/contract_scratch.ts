import type { ContractSchedule, Extent } from "./form.js";

/** The loops of a contraction by their part in the register tile. */
export interface TileAxes {
  /** Along the tile's rows: broadcast scalars. */
  readonly rows: Extent;
  /** Along the lanes. */
  readonly columns: Extent;
  readonly depth: readonly Extent[];
  /** Loops of k outside the tiles: each turn adds to sums that wait in memory. */
  readonly turns: readonly Extent[];
  /** The whole is repeated for each of these. */
  readonly outer: readonly Extent[];
}

/** The innermost loop of m and of n is tiled; their other loops, and the batch, repeat the tiles. */
export function tileAxes(kernel: {
  readonly batch: readonly Extent[];
  readonly m: readonly Extent[];
  readonly n: readonly Extent[];
  readonly k: readonly Extent[];
  readonly schedule: ContractSchedule;
}): TileAxes {
  const [scalarAxes, vectorAxes] = kernel.schedule.vectorAxis === "n" ? [kernel.m, kernel.n] : [kernel.n, kernel.m];
  return {
    rows: scalarAxes.at(-1) ?? { id: -1, extent: 1 },
    columns: vectorAxes.at(-1) ?? { id: -2, extent: 1 },
    depth: kernel.k.slice(kernel.schedule.outerDepth),
    turns: kernel.k.slice(0, kernel.schedule.outerDepth),
    outer: [...kernel.batch, ...scalarAxes.slice(0, -1), ...vectorAxes.slice(0, -1)],
  };
}

/** Sizes in elements of the scratch that a contraction needs, in the order of `ContractKernel.scratch`. */
export interface ContractScratch {
  /** A block of columns, strip by strip; 0 when the vector operand is read in place. */
  readonly vectorPanel: number;
  /** One block of rows, each `panelDepth` apart; 0 when the scalar operand is read in place. */
  readonly scalarPanel: number;
  /** One register tile, where an epilogue with much arithmetic reads the sums from. */
  readonly tile: number;
  /** All sums, tile by tile, where they wait from turn to turn. */
  readonly sums: number;
}

export const scratchOrder = [
  "vectorPanel",
  "scalarPanel",
  "tile",
  "sums",
] as const satisfies readonly (keyof ContractScratch)[];

/** Sums of one turn of the outer loops. */
export function sumsPerOuter(axes: TileAxes, schedule: ContractSchedule, lanes: number): number {
  const width = schedule.vectors * lanes;
  return Math.ceil(axes.columns.extent / width) * axes.rows.extent * width;
}

/** Rows of the scalar panel lie so far apart: an odd number of cache lines, so that a tile's rows fall into different sets. */
export function panelPitch(length: number): number {
  const lines = Math.ceil(length / 16);
  return (lines % 2 === 0 ? lines + 1 : lines) * 16;
}

export function depthOf(axes: TileAxes): number {
  return axes.depth.reduce((product, { extent }) => product * extent, 1);
}

/** Rows packed at a time: a multiple of the tile's. */
export function rowsPerBlock(axes: TileAxes, schedule: ContractSchedule): number {
  const blocks = Math.max(1, Math.floor(schedule.blockRows / schedule.rows));
  const needed = Math.max(1, Math.ceil(axes.rows.extent / schedule.rows));
  return Math.min(blocks, needed) * schedule.rows;
}

/** Strips of the columns that are packed at a time, but for one that is not whole: the last block has it besides. */
export function stripsPerBlock(axes: TileAxes, schedule: ContractSchedule, lanes: number): number {
  const width = schedule.vectors * lanes;
  return Math.max(1, Math.min(Math.floor(schedule.blockColumns / width), Math.floor(axes.columns.extent / width)));
}

export function contractScratch(axes: TileAxes, schedule: ContractSchedule, lanes: number): ContractScratch {
  const depth = depthOf(axes);
  const width = schedule.vectors * lanes;
  const { extent } = axes.columns;
  const strips = Math.min(
    Math.ceil(extent / width),
    stripsPerBlock(axes, schedule, lanes) + (extent % width === 0 ? 0 : 1),
  );
  const rows = rowsPerBlock(axes, schedule);
  // Either layout of the scalar panel (rows of k, or rows of the tile's rows) fits.
  const panel = Math.max(rows * panelPitch(depth), depth * panelPitch(rows));
  return {
    vectorPanel: schedule.packVectorOperand ? strips * width * depth : 0,
    scalarPanel: schedule.packScalarOperand ? panel : 0,
    tile: schedule.rows * width,
    sums:
      axes.turns.length === 0
        ? 0
        : axes.outer.reduce((product, { extent }) => product * extent, sumsPerOuter(axes, schedule, lanes)),
  };
}
