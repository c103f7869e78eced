/** Boxes of fixed size at a place that is known only at run time. */
import { type Dim, dimText, staticSize } from "../ir/dim.js";
import type { DType } from "../ir/dtype.js";
import { elementCount } from "../ir/tensor.js";
import { type TensorType, tensorType, typeText } from "../ir/type.js";
import { zerosLike } from "./build.js";
import { failIndex } from "./checks.js";
import { type CallableOp, defineOp, type ReferenceTensor } from "./define.js";
import { type Draw, drawOne, drawShape } from "./draw.js";
import { readView, stridesOf, writeView } from "./evaluate.js";
import { OpError } from "./op_error.js";
import { anyDType, integers, type Operand, operand, variadicOperand } from "./operands.js";
import { checkCount, knownDifference } from "./rules.js";
import { type Sample, uniform, wholeNumbers } from "./samples.js";

type Single = Operand & { readonly variadic: false };
type Many = Operand & { readonly variadic: true };
type Sizes = { readonly sizes: "dims" };

export const dynamicSlice: CallableOp<readonly [Single, Many], Sizes> = defineOp({
  name: "dynamic_slice",
  doc:
    "A box of `sizes` elements of x that starts at a run-time place: `starts` has one scalar for each axis. A start that leaves the " +
    "box not wholly inside fails the run (G086); StableHLO would move it.",
  stablehlo: "dynamic_slice",
  inputs: [operand("x", anyDType), variadicOperand("starts", integers, "I")],
  attributes: { sizes: "dims" },
  infer: ([x, ...starts], { sizes }) => {
    const type = x as TensorType;
    checkCount("dynamic_slice", "sizes", sizes.length, type.shape.length);
    checkBox("dynamic_slice", type, sizes);
    checkStarts("dynamic_slice", type, starts, 1);
    return tensorType(type.dtype, sizes);
  },
  vjp: ({ inputs: [x, starts], dy }) => [dynamicUpdateSlice(zerosLike(x), dy, starts), starts.map(() => undefined)],
  kernel: { kind: "dynamic_view" },
  reference: ({ inputs: [x, ...starts], outputs: [y] }) => {
    const { data, shape } = x as ReferenceTensor;
    const box = y?.shape ?? [];
    if (elementCount(box) === 0) return [readView(data, { shape: box, offset: 0, strides: box.map(() => 0) })];
    const strides = stridesOf(shape);
    return [readView(data, { shape: box, offset: offsetOf(shape, box, starts), strides })];
  },
  samples: {
    fixed: [
      sliced([], []),
      sliced([5], [2]),
      sliced([5], [5]),
      sliced([5], [0]),
      sliced([1], [1]),
      sliced([4, 7], [2, 3]),
      sliced([4, 7], [4, 1]),
      sliced([3, 0, 2], [1, 0, 2]),
      sliced([3, 20], [1, 19]),
      sliced([2, 3, 1, 4], [1, 3, 1, 2]),
      sliced([2, 3, 1, 2, 3], [1, 2, 1, 2, 1]),
    ],
    random: (draw) => sliced(...drawBox(draw)),
  },
});

export const dynamicUpdateSlice: CallableOp<readonly [Single, Single, Many], Readonly<Record<never, never>>> = defineOp(
  {
    name: "dynamic_update_slice",
    doc:
      "x with the box of `updates` in place of what lies there: `starts` has one scalar for each axis. A start that leaves the box not " +
      "wholly inside fails the run (G086); StableHLO would move it.",
    stablehlo: "dynamic_update_slice",
    inputs: [operand("x", anyDType), operand("updates", anyDType), variadicOperand("starts", integers, "I")],
    attributes: {},
    infer: ([x, updates, ...starts]) => {
      const type = x as TensorType;
      const box = updates as TensorType;
      if (box.shape.length !== type.shape.length) {
        throw new OpError(
          "G025",
          `dynamic_update_slice of ${typeText(type)} needs updates with as many axes, not ${typeText(box)}`,
          { operand: 1, against: 0 },
        );
      }
      checkBox("dynamic_update_slice", type, box.shape);
      checkStarts("dynamic_update_slice", type, starts, 2);
      return type;
    },
    vjp: ({ inputs: [, updates, starts], dy }) => [
      dynamicUpdateSlice(dy, zerosLike(updates), starts),
      dynamicSlice(dy, starts, { sizes: updates.type.shape }),
      starts.map(() => undefined),
    ],
    kernel: { kind: "dynamic_store" },
    reference: ({ inputs: [x, updates, ...starts] }) => {
      const { data, shape } = x as ReferenceTensor;
      const box = updates as ReferenceTensor;
      const result = data.slice();
      const offset = offsetOf(shape, box.shape, starts);
      writeView(result, { shape: box.shape, offset, strides: stridesOf(shape) }, box.data);
      return [result];
    },
    samples: {
      fixed: [
        updated([], []),
        updated([5], [2]),
        updated([5], [5]),
        updated([5], [0]),
        updated([4, 7], [2, 3]),
        updated([3, 0, 2], [1, 0, 2]),
        updated([3, 20], [1, 19]),
        updated([1], [1]),
        updated([2, 3, 1, 4], [1, 3, 1, 2]),
        updated([2, 3, 1, 2, 3], [1, 2, 1, 2, 1]),
      ],
      random: (draw) => updated(...drawBox(draw)),
    },
  },
);

/** That a box fits into the tensor, where both sizes are known. G026. */
function checkBox(name: string, x: TensorType, sizes: readonly Dim[]): void {
  sizes.forEach((size, axis) => {
    const whole = x.shape[axis] as Dim;
    const room = knownDifference(whole, size);
    if ((room === undefined || room >= 0) && !(typeof size === "number" && size < 0)) return;
    throw new OpError(
      "G026",
      `${name} of ${typeText(x)}: a box of ${dimText(size)} does not fit axis ${axis}, which has ${dimText(whole)} elements`,
      { operand: 0 },
    );
  });
}

function checkStarts(name: string, x: TensorType, starts: readonly TensorType[], first: number): void {
  if (starts.length !== x.shape.length) {
    throw new OpError(
      "G025",
      `${name} of ${typeText(x)} needs a start for each axis: ${x.shape.length}, not ${starts.length}`,
    );
  }
  starts.forEach((start, i) => {
    if (start.shape.length === 0) return;
    throw new OpError("G025", `a start of ${name} is a scalar, not ${typeText(start)}`, { operand: first + i });
  });
}

function offsetOf(
  shape: readonly number[],
  box: readonly number[],
  starts: readonly (ReferenceTensor | undefined)[],
): number {
  const strides = stridesOf(shape);
  return starts.reduce((offset, start, axis) => {
    const at = start?.data[0] ?? 0;
    const places = staticSize(shape[axis] as Dim) - (box[axis] as number) + 1;
    if (at < 0 || at >= places) failIndex(at, places);
    return offset + Number(at) * (strides[axis] as number);
  }, 0);
}

type Box = readonly [shape: readonly number[], sizes: readonly number[], dtype?: DType];

function drawBox(draw: Draw): Box {
  const shape = drawShape(draw);
  return [shape, shape.map((size) => size - draw.integer(0, size)), drawOne(draw, integers)];
}

function startsOf(...[shape, box, dtype = "i64"]: Box) {
  return shape.map((size, axis) => ({ shape: [], fill: wholeNumbers(0, size - (box[axis] as number)), dtype }));
}

function sliced(...box: Box): Sample<Sizes> {
  const [shape, sizes] = box;
  return { inputs: [{ shape, fill: uniform(-4, 4) }, ...startsOf(...box)], attributes: { sizes } };
}

function updated(...box: Box): Sample<Record<never, never>> {
  const [shape, sizes] = box;
  const fill = uniform(-4, 4);
  return { inputs: [{ shape, fill }, { shape: sizes, fill }, ...startsOf(...box)] };
}
