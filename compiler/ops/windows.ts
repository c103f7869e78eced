import { addDims, type Dim, subtractDims } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { add } from "./arithmetic.js";
import { zerosLike } from "./build.js";
import { defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { readView, stridesOf } from "./evaluate.js";
import { OpError } from "./op_error.js";
import { anyDType, operand } from "./operands.js";
import { checkAxes } from "./rules.js";
import { pad } from "./structure.js";
import { reshapeTo, slice } from "./views.js";
import { dilatedSize, windowPositions } from "./window_rules.js";
import { windowsSamples } from "./window_samples.js";

export type Windows = {
  readonly axes: "ints";
  readonly size: "ints";
  readonly strides: "ints";
  readonly dilation: "ints";
};

/** What convolutions and pooling read: an index map, so that no window is ever written to memory. */
export const windows: UnaryOp<Windows> = defineOp({
  name: "windows",
  doc:
    "Sliding windows over x: each of `axes` becomes the positions of a window of `size` elements, `dilation` apart, that moves by " +
    "`strides`; the axes of the window follow at the end. Windows overlap, and are read where x lies.",
  inputs: [operand("x", anyDType)],
  attributes: { axes: "ints", size: "ints", strides: "ints", dilation: "ints" },
  infer: ([x], attributes) => {
    const type = x as TensorType;
    const { axes, size, strides, dilation } = attributes;
    checkAxes("windows", "axes", axes, type.shape.length, 0);
    for (const [label, list] of [
      ["size", size],
      ["strides", strides],
      ["dilation", dilation],
    ] as const) {
      if (list.length === axes.length) continue;
      throw new OpError(
        "G025",
        `windows along ${axes.length} axes needs as many numbers in \`${label}\`, not ${list.length}`,
      );
    }
    const shape = [...type.shape];
    axes.forEach((axis, i) => {
      shape[axis] = windowPositions("windows", {
        label: `axis ${axis}`,
        size: type.shape[axis] as Dim,
        window: size[i] as number,
        stride: strides[i] as number,
        low: 0,
        high: 0,
        baseDilation: 1,
        windowDilation: dilation[i] as number,
      });
    });
    return tensorType(type.dtype, [...shape, ...size]);
  },
  vjp: ({ inputs: [x], attributes, dy }) => [overlapped(dy, x.type.shape, attributes)],
  kernel: { kind: "view" },
  reference: ({ inputs: [x], attributes: { axes, strides, dilation }, outputs: [y] }) => {
    const { data, shape } = x as ReferenceTensor;
    const own = stridesOf(shape);
    const moved = own.map((step, axis) => step * (strides[axes.indexOf(axis)] ?? 1));
    const inside = axes.map((axis, i) => (own[axis] as number) * (dilation[i] as number));
    return [readView(data, { shape: y?.shape ?? [], offset: 0, strides: [...moved, ...inside] })];
  },
  samples: windowsSamples,
});

/** The sum, at each element, over the windows that hold it: one window axis after the other, the last first. */
function overlapped(
  dy: Value,
  shape: readonly Dim[],
  {
    axes,
    size,
    strides,
    dilation,
  }: {
    readonly axes: readonly number[];
    readonly size: readonly number[];
    readonly strides: readonly number[];
    readonly dilation: readonly number[];
  },
): Value {
  let sums = dy;
  for (let i = axes.length - 1; i >= 0; i--) {
    const axis = axes[i] as number;
    const stride = strides[i] as number;
    const type = sums.type;
    const last = type.shape.length - 1;
    const without = type.shape.slice(0, last);
    const step = (of: number, otherwise: Dim, value: Dim): readonly Dim[] =>
      without.map((_, at) => (at === of ? value : otherwise));
    const terms = Array.from({ length: size[i] as number }, (_, tap) => {
      const part = slice(sums, {
        start: type.shape.map((_, at) => (at === last ? tap : 0)),
        limit: type.shape.map((dim, at) => (at === last ? tap + 1 : dim)),
        strides: type.shape.map(() => 1),
      });
      const start = tap * (dilation[i] as number);
      const covered = addDims(start, dilatedSize(type.shape[axis] as Dim, stride));
      return pad(reshapeTo(part, without), zerosLike(sums, []), {
        low: step(axis, 0, start),
        high: step(axis, 0, subtractDims(shape[axis] as Dim, covered)),
        interior: without.map((_, at) => (at === axis ? stride - 1 : 0)),
      });
    });
    const [first, ...others] = terms as [Value, ...Value[]];
    sums = others.reduce((total, term) => add(total, term), first);
  }
  return sums;
}
