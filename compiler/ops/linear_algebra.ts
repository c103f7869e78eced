import { type Dim, dimEquals, dimText } from "../ir/dim.js";
import type { Value } from "../ir/node.js";
import { shapeEquals, type TensorType, tensorType, typeText } from "../ir/type.js";
import { add, mul, neg, sub } from "./arithmetic.js";
import { constantLike, matmul, matrixTranspose, triangle } from "./build.js";
import { type BinaryOp, defineOp, type ReferenceTensor, type UnaryOp } from "./define.js";
import { choleskyFactor, qrFactors, solveSystem, solveTriangular } from "./factorise.js";
import { choleskySamples, qrSamples, solveSamples, triangularSamples } from "./linear_algebra_samples.js";
import { OpError } from "./op_error.js";
import { operand } from "./operands.js";
import { knownDifference } from "./rules.js";
import { concatenate } from "./structure.js";
import { slice } from "./views.js";

export const precise = ["f64", "f32"] as const;
export type TriangularAttributes = {
  readonly lower: "bool";
  readonly transpose: "bool";
  readonly unit_diagonal: "bool";
};

export const solve: BinaryOp = defineOp({
  name: "solve",
  doc:
    "The x with a @ x = b for square matrices a [..., n, n] and right-hand sides b [..., n, k], by LU factors with partial pivoting. " +
    "A singular matrix (a pivot of exactly 0) fails the run (G087).",
  inputs: [operand("a", precise), operand("b", precise)],
  attributes: {},
  infer: ([a, b]) => systemType("solve", a as TensorType, b as TensorType),
  vjp: ({ inputs: [a], y, dy }) => {
    const db = solve(matrixTranspose(a), dy);
    return [neg(matmul(db, matrixTranspose(y))), db];
  },
  kernel: { kind: "routine", routine: "solve" },
  reference: ({ inputs: [a, b] }) => [solveSystem(matricesOf(a), matricesOf(b))],
  samples: solveSamples,
});

export const triangularSolve: BinaryOp<TriangularAttributes> = defineOp({
  name: "triangular_solve",
  doc:
    "The x with a @ x = b, or transpose(a) @ x = b, where only the lower (or upper) triangle of a [..., n, n] is read, and with " +
    "`unit_diagonal` its diagonal is taken as 1. A 0 on the diagonal fails the run (G087).",
  stablehlo: "triangular_solve",
  inputs: [operand("a", precise), operand("b", precise)],
  attributes: { lower: "bool", transpose: "bool", unit_diagonal: "bool" },
  infer: ([a, b]) => systemType("triangular_solve", a as TensorType, b as TensorType),
  vjp: ({ inputs: [a], attributes, y, dy }) => {
    const db = triangularSolve(a, dy, { ...attributes, transpose: !attributes.transpose });
    const outer = attributes.transpose ? matmul(y, matrixTranspose(db)) : matmul(db, matrixTranspose(y));
    const side = attributes.lower ? "lower" : "upper";
    return [neg(triangle(outer, attributes.unit_diagonal ? `strictly_${side}` : side)), db];
  },
  kernel: { kind: "routine", routine: "triangular_solve" },
  reference: ({ inputs: [a, b], attributes }) => [
    solveTriangular(matricesOf(a), matricesOf(b), {
      lower: attributes.lower,
      transpose: attributes.transpose,
      unitDiagonal: attributes.unit_diagonal,
    }),
  ],
  samples: triangularSamples,
});

export const cholesky: UnaryOp = defineOp({
  name: "cholesky",
  doc:
    "The lower triangular l with l @ transpose(l) = a, for symmetric positive definite matrices a [..., n, n]. Only the lower triangle " +
    "of a is read, so the gradient is in that triangle. A matrix that is not positive definite fails the run (G087).",
  stablehlo: "cholesky",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => squareType("cholesky", a as TensorType),
  vjp: ({ y: l, dy }) => {
    // Murray, "Differentiation of the Cholesky decomposition" (2016), eq. 8 and 10: S = L^-T phi(L^T dL) L^-1, where phi keeps the
    // lower triangle and halves the diagonal; the two mirrored entries of a share one place in its lower triangle.
    const inner = lowerHalf(matmul(matrixTranspose(l), triangle(dy, "lower")));
    const transposed = { lower: true, transpose: true, unit_diagonal: false };
    const right = triangularSolve(l, inner, transposed);
    const s = matrixTranspose(triangularSolve(l, matrixTranspose(right), transposed));
    return [lowerHalf(add(s, matrixTranspose(s)))];
  },
  kernel: { kind: "routine", routine: "cholesky" },
  reference: ({ inputs: [a] }) => [choleskyFactor(matricesOf(a))],
  samples: choleskySamples,
});

/** Two outputs: use `qr.apply`. */
export const qr: UnaryOp = defineOp({
  name: "qr",
  doc:
    "The reduced factors q [..., m, k] with orthonormal columns and upper triangular r [..., k, n], k = min(m, n), with q @ r = a, by " +
    "Householder reflections with LAPACK's signs. The gradient needs the first k columns of a to be independent, else the run fails (G087).",
  inputs: [operand("a", precise)],
  attributes: {},
  infer: ([a]) => {
    const type = a as TensorType;
    const [rows, columns] = matrixSizes("qr", type);
    const batch = type.shape.slice(0, -2);
    const least = leastSize("qr", type);
    return [tensorType(type.dtype, [...batch, rows, least]), tensorType(type.dtype, [...batch, least, columns])];
  },
  vjp: ({ inputs: [a], outputs, cotangents }) => {
    const [q, r] = outputs as readonly [Value, Value];
    const [dq, dr] = cotangents as readonly [Value, Value];
    const columns = columnsOf(a);
    const rank = columnsOf(q);
    if (dimEquals(columns, rank)) return [pullBackTall(q, r, dq, dr)];
    // a = [x | y] with square x: r = [u | v] with v = q^T y (Liao, Liu, Wang, Xiang 2019, "Differentiable programming tensor networks").
    const y = sliceColumns(a, rank, columns);
    const dv = sliceColumns(dr, rank, columns);
    const dx = pullBackTall(
      q,
      sliceColumns(r, 0, rank),
      add(dq, matmul(y, matrixTranspose(dv))),
      sliceColumns(dr, 0, rank),
    );
    return [concatenate([dx, matmul(q, dv)], { axis: a.type.shape.length - 1 })];
  },
  kernel: { kind: "routine", routine: "qr" },
  reference: ({ inputs: [a] }) => {
    const { q, r } = qrFactors(matricesOf(a));
    return [q, r];
  },
  samples: qrSamples,
});

/** Matrices in the last two axes, one after another. */
export interface Matrices {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export function matricesOf(tensor: ReferenceTensor | undefined): Matrices {
  const { shape, data } = tensor as ReferenceTensor;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const count = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return { count, rows, columns, data: data as Float64Array };
}

/**
 * With M = R dR^T - dQ^T Q: dA = (dQ + Q copyltu(M)) R^-T, copyltu mirroring the lower triangle (Walter and Lehmann 2018,
 * "Algorithmic differentiation of linear algebra functions", for m >= n).
 */
function pullBackTall(q: Value, r: Value, dq: Value, dr: Value): Value {
  const m = sub(matmul(r, matrixTranspose(dr)), matmul(matrixTranspose(dq), q));
  const mirrored = add(triangle(m, "lower"), matrixTranspose(triangle(m, "strictly_lower")));
  const left = add(dq, matmul(q, mirrored));
  const solved = triangularSolve(r, matrixTranspose(left), { lower: false, transpose: false, unit_diagonal: false });
  return matrixTranspose(solved);
}

/** The lower triangle with its diagonal halved. */
export function lowerHalf(x: Value): Value {
  const half = constantLike(x, 0.5);
  return mul(half, add(triangle(x, "lower"), triangle(x, "strictly_lower")));
}

function columnsOf(matrix: Value): Dim {
  return matrix.type.shape.at(-1) ?? 0;
}

function sliceColumns(x: Value, from: Dim, to: Dim): Value {
  const { shape } = x.type;
  const last = shape.length - 1;
  return slice(x, {
    start: shape.map((_, axis) => (axis === last ? from : 0)),
    limit: shape.map((dim, axis) => (axis === last ? to : dim)),
    strides: shape.map(() => 1),
  });
}

/** The lesser of a matrix's sizes, which must be known. */
export function leastSize(name: string, type: TensorType): Dim {
  const [rows, columns] = matrixSizes(name, type);
  const difference = knownDifference(rows, columns);
  if (dimEquals(rows, columns)) return rows;
  if (difference === undefined) {
    throw new OpError(
      "G025",
      `${name} of ${typeText(type)}: which of ${dimText(rows)} and ${dimText(columns)} is less is not known`,
      { operand: 0, undecided: true },
    );
  }
  return difference < 0 ? rows : columns;
}

export function matrixSizes(name: string, type: TensorType, position = 0): readonly [Dim, Dim] {
  const [rows, columns] = type.shape.slice(-2);
  if (rows === undefined || columns === undefined) {
    throw new OpError("G025", `${name} takes matrices, not ${typeText(type)}`, { operand: position });
  }
  return [rows, columns];
}

export function squareType(name: string, type: TensorType): TensorType {
  const [rows, columns] = matrixSizes(name, type);
  if (!dimEquals(rows, columns)) {
    throw new OpError("G020", `${name} takes square matrices, not ${typeText(type)}`, { operand: 0 });
  }
  return type;
}

function systemType(name: string, a: TensorType, b: TensorType): TensorType {
  const [rows] = matrixSizes(name, squareType(name, a));
  const [sides] = matrixSizes(name, b, 1);
  if (!dimEquals(rows, sides)) {
    throw new OpError(
      "G020",
      `${name} of ${typeText(a)} and ${typeText(b)}: ${dimText(rows)} equations have ${dimText(sides)} right-hand sides`,
      { operand: 1, against: 0 },
    );
  }
  if (!shapeEquals(a.shape.slice(0, -2), b.shape.slice(0, -2))) {
    throw new OpError("G020", `${name} of ${typeText(a)} and ${typeText(b)}: the leading axes differ`, {
      operand: 1,
      against: 0,
    });
  }
  return b;
}
