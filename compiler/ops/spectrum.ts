/** Singular values, eigenvalues and determinants in float64 for the reference evaluator: the textbook algorithms. */
import { ReferenceFailure } from "./define.js";
import { eliminate } from "./factorise.js";
import type { Matrices } from "./linear_algebra.js";
import { maximumSweeps, unsolvable } from "./messages.js";

/**
 * The first element of at least this share of a vector's largest magnitude is made positive: not the largest itself, since which
 * of two equal ones rounding makes the larger is chance.
 */
export const shareOfLargest = 0.9;

/** Squares below this have lost digits to underflow: such a vector is a zero beside those of size 1. */
const leastSquare = 2 ** -1022 * 2 ** 104;
const epsilon = 2 ** -52;

/** The reduced singular value decomposition by one-sided Jacobi rotations (Golub and Van Loan, section 8.6.3). */
export function singularValues(a: Matrices): readonly [Float64Array, Float64Array, Float64Array] {
  const { count, rows: m, columns: n } = a;
  const k = Math.min(m, n);
  const [u, s, vt] = [new Float64Array(count * m * k), new Float64Array(count * k), new Float64Array(count * k * n)];
  for (let matrix = 0; matrix < count; matrix++) {
    const source = a.data.subarray(matrix * m * n, (matrix + 1) * m * n);
    const scale = scaleOf(source, "svd");
    const tall = m >= n;
    // The rows of w become orthogonal; they run along the longer side.
    const w = Array.from({ length: k }, (_, i) =>
      Float64Array.from({ length: Math.max(m, n) }, (__, j) => at(source, tall ? j * n + i : i * n + j) / scale),
    );
    const gathered = orthogonalise(w, "svd");
    const triplets = w
      .map((row, i) => ({ row, other: gathered[i] as Float64Array, value: Math.sqrt(dot(row, row)) }))
      .sort((x, y) => y.value - x.value);
    triplets.forEach(({ row, value }, i) => {
      if (value > Math.sqrt(leastSquare)) for (let j = 0; j < row.length; j++) row[j] = at(row, j) / value;
      else
        complete(
          row,
          triplets.slice(0, i).map((one) => one.row),
        );
    });
    triplets.forEach(({ row, other, value }, i) => {
      s[matrix * k + i] = value * scale;
      const [left, right] = tall ? [row, other] : [other, row];
      const sign = signOf(right);
      for (let j = 0; j < n; j++) vt[matrix * k * n + i * n + j] = sign * at(right, j);
      for (let j = 0; j < m; j++) u[matrix * m * k + j * k + i] = sign * at(left, j);
    });
  }
  return [u, s, vt];
}

/** Eigenvalues and eigenvectors of the lower triangle's symmetric matrix by cyclic Jacobi (Golub and Van Loan, algorithm 8.5.3). */
export function eigenvalues(a: Matrices): readonly [Float64Array, Float64Array] {
  const { count, rows: n } = a;
  const [w, v] = [new Float64Array(count * n), new Float64Array(count * n * n)];
  for (let matrix = 0; matrix < count; matrix++) {
    const source = a.data.subarray(matrix * n * n, (matrix + 1) * n * n);
    const symmetric = source.map((_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      return at(source, Math.max(row, column) * n + Math.min(row, column));
    });
    const scale = scaleOf(symmetric, "eigh");
    const work = Array.from({ length: n }, (_, i) => symmetric.slice(i * n, (i + 1) * n).map((x) => x / scale));
    const vectors = diagonalise(work);
    const pairs = work
      .map((row, i) => ({ value: at(row, i), vector: vectors[i] as Float64Array }))
      .sort((x, y) => x.value - y.value);
    pairs.forEach(({ value, vector }, i) => {
      w[matrix * n + i] = value * scale;
      const sign = signOf(vector);
      for (let j = 0; j < n; j++) v[matrix * n * n + j * n + i] = sign * at(vector, j);
    });
  }
  return [w, v];
}

/** The determinant's sign (or 0), magnitude's logarithm, and value, for each matrix. */
export function determinants(a: Matrices): {
  readonly value: Float64Array;
  readonly sign: Float64Array;
  readonly logarithm: Float64Array;
} {
  const { count, rows: n } = a;
  const [value, sign, logarithm] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  for (let matrix = 0; matrix < count; matrix++) {
    const lu = a.data.slice(matrix * n * n, (matrix + 1) * n * n);
    const exchanges = eliminate(lu, new Float64Array(0), n, 0);
    const pivots = Array.from({ length: n }, (_, i) => at(lu, i * n + i));
    value[matrix] = pivots.reduce((product, pivot) => product * pivot, exchanges);
    sign[matrix] = pivots.reduce((product, pivot) => product * Math.sign(pivot), exchanges);
    logarithm[matrix] = pivots.reduce((sum, pivot) => sum + Math.log(Math.abs(pivot)), 0);
  }
  return { value, sign, logarithm };
}

/** Makes rows orthogonal by rotations, in place; gives the product of the rotations. */
function orthogonalise(w: readonly Float64Array[], name: string): readonly Float64Array[] {
  const gathered = identity(w.length);
  const tolerance = (epsilon / 2) * (4 + Math.sqrt(w[0]?.length ?? 0));
  for (let sweep = 0; sweep < maximumSweeps; sweep++) {
    let rotated = false;
    for (const [p, x] of w.entries()) {
      for (const [q, y] of w.entries()) {
        if (q <= p) continue;
        const [alpha, beta, gamma] = [dot(x, x), dot(y, y), dot(x, y)];
        if (Math.min(alpha, beta) <= leastSquare) continue;
        if (Math.abs(gamma) <= tolerance * Math.sqrt(alpha) * Math.sqrt(beta)) continue;
        rotated = true;
        const tangent = tangentOf((beta - alpha) / (2 * gamma));
        rotate(x, y, tangent);
        rotate(gathered[p] as Float64Array, gathered[q] as Float64Array, tangent);
      }
    }
    if (!rotated) return gathered;
  }
  throw notConverged(name);
}

/** Zeros the elements off the diagonal by rotations from both sides, in place; gives the eigenvectors as rows. */
function diagonalise(work: readonly Float64Array[]): readonly Float64Array[] {
  const n = work.length;
  const vectors = identity(n);
  for (let sweep = 0; sweep < maximumSweeps; sweep++) {
    let rotated = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [x, y] = [work[p] as Float64Array, work[q] as Float64Array];
        const off = at(x, q);
        // What does not change the diagonal is a zero.
        if (Math.abs(off) <= (epsilon / 8) * Math.hypot(at(x, p), at(y, q)) || Math.abs(off) < 1e-290) continue;
        rotated = true;
        const tangent = tangentOf((at(y, q) - at(x, p)) / (2 * off));
        rotate(x, y, tangent);
        for (const row of work) rotateElements(row, p, q, tangent);
        x[q] = 0;
        y[p] = 0;
        rotate(vectors[p] as Float64Array, vectors[q] as Float64Array, tangent);
      }
    }
    if (!rotated) return vectors;
  }
  throw notConverged("eigh");
}

/** The smaller root of t^2 + 2 zeta t = 1: the rotation by at most 45 degrees. */
function tangentOf(zeta: number): number {
  const size = Math.abs(zeta);
  const magnitude = size > 1e8 ? 0.5 / size : 1 / (size + Math.sqrt(1 + zeta * zeta));
  return zeta < 0 ? -magnitude : magnitude;
}

function rotate(x: Float64Array, y: Float64Array, tangent: number): void {
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  for (let i = 0; i < x.length; i++) {
    const [left, right] = [at(x, i), at(y, i)];
    x[i] = cosine * (left - tangent * right);
    y[i] = cosine * (tangent * left + right);
  }
}

function rotateElements(row: Float64Array, p: number, q: number, tangent: number): void {
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const [left, right] = [at(row, p), at(row, q)];
  row[p] = cosine * (left - tangent * right);
  row[q] = cosine * (tangent * left + right);
}

/** The unit vector that `others` reach least, made orthogonal to them, twice, and of length 1. */
function complete(row: Float64Array, others: readonly Float64Array[]): void {
  const reach = Array.from(row, (_, i) => others.reduce((sum, other) => sum + at(other, i) ** 2, 0));
  row.fill(0);
  row[reach.indexOf(Math.min(...reach))] = 1;
  for (const other of [...others, ...others]) {
    const part = dot(row, other);
    for (let i = 0; i < row.length; i++) row[i] = at(row, i) - part * at(other, i);
  }
  const norm = Math.sqrt(dot(row, row));
  for (let i = 0; i < row.length; i++) row[i] = at(row, i) / norm;
}

function signOf(vector: Float64Array): number {
  const largest = vector.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const leading = vector.find((x) => Math.abs(x) >= shareOfLargest * largest) ?? 1;
  return leading < 0 ? -1 : 1;
}

/** The power of two at the largest magnitude: dividing by it is exact. */
function scaleOf(data: Float64Array, name: string): number {
  let largest = 0;
  for (const x of data) largest = Math.max(largest, Math.abs(x));
  if (!Number.isFinite(largest)) throw notConverged(name);
  if (largest === 0) return 1;
  const power = 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
  return Math.max(power, 2 ** -1022);
}

function identity(n: number): readonly Float64Array[] {
  return Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += at(x, i) * at(y, i);
  return sum;
}

function at(data: Float64Array, position: number): number {
  return data[position] as number;
}

function notConverged(name: string): ReferenceFailure {
  return new ReferenceFailure("G087", unsolvable(name));
}
