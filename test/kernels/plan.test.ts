import test from "ava";
import "../../compiler/ops/table.js";
import type { Value } from "../../compiler/ir/node.js";
import { printKernels } from "../../compiler/kernels/printer.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, div, floorDiv, mul, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, literal, matmul } from "../../compiler/ops/build.js";
import { checkIndex } from "../../compiler/ops/checks.js";
import { exp, log, tanh } from "../../compiler/ops/exponential.js";
import { solve } from "../../compiler/ops/linear_algebra.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../compiler/ops/sources.js";
import { concatenate } from "../../compiler/ops/structure.js";
import { reverse, slice } from "../../compiler/ops/views.js";
import { interpretKernels } from "./interpreter.js";
import { f32, input, network, softmaxRegression, weight } from "./models.js";
import { avx512, build, computationOf, contextOf, disagreements } from "./support.js";

function check(
  t: { deepEqual: (a: unknown, b: unknown, m?: string) => unknown },
  outputs: Record<string, Value>,
  assignments: Record<string, Value>,
) {
  const computation = computationOf(outputs, assignments);
  const program = build(computation);
  t.deepEqual(verifyKernels(program), [], printKernels(program));
  t.deepEqual(disagreements(computation, program), [], printKernels(program));
  return program;
}

test("a := b; b := a swaps through a temporary", (t) => {
  const [a, b] = [weight("a", [5]), weight("b", [5])];
  const program = check(t, {}, { a: b, b: a });
  t.true(program.buffers.some((buffer) => buffer.storage.kind === "temporary"));
  check(t, { oldA: a, oldB: b }, { a: tanh(b), b: tanh(a) });
});

test("an update in place happens after everyone has read the old value", (t) => {
  const w = weight("w", [6, 6]);
  const x = input("x", [6, 6]);
  check(t, { y: matmul(x, w), z: exp(w) }, { w: sub(w, x) });
  check(t, { old: w }, { w: tanh(w) });
});

test("an update that reads other elements of its own variable is not done in place", (t) => {
  const w = weight("w", [9]);
  check(t, {}, { w: reverse(w, { axes: [0] }) });
  check(t, {}, { w: sub(w, broadcastScalar(sum(w, { axes: [0] }), [9])) });
  const rolled = concatenate(
    [slice(w, { start: [1], limit: [9], strides: [1] }), slice(w, { start: [0], limit: [1], strides: [1] })],
    { axis: 0 },
  );
  check(t, { rolled }, { w: rolled });
  const square = weight("square", [12, 12]);
  check(t, {}, { square: matmul(square, square) });
});

test("two variables may get one value, and a variable its own", (t) => {
  const a = weight("a", [4]);
  const value = exp(a);
  const program = check(t, { value }, { a: value, b: value });
  t.is(program.compute.length + program.commit.length, 1);
  t.is(check(t, {}, { a, b: a }).commit.length, 1);
});

test("outputs that are inputs are copied", (t) => {
  const program = check(
    t,
    { x: input("x", [3, 4]), w: weight("w", []), c: literal("f32", [3], [1, 2, 3]), s: f32(2) },
    {},
  );
  for (const { buffer } of program.outputs) t.is(program.buffers[buffer]?.storage.kind, "temporary");
});

test("no variable is written when a check fails", (t) => {
  const w = weight("w", [4]);
  const index = placeholder({ name: "index", dtype: "i64", shape: [4] });
  const checked = checkIndex(index, { size: [3] });
  const computation = computationOf({ checked }, { w: sub(w, broadcastScalar(f32(1), [4])) });
  const program = build(computation);
  t.deepEqual(verifyKernels(program), []);
  const context = contextOf(computation, () => 1.4);
  t.deepEqual(disagreements(computation, program, context), []);
  t.is(interpretKernels(program, context).failure?.code, "G086");
});

test("an update whose own kernel has a check waits in a temporary", (t) => {
  const w = variable({ path: "w", dtype: "i64", shape: [4] });
  const index = checkIndex(w, { size: [5] });
  const computation = computationOf({}, { w: add(index, literal("i64", [4], [1, 1, 1, 1])) });
  const program = build(computation);
  t.deepEqual(verifyKernels(program), []);
  for (const fill of [0.4, 3])
    t.deepEqual(
      disagreements(
        computation,
        program,
        contextOf(computation, () => fill),
      ),
      [],
    );
  t.is(program.commit.length, 1);
});

test("integer division checks its divisor unless it is a constant", (t) => {
  const x = placeholder({ name: "x", dtype: "i32", shape: [5] });
  const y = placeholder({ name: "y", dtype: "i32", shape: [5] });
  const computation = computationOf({ q: floorDiv(x, y) });
  const program = build(computation);
  t.is(
    interpretKernels(
      program,
      contextOf(computation, () => 0),
    ).failure?.code,
    "G089",
  );
  t.is(build(computationOf({ q: floorDiv(x, broadcastScalar(literal("i32", [], [3]), [5])) })).failures.length, 0);
});

test("with checked numerics the first op that makes a NaN is named, and nothing is written", (t) => {
  const w = weight("w", [8]);
  const x = input("x", [8]);
  const bad = log(sub(x, broadcastScalar(f32(5), [8])));
  const computation = computationOf({ y: exp(bad) }, { w: div(add(w, bad), bad) });
  const program = build(computation, { checkNumerics: true });
  t.deepEqual(verifyKernels(program), []);
  const result = interpretKernels(program, contextOf(computation));
  t.is(result.failure?.code, "G110");
  t.regex(result.failure?.message ?? "", /^`log` makes /);
  t.deepEqual(result.variables.get("w")?.data, contextOf(computation).variables.get("w")?.data);
});

test("a routine's operands are dense and its results may be assigned", (t) => {
  const a = placeholder({ name: "a", dtype: "f64", shape: [3, 3] });
  const b = variable({ path: "b", dtype: "f64", shape: [3, 2] });
  const x = solve(add(a, literal("f64", [3, 3], [9, 0, 0, 0, 9, 0, 0, 0, 9])), b);
  const program = check(t, { x }, { b: x });
  t.is([...program.compute].filter((kernel) => kernel.kind === "routine").length, 1);
});

test("long sums are added up in blocks", (t) => {
  const x = input("x", [100_003]);
  const computation = computationOf({ s: sum(x, { axes: [0] }) });
  const program = build(computation);
  t.deepEqual(verifyKernels(program), []);
  const { outputs } = interpretKernels(
    program,
    contextOf(computation, () => 0.1),
  );
  t.true(
    Math.abs((outputs[0]?.data[0] as number) / (100_003 * Math.fround(0.1)) - 1) < 6e-5,
    "one accumulator would be 1.4e-4 off",
  );
  const rows = input("rows", [90, 70]);
  check(t, { s: sum(exp(rows), { axes: [0, 1] }), columns: sum(rows, { axes: [0] }) }, {});
});

test("temporaries share the arena: the peak is near what lives at once", (t) => {
  const { outputs, assignments } = network(32);
  const program = build(computationOf(outputs, assignments));
  t.deepEqual(verifyKernels(program), []);
  // Activations of one step: 32 x (784 + 3 x 128) floats, a mask, and small change; never the gradient of the first weight.
  t.true(program.memory.arenaBytes < 200_000, `${program.memory.arenaBytes}`);
  // The images as floats, 100 x 784, and at most once more as the packed panel of a contraction, 128 x 784 (pairs of registers).
  const regression = softmaxRegression(100);
  t.true(build(computationOf(regression.outputs, regression.assignments)).memory.arenaBytes < 730_000);
});

test("the panel of a large product holds a block of its columns", (t) => {
  const y = matmul(input("x", [256, 1024]), input("w", [1024, 4096]));
  const program = build(computationOf({ y }));
  const [kernel] = program.compute;
  if (kernel?.kind !== "contract") return t.fail("no contraction");
  const { blockColumns, vectors } = kernel.schedule;
  const width = vectors * 16;
  t.true(512 <= blockColumns && blockColumns <= 1024, `${blockColumns} columns of 1024 floats, where 4 MiB hold 1024`);
  const longest = Math.max(...kernel.scratch.map((buffer) => program.buffers[buffer]?.length ?? 0));
  // The last strip, of 4096 % width columns, lies behind a whole block.
  t.is(longest, 1024 * (blockColumns + (4096 % width === 0 ? 0 : width)));
});

test("a long sum of few results runs in turns whose operands fit L2, and no other does", (t) => {
  const scheduleOf = (m: number, k: number, n: number) => {
    const y = matmul(input("x", [m, k]), input("w", [k, n]));
    const computation = computationOf({ y });
    const program = build(computation, {}, { ...avx512, l2Bytes: 65_536 });
    t.deepEqual(verifyKernels(program), [], printKernels(program));
    const [kernel] = program.compute;
    if (kernel?.kind !== "contract") throw new Error(printKernels(program));
    if (kernel.schedule.outerDepth > 0) t.deepEqual(disagreements(computation, program), [], printKernels(program));
    return { loops: kernel.k.map(({ extent }) => extent), outer: kernel.schedule.outerDepth, kernel };
  };
  const { loops, outer, kernel } = scheduleOf(24, 512, 40);
  t.deepEqual([loops, outer], [[4, 128], 1]);
  // Half of L2 is 8192 floats: 128 terms of 24 rows and 40 columns fit, with their sums.
  t.true((24 + 40) * kernel.schedule.blockDepth <= 8192);
  const whole = (k: number) => ({ loops: [k], outer: 0 });
  for (const [m, k, n, why] of [
    [24, 100, 40, "81 rows of 100 terms fit"],
    [16, 512, 40, "one block has all rows"],
    [24, 509, 40, "a prime number of terms"],
    [120, 512, 120, "the sums do not fit"],
  ] as const) {
    const { kernel: _, ...found } = scheduleOf(m, k, n);
    t.deepEqual(found, whole(k), why);
  }
});

test("layers take turns in two places of the arena", (t) => {
  let x: Value = input("x", [64, 64]);
  for (let layer = 0; layer < 6; layer++) x = tanh(matmul(x, weight(`w${layer}`, [64, 64])));
  const computation = computationOf({ x });
  const program = build(computation);
  t.deepEqual(verifyKernels(program), []);
  t.deepEqual(
    disagreements(
      computation,
      program,
      contextOf(computation, (i) => ((i * 37) % 101) / 500 - 0.1),
    ),
    [],
  );
  t.true(program.memory.arenaBytes <= 3 * 64 * 64 * 4, `${program.memory.arenaBytes}`);
});

test("a chain of a thousand ops becomes kernels of bounded size", (t) => {
  let x: Value = input("x", [10]);
  for (let i = 0; i < 1000; i++) x = add(mul(x, broadcastScalar(f32(0.5), [10])), broadcastScalar(f32(i % 3), [10]));
  const program = check(t, { x }, {});
  t.true(program.compute.length >= 2);
});

test("a graph of a hundred thousand nodes is no special case", (t) => {
  let [x, y]: [Value, Value] = [input("x", [4, 4]), input("y", [4, 4])];
  for (let i = 0; i < 20_000; i++) [x, y] = [tanh(add(x, y)), sub(mul(x, y), x)];
  const program = build(computationOf({ x, y }));
  t.deepEqual(verifyKernels(program), []);
  t.true(program.compute.length > 100);
});

test("equal computations print equally, whatever the process has built before", (t) => {
  const make = (): string => {
    const { outputs, assignments } = network(16, 20, 12, 4);
    return printKernels(build(computationOf(outputs, assignments)));
  };
  t.is(make(), make());
});
