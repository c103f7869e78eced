/** Loops over the contiguous rows of matrices, a register at a time: what the linear-algebra routines spend their time in. */
import { InternalError } from "../../../ir/diagnostic.js";
import { byteSize } from "../../../ir/dtype.js";
import type { Value } from "../value.js";
import type { Matrix, RoutineScope } from "./routine_scope.js";

/** A row of a matrix with so many columns. */
export interface Row {
  readonly matrix: Matrix;
  readonly columns: number;
  readonly row: Value;
}

export function rowOf(matrix: Matrix, columns: number, row: Value): Row {
  return { matrix, columns, row };
}

/** Whole registers first, then the rest one by one. */
export function alongRow(
  { b, dtype }: RoutineScope,
  from: Value | number,
  to: Value | number,
  body: (column: Value, lanes: number) => void,
): void {
  const lanes = Math.max(1, b.target.vectorBytes / byteSize(dtype));
  const [first, last] = [from, to].map((x) => (typeof x === "number" ? b.index(x) : x)) as [Value, Value];
  const middle = b.add(first, b.and(b.sub(last, first), b.index(-lanes)));
  b.loop(first, middle, lanes, (column) => {
    body(column, lanes);
    return [];
  });
  b.loop(b.max(first, middle), last, 1, (column) => {
    body(column, 1);
    return [];
  });
}

/** The sums of several terms along a row, each in a register of partial sums. */
export function sumsAlongRow(
  { b, dtype, scratch }: RoutineScope,
  from: Value | number,
  to: Value | number,
  count: number,
  terms: (column: Value, lanes: number) => readonly Value[],
): readonly Value[] {
  const lanes = Math.max(1, b.target.vectorBytes / byteSize(dtype));
  const [first, last] = [from, to].map((x) => (typeof x === "number" ? b.index(x) : x)) as [Value, Value];
  const middle = b.add(first, b.and(b.sub(last, first), b.index(-lanes)));
  const add = (width: number) => (column: Value, sums: readonly Value[]) => {
    const given = terms(column, width);
    return sums.map((sum, slot) => b.add(sum, must(given[slot])));
  };
  const zeros = (width: number): readonly Value[] => Array.from({ length: count }, () => scratch.number(0, width));
  const partial = b.loop(first, middle, lanes, add(lanes), zeros(lanes));
  const sums = partial.map((sum) => b.reduce("add", sum));
  return b.loop(b.max(first, middle), last, 1, add(1), sums);
}

/** The scalar product of two rows over [from, to). */
export function dotRows(scope: RoutineScope, x: Row, y: Row, from: Value | number, to: Value | number): Value {
  const [sum] = sumsAlongRow(scope, from, to, 1, (column, lanes) => [
    scope.b.mul(at(x, column, lanes), at(y, column, lanes)),
  ]);
  return must(sum);
}

/** target += factor x source over [from, to). */
export function addRow(
  scope: RoutineScope,
  target: Row,
  factor: Value,
  source: Row,
  from: Value | number,
  to: Value | number,
): void {
  const { b } = scope;
  alongRow(scope, from, to, (column, lanes) => {
    const change = b.mul(b.splat(factor, lanes), at(source, column, lanes));
    put(target, column, b.add(at(target, column, lanes), change));
  });
}

/** Each element of a row through a function. */
export function mapRow(
  scope: RoutineScope,
  target: Row,
  source: Row,
  each: (x: Value, lanes: number) => Value,
  columns = target.columns,
): void {
  alongRow(scope, 0, columns, (column, lanes) => put(target, column, each(at(source, column, lanes), lanes)));
}

export function exchangeRows(scope: RoutineScope, x: Row, y: Row): void {
  alongRow(scope, 0, x.columns, (column, lanes) => {
    const kept = at(x, column, lanes);
    put(x, column, at(y, column, lanes));
    put(y, column, kept);
  });
}

/** (x, y) becomes (cosine x - sine y, sine x + cosine y). */
export function rotateRows(scope: RoutineScope, x: Row, y: Row, cosine: Value, sine: Value): void {
  const { b } = scope;
  alongRow(scope, 0, x.columns, (column, lanes) => {
    const [left, right] = [at(x, column, lanes), at(y, column, lanes)];
    const [c, s] = [b.splat(cosine, lanes), b.splat(sine, lanes)];
    put(x, column, b.sub(b.mul(c, left), b.mul(s, right)));
    put(y, column, b.add(b.mul(s, left), b.mul(c, right)));
  });
}

export function at({ matrix, columns, row }: Row, column: Value, lanes: number): Value {
  return matrix.get(row, columns, column, lanes);
}

export function put({ matrix, columns, row }: Row, column: Value, value: Value): void {
  matrix.set(row, columns, column, value);
}

export function must(value: Value | undefined): Value {
  if (value === undefined) throw new InternalError("a loop without its state");
  return value;
}
