/** Makes operands out of the op table's samples, for every test that is generated from the table. */
import { isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import type { Fill, Op, Sample } from "../../compiler/ops/define.js";
import { numericDType, roundNumber, tensorOf } from "../../compiler/ops/precision.js";
import { threefry2x32, uniformAt } from "../../compiler/ops/threefry.js";

/** The dtypes that a test may ask `materialise` for: those of the operands that share one; f32 where no operand does. */
export function sampleDTypes(op: Op): readonly NumericDType[] {
  const shared = op.operands.find((operand) => operand.group !== undefined);
  return shared === undefined ? ["f32"] : shared.dtypes.map(numericDType);
}

/** The operands of a sample. Those whose dtype the sample leaves open get `dtype`; equal seeds give equal numbers. */
export function materialise(sample: Sample, dtype: NumericDType, seed: number): readonly Tensor[] {
  return sample.inputs.map((input, position) =>
    filled(input.fill, numericDType(input.dtype ?? dtype), input.shape, generator(seed, position)),
  );
}

/** Numbers in [0, 1), the same for the same seed and stream. */
export function generator(seed: number, stream: number): (position: number) => number {
  const key = threefry2x32([seed, stream], [0x5eed, 0]);
  return (position) => uniformAt(key, position, "f64");
}

function filled(
  fill: Fill,
  dtype: NumericDType,
  shape: readonly number[],
  random: (position: number) => number,
): Tensor {
  const count = elementCount(shape);
  const each = (at: (position: number) => number | bigint) =>
    tensorOf(
      dtype,
      shape,
      Array.from({ length: count }, (_, i) => at(i)),
    );
  switch (fill.kind) {
    case "uniform":
      return each((i) => fit(dtype, fill.low + random(i) * (fill.high - fill.low)));
    case "integers":
      return each((i) => fit(dtype, fill.low + Math.floor(random(i) * (fill.high - fill.low + 1))));
    case "values":
      return each((i) => fit(dtype, fill.values[i % fill.values.length] as number));
    case "specials": {
      const list = specialValues(dtype);
      const columns = shape.at(-1) ?? 1;
      const rows = count / Math.max(1, shape[0] ?? 1);
      return each((i) => list[(fill.transposed ? Math.floor(i / rows) : i % columns) % list.length] as number | bigint);
    }
    case "matrices":
      return matrices(fill.property, dtype, shape, random);
  }
}

/** A number that the dtype has: whole for integers, not negative for u8, 0 or 1 for bool. */
function fit(dtype: NumericDType, x: number): number | bigint {
  if (dtype === "bool") return x >= 0.5 ? 1 : 0;
  if (dtype === "u8") return Math.abs(Math.trunc(x));
  if (dtype === "i64") return BigInt(Math.trunc(x));
  return isInteger(dtype) ? Math.trunc(x) : roundNumber(dtype, x);
}

/** Everything that arithmetic treats in a way of its own. */
export function specialValues(dtype: NumericDType): readonly (number | bigint)[] {
  switch (dtype) {
    case "i64":
      return [0n, 1n, -1n, 2n, -7n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 31n, 3_000_000_019n];
    case "i32":
      return [0, 1, -1, 2, -7, 2 ** 31 - 1, -(2 ** 31), 65_537, 16_777_217, -100];
    case "i8":
      return [0, 1, -1, 2, -7, 127, -128, 64, 16, -100];
    case "u8":
      return [0, 1, 255, 2, 249, 127, 128, 64, 16, 100];
    case "bool":
      return [0, 1];
    case "f64":
      return floatSpecials(2 ** -1022, 5e-324, Number.MAX_VALUE, 2 ** -52);
    case "f32":
      return floatSpecials(2 ** -126, 2 ** -149, (2 - 2 ** -23) * 2 ** 127, 2 ** -23);
    case "f16":
      return floatSpecials(2 ** -14, 2 ** -24, 65_504, 2 ** -10);
    case "bf16":
      return floatSpecials(2 ** -126, 2 ** -133, (2 - 2 ** -7) * 2 ** 127, 2 ** -7);
  }
}

function floatSpecials(
  leastNormal: number,
  leastSubnormal: number,
  greatest: number,
  epsilon: number,
): readonly number[] {
  const positive = [
    0,
    1,
    0.5,
    1.5,
    2.5,
    3,
    1 - epsilon / 2,
    1 + epsilon,
    leastNormal,
    leastSubnormal,
    greatest,
    10,
    0.25,
  ];
  return [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, ...positive, ...positive.map((x) => -x)];
}

function matrices(
  property: "well_conditioned" | "positive_definite",
  dtype: NumericDType,
  shape: readonly number[],
  random: (position: number) => number,
): Tensor {
  if (!isFloat(dtype)) throw new TypeError(`matrices of ${dtype} are not made`);
  const [rows = 0, columns = 0] = shape.slice(-2);
  const values = new Float64Array(elementCount(shape)).map((_, i) => 2 * random(i) - 1);
  for (let start = 0; start < values.length; start += rows * columns) {
    const matrix = values.subarray(start, start + rows * columns);
    // A dominant diagonal keeps the pivots away from 0, and from each other's order.
    if (property === "well_conditioned")
      for (let i = 0; i < Math.min(rows, columns); i++) matrix[i * columns + i] = 2 + Math.sqrt(rows) + random(i);
    else matrix.set(gram(matrix.slice(), rows));
  }
  return tensorOf(dtype, shape, values);
}

/** m m^T + n I. */
function gram(m: Float64Array, n: number): Float64Array {
  return new Float64Array(n * n).map((_, at) => {
    const row = Math.floor(at / n);
    const column = at % n;
    let sum = row === column ? n : 0;
    for (let i = 0; i < n; i++) sum += (m[row * n + i] as number) * (m[column * n + i] as number);
    return sum;
  });
}
