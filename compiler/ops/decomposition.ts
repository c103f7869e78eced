import type { Dim } from "../ir/dim.js";
import { dimEquals } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { type TensorType, tensorType } from "../ir/type.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { broadcastAlong, constantLike, matmul, matrixTranspose, zerosLike } from "./build.js";
import { eq } from "./comparison.js";
import { defineOp, type UnaryOp } from "./define.js";
import { leastSize, lowerHalf, matricesOf, matrixSizes, precise, solve, squareType } from "./linear_algebra.js";
import { determinantSamples, eighSamples, svdSamples } from "./linear_algebra_samples.js";
import { select } from "./logic.js";
import { operand } from "./operands.js";
import { determinants, eigenvalues, singularValues } from "./spectrum.js";
import { iota } from "./structure.js";
import { broadcastInDim } from "./views.js";

/** Three outputs: use `svd.apply`. */
export const svd: UnaryOp = defineOp({
  name: "svd",
  doc:
    "The reduced singular value decomposition: u [..., m, k] and vt [..., k, n] with orthonormal columns and rows, and the singular " +
    "values s [..., k] descending, k = min(m, n), with u @ diag(s) @ vt = a, by one-sided Jacobi rotations (Golub and Van Loan, " +
    "section 8.6.3). In each row of vt the first element within a tenth of the largest magnitude is positive. A NaN or an infinity " +
    "in a fails the run (G087). The gradient is that of distinct singular values, those of zero apart; what would be divided by a " +
    "difference of 0 counts as 0, which is right for losses that the choice of vectors among equal values does not change.",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => {
    const type = a as TensorType;
    const [rows, columns] = matrixSizes("svd", type);
    const batch = type.shape.slice(0, -2);
    const least = leastSize("svd", type);
    return [
      tensorType(type.dtype, [...batch, rows, least]),
      tensorType(type.dtype, [...batch, least]),
      tensorType(type.dtype, [...batch, least, columns]),
    ];
  },
  vjp: ({ outputs, cotangents }) => {
    // Townsend, "Differentiating the singular value decomposition" (2016), reverse mode, with F_ij = 1 / (s_j^2 - s_i^2).
    const [u, s, vt] = outputs as readonly [Value, Value, Value];
    const [du, ds, dvt] = cotangents as readonly [Value, Value, Value];
    const ut = matrixTranspose(u);
    const k = sizeAt(s, -1);
    const f = inverseDifferences(mul(s, s));
    const [utdu, vtdv] = [matmul(ut, du), matmul(vt, matrixTranspose(dvt))];
    const inU = scaleColumns(mul(f, sub(utdu, matrixTranspose(utdu))), s);
    const inV = scaleRows(mul(f, sub(vtdv, matrixTranspose(vtdv))), s);
    let result = matmul(u, matmul(add(add(inU, inV), diagonal(ds)), vt));
    const inverse = safeReciprocal(s);
    if (!dimEquals(sizeAt(u, -2), k)) {
      result = add(result, matmul(scaleColumns(sub(du, matmul(u, utdu)), inverse), vt));
    }
    if (!dimEquals(sizeAt(vt, -1), k)) {
      const beyond = sub(dvt, matmul(matrixTranspose(vtdv), vt));
      result = add(result, matmul(u, scaleRows(beyond, inverse)));
    }
    return [result];
  },
  kernel: { kind: "routine", routine: "svd" },
  reference: ({ inputs: [a] }) => singularValues(matricesOf(a)),
  samples: svdSamples,
});

/** Two outputs: use `eigh.apply`. */
export const eigh: UnaryOp = defineOp({
  name: "eigh",
  doc:
    "The eigenvalues w [..., n], ascending, and the orthonormal eigenvectors v [..., n, n], as columns, of symmetric matrices a, " +
    "with a @ v = v @ diag(w), by Jacobi rotations (Golub and Van Loan, section 8.5). Only the lower triangle of a is read, so the " +
    "gradient is in that triangle. In each vector the first element within a tenth of the largest magnitude is positive. A NaN or " +
    "an infinity fails the run (G087). The gradient is that of distinct eigenvalues; what would be divided by a difference of 0 " +
    "counts as 0, which is right for losses that the choice of vectors among equal values does not change.",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => {
    const type = squareType("eigh", a as TensorType);
    return [tensorType(type.dtype, type.shape.slice(0, -1)), type];
  },
  vjp: ({ outputs, cotangents }) => {
    // Giles, "Collected matrix derivative results" (2008), section 3.1, with F_ij = 1 / (w_j - w_i).
    const [w, v] = outputs as readonly [Value, Value];
    const [dw, dv] = cotangents as readonly [Value, Value];
    const vt = matrixTranspose(v);
    const inner = add(diagonal(dw), mul(inverseDifferences(w), matmul(vt, dv)));
    const s = matmul(v, matmul(inner, vt));
    return [lowerHalf(add(s, matrixTranspose(s)))];
  },
  kernel: { kind: "routine", routine: "eigh" },
  reference: ({ inputs: [a] }) => eigenvalues(matricesOf(a)),
  samples: eighSamples,
});

export const det: UnaryOp = defineOp({
  name: "det",
  doc:
    "The determinant of each square matrix, the product of the pivots of Gaussian elimination with partial pivoting (Golub and Van " +
    "Loan, section 3.2.4); 1 for size 0, 0 for a singular matrix. Its gradient, det(a) transpose(inverse(a)), fails the run for a " +
    "singular matrix (G087).",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => determinantType("det", a as TensorType),
  vjp: ({ inputs: [a], y, dy }) => [scaleMatrices(transposedInverse(a), mul(dy, y))],
  kernel: { kind: "routine", routine: "det" },
  reference: ({ inputs: [a] }) => [determinants(matricesOf(a)).value],
  samples: determinantSamples,
});

/** Two outputs: use `slogdet.apply`. */
export const slogdet: UnaryOp = defineOp({
  name: "slogdet",
  doc:
    "The sign of each determinant, and the logarithm of its magnitude, which neither overflows nor vanishes: det(a) = sign * " +
    "exp(logarithm). A singular matrix has sign 0 and -infinity. The gradient is the logarithm's, transpose(inverse(a)), which " +
    "fails the run for a singular matrix (G087).",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => {
    const type = determinantType("slogdet", a as TensorType);
    return [type, type];
  },
  // The sign is piecewise constant.
  vjp: ({ inputs: [a], cotangents }) => [scaleMatrices(transposedInverse(a), cotangents[1] as Value)],
  kernel: { kind: "routine", routine: "slogdet" },
  reference: ({ inputs: [a] }) => {
    const { sign, logarithm } = determinants(matricesOf(a));
    return [sign, logarithm];
  },
  samples: determinantSamples,
});

function determinantType(name: string, a: TensorType): TensorType {
  return tensorType(a.dtype, squareType(name, a).shape.slice(0, -2));
}

function transposedInverse(a: Value): Value {
  return solve(matrixTranspose(a), diagonalMask(a, 1, 0));
}

/** A tensor of x's shape with one number on the diagonals of its square matrices, another elsewhere. */
function diagonalMask(x: Value, on: number, off: number): Value {
  return select(isDiagonal(x.type.shape), constantLike(x, on), constantLike(x, off));
}

function isDiagonal(shape: readonly Dim[]): Value {
  const row = iota({ dtype: "i64", shape, axis: shape.length - 2 });
  const column = iota({ dtype: "i64", shape, axis: shape.length - 1 });
  return eq(row, column);
}

/** Vectors [..., n] as diagonal matrices [..., n, n]. */
function diagonal(x: Value): Value {
  const columns = acrossColumns(x, sizeAt(x, -1));
  return select(isDiagonal(columns.type.shape), columns, zerosLike(columns));
}

/** 1 / (x_j - x_i) at [i, j], 0 where they are equal. */
function inverseDifferences(x: Value): Value {
  const n = sizeAt(x, -1);
  return safeReciprocal(sub(acrossColumns(x, n), acrossRows(x, n)));
}

/** 1 / x, and 0 for 0, without an infinity in between: its gradient is finite too. */
function safeReciprocal(x: Value): Value {
  const [zero, one] = [zerosLike(x), constantLike(x, 1)];
  const isZero = eq(x, zero);
  return select(isZero, zero, div(one, select(isZero, one, x)));
}

function scaleColumns(matrix: Value, by: Value): Value {
  return mul(matrix, acrossColumns(by, sizeAt(matrix, -2)));
}

function scaleRows(matrix: Value, by: Value): Value {
  return mul(matrix, acrossRows(by, sizeAt(matrix, -1)));
}

function scaleMatrices(matrices: Value, by: Value): Value {
  const { shape } = matrices.type;
  return mul(matrices, broadcastAlong(by, shape, [shape.length - 2, shape.length - 1]));
}

/** x[..., j] at [..., i, j]. */
function acrossColumns(x: Value, rows: Dim): Value {
  const { shape } = x.type;
  const last = shape.length - 1;
  const axes = shape.map((_, axis) => (axis === last ? axis + 1 : axis));
  return broadcastInDim(x, { shape: [...shape.slice(0, -1), rows, sizeAt(x, -1)], axes });
}

/** x[..., i] at [..., i, j]. */
function acrossRows(x: Value, columns: Dim): Value {
  const { shape } = x.type;
  return broadcastInDim(x, { shape: [...shape, columns], axes: shape.map((_, axis) => axis) });
}

function sizeAt(x: Value, axis: number): Dim {
  return x.type.shape.at(axis) ?? 1;
}
