/** What random graphs are fed, and what their variables start with. */
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import { elementCount, type TensorData } from "../../compiler/ir/tensor.js";
import { tensorOf } from "../../compiler/ops/precision.js";
import { generator } from "../support/samples.js";

/** Eighths in [-2, 2], or whole numbers in [-4, 4]: ties and zeros are frequent. */
export function contentOf(name: string, dtype: NumericDType, shape: readonly number[]): TensorData {
  const random = generator(
    17,
    [...name].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7),
  );
  const each = (position: number): number => {
    const u = random(position);
    if (isFloat(dtype)) return Math.floor(u * 33) / 8 - 2;
    if (dtype === "bool") return u < 0.5 ? 0 : 1;
    return Math.floor(u * (dtype === "u8" ? 5 : 9)) - (dtype === "u8" ? 0 : 4);
  };
  return tensorOf(
    dtype,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => each(i)),
  ).data;
}
