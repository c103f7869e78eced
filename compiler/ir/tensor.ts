import { byteSize, type NumericDType } from "./dtype.js";

/**
 * Elements of a tensor in row-major order. f16 and bf16 hold their bit patterns (no engine of Node 20 has Float16Array);
 * a bool is 0 or 1.
 */
export type TensorData =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int8Array
  | Uint8Array;

/** The array that holds the elements of each dtype. */
interface DataByDType {
  readonly f64: Float64Array;
  readonly f32: Float32Array;
  readonly f16: Uint16Array;
  readonly bf16: Uint16Array;
  readonly i64: BigInt64Array;
  readonly i32: Int32Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly bool: Uint8Array;
}

export type TensorDataOf<D extends NumericDType> = DataByDType[D];

/**
 * A tensor value: what feeds, fetches, variables and files exchange. `data.length` is the product of `shape`. The parameters
 * say what TypeScript knows of it; without them it may be any tensor.
 */
export interface Tensor<D extends NumericDType = NumericDType, S extends readonly number[] = readonly number[]> {
  readonly dtype: D;
  readonly shape: S;
  readonly data: TensorDataOf<D>;
}

/** The constructor of that array. */
const arrayKinds = {
  f64: Float64Array,
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i64: BigInt64Array,
  i32: Int32Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<NumericDType, unknown>;

/** New zero-filled storage of `length` elements. */
export function allocate(dtype: NumericDType, length: number): TensorData {
  return viewBytes(dtype, new ArrayBuffer(length * byteSize(dtype)), 0, length);
}

/** Views `length` elements at `byteOffset` of `buffer` as `dtype`, without a copy. */
export function viewBytes(dtype: NumericDType, buffer: ArrayBuffer, byteOffset: number, length: number): TensorData {
  switch (dtype) {
    case "f64":
      return new Float64Array(buffer, byteOffset, length);
    case "f32":
      return new Float32Array(buffer, byteOffset, length);
    case "f16":
    case "bf16":
      return new Uint16Array(buffer, byteOffset, length);
    case "i64":
      return new BigInt64Array(buffer, byteOffset, length);
    case "i32":
      return new Int32Array(buffer, byteOffset, length);
    case "i8":
      return new Int8Array(buffer, byteOffset, length);
    case "u8":
    case "bool":
      return new Uint8Array(buffer, byteOffset, length);
  }
}

/** Whether an array is of the kind that holds this dtype. A Buffer and a Uint8ClampedArray hold what a Uint8Array does. */
export function holdsDType(dtype: NumericDType, value: ArrayBufferView): value is TensorData {
  const constructor = arrayKinds[dtype];
  if (constructor === Uint8Array) return value instanceof Uint8Array || value instanceof Uint8ClampedArray;
  return value.constructor === constructor;
}

/** Copies between arrays of one kind. */
export function copyElements(target: TensorData, source: TensorData): void {
  if (target instanceof BigInt64Array) {
    if (source instanceof BigInt64Array) target.set(source);
  } else if (!(source instanceof BigInt64Array)) target.set(source);
}

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
