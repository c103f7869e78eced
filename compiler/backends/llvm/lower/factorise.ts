import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import type { Value } from "../value.js";
import type { Matrix, RoutineScope } from "./routine_scope.js";

/** a x = b by Gaussian elimination with partial pivoting (Golub and Van Loan, algorithm 3.4.1), the right-hand sides along with it. */
export function emitSolve(scope: RoutineScope): void {
  const { b, scratch: lu, size, failWhere } = scope;
  const [a, right] = pair(scope.operands);
  const [x] = scope.results;
  if (x === undefined) throw new InternalError("solve without a result");
  const n = size("rows");
  const k = size("sides");
  lu.copyFrom(a, n * n);
  x.copyFrom(right, n * k);
  b.loop(0, n, 1, (column) => {
    const pivot = pivotRow(scope, lu, n, column);
    const value = lu.get(pivot, n, column);
    // A NaN is not equal to zero: it goes through to the result, as arithmetic has it.
    failWhere(b.compare("eq", value, lu.number(0)));
    swapRows(scope, lu, n, pivot, column);
    swapRows(scope, x, k, pivot, column);
    b.loop(b.add(column, b.index(1)), b.index(n), 1, (row) => {
      const factor = b.div(lu.get(row, n, column), lu.get(column, n, column));
      subtractRow(scope, lu, n, { from: b.add(column, b.index(1)), row, other: column, factor });
      subtractRow(scope, x, k, { from: b.index(0), row, other: column, factor });
      return [];
    });
    return [];
  });
  substitute(scope, lu, x, n, k, { lower: false, transpose: false, unitDiagonal: false });
}

/** a x = b or transpose(a) x = b, with one triangle of a. */
export function emitTriangularSolve(scope: RoutineScope): void {
  const { b, size, failWhere } = scope;
  const [a, right] = pair(scope.operands);
  const [x] = scope.results;
  if (x === undefined) throw new InternalError("triangular_solve without a result");
  const n = size("rows");
  const k = size("sides");
  const unitDiagonal = size("unit_diagonal") === 1;
  x.copyFrom(right, n * k);
  if (!unitDiagonal) {
    b.loop(0, n, 1, (i) => {
      failWhere(b.compare("eq", a.get(i, n, i), a.number(0)));
      return [];
    });
  }
  substitute(scope, a, x, n, k, { lower: size("lower") === 1, transpose: size("transpose") === 1, unitDiagonal });
}

/** The lower factor, row by row (Golub and Van Loan, algorithm 4.2.1); zeros above the diagonal. */
export function emitCholesky(scope: RoutineScope): void {
  const { b, size, failWhere } = scope;
  const [a] = scope.operands;
  const [l] = scope.results;
  if (a === undefined || l === undefined) throw new InternalError("cholesky without its matrices");
  const n = size("rows");
  b.loop(0, n, 1, (row) => {
    b.loop(0, n, 1, (column) => {
      b.ifElse(
        b.compare("gt", column, row),
        () => {
          l.set(row, n, column, l.number(0));
        },
        () => {
          const [rest] = b.loop(
            b.index(0),
            column,
            1,
            (i, [sum]) => [b.sub(must(sum), b.mul(l.get(row, n, i), l.get(column, n, i)))],
            [a.get(row, n, column)],
          );
          b.ifElse(
            b.compare("eq", row, column),
            () => {
              // Not `rest <= 0`, so that a NaN is refused too.
              failWhere(b.not(b.compare("gt", must(rest), l.number(0))));
              l.set(row, n, column, b.sqrt(must(rest)));
            },
            () => {
              l.set(row, n, column, b.div(must(rest), l.get(column, n, column)));
            },
          );
        },
      );
      return [];
    });
    return [];
  });
}

/**
 * Householder QR (as LAPACK's dgeqr2). The reflections are kept below the diagonal of the scratch, their heads behind it, and
 * applied last to first to the leading columns of the identity.
 */
export function emitQr(scope: RoutineScope): void {
  const { b, scratch: work, size } = scope;
  const [a] = scope.operands;
  const [q, r] = pair(scope.results);
  if (a === undefined) throw new InternalError("qr without its matrix");
  const m = size("rows");
  const n = size("columns");
  const k = Math.min(m, n);
  const line = 64 / byteSize(scope.dtype);
  const heads = work.from(Math.ceil((m * n) / line) * line);
  const zero = b.index(0);
  work.copyFrom(a, m * n);
  b.loop(0, k, 1, (column) => {
    const below = b.add(column, b.index(1));
    const largest = largestBelow(scope, work, m, n, column, below);
    const clear = b.compare("eq", largest, work.number(0));
    b.ifElse(
      clear,
      () => {
        heads.set(zero, 0, column, work.number(0));
      },
      () => {
        const head = work.get(column, n, column);
        const norm = normFrom(scope, work, m, n, column, b.max(largest, b.abs(head)));
        const signed = b.copySign(norm, head);
        const newHead = b.add(head, signed);
        heads.set(zero, 0, column, newHead);
        const square = squareSum(scope, work, m, n, column, below, newHead);
        b.loop(below, b.index(n), 1, (other) => {
          reflect(scope, { work, n, column, below, m }, { target: work, columns: n, other }, newHead, square);
          return [];
        });
        work.set(column, n, column, b.neg(signed));
      },
    );
    return [];
  });
  b.loop(0, k, 1, (row) => {
    b.loop(0, n, 1, (column) => {
      const value = b.select(b.compare("ge", column, row), work.get(row, n, column), r.number(0));
      r.set(row, n, column, value);
      return [];
    });
    return [];
  });
  b.loop(0, m, 1, (row) => {
    b.loop(0, k, 1, (column) => {
      q.set(row, k, column, b.select(b.compare("eq", row, column), q.number(1), q.number(0)));
      return [];
    });
    return [];
  });
  b.loop(0, k, 1, (turn) => {
    const column = b.sub(b.index(k - 1), turn);
    const below = b.add(column, b.index(1));
    const head = heads.get(zero, 0, column);
    b.ifElse(b.compare("ne", head, q.number(0)), () => {
      const square = squareSum(scope, work, m, n, column, below, head);
      b.loop(0, k, 1, (other) => {
        reflect(scope, { work, n, column, below, m }, { target: q, columns: k, other }, head, square);
        return [];
      });
    });
    return [];
  });
}

interface ReflectionPlace {
  readonly work: Matrix;
  readonly n: number;
  readonly m: number;
  readonly column: Value;
  readonly below: Value;
}

/** One column of the target minus 2 v (v . column) / (v . v), v being the head and what stands below it in the work matrix. */
function reflect(
  { b }: RoutineScope,
  { work, n, m, column, below }: ReflectionPlace,
  { target, columns, other }: { readonly target: Matrix; readonly columns: number; readonly other: Value },
  head: Value,
  square: Value,
): void {
  const [projection] = b.loop(
    below,
    b.index(m),
    1,
    (row, [sum]) => [b.add(must(sum), b.mul(work.get(row, n, column), target.get(row, columns, other)))],
    [b.mul(head, target.get(column, columns, other))],
  );
  const scale = b.div(b.mul(target.number(2), must(projection)), square);
  target.set(column, columns, other, b.sub(target.get(column, columns, other), b.mul(scale, head)));
  b.loop(below, b.index(m), 1, (row) => {
    const change = b.mul(scale, work.get(row, n, column));
    target.set(row, columns, other, b.sub(target.get(row, columns, other), change));
    return [];
  });
}

function largestBelow({ b }: RoutineScope, work: Matrix, m: number, n: number, column: Value, below: Value): Value {
  const [largest] = b.loop(
    below,
    b.index(m),
    1,
    (row, [most]) => [b.max(must(most), b.abs(work.get(row, n, column)))],
    [work.number(0)],
  );
  return must(largest);
}

/** The norm of a column from the diagonal down, scaled by its largest element so that the squares neither overflow nor vanish. */
function normFrom({ b }: RoutineScope, work: Matrix, m: number, n: number, column: Value, largest: Value): Value {
  const [sum] = b.loop(
    column,
    b.index(m),
    1,
    (row, [total]) => {
      const scaled = b.div(work.get(row, n, column), largest);
      return [b.add(must(total), b.mul(scaled, scaled))];
    },
    [work.number(0)],
  );
  return b.mul(largest, b.sqrt(must(sum)));
}

function squareSum(
  { b }: RoutineScope,
  work: Matrix,
  m: number,
  n: number,
  column: Value,
  below: Value,
  head: Value,
): Value {
  const [sum] = b.loop(
    below,
    b.index(m),
    1,
    (row, [total]) => {
      const value = work.get(row, n, column);
      return [b.add(must(total), b.mul(value, value))];
    },
    [b.mul(head, head)],
  );
  return must(sum);
}

function pivotRow({ b }: RoutineScope, lu: Matrix, n: number, column: Value): Value {
  const [pivot] = b.loop(
    b.add(column, b.index(1)),
    b.index(n),
    1,
    (row, [best, most]) => {
      const size = b.abs(lu.get(row, n, column));
      const larger = b.compare("gt", size, must(most));
      return [b.select(larger, row, must(best)), b.select(larger, size, must(most))];
    },
    [column, b.abs(lu.get(column, n, column))],
  );
  return must(pivot);
}

function swapRows({ b }: RoutineScope, matrix: Matrix, columns: number, one: Value, other: Value): void {
  b.loop(0, columns, 1, (column) => {
    const kept = matrix.get(one, columns, column);
    matrix.set(one, columns, column, matrix.get(other, columns, column));
    matrix.set(other, columns, column, kept);
    return [];
  });
}

/** row -= factor x other, from a column on. */
function subtractRow(
  { b }: RoutineScope,
  matrix: Matrix,
  columns: number,
  step: { readonly from: Value; readonly row: Value; readonly other: Value; readonly factor: Value },
): void {
  b.loop(step.from, b.index(columns), 1, (column) => {
    const change = b.mul(step.factor, matrix.get(step.other, columns, column));
    matrix.set(step.row, columns, column, b.sub(matrix.get(step.row, columns, column), change));
    return [];
  });
}

/** Forward or back substitution in place. */
function substitute(
  { b }: RoutineScope,
  left: Matrix,
  right: Matrix,
  n: number,
  k: number,
  triangle: { readonly lower: boolean; readonly transpose: boolean; readonly unitDiagonal: boolean },
): void {
  const { lower, transpose, unitDiagonal } = triangle;
  const forward = lower !== transpose;
  const entry = (row: Value, column: Value): Value => (transpose ? left.get(column, n, row) : left.get(row, n, column));
  b.loop(0, n, 1, (step) => {
    const row = forward ? step : b.sub(b.index(n - 1), step);
    const from = forward ? b.index(0) : b.add(row, b.index(1));
    const to = forward ? row : b.index(n);
    b.loop(0, k, 1, (side) => {
      const [rest] = b.loop(
        from,
        to,
        1,
        (other, [sum]) => [b.sub(must(sum), b.mul(entry(row, other), right.get(other, k, side)))],
        [right.get(row, k, side)],
      );
      right.set(row, k, side, unitDiagonal ? must(rest) : b.div(must(rest), entry(row, row)));
      return [];
    });
    return [];
  });
}

function pair(matrices: readonly Matrix[]): readonly [Matrix, Matrix] {
  const [first, second] = matrices;
  if (first === undefined || second === undefined) throw new InternalError("a routine lacks a matrix");
  return [first, second];
}

function must(value: Value | undefined): Value {
  if (value === undefined) throw new InternalError("a loop without its state");
  return value;
}
