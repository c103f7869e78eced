/** Tensors and types as a `.graph` file writes them; every element reads back to the same bits (a NaN to that of its dtype). */
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import { decodeBF16, decodeF16 } from "../../compiler/ir/half.js";
import { numberText } from "../../compiler/ir/printer-literal.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import type { TensorType } from "../../compiler/ir/type.js";
import { numericDType } from "../../compiler/ops/precision.js";

export function shapeText(shape: readonly unknown[]): string {
  return `[${shape.join(", ")}]`;
}

/** `f32[2, 3]`, and `f32` for a scalar. */
export function writtenType({ dtype, shape }: Pick<TensorType, "dtype"> & { readonly shape: readonly unknown[] }) {
  return shape.length === 0 ? dtype : `${dtype}${shapeText(shape)}`;
}

/** What stands on the right of a declaration with a type. */
export function typedLiteral(tensor: Tensor): string {
  return elementCount(tensor.shape) === 0 ? emptyText(tensor) : listText(tensor);
}

/** An expression that has this dtype wherever it stands. */
export function literalExpression(tensor: Tensor): string {
  if (elementCount(tensor.shape) === 0) return emptyText(tensor);
  return `cast(${listText(tensor)}, to=${tensor.dtype})`;
}

function emptyText({ dtype, shape }: Tensor): string {
  return `full(${shapeText(shape)}, ${dtype === "bool" ? "false" : "0"}, dtype=${dtype})`;
}

function listText({ dtype, shape, data }: Tensor): string {
  const part = (axis: number, from: number, count: number): string => {
    if (axis === shape.length) return elementText(dtype, data[from] ?? 0);
    const size = shape[axis] ?? 0;
    const step = count / size;
    return `[${Array.from({ length: size }, (_, i) => part(axis + 1, from + i * step, step)).join(", ")}]`;
  };
  return part(0, 0, elementCount(shape));
}

/** One element of a tensor's storage. */
export function elementText(dtype: NumericDType, element: number | bigint): string {
  if (typeof element === "bigint") return String(element);
  switch (dtype) {
    case "bool":
      return element === 0 ? "false" : "true";
    case "f16":
      return decimal(decodeF16(element));
    case "bf16":
      return decimal(decodeBF16(element));
    case "f32":
    case "f64":
      return decimal(element);
    default:
      return String(element);
  }
}

/** With a point or an exponent, so that it is a decimal: -0 as an integer would lose its sign. */
function decimal(x: number): string {
  const text = numberText(x);
  return /^-?\d+$/.test(text) ? `${text}.0` : text.replace("e+", "e");
}

/** The number of a dtype that `sum`, `max` or `min` ignores. */
export function ignoredBy(combiner: string, type: Pick<TensorType, "dtype">): string {
  const dtype = numericDType(type.dtype);
  if (combiner === "sum") return isFloat(dtype) ? "0.0" : "0";
  const sign = combiner === "max" ? -1n : 1n;
  if (isFloat(dtype)) return combiner === "max" ? "-inf" : "inf";
  const bits = { i64: 63n, i32: 31n, i8: 7n, u8: 8n }[dtype as "i64" | "i32" | "i8" | "u8"];
  const most = 2n ** bits - 1n;
  return String(sign > 0n ? most : dtype === "u8" ? 0n : -most - 1n);
}
