/** How sliding windows are written. */
import type { Value } from "../../compiler/ir/node.js";
import { ignoredBy, shapeText } from "./literals.js";
import {
  call,
  input,
  numbers,
  operand,
  operands,
  reshaped,
  shapeOf,
  unless,
  type Writer,
  type Written,
} from "./written.js";

/** `[[0, 1], [2, 0]]` */
function padding(low: readonly number[], high: readonly number[]): string | undefined {
  if ([...low, ...high].every((size) => size === 0)) return undefined;
  return shapeText(low.map((before, axis) => shapeText([before, high[axis] ?? 0])));
}

const windows: Writer = (given) => {
  const { attributes } = given.node;
  const axes = numbers(attributes["axes"]);
  return call("windows", operands(given), {
    window: shapeText(numbers(attributes["size"])),
    axis: shapeText(axes),
    strides: unless(numbers(attributes["strides"]), 1),
    dilation: unless(numbers(attributes["dilation"]), 1),
  });
};

/** By name there are no holes between the elements: they are put there before. */
const reduceWindow: Writer = (given) => {
  const { attributes } = given.node;
  const list = (name: string): readonly number[] => numbers(attributes[name]);
  const x = input(given.node, 0);
  if (shapeOf(x).length === 0) return operand(given, 0);
  const combiner = String(attributes["combiner"]);
  const holes = list("base_dilation").map((distance) => distance - 1);
  const holed = holes.some((count) => count > 0)
    ? call("pad", [operand(given, 0)], { interior: shapeText(holes), value: ignoredBy(combiner, x.type) })
    : operand(given, 0);
  return call("reduce_window", [holed], {
    window: shapeText(list("window")),
    combiner: `"${combiner}"`,
    strides: unless(list("strides"), 1),
    padding: padding(list("low"), list("high")),
    dilation: unless(list("window_dilation"), 1),
  });
};

/** By name a window slides along the axes between the first and the last: all are put there. */
const selection: Writer = (given) => {
  const { op, attributes } = given.node;
  const list = (name: string): readonly number[] => numbers(attributes[name]);
  const [x, other] = [input(given.node, 0), input(given.node, 1)];
  // Of one number the place is known.
  if (shapeOf(x).length === 0) return given.text(other);
  const around = (value: Value): Written => reshaped(given.text(value), shapeOf(value), [1, ...shapeOf(value), 1]);
  const result = shapeOf(given.node.outputs[0] ?? x);
  const chosen = call(op, [around(x), around(other)], {
    window: shapeText(list("window")),
    strides: shapeText(list("strides")),
    padding: padding(list("low"), list("high")),
    dilation: unless(list("dilation"), 1),
  });
  return reshaped(chosen, [1, ...result, 1], result);
};

const convolution: Writer = (given) => {
  const { attributes } = given.node;
  const list = (name: string): readonly number[] => numbers(attributes[name]);
  const count = (name: string): string | undefined => (attributes[name] === 1 ? undefined : String(attributes[name]));
  return call("convolution", operands(given), {
    strides: unless(list("strides"), 1),
    low: unless(list("low"), 0),
    high: unless(list("high"), 0),
    lhs_dilation: unless(list("lhs_dilation"), 1),
    rhs_dilation: unless(list("rhs_dilation"), 1),
    reversal: list("reversal").length === 0 ? undefined : shapeText(list("reversal")),
    feature_groups: count("feature_groups"),
    batch_groups: count("batch_groups"),
  });
};

export const windowCalls: Readonly<Record<string, Writer>> = {
  windows,
  reduce_window: reduceWindow,
  select_and_scatter: selection,
  select_and_gather: selection,
  convolution,
};
