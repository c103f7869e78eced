/** What moves elements without arithmetic, and what makes them. */
import { elementCount } from "../../../../compiler/ir/tensor.js";
import { fromStart, list, literal, numbersOf, numeral, type Rules, range, type View } from "../view.js";

const clampTo = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

export interface Part {
  readonly from: number;
  /** Before the first element where it is -1. */
  readonly to: number;
  readonly step: number;
  readonly count: number;
}

/** What a slice takes of each axis. Bounds beyond the ends are clipped, as in Python. */
export function partsOf(n: View): readonly Part[] {
  const starts = n.numbersOr(1, "starts") ?? [];
  const ends = n.numbersOr(2, "ends") ?? [];
  const given = n.numbersOr(3, "axes") ?? range(starts.length);
  const axes = given.map((axis) => fromStart(axis, n.rank()));
  const steps = n.has(4) ? n.numbers(4) : [];
  return n.shape().map((size, axis) => {
    const i = axes.indexOf(axis);
    const step = steps[i] ?? 1;
    const [low, high] = step > 0 ? ([0, size] as const) : ([-1, size - 1] as const);
    const from = clampTo(fromStart(starts[i] ?? 0, size), low, high);
    const to = clampTo(fromStart(ends[i] ?? size, size), low, high);
    return { from, to, step, count: Math.max(0, Math.ceil((to - from) / step)) };
  });
}

function slice(n: View): string {
  const parts = partsOf(n).map(({ from, to, step, count }) => {
    if (count === 0) return "0:0";
    return step > 0 ? `${from}:${to}:${step}` : `${from}:${to < 0 ? "" : to}:${step}`;
  });
  return parts.length === 0 ? n.in(0) : `${n.in(0)}[${parts.join(", ")}]`;
}

/** 0 keeps a size, unless `allowzero`; one -1 takes what is left. */
export function reshapedTo(n: View): readonly number[] {
  const asked = n.numbersOr(1, "shape") ?? [];
  const kept = asked.map((size, i) => (size === 0 && !n.flag("allowzero") ? (n.shape()[i] ?? 0) : size));
  const others = kept.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  return kept.map((size) => (size === -1 ? elementCount(n.shape()) / others : size));
}

export function splitInto(n: View): readonly number[] {
  const given = n.numbersOr(1, "split");
  if (given !== undefined) return given;
  const size = n.shape()[n.axis(0)] ?? 0;
  const count = n.number("num_outputs", n.node.outputs.length);
  const part = Math.ceil(size / count);
  return range(count).map((i) => Math.max(0, Math.min(part, size - i * part)));
}

export function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return range(rank).map((i) => {
    const [x, y] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return x === 1 ? y : x;
  });
}

/** How much before and after each axis. */
export function padsOf(n: View): { readonly low: readonly number[]; readonly high: readonly number[] } {
  const pads = n.numbersOr(1, "pads") ?? [];
  const axes = (n.has(3) ? n.numbers(3) : range(n.rank())).map((axis) => fromStart(axis, n.rank()));
  const at = (axis: number, offset: number) => {
    const i = axes.indexOf(axis);
    return i < 0 ? 0 : (pads[i + offset] ?? 0);
  };
  return {
    low: range(n.rank()).map((axis) => at(axis, 0)),
    high: range(n.rank()).map((axis) => at(axis, axes.length)),
  };
}

function pad(n: View): string {
  const { low, high } = padsOf(n);
  const scalar = n.has(2) && n.rank(2) > 0 ? `reshape(${n.in(2)}, [])` : n.has(2) ? n.in(2) : "";
  const value = n.has(2) ? `, value=${scalar}` : "";
  return `pad(${n.in(0)}, low=${list(low)}, high=${list(high)}${value}, mode="${n.text("mode", "constant")}")`;
}

/** Both crop and pad are around the middle; an odd one more is cut before, or padded after. */
function centerCropPad(n: View): string {
  const sizes = n.numbers(1);
  const axes = (n.ints("axes") ?? range(n.rank())).map((axis) => fromStart(axis, n.rank()));
  const low = n.shape().map(() => 0);
  const high = n.shape().map(() => 0);
  axes.forEach((axis, i) => {
    const more = (sizes[i] ?? 0) - (n.shape()[axis] ?? 0);
    low[axis] = Math.trunc(more / 2);
    high[axis] = more - Math.trunc(more / 2);
  });
  return `pad(${n.in(0)}, low=${list(low)}, high=${list(high)})`;
}

function depthToSpace(n: View): string {
  const [batch = 0, channels = 0, height = 0, width = 0] = n.shape();
  const block = n.number("blocksize", 1);
  const rest = channels / block ** 2;
  const depthFirst = n.text("mode", "DCR") === "DCR";
  const split = depthFirst ? [batch, block, block, rest, height, width] : [batch, rest, block, block, height, width];
  const order = depthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return `reshape(transpose(reshape(${n.in(0)}, ${list(split)}), ${list(order)}), ${list([batch, rest, height * block, width * block])})`;
}

function spaceToDepth(n: View): string {
  const [batch = 0, channels = 0, height = 0, width = 0] = n.shape();
  const block = n.number("blocksize", 1);
  const [rows, columns] = [height / block, width / block];
  const split = list([batch, channels, rows, block, columns, block]);
  const shape = list([batch, channels * block ** 2, rows, columns]);
  return `reshape(transpose(reshape(${n.in(0)}, ${split}), [0, 3, 5, 1, 2, 4]), ${shape})`;
}

function eyeLike(n: View): string {
  const dtype = n.dtypeAttribute("dtype") ?? n.dtype();
  const shape = list(n.shape());
  return `cast(iota(${shape}, axis=0) + ${n.number("k", 0)} == iota(${shape}, axis=1), to=${dtype})`;
}

function constant(n: View): string {
  const tensor = n.tensor("value");
  if (tensor !== undefined) return literal(tensor);
  const value = n.node.attributes.get("value_float") ?? n.node.attributes.get("value_int");
  if (typeof value === "number") return numeral(value);
  return list((n.ints("value_ints") ?? n.ints("value_floats") ?? []).map(numeral));
}

function constantOfShape(n: View): string {
  const value = n.tensor("value") ?? { dtype: "f32" as const, shape: [1], data: new Float32Array(1) };
  return `full(${list(n.numbers(0))}, ${numeral(numbersOf(value)[0] ?? 0)}, dtype=${value.dtype})`;
}

function sequence(n: View): string {
  const [start = 0, delta = 1] = [0, 2].map((i) => n.numbers(i)[0]);
  const count = rangeCount(n);
  return n.dtype().startsWith("f")
    ? `arange(${count}, start=${numeral(start)}, step=${numeral(delta)}, dtype=${n.dtype()})`
    : `${start} + ${delta} * iota(${count}, dtype=${n.dtype()})`;
}

function triangle(n: View): string {
  const name = n.flag("upper", 1) ? "triu" : "tril";
  return `${name}(${n.in(0)}, offset=${n.has(1) ? n.numbers(1)[0] : 0})`;
}

export function flattened(n: View): readonly number[] {
  const axis = fromStart(n.number("axis", 1), n.rank());
  return [elementCount(n.shape().slice(0, axis)), elementCount(n.shape().slice(axis))];
}

/** Which sizes a Shape gives, from `start` to before `end`; both are clipped. */
export function sizesBetween(n: View): readonly [number, number] {
  const at = (name: string, otherwise: number) => clampTo(fromStart(n.number(name, otherwise), n.rank()), 0, n.rank());
  return [at("start", 0), Math.max(at("start", 0), at("end", n.rank()))];
}

export function rangeCount(n: View): number {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => n.numbers(i)[0]);
  return Math.max(0, Math.ceil((limit - start) / delta));
}

export const shape: Rules = {
  CenterCropPad: centerCropPad,
  Concat: (n) => `concatenate(${list(n.all())}, axis=${n.axis(1)})`,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  Expand: (n) => `broadcast_to(${n.in(0)}, ${list(broadcastShape(n.shape(), n.numbers(1)))})`,
  EyeLike: eyeLike,
  Flatten: (n) => `reshape(${n.in(0)}, ${list(flattened(n))})`,
  Pad: pad,
  Range: sequence,
  Reshape: (n) => `reshape(${n.in(0)}, ${list(reshapedTo(n))})`,
  Shape: (n) => `shape(${n.in(0)})[${sizesBetween(n).join(":")}]`,
  Size: (n) => `size(${n.in(0)})`,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: (n) => ({ call: `split(${n.in(0)}, ${list(splitInto(n))}, axis=${n.axis(0)})`, outputs: splitInto(n).length }),
  Squeeze: (n) => {
    const axes = n.numbersOr(1, "axes");
    return axes === undefined ? `squeeze(${n.in(0)})` : `squeeze(${n.in(0)}, axis=${list(axes)})`;
  },
  Tile: (n) => `tile(${n.in(0)}, ${list(n.numbers(1))})`,
  Transpose: (n) => `transpose(${n.in(0)}, ${list(n.ints("perm") ?? [...range(n.rank())].reverse())})`,
  Trilu: triangle,
  Unsqueeze: (n) => `expand_dims(${n.in(0)}, axis=${list(n.numbersOr(1, "axes") ?? [])})`,
};
