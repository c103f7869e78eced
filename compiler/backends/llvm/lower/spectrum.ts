/** Singular values and eigenvalues by one-sided Jacobi rotations. */
import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import { maximumSweeps } from "../../../ops/messages.js";
import { shareOfLargest } from "../../../ops/spectrum.js";
import type { Value } from "../value.js";
import type { Matrix, RoutineScope } from "./routine_scope.js";
import {
  addRow,
  alongRow,
  at,
  dotRows,
  exchangeRows,
  mapRow,
  must,
  put,
  rotateRows,
  rowOf,
  sumsAlongRow,
} from "./rows.js";

/**
 * One-sided Jacobi (Hestenes; Golub and Van Loan, section 8.6.3): rotations make the rows of w orthogonal, w being a with the
 * longer side along its rows, and are gathered in j. Then w = diag(s) times one side's vectors, and j holds the other's.
 */
export function emitSvd(scope: RoutineScope): void {
  const { b, size, scratch: w } = scope;
  const [a] = scope.operands;
  const [u, s, vt] = scope.results;
  if (a === undefined || u === undefined || s === undefined || vt === undefined) throw new InternalError("svd");
  const [m, n] = [size("rows"), size("columns")];
  const tall = m >= n;
  const [k, length] = [Math.min(m, n), Math.max(m, n)];
  if (k === 0) return;
  const j = w.from(wholeLines(scope, k * length));
  const spare = j.from(wholeLines(scope, k * k));
  const zero = b.index(0);
  const scale = scaleOf(scope, rowOf(a, 0, zero), m * n);
  b.loop(0, k, 1, (row) => {
    b.loop(0, length, 1, (column) => {
      const value = tall ? a.get(column, n, row) : a.get(row, n, column);
      w.set(row, length, column, scale.apply(value));
      return [];
    });
    return [];
  });
  orthogonalise(scope, w, j, k, length);
  b.loop(0, k, 1, (row) => {
    s.set(zero, 0, row, b.sqrt(dotRows(scope, rowOf(w, length, row), rowOf(w, length, row), 0, length)));
    return [];
  });
  sortRows(scope, s, k, "gt", [
    [w, length],
    [j, k],
  ]);
  b.loop(0, k, 1, (row) => {
    const value = s.get(zero, 0, row);
    b.ifElse(
      b.compare("gt", value, w.number(Math.sqrt(leastSquare(scope)))),
      () => {
        const vector = rowOf(w, length, row);
        mapRow(scope, vector, vector, (x, lanes) => b.div(x, b.splat(value, lanes)));
      },
      () => {
        completeRow(scope, w, row, length, spare);
        return [];
      },
    );
    s.set(zero, 0, row, b.mul(value, scale.power));
    return [];
  });
  const [right, left] = tall ? [j, w] : [w, j];
  const [rightLength, leftLength] = tall ? [k, length] : [length, k];
  fixSigns(scope, right, rightLength, k, [[left, leftLength]]);
  vt.copyFrom(right, k * n);
  transposeInto(scope, u, left, k, leftLength);
}

/**
 * The eigenvectors of a symmetric matrix are the singular vectors of a + c I, where c makes it positive definite and well
 * conditioned; the eigenvalues are the Rayleigh quotients v^T a v (Golub and Van Loan, section 8.2.3), which are free of c.
 */
export function emitEigh(scope: RoutineScope): void {
  const { b, size, scratch: w } = scope;
  const [a] = scope.operands;
  const [values, vectors] = scope.results;
  if (a === undefined || values === undefined || vectors === undefined) throw new InternalError("eigh");
  const n = size("rows");
  if (n === 0) return;
  const j = w.from(wholeLines(scope, n * n));
  const zero = b.index(0);
  mirrorLower(scope, w, a, n);
  const scale = scaleOf(scope, rowOf(w, 0, zero), n * n);
  const symmetric = (): void => {
    mirrorLower(scope, w, a, n);
    const all = rowOf(w, 0, zero);
    mapRow(scope, all, all, (x) => scale.apply(x), n * n);
  };
  symmetric();
  const [bound] = b.loop(
    0,
    n,
    1,
    (row, [most]) => {
      const [sum] = sumsAlongRow(scope, 0, n, 1, (column, lanes) => [b.abs(w.get(row, n, column, lanes))]);
      return [b.max(must(most), must(sum))];
    },
    [w.number(0)],
  );
  const shift = b.mul(w.number(2), must(bound));
  b.loop(0, n, 1, (row) => {
    w.set(row, n, row, b.add(w.get(row, n, row), shift));
    return [];
  });
  orthogonalise(scope, w, j, n, n);
  symmetric();
  b.loop(0, n, 1, (vector) => {
    const [quotient] = b.loop(
      0,
      n,
      1,
      (row, [sum]) => {
        const product = dotRows(scope, rowOf(w, n, row), rowOf(j, n, vector), 0, n);
        return [b.add(must(sum), b.mul(product, j.get(vector, n, row)))];
      },
      [w.number(0)],
    );
    values.set(zero, 0, vector, must(quotient));
    return [];
  });
  sortRows(scope, values, n, "lt", [[j, n]]);
  b.loop(0, n, 1, (row) => {
    values.set(zero, 0, row, b.mul(values.get(zero, 0, row), scale.power));
    return [];
  });
  fixSigns(scope, j, n, n, []);
  transposeInto(scope, vectors, j, n, n);
}

/** Sweeps over all pairs of rows until none is left to rotate. Fails the run where `maximumSweeps` do not suffice. */
function orthogonalise(scope: RoutineScope, w: Matrix, j: Matrix, k: number, length: number): void {
  const { b, failWhere } = scope;
  b.loop(0, k, 1, (row) => {
    b.loop(0, k, 1, (column) => {
      j.set(row, k, column, b.select(b.compare("eq", row, column), j.number(1), j.number(0)));
      return [];
    });
    return [];
  });
  const zero = b.index(0);
  const [, rotated] = b.loopWhile(
    [zero, b.index(1)],
    ([sweep, turned]) =>
      b.and(b.compare("lt", must(sweep), b.index(maximumSweeps)), b.compare("ne", must(turned), zero)),
    ([sweep]) => {
      const [turned] = b.loop(
        0,
        k,
        1,
        (p, [before]) =>
          b.loop(
            b.add(p, b.index(1)),
            k,
            1,
            (q, [count]) => [b.add(must(count), rotatePair(scope, w, j, k, length, p, q))],
            [must(before)],
          ),
        [zero],
      );
      return [b.add(must(sweep), b.index(1)), must(turned)];
    },
  );
  failWhere(b.compare("ne", must(rotated), zero));
}

/** Makes two rows orthogonal where they are not; gives 1 where it had to. */
function rotatePair(scope: RoutineScope, w: Matrix, j: Matrix, k: number, length: number, p: Value, q: Value): Value {
  const { b, dtype } = scope;
  const [x, y] = [rowOf(w, length, p), rowOf(w, length, q)];
  const [alpha, beta, gamma] = sumsAlongRow(scope, 0, length, 3, (column, lanes) => {
    const [left, right] = [at(x, column, lanes), at(y, column, lanes)];
    return [b.mul(left, left), b.mul(right, right), b.mul(left, right)];
  }) as readonly [Value, Value, Value];
  const tolerance = (dtype === "f32" ? 2 ** -24 : 2 ** -53) * (4 + Math.sqrt(length));
  const bound = b.mul(w.number(tolerance), b.mul(b.sqrt(alpha), b.sqrt(beta)));
  // Rows whose squares come near the subnormals are zeros beside the others, whose largest element is about 1.
  const counts = b.compare("gt", b.min(alpha, beta), w.number(leastSquare(scope)));
  const [turned] = b.ifElse(
    b.and(counts, b.compare("gt", b.abs(gamma), bound)),
    () => {
      const zeta = b.div(b.sub(beta, alpha), b.mul(w.number(2), gamma));
      const size = b.abs(zeta);
      const one = w.number(1);
      const usual = b.div(one, b.add(size, b.sqrt(b.add(one, b.mul(zeta, zeta)))));
      // Where the square of zeta would overflow, its root is zeta itself.
      const magnitude = b.select(b.compare("gt", size, w.number(1e8)), b.div(w.number(0.5), size), usual);
      const tangent = b.copySign(magnitude, zeta);
      const cosine = b.div(one, b.sqrt(b.add(one, b.mul(tangent, tangent))));
      const sine = b.mul(cosine, tangent);
      rotateRows(scope, x, y, cosine, sine);
      rotateRows(scope, rowOf(j, k, p), rowOf(j, k, q), cosine, sine);
      return [b.index(1)];
    },
    () => [b.index(0)],
  );
  return must(turned);
}

interface Scale {
  readonly power: Value;
  readonly apply: (x: Value) => Value;
}

/**
 * Division by the power of two at the largest magnitude, which is exact and keeps squares from overflowing. A NaN or an infinity
 * fails the run; zeros stand in for all, so that what follows ends.
 */
function scaleOf(scope: RoutineScope, { matrix, columns, row }: ReturnType<typeof rowOf>, count: number): Scale {
  const { b, dtype, failWhere } = scope;
  const [largest] = b.loop(0, count, 1, (i, [most]) => [b.max(must(most), b.abs(matrix.get(row, columns, i)))], [
    matrix.number(0),
  ]);
  const finite = b.compare("lt", must(largest), matrix.number(Number.POSITIVE_INFINITY));
  failWhere(b.not(finite));
  const bits = b.bitsOf(must(largest));
  const exponent = b.constant(bits.type, dtype === "f32" ? 0x7f800000 : 0x7ff0000000000000n);
  const masked = b.bitcast(b.and(bits, exponent), dtype === "f32" ? "f32" : "f64");
  const usable = b.and(finite, b.compare("gt", masked, matrix.number(0)));
  const power = b.select(usable, masked, matrix.number(1));
  return {
    power,
    apply: (x) => {
      const { lanes } = x.type;
      return b.select(finite, b.div(x, b.splat(power, lanes)), matrix.number(0, lanes));
    },
  };
}

/** Selection sort of the values, the rows of the matrices along with them. */
function sortRows(
  scope: RoutineScope,
  values: Matrix,
  count: number,
  first: "gt" | "lt",
  matrices: readonly (readonly [Matrix, number])[],
): void {
  const { b } = scope;
  const zero = b.index(0);
  b.loop(0, count, 1, (place) => {
    const here = values.get(zero, 0, place);
    const [best, most] = b.loop(
      b.add(place, b.index(1)),
      count,
      1,
      (i, [index, extreme]) => {
        const value = values.get(zero, 0, i);
        const better = b.compare(first, value, must(extreme));
        return [b.select(better, i, must(index)), b.select(better, value, must(extreme))];
      },
      [place, here],
    );
    b.ifElse(b.compare("ne", must(best), place), () => {
      values.set(zero, 0, must(best), here);
      values.set(zero, 0, place, must(most));
      for (const [matrix, columns] of matrices) {
        exchangeRows(scope, rowOf(matrix, columns, must(best)), rowOf(matrix, columns, place));
      }
      return [];
    });
    return [];
  });
}

/**
 * A row that belongs to a singular value of 0: the unit vector that the rows above reach least, made orthogonal to them, twice
 * (Golub and Van Loan, section 5.2.8), and of length 1.
 */
function completeRow(scope: RoutineScope, w: Matrix, row: Value, length: number, spare: Matrix): void {
  const { b } = scope;
  const zero = b.index(0);
  const reach = rowOf(spare, length, zero);
  const own = rowOf(w, length, row);
  mapRow(scope, reach, own, (_, lanes) => w.number(0, lanes));
  b.loop(0, row, 1, (above) => {
    const other = rowOf(w, length, above);
    alongRow(scope, 0, length, (column, lanes) => {
      const reached = at(other, column, lanes);
      put(reach, column, b.add(at(reach, column, lanes), b.mul(reached, reached)));
    });
    return [];
  });
  const [least] = b.loop(
    1,
    length,
    1,
    (i, [best, lowest]) => {
      const value = spare.get(zero, length, i);
      const lower = b.compare("lt", value, must(lowest));
      return [b.select(lower, i, must(best)), b.select(lower, value, must(lowest))];
    },
    [zero, spare.get(zero, length, zero)],
  );
  mapRow(scope, own, own, (_, lanes) => w.number(0, lanes));
  put(own, must(least), w.number(1));
  for (let turn = 0; turn < 2; turn++) {
    b.loop(0, row, 1, (above) => {
      const other = rowOf(w, length, above);
      addRow(scope, own, b.neg(dotRows(scope, own, other, 0, length)), other, 0, length);
      return [];
    });
  }
  const norm = b.sqrt(dotRows(scope, own, own, 0, length));
  mapRow(scope, own, own, (x, lanes) => b.div(x, b.splat(norm, lanes)));
}

/** Of each row, the first element of nearly the largest magnitude becomes positive; rows of other matrices follow. */
function fixSigns(
  scope: RoutineScope,
  matrix: Matrix,
  columns: number,
  rows: number,
  followers: readonly (readonly [Matrix, number])[],
): void {
  const { b } = scope;
  b.loop(0, rows, 1, (row) => {
    const [largest] = b.loop(0, columns, 1, (i, [most]) => [b.max(must(most), b.abs(matrix.get(row, columns, i)))], [
      matrix.number(0),
    ]);
    const enough = b.mul(matrix.number(shareOfLargest), must(largest));
    const [leading] = b.loop(
      0,
      columns,
      1,
      (i, [found]) => {
        const value = matrix.get(row, columns, i);
        const isFirst = b.and(b.compare("eq", must(found), matrix.number(0)), b.compare("ge", b.abs(value), enough));
        return [b.select(isFirst, value, must(found))];
      },
      [matrix.number(0)],
    );
    b.ifElse(b.compare("lt", must(leading), matrix.number(0)), () => {
      for (const [target, width] of [[matrix, columns] as const, ...followers]) {
        mapRow(scope, rowOf(target, width, row), rowOf(target, width, row), (x) => b.neg(x));
      }
      return [];
    });
    return [];
  });
}

/** The transpose of `source` [rows, columns]. */
function transposeInto(scope: RoutineScope, target: Matrix, source: Matrix, rows: number, columns: number): void {
  const { b } = scope;
  b.loop(0, columns, 1, (column) => {
    b.loop(0, rows, 1, (row) => {
      target.set(column, rows, row, source.get(row, columns, column));
      return [];
    });
    return [];
  });
}

function mirrorLower(scope: RoutineScope, target: Matrix, a: Matrix, n: number): void {
  const { b } = scope;
  b.loop(0, n, 1, (row) => {
    b.loop(0, b.add(row, b.index(1)), 1, (column) => {
      const value = a.get(row, n, column);
      target.set(row, n, column, value);
      target.set(column, n, row, value);
      return [];
    });
    return [];
  });
}

/** A sum of squares whose terms may have lost digits to the flushing of subnormals. */
function leastSquare({ dtype }: RoutineScope): number {
  return dtype === "f32" ? 2 ** -126 * 2 ** 46 : 2 ** -1022 * 2 ** 104;
}

function wholeLines({ dtype }: RoutineScope, elements: number): number {
  const line = 64 / byteSize(dtype);
  return Math.ceil(elements / line) * line;
}
