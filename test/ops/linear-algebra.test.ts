import test from "ava";
import { symbol } from "../../compiler/ir/dim.js";
import type { Tensor } from "../../compiler/ir/tensor.js";
import { tensorType } from "../../compiler/ir/type.js";
import { type Op, ReferenceFailure, type ReferenceTensor } from "../../compiler/ops/define.js";
import { cholesky, qr, solve, triangularSolve } from "../../compiler/ops/linear_algebra.js";
import { OpError } from "../../compiler/ops/op_error.js";
import { applied, tensor } from "../support/evaluate.js";

const close = (actual: readonly (number | bigint)[], expected: readonly number[], tolerance = 1e-8): boolean =>
  actual.length === expected.length &&
  actual.every((x, i) => Math.abs(Number(x) - (expected[i] as number)) <= tolerance);

const first = (op: Op, inputs: readonly Tensor[], attributes = {}): readonly (number | bigint)[] => [
  ...(applied(op, inputs, attributes)[0] as ReferenceTensor).data,
];

test("solve: a system with a known answer, which needs a pivot", (t) => {
  // 0x + 2y = 4, 3x + y = 5.
  t.true(close(first(solve, [tensor("f64", [2, 2], 0, 2, 3, 1), tensor("f64", [2, 1], 4, 5)]), [1, 2], 1e-14));
  const inverse = first(solve, [tensor("f64", [2, 2], 4, 7, 2, 6), tensor("f64", [2, 2], 1, 0, 0, 1)]);
  t.true(close(inverse, [0.6, -0.7, -0.2, 0.4], 1e-14));
});

test("triangular_solve reads one triangle alone", (t) => {
  const a = tensor("f64", [2, 2], 2, 100, 3, 4);
  const b = tensor("f64", [2, 1], 2, 11);
  const flags = (lower: boolean, transpose: boolean, unit_diagonal: boolean) => ({ lower, transpose, unit_diagonal });
  t.deepEqual(first(triangularSolve, [a, b], flags(true, false, false)), [1, 2]);
  t.deepEqual(first(triangularSolve, [a, b], flags(true, false, true)), [2, 5]);
  t.deepEqual(first(triangularSolve, [a, b], flags(true, true, false)), [1 - (3 * 2.75) / 2, 2.75]);
  t.deepEqual(first(triangularSolve, [a, b], flags(false, false, false)), [1 - 137.5, 2.75]);
});

// numpy.linalg.cholesky and numpy.linalg.qr, version 2.4.
test("cholesky: the textbook matrix, from its lower triangle alone", (t) => {
  const expected = [2, 0, 0, 6, 1, 0, -8, 5, 3];
  t.deepEqual(first(cholesky, [tensor("f64", [3, 3], 4, 12, -16, 12, 37, -43, -16, -43, 98)]), expected);
  t.deepEqual(
    first(cholesky, [tensor("f64", [3, 3], 4, Number.NaN, Number.NaN, 12, 37, Number.NaN, -16, -43, 98)]),
    expected,
  );
});

test("qr: tall and wide, with LAPACK's signs", (t) => {
  const rows = [4, 3, 2, 1, 5, 7, 2, 8, 6, 1, 1, 9];
  const [q, r] = applied(qr, [tensor("f64", [4, 3], ...rows)]) as readonly [ReferenceTensor, ReferenceTensor];
  t.true(close([...r.data], [-4.69041576, -7.24882436, -7.67522579, 0, -6.81575714, -6.2155437, 0, 0, 8.51222213]));
  t.true(
    close(
      [...q.data],
      [
        -0.85280287, 0.46683268, -0.19311475, -0.21320072, -0.50684691, 0.26001521, -0.42640143, -0.72025614,
        -0.20552927, -0.21320072, 0.08002846, 0.9235023,
      ],
    ),
  );
  const columns = [4, 1, 2, 1, 3, 5, 8, 1, 2, 7, 6, 9];
  const [, wide] = applied(qr, [tensor("f64", [3, 4], ...columns)]) as readonly [ReferenceTensor, ReferenceTensor];
  t.true(
    close(
      [...wide.data],
      [
        -5.38516481, -6.12794616, -8.17059488, -4.64238345, 0, -6.11949964, -5.54474001, -6.6266405, 0, 0, -2.54896794,
        4.18759019,
      ],
    ),
  );
});

test("a matrix without an inverse or a factor fails the run, in any place of a batch", (t) => {
  const singular = tensor("f64", [2, 2, 2], 1, 0, 0, 1, 1, 2, 2, 4);
  const right = tensor("f64", [2, 2, 1], 1, 1, 1, 1);
  const triangular = { lower: true, transpose: false, unit_diagonal: false };
  const attempts: readonly (() => unknown)[] = [
    () => applied(solve, [singular, right]),
    () => applied(triangularSolve, [tensor("f64", [2, 2], 0, 0, 1, 1), tensor("f64", [2, 1], 1, 1)], triangular),
    () => applied(cholesky, [tensor("f64", [2, 2], 1, 2, 2, 1)]),
    () => applied(cholesky, [tensor("f64", [1, 1], Number.NaN)]),
  ];
  for (const attempt of attempts) t.is(t.throws(attempt, { instanceOf: ReferenceFailure })?.code, "G087");
  t.notThrows(() =>
    applied(triangularSolve, [tensor("f64", [1, 1], 0), tensor("f64", [1, 1], 3)], {
      ...triangular,
      unit_diagonal: true,
    }),
  );
});

test("shapes that do not fit are refused with both sides", (t) => {
  const a = tensorType("f64", [3, 3]);
  t.throws(() => solve.infer([a, tensorType("f64", [2, 1])], {}), {
    instanceOf: OpError,
    message: /3 equations have 2 right-hand sides/,
  });
  t.throws(() => solve.infer([a, tensorType("f64", [3])], {}), {
    instanceOf: OpError,
    message: /takes matrices, not f64\[3\]/,
  });
  t.throws(() => cholesky.infer([tensorType("f64", [3, 2])], {}), {
    instanceOf: OpError,
    message: /square matrices, not f64\[3, 2\]/,
  });
  t.throws(() => cholesky.infer([tensorType("f16", [3, 3])], {}), {
    instanceOf: OpError,
    message: /does not take f16/,
  });
  t.throws(() => qr.infer([tensorType("f64", [symbol("N"), 2])], {}), {
    instanceOf: OpError,
    message: /N and 2 is less is not known/,
  });
  t.notThrows(() => qr.infer([tensorType("f64", [symbol("N"), symbol("N")])], {}));
});
