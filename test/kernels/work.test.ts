import test from "ava";
import fc from "fast-check";
import "../../compiler/ops/table.js";
import type { Value } from "../../compiler/ir/node.js";
import { leavesOf } from "../../compiler/kernels/access.js";
import { type KernelWork, rooflineSeconds, workOf } from "../../compiler/kernels/work.js";
import { add, div, maximum, mul, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, matmul } from "../../compiler/ops/build.js";
import { lt } from "../../compiler/ops/comparison.js";
import { cast } from "../../compiler/ops/conversion.js";
import { convolution } from "../../compiler/ops/convolution.js";
import { cbrt, erfc, exp, tanh } from "../../compiler/ops/exponential.js";
import { cholesky } from "../../compiler/ops/linear_algebra.js";
import { select } from "../../compiler/ops/logic.js";
import { max, sum } from "../../compiler/ops/reduction.js";
import { argsort } from "../../compiler/ops/sort.js";
import { atan2 } from "../../compiler/ops/trigonometric.js";
import { columns, f32, input, linearRegression, rows, weight } from "./models.js";
import { build, computationOf } from "./support.js";

function works(outputs: Readonly<Record<string, Value>>, assignments: Readonly<Record<string, Value>> = {}) {
  const program = build(computationOf(outputs, assignments));
  return leavesOf([...program.compute, ...program.commit]).map((kernel) => workOf(kernel, program.buffers));
}

function only(outputs: Readonly<Record<string, Value>>): KernelWork {
  const [work, ...others] = works(outputs);
  if (work === undefined || others.length > 0) throw new Error(`${others.length + 1} kernels`);
  return work;
}

const size = fc.integer({ min: 1, max: 70 });

test("a product of matrices is 2 m n k operations, and reads and writes each matrix once", (t) => {
  fc.assert(
    // A product over an axis of 1 has nothing to sum.
    fc.property(
      size,
      fc.integer({ min: 2, max: 70 }),
      size,
      fc.constantFrom("f32" as const, "f64" as const),
      (m, k, n, dtype) => {
        const found = works({ y: matmul(input("a", [m, k], dtype), input("b", [k, n], dtype)) });
        const bytes = dtype === "f64" ? 8 : 4;
        const operations = found.reduce((total, work) => total + (work.operations ?? 0), 0);
        t.is(operations, 2 * m * n * k);
        t.is(found[0]?.readBytes, bytes * (m * k + k * n));
        t.is(found[0]?.writtenBytes, bytes * m * n);
        t.is(found[0]?.dtype, dtype);
      },
    ),
    { numRuns: 40 },
  );
});

test("each scalar function counts as XLA counts it: an operation, a function, or nothing", (t) => {
  const x = input("x", [50]);
  const y = input("y", [50]);
  const counts = ({ operations, transcendentals }: KernelWork): readonly unknown[] => [operations, transcendentals];
  // XLA's HloCostAnalysis: transcendentals apart, one for each other arithmetic operation on floats, nothing for comparisons.
  for (const made of [exp(x), tanh(x), erfc(x), cbrt(x), atan2(y, x)]) t.deepEqual(counts(only({ made })), [0, 50]);
  for (const made of [add(x, y), div(x, y), maximum(x, y)]) t.deepEqual(counts(only({ made })), [50, 0]);
  for (const made of [lt(x, y), select(lt(x, y), x, y), cast(x, { to: "f64" })])
    t.deepEqual(counts(only({ made })), [0, 0]);
});

test("a bias and an activation in the epilogue count once an element", (t) => {
  const [m, k, n] = [32, 784, 128];
  const product = matmul(input("x", [m, k]), weight("w", [k, n]));
  const work = only({ y: tanh(add(product, columns(weight("b", [n]), [m, n]))) });
  t.is(work.operations, 2 * m * n * k + m * n);
  t.is(work.transcendentals, m * n);
  t.is(work.readBytes, 4 * (m * k + k * n + n));
  t.is(work.writtenBytes, 4 * m * n);
});

test("element-wise work and a sum over it: one multiplication and one addition an element", (t) => {
  const work = only({ y: sum(mul(input("a", [1000]), input("b", [1000])), { axes: [0] }) });
  t.deepEqual(work, { operations: 2000, transcendentals: 0, readBytes: 8000, writtenBytes: 4, dtype: "f32" });
});

test("what does not change along a loop is computed outside it", (t) => {
  // x * (a + 1) over [64, 100], where a has a number for each row: 64 additions and 6400 products.
  const a = add(input("a", [64]), broadcastScalar(f32(1), [64]));
  const work = only({ y: mul(input("x", [64, 100]), rows(a, [64, 100])) });
  t.is(work.operations, 64 + 6400);
  t.is(work.readBytes, 4 * (64 + 6400));
});

test("softmax reads each element once", (t) => {
  const [m, n] = [64, 100];
  const x = input("x", [m, n]);
  const e = exp(sub(x, rows(max(x, { axes: [1] }), [m, n])));
  const work = only({ y: div(e, rows(sum(e, { axes: [1] }), [m, n])) });
  t.is(work.transcendentals, m * n);
  // A maximum, a difference and a sum an element. The division is by a row's reciprocal: two products with scaled factors an
  // element, and a magnitude, a product and a quotient a row.
  t.is(work.operations, 5 * m * n + 3 * m);
  // One row of exponentials is kept.
  t.is(work.readBytes, 4 * (m * n + n));
  t.is(work.writtenBytes, 4 * (m * n + n));
});

test("windows of a convolution overlap: its operand is read once", (t) => {
  // [1, 16, 16, 4] with a window of 3 x 3 into 8 channels, without padding: 14 x 14 places.
  const y = convolution(input("x", [1, 16, 16, 4]), weight("w", [3, 3, 4, 8]), {
    strides: [1, 1],
    low: [0, 0],
    high: [0, 0],
    lhs_dilation: [1, 1],
    rhs_dilation: [1, 1],
    reversal: [],
    feature_groups: 1,
    batch_groups: 1,
  });
  const work = only({ y });
  t.is(work.operations, 2 * 14 * 14 * 3 * 3 * 4 * 8);
  t.is(work.readBytes, 4 * (16 * 16 * 4 + 3 * 3 * 4 * 8));
  t.is(work.writtenBytes, 4 * 14 * 14 * 8);
});

test("integers are no floating-point operations, though their bytes count", (t) => {
  const x = input("x", [100], "i64");
  t.deepEqual(only({ y: add(x, x) }), {
    operations: 0,
    transcendentals: 0,
    readBytes: 800,
    writtenBytes: 800,
    dtype: undefined,
  });
});

test("nothing is done over an axis of size 0", (t) => {
  for (const work of works({ y: tanh(input("x", [0, 7])) })) {
    t.is((work.operations ?? 0) + work.transcendentals + work.readBytes + work.writtenBytes, 0);
  }
});

test("a step of linear regression", (t) => {
  const { outputs, assignments } = linearRegression();
  const [work, ...others] = works(outputs, assignments);
  t.is(others.length, 0);
  // 8 rows: (w x + b - y) 3, its square and sum 2, times x and sum 2, and a sum 1. Then a / 16, and for each of the two
  // variables a quotient, a product and a difference.
  t.is(work?.operations, 8 * 8 + 1 + 2 * 3);
  t.is(work?.readBytes, 4 * (8 + 8 + 1 + 1));
  t.is(work?.writtenBytes, 4 * 3);
});

test("routines have the leading terms of LAPACK, and none where they iterate or compare", (t) => {
  t.is(only({ y: cholesky(input("a", [30, 30], "f64")) }).operations, 30 ** 3 / 3);
  t.is(only({ y: argsort(input("x", [50]), { axis: 0, descending: false }) }).operations, 0);
});

test("a roofline is the longer of computing and moving", (t) => {
  const machine = { gigaflops: { f32: 100, f64: 50 }, gigabytesPerSecond: 10 };
  const work = { operations: 2e9, transcendentals: 0, readBytes: 1e6, writtenBytes: 0, dtype: "f32" } as const;
  t.is(rooflineSeconds(work, machine), 0.02);
  t.is(rooflineSeconds({ ...work, dtype: "f64" }, machine), 0.04);
  t.is(rooflineSeconds({ ...work, operations: undefined, readBytes: 3e9, writtenBytes: 1e9 }, machine), 0.4);
});
