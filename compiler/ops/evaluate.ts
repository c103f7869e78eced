/** Loops that the reference evaluators share: over elements, and over strided views in row-major order. */
import { elementCount } from "../ir/tensor.js";
import type { ReferenceEvaluator } from "./define.js";
import type { AttributeSchema } from "./operands.js";
import type { ReferenceData } from "./precision.js";

type Evaluator = ReferenceEvaluator<AttributeSchema>;

/** What a unary op does to a float, to a small integer or bool (where it differs), and to an i64. */
export interface UnaryFunctions {
  readonly number: (x: number) => number;
  readonly i64?: (x: bigint) => bigint;
}

export function unaryEvaluator({ number, i64 }: UnaryFunctions): Evaluator {
  return ({ inputs: [x] }) => {
    const data = x?.data;
    if (data instanceof BigInt64Array) return [data.map((element) => wrap((i64 ?? missing)(element)))];
    return [(data as Float64Array).map((element) => number(element))];
  };
}

export interface BinaryFunctions {
  readonly float: (x: number, y: number) => number;
  /** Of i32, i8, u8 and bool where it differs from `float`; the caller wraps. */
  readonly integer?: (x: number, y: number) => number;
  readonly i64?: (x: bigint, y: bigint) => bigint;
}

export function binaryEvaluator({ float, integer = float, i64 = missing }: BinaryFunctions): Evaluator {
  return ({ inputs: [x, y] }) => {
    if (x === undefined || y === undefined) return missing();
    if (x.data instanceof BigInt64Array) {
      const right = y.data as BigInt64Array;
      return [x.data.map((element, i) => wrap(i64(element, right[i] as bigint)))];
    }
    const right = y.data as Float64Array;
    const combine = isFloatName(x.dtype) ? float : integer;
    return [x.data.map((element, i) => combine(element, right[i] as number))];
  };
}

export function comparisonEvaluator(holds: (x: number | bigint, y: number | bigint) => boolean): Evaluator {
  return ({ inputs: [x, y] }) => {
    if (x === undefined || y === undefined) return missing();
    const result = new Float64Array(x.data.length);
    for (let i = 0; i < result.length; i++) {
      result[i] = holds(x.data[i] as number | bigint, y.data[i] as number | bigint) ? 1 : 0;
    }
    return [result];
  };
}

/** i64 arithmetic wraps. */
export function wrap(x: bigint): bigint {
  return BigInt.asIntN(64, x);
}

export function isFloatName(dtype: string): boolean {
  return dtype.startsWith("f") || dtype === "bf16";
}

function missing(): never {
  throw new TypeError("the evaluator has no rule for these operands");
}

/** Elements between neighbours along each axis of a row-major tensor. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

export function emptyLike(data: ReferenceData, length: number): ReferenceData {
  return data instanceof BigInt64Array ? new BigInt64Array(length) : new Float64Array(length);
}

/** A box of elements inside flat data: the element at (i, j, ...) is `offset + i * strides[0] + j * strides[1] + ...`. */
export interface StridedView {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Calls `visit(position, offset)` for the elements of a view in row-major order. */
export function forEachElement(
  { shape, offset, strides }: StridedView,
  visit: (position: number, at: number) => void,
): void {
  const count = elementCount(shape);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let position = 0; position < count; position++) {
    visit(position, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      const next = (index[axis] as number) + 1;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        at += stride;
        break;
      }
      at -= stride * (next - 1);
      index[axis] = 0;
    }
  }
}

/** The elements of a view, packed. */
export function readView(data: ReferenceData, view: StridedView): ReferenceData {
  const packed = emptyLike(data, elementCount(view.shape));
  forEachElement(view, (position, at) => {
    packed[position] = data[at] as number | bigint as never;
  });
  return packed;
}

/** Writes packed elements through a view. */
export function writeView(target: ReferenceData, view: StridedView, packed: ReferenceData): void {
  forEachElement(view, (position, at) => {
    target[at] = packed[position] as number | bigint as never;
  });
}

/** The elements with the axes in another order: the new axis i is the old axis order[i]. */
export function readTransposed(data: ReferenceData, shape: readonly number[], order: readonly number[]): ReferenceData {
  const strides = stridesOf(shape);
  return readView(data, {
    shape: order.map((axis) => shape[axis] as number),
    offset: 0,
    strides: order.map((axis) => strides[axis] as number),
  });
}
