import { staticSize } from "../ir/dim.js";
import { elementCount } from "../ir/tensor.js";
import type { ConvolutionAttributes } from "./convolution.js";
import type { ReferenceTensor } from "./define.js";
import { emptyLike, isFloatName, stridesOf, wrap } from "./evaluate.js";
import type { ReferenceData } from "./precision.js";

/** The definition, written out: for each result the sum over its window and its group's channels. */
export function evaluateConvolution(
  inputs: readonly ReferenceTensor[],
  attributes: ConvolutionAttributes,
  shape: readonly number[],
): ReferenceData {
  const [lhs, rhs] = inputs as readonly [ReferenceTensor, ReferenceTensor];
  const places = placesOf(lhs, rhs, attributes, shape);
  const result = emptyLike(lhs.data, elementCount(shape));
  const out = shape.at(-1) ?? 1;
  const channels = lhs.shape.at(-1) ?? 1;
  const taken = rhs.shape.at(-2) ?? 1;
  const batch = shape[0] ?? 1;
  const positions = elementCount(shape.slice(1, -1));
  const image = elementCount(lhs.shape.slice(1));
  const perFeature = out / attributes.feature_groups;
  const perBatch = out / attributes.batch_groups;
  const sum = sumOf(lhs, rhs);
  for (let n = 0; n < batch; n++) {
    for (let position = 0; position < positions; position++) {
      for (let o = 0; o < out; o++) {
        const row = n + Math.floor(o / perBatch) * batch;
        const from = row * image + Math.floor(o / perFeature) * taken;
        const taps = places[position] ?? [];
        const total = sum(
          taps,
          (tap) => from + tap.at * channels,
          (tap) => tap.tap * taken * out + o,
          taken,
          out,
        );
        result[(n * positions + position) * out + o] = total as never;
      }
    }
  }
  return result;
}

/** One element of the window that lies on one of the input: their row-major places among the spatial axes. */
interface Tap {
  readonly tap: number;
  readonly at: number;
}

function placesOf(
  lhs: ReferenceTensor,
  rhs: ReferenceTensor,
  attributes: ConvolutionAttributes,
  shape: readonly number[],
): readonly (readonly Tap[])[] {
  const sizes = lhs.shape.slice(1, -1);
  const window = rhs.shape.slice(0, -2);
  const steps = stridesOf(sizes);
  const inside = (axis: number, position: number, k: number): number | undefined => {
    const turned = attributes.reversal.includes(axis) ? (window[axis] as number) - 1 - k : k;
    const dilation = attributes.lhs_dilation[axis] as number;
    const moved = position * (attributes.strides[axis] as number) + turned * (attributes.rhs_dilation[axis] as number);
    const place = moved - staticSize(attributes.low[axis] ?? 0);
    const at = place / dilation;
    return place >= 0 && Number.isInteger(at) && at < (sizes[axis] as number) ? at : undefined;
  };
  const visit = (axis: number, at: readonly number[]): readonly Tap[] => {
    if (axis === sizes.length) return [{ tap: 0, at: 0 }];
    const rest = visit(axis + 1, at);
    const inner = elementCount(window.slice(axis + 1));
    return Array.from({ length: window[axis] as number }, (_, k) => {
      const here = inside(axis, at[axis] as number, k);
      if (here === undefined) return [];
      return rest.map((tap) => ({ tap: k * inner + tap.tap, at: here * (steps[axis] as number) + tap.at }));
    }).flat();
  };
  const positions = shape.slice(1, -1);
  const strides = stridesOf(positions);
  return Array.from({ length: elementCount(positions) }, (_, flat) =>
    visit(
      0,
      positions.map((size, axis) => Math.floor(flat / (strides[axis] as number)) % size),
    ),
  );
}

type Sum = (
  taps: readonly Tap[],
  left: (tap: Tap) => number,
  right: (tap: Tap) => number,
  channels: number,
  out: number,
) => number | bigint;

function sumOf(lhs: ReferenceTensor, rhs: ReferenceTensor): Sum {
  const a = lhs.data;
  const b = rhs.data;
  if (a instanceof Float64Array && b instanceof Float64Array) {
    const float = isFloatName(lhs.dtype);
    return (taps, left, right, channels, out) => {
      let total = 0;
      for (const tap of taps) {
        const from = left(tap);
        const to = right(tap);
        for (let c = 0; c < channels; c++) {
          const x = a[from + c] as number;
          const y = b[to + c * out] as number;
          total = float ? total + x * y : (total + Math.imul(x, y)) | 0;
        }
      }
      return total;
    };
  }
  return (taps, left, right, channels, out) => {
    let total = 0n;
    for (const tap of taps) {
      const from = left(tap);
      const to = right(tap);
      for (let c = 0; c < channels; c++) total = wrap(total + (a[from + c] as bigint) * (b[to + c * out] as bigint));
    }
    return total;
  };
}
