/** Matrix factorisations in float64 for the reference evaluator: the textbook algorithms, one matrix after another. */
import { ReferenceFailure } from "./define.js";
import type { Matrices } from "./linear_algebra.js";
import { unsolvable } from "./messages.js";

/** a x = b by Gaussian elimination with partial pivoting. */
export function solveSystem(a: Matrices, b: Matrices): Float64Array {
  const n = a.rows;
  const k = b.columns;
  const result = b.data.slice();
  const lu = a.data.slice();
  for (let matrix = 0; matrix < a.count; matrix++) {
    const left = lu.subarray(matrix * n * n, (matrix + 1) * n * n);
    const right = result.subarray(matrix * n * k, (matrix + 1) * n * k);
    eliminate(left, right, n, k);
    for (let i = 0; i < n; i++) if (at(left, i * n + i) === 0) throw unsolved("solve");
    substitute(left, right, n, k, { lower: false, transpose: false, unitDiagonal: false });
  }
  return result;
}

/**
 * Leaves the upper factor in `left`, and the right-hand sides as they are after the same steps; gives the sign of the exchanges. A
 * column without a pivot is left as it is, with its 0 on the diagonal.
 */
export function eliminate(left: Float64Array, right: Float64Array, n: number, k: number): number {
  let sign = 1;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(at(left, row * n + column)) > Math.abs(at(left, pivot * n + column))) pivot = row;
    }
    if (at(left, pivot * n + column) === 0) continue;
    if (pivot !== column) sign = -sign;
    swapRows(left, n, pivot, column);
    swapRows(right, k, pivot, column);
    for (let row = column + 1; row < n; row++) {
      const factor = at(left, row * n + column) / at(left, column * n + column);
      left[row * n + column] = 0;
      for (let i = column + 1; i < n; i++)
        left[row * n + i] = at(left, row * n + i) - factor * at(left, column * n + i);
      for (let i = 0; i < k; i++) right[row * k + i] = at(right, row * k + i) - factor * at(right, column * k + i);
    }
  }
  return sign;
}

export interface Triangle {
  readonly lower: boolean;
  readonly transpose: boolean;
  readonly unitDiagonal: boolean;
}

/** a x = b, or a^T x = b, reading one triangle of a. */
export function solveTriangular(a: Matrices, b: Matrices, triangle: Triangle): Float64Array {
  const n = a.rows;
  const k = b.columns;
  const result = b.data.slice();
  for (let matrix = 0; matrix < a.count; matrix++) {
    const left = a.data.subarray(matrix * n * n, (matrix + 1) * n * n);
    for (let i = 0; i < n; i++) {
      if (!triangle.unitDiagonal && at(left, i * n + i) === 0) throw unsolved("triangular_solve");
    }
    substitute(left, result.subarray(matrix * n * k, (matrix + 1) * n * k), n, k, triangle);
  }
  return result;
}

/** Forward or back substitution in place. */
function substitute(left: Float64Array, right: Float64Array, n: number, k: number, triangle: Triangle): void {
  const { lower, transpose, unitDiagonal } = triangle;
  const forward = lower !== transpose;
  const entry = (row: number, column: number) => (transpose ? at(left, column * n + row) : at(left, row * n + column));
  for (let step = 0; step < n; step++) {
    const row = forward ? step : n - 1 - step;
    for (let side = 0; side < k; side++) {
      let rest = at(right, row * k + side);
      for (let other = forward ? 0 : row + 1; other < (forward ? row : n); other++) {
        rest -= entry(row, other) * at(right, other * k + side);
      }
      right[row * k + side] = unitDiagonal ? rest : rest / entry(row, row);
    }
  }
}

/** The lower Cholesky factor, from the lower triangle. */
export function choleskyFactor(a: Matrices): Float64Array {
  const n = a.rows;
  const result = new Float64Array(a.data.length);
  for (let matrix = 0; matrix < a.count; matrix++) {
    const source = a.data.subarray(matrix * n * n, (matrix + 1) * n * n);
    const l = result.subarray(matrix * n * n, (matrix + 1) * n * n);
    for (let row = 0; row < n; row++) {
      for (let column = 0; column <= row; column++) {
        let rest = at(source, row * n + column);
        for (let i = 0; i < column; i++) rest -= at(l, row * n + i) * at(l, column * n + i);
        if (row > column) l[row * n + column] = rest / at(l, column * n + column);
        // Not `rest <= 0`, so that a NaN is refused too.
        else if (!(rest > 0)) throw unsolved("cholesky");
        else l[row * n + row] = Math.sqrt(rest);
      }
    }
  }
  return result;
}

/** Householder QR as LAPACK's dgeqr2: the diagonal of r has the sign opposite to what it replaces. */
export function qrFactors(a: Matrices): { readonly q: Float64Array; readonly r: Float64Array } {
  const { count, rows: m, columns: n } = a;
  const k = Math.min(m, n);
  const q = new Float64Array(count * m * k);
  const r = new Float64Array(count * k * n);
  for (let matrix = 0; matrix < count; matrix++) {
    const work = a.data.slice(matrix * m * n, (matrix + 1) * m * n);
    const factor = q.subarray(matrix * m * k, (matrix + 1) * m * k);
    for (let i = 0; i < k; i++) factor[i * k + i] = 1;
    const reflections: Reflection[] = [];
    for (let column = 0; column < k; column++) {
      const reflection = reflectionOf(work, m, n, column);
      if (reflection === undefined) continue;
      reflections.push(reflection);
      reflect(work, m, n, reflection);
    }
    for (const reflection of reflections.reverse()) reflect(factor, m, k, reflection);
    for (let row = 0; row < k; row++) {
      for (let column = row; column < n; column++) r[matrix * k * n + row * n + column] = at(work, row * n + column);
    }
  }
  return { q, r };
}

/** I - 2 v v^T / (v^T v); v starts at `from`. */
interface Reflection {
  readonly from: number;
  readonly v: Float64Array;
}

/** The reflection that clears a column below its diagonal; undefined where it is clear already. */
function reflectionOf(work: Float64Array, m: number, n: number, column: number): Reflection | undefined {
  const v = new Float64Array(m - column);
  for (let row = column; row < m; row++) v[row - column] = at(work, row * n + column);
  if (v.subarray(1).every((x) => x === 0)) return undefined;
  const norm = normOf(v);
  const head = at(v, 0);
  const first = head + (head < 0 || Object.is(head, -0) ? -norm : norm);
  v[0] = first;
  // A head of 1: the squares of v neither overflow nor vanish.
  return { from: column, v: v.map((x) => x / first) };
}

/** Scaled, so that the squares neither overflow nor vanish. */
function normOf(v: Float64Array): number {
  const largest = v.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  return largest * Math.sqrt(v.reduce((sum, x) => sum + (x / largest) ** 2, 0));
}

function reflect(work: Float64Array, m: number, n: number, { from, v }: Reflection): void {
  const square = v.reduce((sum, x) => sum + x * x, 0);
  for (let column = 0; column < n; column++) {
    let projection = 0;
    for (let row = from; row < m; row++) projection += at(v, row - from) * at(work, row * n + column);
    const scale = (2 * projection) / square;
    for (let row = from; row < m; row++)
      work[row * n + column] = at(work, row * n + column) - scale * at(v, row - from);
  }
}

function swapRows(matrix: Float64Array, width: number, a: number, b: number): void {
  if (a === b) return;
  for (let i = 0; i < width; i++) {
    const kept = at(matrix, a * width + i);
    matrix[a * width + i] = at(matrix, b * width + i);
    matrix[b * width + i] = kept;
  }
}

function at(data: Float64Array, position: number): number {
  return data[position] as number;
}

function unsolved(op: string): ReferenceFailure {
  return new ReferenceFailure("G087", unsolvable(op));
}
