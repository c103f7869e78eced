import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import type { Value } from "../value.js";
import type { Matrix, RoutineScope } from "./routine_scope.js";
import { addRow, alongRow, at, dotRows, exchangeRows, mapRow, must, put, rowOf } from "./rows.js";

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
  eliminate(scope, lu, n, { x, k });
  b.loop(0, n, 1, (i) => {
    // A NaN is not equal to zero: it goes through to the result, as arithmetic has it.
    failWhere(b.compare("eq", lu.get(i, n, i), lu.number(0)));
    return [];
  });
  substitute(scope, lu, x, n, k, { lower: false, transpose: false, unitDiagonal: false });
}

/**
 * The upper factor on and above the diagonal, what is below it undefined; right-hand sides go through the same steps. Gives the
 * sign of the exchanges, 1 or -1. A column without a pivot is left as it is, with its 0 on the diagonal.
 */
export function eliminate(
  scope: RoutineScope,
  lu: Matrix,
  n: number,
  right: { readonly x: Matrix; readonly k: number } | undefined,
): Value {
  const { b } = scope;
  const [sign] = b.loop(
    0,
    n,
    1,
    (column, [so]) => {
      const pivot = pivotRow(scope, lu, n, column);
      const value = lu.get(pivot, n, column);
      const [after] = b.ifElse(
        b.compare("ne", pivot, column),
        () => {
          exchangeRows(scope, rowOf(lu, n, pivot), rowOf(lu, n, column));
          if (right !== undefined) exchangeRows(scope, rowOf(right.x, right.k, pivot), rowOf(right.x, right.k, column));
          return [b.neg(must(so))];
        },
        () => [must(so)],
      );
      const below = b.add(column, b.index(1));
      b.ifElse(b.compare("ne", value, lu.number(0)), () => {
        b.loop(below, n, 1, (row) => {
          const factor = b.neg(b.div(lu.get(row, n, column), value));
          addRow(scope, rowOf(lu, n, row), factor, rowOf(lu, n, column), below, n);
          if (right !== undefined) {
            addRow(scope, rowOf(right.x, right.k, row), factor, rowOf(right.x, right.k, column), 0, right.k);
          }
          return [];
        });
        return [];
      });
      return [must(after)];
    },
    [lu.number(1)],
  );
  return must(sign);
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
          const known = dotRows(scope, rowOf(l, n, row), rowOf(l, n, column), 0, column);
          const rest = b.sub(a.get(row, n, column), known);
          b.ifElse(
            b.compare("eq", row, column),
            () => {
              // Not `rest <= 0`, so that a NaN is refused too.
              failWhere(b.not(b.compare("gt", rest, l.number(0))));
              l.set(row, n, column, b.sqrt(rest));
            },
            () => {
              l.set(row, n, column, b.div(rest, l.get(column, n, column)));
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
 * Householder QR (Golub and Van Loan, algorithm 5.2.1, with LAPACK's signs and scaling): each reflection is I - tau v v^T with
 * v of head 1, which neither overflows nor vanishes. Its rest is kept below the diagonal of the scratch, tau behind it, and the
 * reflections are applied last to first to the leading columns of the identity (section 5.1.6).
 */
export function emitQr(scope: RoutineScope): void {
  const { b, scratch: work, size } = scope;
  const [a] = scope.operands;
  const [q, r] = pair(scope.results);
  if (a === undefined) throw new InternalError("qr without its matrix");
  const m = size("rows");
  const n = size("columns");
  const k = Math.min(m, n);
  const whole = (elements: number): number =>
    Math.ceil(elements / (64 / byteSize(scope.dtype))) * (64 / byteSize(scope.dtype));
  const taus = work.from(whole(m * n));
  const sums = taus.from(whole(Math.max(m, n)));
  const zero = b.index(0);
  work.copyFrom(a, m * n);
  b.loop(0, k, 1, (column) => {
    const below = b.add(column, b.index(1));
    const largest = largestBelow(scope, work, m, n, column, below);
    b.ifElse(
      b.compare("eq", largest, work.number(0)),
      () => {
        taus.set(zero, 0, column, work.number(0));
      },
      () => {
        const head = work.get(column, n, column);
        const norm = normFrom(scope, work, m, n, column, b.max(largest, b.abs(head)));
        const diagonal = b.neg(b.copySign(norm, head));
        taus.set(zero, 0, column, b.div(b.sub(diagonal, head), diagonal));
        const newHead = b.sub(head, diagonal);
        b.loop(below, m, 1, (row) => {
          work.set(row, n, column, b.div(work.get(row, n, column), newHead));
          return [];
        });
        reflect(scope, { work, n, column, m, tau: taus.get(zero, 0, column), sums }, work, n, below);
        work.set(column, n, column, diagonal);
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
    const tau = taus.get(zero, 0, column);
    b.ifElse(b.compare("ne", tau, q.number(0)), () => {
      reflect(scope, { work, n, column, m, tau, sums }, q, k, column);
      return [];
    });
    return [];
  });
}

interface Reflection {
  readonly work: Matrix;
  readonly n: number;
  readonly m: number;
  readonly column: Value;
  readonly tau: Value;
  /** Room for a row. */
  readonly sums: Matrix;
}

/** The target's columns from `from` on become (I - tau v v^T) times themselves, row by row. */
function reflect(
  scope: RoutineScope,
  { work, n, m, column, tau, sums }: Reflection,
  target: Matrix,
  columns: number,
  from: Value,
): void {
  const { b } = scope;
  const top = rowOf(target, columns, column);
  const projection = rowOf(sums, columns, b.index(0));
  const below = b.add(column, b.index(1));
  alongRow(scope, from, columns, (i, lanes) => put(projection, i, at(top, i, lanes)));
  b.loop(below, m, 1, (row) => {
    addRow(scope, projection, work.get(row, n, column), rowOf(target, columns, row), from, columns);
    return [];
  });
  addRow(scope, top, b.neg(tau), projection, from, columns);
  b.loop(below, m, 1, (row) => {
    const factor = b.neg(b.mul(tau, work.get(row, n, column)));
    addRow(scope, rowOf(target, columns, row), factor, projection, from, columns);
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

/** Forward or back substitution in place. */
function substitute(
  scope: RoutineScope,
  left: Matrix,
  right: Matrix,
  n: number,
  k: number,
  triangle: { readonly lower: boolean; readonly transpose: boolean; readonly unitDiagonal: boolean },
): void {
  const { b } = scope;
  const { lower, transpose, unitDiagonal } = triangle;
  const forward = lower !== transpose;
  const entry = (row: Value, column: Value): Value => (transpose ? left.get(column, n, row) : left.get(row, n, column));
  const divide = (row: Value): void => {
    if (unitDiagonal) return;
    const target = rowOf(right, k, row);
    const diagonal = left.get(row, n, row);
    mapRow(scope, target, target, (x, lanes) => b.div(x, b.splat(diagonal, lanes)));
  };
  b.loop(0, n, 1, (step) => {
    const row = forward ? step : b.sub(b.index(n - 1), step);
    const done = { from: forward ? b.index(0) : b.add(row, b.index(1)), to: forward ? row : b.index(n) };
    const open = { from: forward ? b.add(row, b.index(1)) : b.index(0), to: forward ? b.index(n) : row };
    if (k === 1 && transpose) {
      // One right-hand side is a row itself: what is known of it is taken from the rest along a row of the matrix.
      divide(row);
      const x = right.get(row, 1, b.index(0));
      addRow(scope, rowOf(right, n, b.index(0)), b.neg(x), rowOf(left, n, row), open.from, open.to);
    } else if (k === 1) {
      const known = dotRows(scope, rowOf(left, n, row), rowOf(right, n, b.index(0)), done.from, done.to);
      right.set(row, 1, b.index(0), b.sub(right.get(row, 1, b.index(0)), known));
      divide(row);
    } else {
      b.loop(done.from, done.to, 1, (other) => {
        addRow(scope, rowOf(right, k, row), b.neg(entry(row, other)), rowOf(right, k, other), 0, k);
        return [];
      });
      divide(row);
    }
    return [];
  });
}

function pair(matrices: readonly Matrix[]): readonly [Matrix, Matrix] {
  const [first, second] = matrices;
  if (first === undefined || second === undefined) throw new InternalError("a routine lacks a matrix");
  return [first, second];
}
