import test from "ava";
import { evaluate, evaluateValues } from "../../../compiler/backends/reference/evaluate.js";
import type { Computation } from "../../../compiler/ir/graph.js";
import type { Value } from "../../../compiler/ir/node.js";
import { SourceTable } from "../../../compiler/ir/sources.js";
import { add, div, mul } from "../../../compiler/ops/arithmetic.js";
import { constantLike, literal } from "../../../compiler/ops/build.js";
import { checkIndex } from "../../../compiler/ops/checks.js";
import { ReferenceFailure } from "../../../compiler/ops/define.js";
import { log } from "../../../compiler/ops/exponential.js";
import { referenceFromTensor, roundTo, tensorFromReference, tensorOf } from "../../../compiler/ops/precision.js";
import { sum } from "../../../compiler/ops/reduction.js";
import { placeholder, variable } from "../../../compiler/ops/sources.js";
import { emptyContext, feeding, tensor, vector } from "../../support/evaluate.js";

const x = placeholder({ name: "x0", dtype: "f32", shape: [3] });
const w = variable({ path: "w", dtype: "f32", shape: [3] });

function computation(
  outputs: readonly Value[],
  assignments: readonly { path: string; value: Value }[] = [],
): Computation {
  return {
    name: "test",
    placeholders: [{ name: "x0", type: x.type }],
    variables: [{ name: "w", type: w.type }],
    outputs: outputs.map((value, i) => ({ name: `y${i}`, value })),
    assignments,
    sources: new SourceTable(),
  };
}

const context = {
  ...feeding([vector("f32", 1, 2, 3)]),
  variables: new Map([["w", referenceFromTensor(vector("f32", 10, 20, 30))]]),
};

test("outputs and assignments are functions of the state at the start", (t) => {
  const next = add(w, x);
  const { outputs, assignments } = evaluate(
    computation([w, sum(next, { axes: [0] })], [{ path: "w", value: next }]),
    context,
  );
  t.deepEqual([...(outputs[0]?.data ?? [])], [10, 20, 30]);
  t.deepEqual([...(outputs[1]?.data ?? [])], [66]);
  t.deepEqual([...(assignments.get("w")?.data ?? [])], [11, 22, 33]);
  t.deepEqual([...(context.variables.get("w")?.data ?? [])], [10, 20, 30]);
});

test("the same edge may be asked for twice, and an edge that others read is kept", (t) => {
  const y = mul(x, x);
  const results = evaluateValues([y, add(y, x), y], context);
  t.deepEqual(
    results.map((result) => [...result.data]),
    [
      [1, 4, 9],
      [2, 6, 12],
      [1, 4, 9],
    ],
  );
});

test("the caller's storage is left as it is, subnormals included", (t) => {
  const data = Float64Array.of(1e-40, 1, 2);
  const feeds = new Map([["x0", { dtype: "f32" as const, shape: [3], data }]]);
  const [result] = evaluateValues([x], { ...emptyContext, feeds });
  t.deepEqual([...(result?.data ?? [])], [0, 1, 2]);
  t.is(data[0], 1e-40);
});

test("a failed check names its node", (t) => {
  const index = checkIndex(literal("i64", [2], [1, 5]), { size: [3] });
  const failure = t.throws(() => evaluateValues([add(index, index)], emptyContext), { instanceOf: ReferenceFailure });
  t.is(failure?.node, index.node);
  t.is(failure?.code, "G086");
});

test("checkNumerics names the first op that makes a NaN or an infinity of finite operands", (t) => {
  const zero = placeholder({ name: "x0", dtype: "f32", shape: [] });
  const logarithm = log(zero);
  const feeds = feeding([tensor("f32", [], 0)]);
  const after = add(mul(logarithm, zero), zero);
  t.notThrows(() => evaluateValues([after], feeds));
  const failure = t.throws(() => evaluateValues([after], feeds, { checkNumerics: true }), {
    instanceOf: ReferenceFailure,
  });
  t.is(failure?.node, logarithm.node);
  t.is(failure?.code, "G110");
  t.is(failure?.message, "`log` makes minus infinity of finite operands");
  const fed = t.throws(() =>
    evaluateValues([after], feeding([tensor("f32", [], Number.NaN)]), { checkNumerics: true }),
  );
  t.regex(fed?.message ?? "", /`placeholder` holds a NaN/);
  const masked = add(constantLike(zero, Number.NEGATIVE_INFINITY), zero);
  t.notThrows(() => evaluateValues([masked], feeds, { checkNumerics: true }));
  t.throws(() => evaluateValues([div(zero, zero)], feeds, { checkNumerics: true }), { message: /`div` makes a NaN/ });
});

test("a graph of 100,000 ops in a chain is evaluated without recursion", (t) => {
  const one = literal("f64", [], [1]);
  let y = placeholder({ name: "x0", dtype: "f64", shape: [] });
  for (let i = 0; i < 100_000; i++) y = add(y, one);
  t.deepEqual([...(evaluateValues([y], feeding([tensor("f64", [], 0)]))[0]?.data ?? [])], [100_000]);
});

test("tensors go in and out of the evaluator unchanged, in every dtype", (t) => {
  const samples = [
    tensorOf("f64", [2], [0.1, -1e300]),
    tensorOf("f32", [2], [0.5, -3.25]),
    tensorOf("f16", [3], [1.5, -65504, 2 ** -24]),
    tensorOf("bf16", [2], [1.5, -(2 ** 100)]),
    tensorOf("i64", [2], [2n ** 63n - 1n, -(2n ** 63n)]),
    tensorOf("i32", [2], [2 ** 31 - 1, -5]),
    tensorOf("i8", [2], [127, -128]),
    tensorOf("u8", [2], [255, 0]),
    tensorOf("bool", [2], [1, 0]),
  ];
  for (const sample of samples) t.deepEqual(tensorFromReference(referenceFromTensor(sample)), sample);
});

test("rounding to a dtype", (t) => {
  const rounded = (dtype: Parameters<typeof roundTo>[0], ...values: readonly number[]) => [
    ...roundTo(dtype, Float64Array.from(values)),
  ];
  t.deepEqual(rounded("f32", 0.1, 1e39, -1e-39, 2 ** -126), [
    Math.fround(0.1),
    Number.POSITIVE_INFINITY,
    -0,
    2 ** -126,
  ]);
  t.deepEqual(rounded("f16", 2049, 65519, 65520, 2 ** -25), [2048, 65504, Number.POSITIVE_INFINITY, 0]);
  t.deepEqual(rounded("bf16", 257, 259, -(2 ** -130)), [256, 260, -0]);
  t.deepEqual(rounded("i32", 2 ** 31, 2 ** 32 + 5), [-(2 ** 31), 5]);
  t.deepEqual(rounded("i8", 128, -129), [-128, 127]);
  t.deepEqual(rounded("u8", 256, -1), [0, 255]);
});
