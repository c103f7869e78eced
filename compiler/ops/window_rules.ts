/** The geometry of sliding windows along an axis, shared by the ops that have them. Sizes may be symbolic. */
import { addDims, type Dim, dimText, floorDivideDims, multiplyDims, subtractDims } from "../ir/dim.js";
import { OpError } from "./op_error.js";

/** How a window slides along one axis. */
export interface WindowAxis {
  /** Its name in messages: `axis 1`. */
  readonly label: string;
  readonly size: Dim;
  readonly window: Dim;
  readonly stride: number;
  readonly low: Dim;
  readonly high: Dim;
  /** Elements apart: of the operand (holes in it) and of the window. */
  readonly baseDilation: number;
  readonly windowDilation: number;
}

/** From the first to the last of `size` elements that stand `dilation` apart. */
export function dilatedSize(size: Dim, dilation: number): Dim {
  return size === 0 ? 0 : addDims(multiplyDims(subtractDims(size, 1), dilation), 1);
}

/** Positions of the window. Refuses strides and dilations below 1, and a window that fits nowhere (G130). */
export function windowPositions(op: string, axis: WindowAxis, operand = 0): Dim {
  const { label, stride, baseDilation, windowDilation, window } = axis;
  const least = (what: string, value: number): void => {
    if (value >= 1) return;
    throw new OpError("G130", `${op} needs a ${what} of at least 1 along ${label}, not ${value}`, { operand });
  };
  if (typeof window === "number") least("window", window);
  least("stride", stride);
  least("dilation", Math.min(baseDilation, windowDilation));
  const padded = addDims(dilatedSize(axis.size, baseDilation), addDims(axis.low, axis.high));
  const extent = dilatedSize(window, windowDilation);
  const room = subtractDims(padded, extent);
  // A single element slides over an empty axis: there is nothing to visit, as in an empty batch.
  const single = extent === 1 && padded === 0;
  if (typeof room === "number" && room < 0 && !single) {
    throw new OpError("G130", windowMisfit(op, axis), { operand, hint: windowHint });
  }
  return addDims(floorDivideDims(room, stride), 1);
}

export const windowHint = 'padding makes room, for example `padding="same"`';

/** What is said of a window that does not fit. */
export function windowMisfit(op: string, axis: WindowAxis): string {
  const { label, windowDilation, window } = axis;
  const holes = windowDilation === 1 ? "" : ` (${dimText(window)} elements ${windowDilation} apart)`;
  const padded = addDims(dilatedSize(axis.size, axis.baseDilation), addDims(axis.low, axis.high));
  const extent = dilatedSize(window, windowDilation);
  return (
    `the window of ${op} is larger than what it slides over along ${label}: ${dimText(extent)}${holes} in ${dimText(padded)}, ` +
    `with ${dimText(axis.low)} before and ${dimText(axis.high)} after ${dimText(axis.size)}`
  );
}

/**
 * The padding with which the same window, sliding in steps of `baseDilation` over the positions held `stride` apart, meets for
 * each element of the operand the positions whose windows cover it: how gradients run back.
 */
export function transposedPadding(axis: WindowAxis, positions: Dim): { readonly low: Dim; readonly high: Dim } {
  const extent = dilatedSize(axis.window, axis.windowDilation);
  const low = subtractDims(subtractDims(extent, 1), axis.low);
  const spread = dilatedSize(positions, axis.stride);
  // Spread positions + low + high are as many as the dilated operand and one window less one.
  const all = addDims(dilatedSize(axis.size, axis.baseDilation), subtractDims(extent, 1));
  return { low, high: subtractDims(subtractDims(all, spread), low) };
}
