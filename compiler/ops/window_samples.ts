/** Random windows for the generated tests of convolutions, pooling and what they are made of, and the operands of `windows`. */
import { type Draw, drawFlag, drawOne, drawOrder, drawShape, drawSome } from "./draw.js";
import { type Sample, type Samples, uniform } from "./samples.js";
import { dilatedSize } from "./window_rules.js";
import type { Windows } from "./windows.js";

export interface DrawnWindow {
  readonly window: number;
  readonly stride: number;
  readonly low: number;
  readonly high: number;
  readonly baseDilation: number;
  readonly windowDilation: number;
}

const still: DrawnWindow = { window: 1, stride: 1, low: 0, high: 0, baseDilation: 1, windowDilation: 1 };

/** A window that fits, over `size` elements: with padding and cuts at both ends, and with holes in the operand, where there may be some. */
export function drawWindow(
  draw: Draw,
  size: number,
  may: { readonly pad: boolean; readonly dilate: boolean },
): DrawnWindow {
  const window = drawOne(draw, [1, 2, 3]);
  const stride = drawOne(draw, [1, 2, window, 3]);
  const windowDilation = drawOne(draw, [1, 1, 2, 3]);
  const baseDilation = may.dilate ? drawOne(draw, [1, 1, 2, 3]) : 1;
  const ends = [0, 0, 1, -1, 2, -2, 3];
  const [low, high] = may.pad ? [drawOne(draw, ends), drawOne(draw, ends)] : [0, 0];
  const drawn = { window, stride, low, high, baseDilation, windowDilation };
  const room = Number(dilatedSize(size, baseDilation)) + low + high - extentOf(drawn);
  if (room >= 0) return drawn;
  return may.pad ? { ...drawn, high: high - room } : { ...still, stride };
}

/** One window for each axis; at most three slide. */
export function drawWindows(
  draw: Draw,
  shape: readonly number[],
  may: { readonly pad: boolean; readonly dilate: boolean },
): readonly DrawnWindow[] {
  let sliding = 0;
  return shape.map((size) => {
    if (sliding === 3 || !drawFlag(draw)) return still;
    sliding++;
    return drawWindow(draw, size, may);
  });
}

function extentOf({ window, windowDilation }: DrawnWindow): number {
  return (window - 1) * windowDilation + 1;
}

/** How many places it slides over: none where there is nothing to slide over. */
export function positionsOf(size: number, drawn: DrawnWindow): number {
  const padded = Number(dilatedSize(size, drawn.baseDilation)) + drawn.low + drawn.high;
  return Math.floor((padded - extentOf(drawn)) / drawn.stride) + 1;
}

/** Whether it holds an element of the operand wherever it stands: not padding and holes alone, of which there is no maximum. */
export function holdsElements(size: number, drawn: DrawnWindow): boolean {
  const spread = Number(dilatedSize(size, drawn.baseDilation));
  return Array.from({ length: positionsOf(size, drawn) }, (_, position) => position * drawn.stride - drawn.low).every(
    (first) =>
      Array.from({ length: drawn.window }, (_, k) => first + k * drawn.windowDilation).some(
        (place) => place >= 0 && place < spread && place % drawn.baseDilation === 0,
      ),
  );
}

export const windowsSamples: Samples<Windows> = {
  fixed: [
    windowed([5], [0], [2], [1], [1]),
    windowed([7], [0], [3], [2], [1]),
    windowed([7], [0], [3], [2], [2]),
    windowed([3], [], [], [], []),
    windowed([1], [0], [1], [1], [1]),
    windowed([4, 5], [1], [2], [3], [1]),
    windowed([2, 5, 4, 3], [1, 2], [3, 2], [1, 2], [1, 1]),
    windowed([2, 5, 4, 3], [2, 1], [2, 2], [1, 2], [3, 1]),
    windowed([0, 3], [1], [2], [1], [1]),
    windowed([], [], [], [], []),
    windowed([2, 4, 1], [1], [2], [1], [2]),
    windowed([1, 3, 2, 4, 2], [3, 1], [2, 2], [2, 1], [1, 1]),
  ],
  random: (draw) => {
    const shape = drawShape(draw);
    const axes = drawSome(draw, drawOrder(draw, [...shape.keys()])).slice(0, 3);
    const drawn = axes.map((axis) => drawWindow(draw, shape[axis] as number, { pad: false, dilate: false }));
    return windowed(
      shape,
      axes,
      drawn.map(({ window }) => window),
      drawn.map(({ stride }) => stride),
      drawn.map(({ windowDilation }) => windowDilation),
    );
  },
};

function windowed(
  shape: readonly number[],
  axes: readonly number[],
  size: readonly number[],
  strides: readonly number[],
  dilation: readonly number[],
): Sample<Windows> {
  return { inputs: [{ shape, fill: uniform(-4, 4) }], attributes: { axes, size, strides, dilation } };
}
