/**
 * The numbers of the reference evaluator: float64 whatever the dtype (i64 exact), each result rounded to its dtype.
 * Subnormals count as signed zeros, as on a CPU with flush-to-zero and denormals-as-zero (docs: numerics).
 */
import { InternalError } from "../ir/diagnostic.js";
import type { DType, NumericDType } from "../ir/dtype.js";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "../ir/half.js";
import { allocate, elementCount, type Tensor } from "../ir/tensor.js";
import type { ReferenceTensor } from "./define.js";

export type ReferenceData = Float64Array | BigInt64Array;

/** The least normal magnitudes. bf16 has the exponents of f32; subnormals of f16 are normal in f32, where it is computed. */
const leastNormal32 = 2 ** -126;
const leastNormal64 = 2 ** -1022;

/** Zero-filled data for `length` elements of `dtype`. */
export function allocateReference(dtype: NumericDType, length: number): ReferenceData {
  return dtype === "i64" ? new BigInt64Array(length) : new Float64Array(length);
}

/** Rounds float64 results in place to `dtype`: floats to nearest even, integers by wrapping, a bool to 0 or 1. */
export function roundTo(dtype: NumericDType, data: ReferenceData): ReferenceData {
  if (data instanceof BigInt64Array) return data;
  // The dtype that matters most has a loop of its own: training without LLVM spends a good part of its time here.
  if (dtype === "f32") {
    for (let i = 0; i < data.length; i++) data[i] = flush(Math.fround(data[i] as number), leastNormal32);
  } else for (let i = 0; i < data.length; i++) data[i] = roundNumber(dtype, data[i] as number);
  return data;
}

/** One number rounded to a dtype whose elements are numbers. */
export function roundNumber(dtype: NumericDType, x: number): number {
  switch (dtype) {
    case "f64":
      return flush(x, leastNormal64);
    case "f32":
      return flush(Math.fround(x), leastNormal32);
    case "f16":
      return decodeF16(encodeF16(x));
    case "bf16":
      return flush(decodeBF16(encodeBF16(x)), leastNormal32);
    case "i32":
      return x | 0;
    case "i8":
      return (x << 24) >> 24;
    case "u8":
      return x & 0xff;
    case "bool":
      return x === 0 ? 0 : 1;
    case "i64":
      throw new InternalError("an i64 is a bigint in the reference");
  }
}

function flush(x: number, leastNormal: number): number {
  return x !== 0 && Math.abs(x) < leastNormal ? x * 0 : x;
}

/** The dtype of a tensor that is computed with; a string here is a defect. */
export function numericDType(dtype: DType): NumericDType {
  if (dtype === "string") throw new InternalError("a string is not a tensor");
  return dtype;
}

/** Widens a tensor to the evaluator's form; subnormals become zeros. */
export function referenceFromTensor(tensor: Tensor): ReferenceTensor {
  const { dtype, shape, data } = tensor;
  if (data instanceof BigInt64Array) return { dtype, shape, data: data.slice() };
  const wide = new Float64Array(data);
  const decode = dtype === "f16" ? decodeF16 : dtype === "bf16" ? decodeBF16 : undefined;
  if (decode !== undefined) for (let i = 0; i < wide.length; i++) wide[i] = decode(wide[i] as number);
  return { dtype, shape, data: roundTo(dtype, wide) };
}

/** Stores the evaluator's numbers, which have been rounded to the dtype, as a tensor. */
export function tensorFromReference({ dtype, shape, data }: ReferenceTensor): Tensor {
  return tensorOf(dtype, shape, data);
}

/** A tensor of the given numbers; each is rounded (floats) or wrapped (integers). */
export function tensorOf(dtype: NumericDType, shape: readonly number[], values: ArrayLike<number | bigint>): Tensor {
  const count = elementCount(shape);
  if (values.length !== count) throw new InternalError(`${values.length} values for ${count} elements`);
  const data = allocate(dtype, count);
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < count; i++) data[i] = BigInt(values[i] as number | bigint);
    return { dtype, shape, data };
  }
  const encode = dtype === "f16" ? encodeF16 : dtype === "bf16" ? encodeBF16 : (x: number) => x;
  // An array wraps and rounds what it is set to as each of its elements does, much sooner.
  if (values instanceof Float64Array && dtype !== "f16" && dtype !== "bf16") data.set(values);
  else for (let i = 0; i < count; i++) data[i] = encode(Number(values[i]));
  return { dtype, shape, data };
}
