/** Makes operands out of the op table's samples, for every test that is generated from the table. */

import { isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Attributes } from "../../compiler/ir/node.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import type { Op } from "../../compiler/ops/define.js";
import { numericDType, roundNumber, tensorOf } from "../../compiler/ops/precision.js";
import type { Fill, MatrixProperty, Sample } from "../../compiler/ops/samples.js";
import { threefry2x32, uniformAt } from "../../compiler/ops/threefry.js";

/**
 * The dtypes that a test may ask `materialise` for: those of the operands that share one, or of what goes through regions; f32 where
 * there are none.
 */
export function sampleDTypes(op: Op): readonly NumericDType[] {
  const shared = op.operands.find((operand) => operand.group !== undefined);
  const through = op.kernel.kind === "region" ? op.operands.at(-1) : undefined;
  const dtypes = (shared ?? through)?.dtypes ?? ["f32"];
  return dtypes.filter((dtype) => dtype !== "string").map(numericDType);
}

/** Whether the operands of a sample may have the dtype: matrices are made of floats only. */
export function isMadeOf(sample: Sample, dtype: NumericDType): boolean {
  return isFloat(dtype) || sample.inputs.every(({ fill }) => fill.kind !== "matrices");
}

/** The operands of a sample. Those whose dtype the sample leaves open get `dtype`; equal seeds give equal numbers. */
export function materialise(sample: Sample, dtype: NumericDType, seed: number): readonly Tensor[] {
  return sample.inputs.map((input, position) =>
    filled(input.fill, numericDType(input.dtype ?? dtype), input.shape, generator(seed, position)),
  );
}

/** Attributes in messages. */
export function attributesText(attributes: Attributes): string {
  return JSON.stringify(attributes, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
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
    case "apart": {
      const places = shuffled(count, random);
      const middle = Math.floor(count / 2);
      return each((i) => fit(dtype, ((places[i] as number) - middle + fill.offset + 0.1 * random(count + i)) / 8));
    }
    case "specials": {
      const list = specialValues(dtype);
      const columns = shape.at(-1) ?? 1;
      const rows = count / Math.max(1, shape[0] ?? 1);
      const first = fill.first ?? 0;
      return each(
        (i) => list[(first + (fill.transposed ? Math.floor(i / rows) : i % columns)) % list.length] as number | bigint,
      );
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

/** The numbers below `count` in another order (Fisher and Yates). */
function shuffled(count: number, random: (position: number) => number): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random(i) * (i + 1));
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
}

function matrices(
  property: MatrixProperty,
  dtype: NumericDType,
  shape: readonly number[],
  random: (position: number) => number,
): Tensor {
  if (!isFloat(dtype)) throw new TypeError(`matrices of ${dtype} are not made`);
  const [rows = 0, columns = 0] = shape.slice(-2);
  const values = new Float64Array(elementCount(shape)).map((_, i) => 2 * random(i) - 1);
  for (let start = 0; start < values.length; start += rows * columns) {
    const matrix = values.subarray(start, start + rows * columns);
    switch (property) {
      case "well_conditioned":
        // A dominant diagonal keeps the pivots away from 0, and from each other's order.
        for (let i = 0; i < Math.min(rows, columns); i++)
          matrix[i * columns + i] = 2 + Math.sqrt(rows) + random(start + i);
        break;
      case "positive_definite":
        matrix.set(gram(matrix.slice(), rows));
        break;
      case "distinct_singular_values":
      case "distinct_eigenvalues": {
        const stream = (position: number): number => random(values.length + 97 * start + position);
        const right = orthonormal(Math.min(rows, columns), columns, stream);
        const left = property === "distinct_eigenvalues" ? right : orthonormal(right.length, rows, stream);
        matrix.set(fromSpectrum(left, right, stream));
        break;
      }
    }
  }
  return tensorOf(dtype, shape, values);
}

/** The sum of the outer products of the vectors, times values that are at least a half apart from each other and from 0. */
function fromSpectrum(
  left: readonly (readonly number[])[],
  right: readonly (readonly number[])[],
  random: (position: number) => number,
): Float64Array {
  const [rows, columns] = [left[0]?.length ?? 0, right[0]?.length ?? 0];
  const spectrum = right.map((_, i) => i + 1 + random(i) / 2);
  return new Float64Array(rows * columns).map((_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return spectrum.reduce(
      (sum, value, i) => sum + value * (left[i]?.[row] as number) * (right[i]?.[column] as number),
      0,
    );
  });
}

/**
 * Vectors at right angles, of length 1 (Gram and Schmidt). None has an element of nearly nine tenths of its largest magnitude: which
 * element decides about the sign of a singular vector does not change with small changes.
 */
function orthonormal(
  count: number,
  length: number,
  random: (position: number) => number,
): readonly (readonly number[])[] {
  for (let attempt = 0; ; attempt++) {
    const vectors: (readonly number[])[] = [];
    for (let i = 0; i < count; i++) {
      let vector = Array.from({ length }, (_, k) => 2 * random(1000 * attempt + i * length + k) - 1);
      for (const other of vectors) {
        const along = other.reduce((sum, x, k) => sum + x * (vector[k] as number), 0);
        vector = vector.map((x, k) => x - along * (other[k] as number));
      }
      const norm = Math.hypot(...vector);
      vectors.push(vector.map((x) => x / norm));
    }
    const isClear = vectors.every((vector) => {
      const most = Math.max(...vector.map(Math.abs));
      return vector.every((x) => Math.abs(Math.abs(x) / most - 0.9) > 0.02);
    });
    if (isClear) return vectors;
  }
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
