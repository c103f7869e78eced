import { type Dim, dimEquals, dimText, staticSize } from "./dim.js";
import type { DType } from "./dtype.js";

/** The type of an edge: element type and shape, outermost axis first; a scalar has the empty shape. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export function tensorType(dtype: DType, shape: readonly Dim[] = []): TensorType {
  return { dtype, shape };
}

/** `f32[N, 784]`; a scalar is `f32`. The form of the language. */
export function typeText(type: TensorType): string {
  return type.shape.length === 0 ? type.dtype : `${type.dtype}${shapeText(type.shape)}`;
}

export function shapeText(shape: readonly Dim[]): string {
  return `[${shape.map(dimText).join(", ")}]`;
}

export function shapeEquals(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dimEquals(dim, b[axis] ?? Number.NaN));
}

export function typeEquals(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && shapeEquals(a.shape, b.shape);
}

/** The sizes of a type whose dims are all bound; throws InternalError otherwise. */
export function staticShape(type: TensorType): readonly number[] {
  return type.shape.map(staticSize);
}
