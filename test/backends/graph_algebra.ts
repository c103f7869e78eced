/** Steps of random graphs along an axis (running sums, sorts, recurrences), of bits, and of matrices. */
import { isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Attributes, Value } from "../../compiler/ir/node.js";
import { staticShape } from "../../compiler/ir/type.js";
import { constantLike, fill, matmul, matrixTranspose } from "../../compiler/ops/build.js";
import { numericDType } from "../../compiler/ops/precision.js";
import { opNamed } from "../../compiler/ops/table.js";
import type { Choices } from "./choices.js";

interface Made {
  readonly value: Value;
  readonly exact: boolean;
}

const apply = (op: string, inputs: readonly Value[], attributes: Attributes = {}): Value =>
  opNamed(op).apply(inputs, attributes)[0] as Value;
const shapeOf = (value: Value): readonly number[] => staticShape(value.type);
const dtypeOf = (value: Value): NumericDType => numericDType(value.type.dtype);

/** `y` is of the type of x. */
export function alongAnAxis(choices: Choices, x: Value, y: Value, exact: ReadonlySet<Value>): Made | undefined {
  const dtype = dtypeOf(x);
  const rank = x.type.shape.length;
  if (rank === 0 || dtype === "bool") return undefined;
  const attributes = { axis: choices.below(rank), reverse: choices.below(2) === 0 };
  const isExact = exact.has(x);
  switch (choices.below(4)) {
    case 0: {
      const op = choices.of(isFloat(dtype) ? ["cumsum"] : ["cumsum", "cumprod"]);
      const value = apply(op, [x], { ...attributes, exclusive: choices.below(2) === 0 });
      return { value, exact: isExact && !isFloat(dtype) };
    }
    case 1:
      return { value: apply(choices.of(["cummax", "cummin"]), [x], attributes), exact: isExact };
    case 2: {
      if (!isFloat(dtype)) return undefined;
      // Factors below 1, so that it stays small.
      return { value: apply("linear_recurrence", [apply("tanh", [x]), y], attributes), exact: false };
    }
    default: {
      if (!isExact) return undefined;
      const { axis } = attributes;
      return { value: apply("argsort", [x], { axis, descending: attributes.reverse }), exact: true };
    }
  }
}

export function ofBits(choices: Choices, x: Value, y: Value, exact: ReadonlySet<Value>): Made | undefined {
  if (!isInteger(dtypeOf(x))) return undefined;
  const op = choices.of([
    "popcnt",
    "count_leading_zeros",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
  ]);
  const inputs = op.startsWith("shift") ? [x, y] : [x];
  return { value: apply(op, inputs), exact: inputs.every((input) => exact.has(input)) };
}

/** Only of what is not defined up to signs: a matrix is put together again of its factors. */
export function ofMatrices(choices: Choices, x: Value): Made | undefined {
  const { shape } = x.type;
  if (shape.length === 0) return undefined;
  const matrix =
    shape.length === 1 ? apply("reshape", [x], { shape: choices.below(2) === 0 ? [1, ...shape] : [...shape, 1] }) : x;
  const limit = shapeOf(matrix).map((size, axis) => (axis < matrix.type.shape.length - 2 ? size : Math.min(size, 9)));
  const small = apply("slice", [matrix], { start: limit.map(() => 0), limit, strides: limit.map(() => 1) });
  const float = apply("cast", [small], { to: choices.of(["f32", "f64"]) });
  // Between -1 and 1, and finite.
  const a = apply("sin", [apply("select", [apply("is_finite", [float]), float, constantLike(float, 0.5)])]);
  const made = (value: Value): Made => ({ value, exact: false });
  switch (choices.below(8)) {
    case 0: {
      const [u, s, vt] = opNamed("svd").apply([a], {}) as readonly [Value, Value, Value];
      return made(choices.below(2) === 0 ? s : matmul(scaledColumns(u, s), vt));
    }
    case 1: {
      const [w, v] = opNamed("eigh").apply([gram(a)], {}) as readonly [Value, Value];
      return made(choices.below(2) === 0 ? w : matmul(scaledColumns(v, w), matrixTranspose(v)));
    }
    case 2: {
      const [q, r] = opNamed("qr").apply([a], {}) as readonly [Value, Value];
      return made(matmul(q, r));
    }
    case 3:
      return made(apply("cholesky", [gram(a)]));
    case 4:
      return made(apply("solve", [gram(a), a]));
    case 5:
      return made(apply("det", [gram(a)]));
    case 6:
      return made(opNamed("slogdet").apply([gram(a)], {})[1] as Value);
    default: {
      const attributes = {
        lower: choices.below(2) === 0,
        transpose: choices.below(2) === 0,
        unit_diagonal: choices.below(2) === 0,
      };
      return made(apply("triangular_solve", [apply("mul", [gram(a), fill(gram(a).type, 0.125)]), a], attributes));
    }
  }
}

/** a a^T + 2 I: symmetric, positive definite and well conditioned. */
function gram(a: Value): Value {
  const product = matmul(a, matrixTranspose(a));
  const shape = shapeOf(product);
  const row = apply("iota", [], { dtype: "i64", shape, axis: shape.length - 2 });
  const column = apply("iota", [], { dtype: "i64", shape, axis: shape.length - 1 });
  const twos = apply("select", [apply("eq", [row, column]), constantLike(product, 2), constantLike(product, 0)]);
  return apply("add", [product, twos]);
}

function scaledColumns(matrix: Value, by: Value): Value {
  const shape = shapeOf(matrix);
  const axes = shape.map((_, axis) => axis).filter((axis) => axis !== shape.length - 2);
  return apply("mul", [matrix, apply("broadcast_in_dim", [by], { shape, axes })]);
}
