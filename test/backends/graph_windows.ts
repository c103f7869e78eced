/** Steps of random graphs that slide windows: over any axes, with strides, gaps, padding and cuts. */
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { elementCount } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { literal } from "../../compiler/ops/build.js";
import { convolution } from "../../compiler/ops/convolution.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { reduceWindow } from "../../compiler/ops/reduce_window.js";
import { selectAndGather, selectAndScatter } from "../../compiler/ops/select_window.js";
import type { Choices } from "./choices.js";

export interface WindowContext {
  readonly exact: ReadonlySet<Value>;
  readonly tooLarge: number;
}

interface Made {
  readonly value: Value;
  readonly exact: boolean;
}

export function withWindows(choices: Choices, x: Value, context: WindowContext): Made | undefined {
  const dtype = numericDType(x.type.dtype);
  const shape = staticShape(x.type);
  if (dtype === "bool" || shape.length === 0) return undefined;
  const window = shape.map((size) => 1 + choices.below(Math.max(1, Math.min(3, size))));
  const strides = shape.map(() => 1 + choices.below(3));
  const low = window.map((size) => choices.below(size + 1) - 1);
  const high = window.map(() => choices.below(3));
  const dilation = window.map((size) => (size === 1 ? 1 : 1 + choices.below(2)));
  const fits = shape.every((size, axis) => {
    const reach = ((window[axis] as number) - 1) * (dilation[axis] as number) + 1;
    return size + (low[axis] as number) + (high[axis] as number) >= reach && size > 0;
  });
  if (!fits) return undefined;
  const isExact = context.exact.has(x);
  const kind = choices.below(4);
  if (kind === 0 && shape.length >= 2)
    return convolved(choices, x, dtype, { window, strides, low, high, dilation }, context);
  if (kind === 1 && isFloat(dtype) && isExact) {
    const attributes = { window, strides, low, high, dilation };
    const chosen = selectAndGather(x, x, attributes);
    if (elementCount(staticShape(chosen.type)) * elementCount(window) > context.tooLarge) return undefined;
    return choices.below(2) === 0
      ? { value: chosen, exact: true }
      : { value: selectAndScatter(x, chosen, attributes), exact: false };
  }
  const combiner = choices.of(["sum", "max", "min"]);
  const attributes = {
    combiner,
    window,
    strides,
    low,
    high,
    base_dilation: shape.map(() => 1),
    window_dilation: dilation,
  };
  const value = reduceWindow(x, attributes);
  if (elementCount(staticShape(value.type)) * elementCount(window) > context.tooLarge) return undefined;
  // A window that holds padding alone has no finite extreme.
  if (combiner !== "sum" && low.some((size, axis) => size >= (window[axis] as number))) return undefined;
  return { value, exact: isExact && (combiner !== "sum" || !isFloat(dtype)) };
}

interface Sliding {
  readonly window: readonly number[];
  readonly strides: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly dilation: readonly number[];
}

function convolved(
  choices: Choices,
  x: Value,
  dtype: NumericDType,
  sliding: Sliding,
  context: WindowContext,
): Made | undefined {
  const shape = staticShape(x.type);
  const channels = shape.at(-1) as number;
  const spatial = <T>(list: readonly T[]): readonly T[] => list.slice(1, -1);
  const groups = choices.of([1, 2, 3, channels].filter((count) => count <= channels && channels % count === 0));
  const made = groups * choices.of([1, 2, 5, 17]);
  const weights = [...spatial(sliding.window), channels / groups, made];
  if (elementCount(weights) > context.tooLarge) return undefined;
  const salt = choices.below(7);
  const elements = Array.from({ length: elementCount(weights) }, (_, i) => {
    const element = ((i * 5 + salt) % 7) - (dtype === "u8" ? 0 : 3);
    return dtype === "i64" ? BigInt(element) : isFloat(dtype) ? element / 8 : element;
  });
  const value = convolution(x, literal(dtype, weights, elements), {
    strides: spatial(sliding.strides),
    low: spatial(sliding.low),
    high: spatial(sliding.high),
    lhs_dilation: spatial(shape).map(() => 1 + choices.below(2)),
    rhs_dilation: spatial(sliding.dilation),
    reversal: choices.flags(spatial(shape).map((_, axis) => axis)),
    feature_groups: groups,
    batch_groups: 1,
  });
  const work = elementCount(staticShape(value.type)) * elementCount(weights);
  return work > 50 * context.tooLarge ? undefined : { value, exact: context.exact.has(x) && !isFloat(dtype) };
}
