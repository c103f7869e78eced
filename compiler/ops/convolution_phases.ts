import { staticSize } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { staticShape, type TensorType } from "../ir/type.js";
import { zerosLike } from "./build.js";
import { type ConvolutionAttributes, convolution } from "./convolution.js";
import { concatenate } from "./structure.js";
import { reshapeTo, slice } from "./views.js";

/** Along one axis: results p = holes * q + r, for one r. Only every holes-th element of the window meets an element of the input. */
interface Phase {
  /** The first element of the window that does, and how many do. */
  readonly first: number;
  readonly taps: number;
  readonly low: number;
  readonly high: number;
}

/** More parts than this are more code than the zeros cost. */
const mostPhases = 16;

/**
 * A convolution over an input with holes (a transposed one, the gradient of a strided one) as one dense convolution for each
 * remainder of the results' places by the distance of the holes, interleaved. Multiplying by the zeros in the holes would take
 * holes ^ axes times as long. Undefined where it is not so simple: with strides or with gaps in the window along such an axis.
 */
export function byPhases(
  lhs: Value,
  rhs: Value,
  attributes: ConvolutionAttributes,
  type: TensorType,
  padInput: (low: readonly number[], high: readonly number[]) => Value,
): Value | undefined {
  const { lhs_dilation: holes, strides, rhs_dilation, batch_groups } = attributes;
  const parts = holes.reduce((product, count) => product * count, 1);
  const simple = holes.every((count, axis) => count === 1 || (strides[axis] === 1 && rhs_dilation[axis] === 1));
  if (parts === 1 || parts > mostPhases || !simple || batch_groups !== 1) return undefined;
  const sizes = staticShape(lhs.type).slice(1, -1);
  const window = staticShape(rhs.type).slice(0, -2);
  const out = staticShape(type);
  const counts = holes.map((count, axis) => Math.ceil((out[axis + 1] as number) / count));
  const phases = holes.map((count, axis): readonly Phase[] =>
    Array.from({ length: count }, (_, r) => {
      const low = staticSize(attributes.low[axis] ?? 0);
      if (count === 1)
        return { first: 0, taps: window[axis] as number, low, high: staticSize(attributes.high[axis] ?? 0) };
      const first = (((low - r) % count) + count) % count;
      const taps = Math.max(0, Math.ceil(((window[axis] as number) - first) / count));
      const before = (low - r - first) / count;
      const after = (counts[axis] as number) - 1 + taps - (sizes[axis] as number) - before;
      return { first, taps, low: before, high: after };
    }),
  );
  if (phases.some((list) => list.every(({ taps }) => taps === 0))) return undefined;
  // Padded once, as much as any phase needs; each then cuts.
  const most = (side: "low" | "high"): readonly number[] =>
    phases.map((list) => Math.max(0, ...list.filter(({ taps }) => taps > 0).map((phase) => phase[side])));
  const [low, high] = [most("low"), most("high")];
  const input = padInput(low, high);
  // Along axes without holes the result has all its places.
  const places = out.map((size, i) => ((holes[i - 1] ?? 1) === 1 ? size : (counts[i - 1] as number)));

  const dense = (chosen: readonly Phase[]): Value => {
    if (chosen.some(({ taps }) => taps === 0)) return zerosLike(lhs, places);
    return convolution(input, slicedWindow(rhs, chosen, holes), {
      ...attributes,
      low: chosen.map((phase, axis) => phase.low - (low[axis] as number)),
      high: chosen.map((phase, axis) => phase.high - (high[axis] as number)),
      lhs_dilation: holes.map(() => 1),
    });
  };
  const interleaved = (axis: number, chosen: readonly Phase[]): Value => {
    if (axis === holes.length) return dense(chosen);
    const results = (phases[axis] as readonly Phase[]).map((phase) => interleaved(axis + 1, [...chosen, phase]));
    const [first] = results as [Value, ...Value[]];
    if (results.length === 1) return first;
    const shape = staticShape(first.type);
    const apart = [...shape.slice(0, axis + 2), 1, ...shape.slice(axis + 2)];
    const together = concatenate(
      results.map((result) => reshapeTo(result, apart)),
      { axis: axis + 2 },
    );
    const merged = shape.map((size, i) => (i === axis + 1 ? size * results.length : size));
    const limit = merged.map((size, i) => (i === axis + 1 ? (out[i] as number) : size));
    const joined = reshapeTo(together, merged);
    if (limit.every((size, i) => size === merged[i])) return joined;
    return slice(joined, { start: limit.map(() => 0), limit, strides: limit.map(() => 1) });
  };
  return interleaved(0, []);
}

function slicedWindow(rhs: Value, chosen: readonly Phase[], holes: readonly number[]): Value {
  const shape = staticShape(rhs.type);
  return slice(rhs, {
    start: shape.map((_, axis) => chosen[axis]?.first ?? 0),
    limit: shape,
    strides: shape.map((_, axis) => holes[axis] ?? 1),
  });
}
