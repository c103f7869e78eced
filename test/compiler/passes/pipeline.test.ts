import test from "ava";
import fc from "fast-check";
import { InternalError } from "../../../compiler/ir/diagnostic.js";
import type { Value } from "../../../compiler/ir/node.js";
import { internNode } from "../../../compiler/ir/node.js";
import { abs, add, div, maximum, minimum, mul, neg, pow, sub } from "../../../compiler/ops/arithmetic.js";
import { constantLike, matmul, matrixTranspose } from "../../../compiler/ops/build.js";
import { eq, lt } from "../../../compiler/ops/comparison.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { exp, log, log1p, sigmoid, sqrt, tanh } from "../../../compiler/ops/exponential.js";
import { not, select } from "../../../compiler/ops/logic.js";
import { randomUniform } from "../../../compiler/ops/random.js";
import { max, sum } from "../../../compiler/ops/reduction.js";
import { runState } from "../../../compiler/ops/sources.js";
import { concatenate } from "../../../compiler/ops/structure.js";
import { broadcastInDim, reshape, reverse, slice, transpose } from "../../../compiler/ops/views.js";
import { fold } from "../../../compiler/passes/fold.js";
import { type Pass, pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { simplify } from "../../../compiler/passes/simplify.js";
import { computationOf, input } from "../ir/support.js";
import { contextFor, sameResults, tame, wild } from "./support.js";

/** Builds a random graph of matrices: each step combines earlier ones. Sizes 1 and symmetric shapes come up often. */
function graphOf(choices: readonly (readonly [number, number, number, number])[], dtype: "f32" | "i32"): Value {
  const pool: Value[] = [input("a", dtype, [3, 3]), input("b", dtype, [3, 3]), input("c", dtype, [3, 1])];
  const shared = (value: Value): Value =>
    value.type.shape[1] === 1 ? broadcastInDim(value, { shape: [3, 3], axes: [0, 1] }) : value;
  const numbers = [0, -0, 1, -1, 2, 3, 0.5, 4];
  for (const [kind, left, right, extra] of choices) {
    const any = pool[left % pool.length] as Value;
    const [p, q] = [shared(any), shared(pool[right % pool.length] as Value)];
    const c = constantLike(
      p,
      dtype === "i32" ? Math.trunc(numbers[extra % numbers.length] ?? 0) : (numbers[extra % numbers.length] ?? 0),
    );
    const steps: readonly (() => Value)[] = [
      () => add(p, q),
      () => sub(p, q),
      () => mul(p, q),
      () => add(p, c),
      () => mul(c, p),
      () => sub(c, p),
      () => sub(p, c),
      () => neg(any),
      () => abs(any),
      () => maximum(p, q),
      () => minimum(p, c),
      () => select(lt(p, q), p, c),
      () => select(not(eq(p, q)), q, p),
      () => transpose(p, { permutation: [1, 0] }),
      () => reverse(p, { axes: [extra % 2] }),
      () =>
        reshape(slice(p, { start: [0, extra % 3], limit: [3, (extra % 3) + 1], strides: [1, 1] }), { shape: [3, 1] }),
      () => reshape(sum(p, { axes: [1] }), { shape: [3, 1] }),
      () => reshape(max(any, { axes: [1] }), { shape: [3, 1] }),
      () => sum(reshape(p, { shape: [3, 1, 3] }), { axes: [1] }),
      () => matmul(p, matrixTranspose(q)),
      () => matrixTranspose(matmul(matrixTranspose(p), q)),
      () =>
        slice(concatenate([p, q], { axis: 0 }), {
          start: [extra % 4, 0],
          limit: [(extra % 4) + 3, 3],
          strides: [1, 1],
        }),
      () => cast(cast(p, { to: "f64" }), { to: dtype }),
      () =>
        dtype === "f32" ? div(p, constantLike(p, numbers[2 + (extra % 6)] ?? 1)) : pow(p, constantLike(p, extra % 5)),
      () => (dtype === "f32" ? tanh(p) : neg(p)),
      () => (dtype === "f32" ? sigmoid(neg(p)) : abs(p)),
    ];
    pool.push((steps[kind % steps.length] as () => Value)());
  }
  return pool.at(-1) as Value;
}

const choices = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000)), {
  minLength: 1,
  maxLength: 14,
});

test("simplify and fold keep the values of random integer graphs exactly", (t) => {
  fc.assert(
    fc.property(choices, fc.nat(), (steps, seed) => {
      const before = computationOf({ y: graphOf(steps, "i32") });
      const after = runPipeline([fold, simplify], before, { verify: true });
      sameResults(t, before, after, contextFor(before, seed), { relative: 0, signedZeros: true });
    }),
    { numRuns: 250 },
  );
});

test("all passes keep the values of random float graphs", (t) => {
  fc.assert(
    fc.property(choices, fc.nat(), (steps, seed) => {
      const before = computationOf({ y: graphOf(steps, "f32") });
      const after = runPipeline(pipeline, before, { verify: true });
      sameResults(t, before, after, contextFor(before, seed, tame), { relative: 1e-4, signedZeros: false });
    }),
    { numRuns: 250 },
  );
});

test("NaN and infinities stay what they are through random graphs without sums", (t) => {
  // A sum of infinities and a product of them with zero depend on the order; element-wise and moving ops do not.
  const steps = fc.array(fc.tuple(fc.integer({ min: 3, max: 14 }), fc.nat(1000), fc.nat(1000), fc.nat(1000)), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(steps, fc.nat(), (list, seed) => {
      const before = computationOf({ y: graphOf(list, "f32") });
      const after = runPipeline([fold, simplify], before, { verify: true });
      sameResults(t, before, after, contextFor(before, seed, wild), { relative: 0, signedZeros: true });
    }),
    { numRuns: 250 },
  );
});

test("the passes come to rest: a second run changes nothing", (t) => {
  fc.assert(
    fc.property(choices, (steps) => {
      const once = runPipeline(pipeline, computationOf({ y: graphOf(steps, "f32") }));
      t.is(runPipeline(pipeline, once), once);
    }),
    { numRuns: 100 },
  );
});

test("draws are neither folded nor merged", (t) => {
  const draw = (index: number) => randomUniform(runState(), [], { path: "noise", index, dtype: "f32", shape: [1] });
  const before = computationOf({ a: draw(0), b: draw(1), c: sub(draw(0), draw(1)) });
  const after = runPipeline(pipeline, before, { verify: true });
  t.deepEqual(
    after.outputs.map(({ value }) => value),
    before.outputs.map(({ value }) => value),
  );
});

test("a chain of a hundred thousand ops does not overflow the stack", (t) => {
  let y = input("x", "f32", [2]);
  for (let i = 0; i < 50_000; i++) y = neg(exp(y));
  const computation = computationOf({ y: neg(neg(y)) });
  t.is(runPipeline([simplify], computation).outputs[0]?.value, y);
});

test("what no root reaches is gone, and equal nodes are one", (t) => {
  const x = input("x", "f32", [2]);
  const dead = log(x);
  const y = select(lt(constantLike(x, 1), constantLike(x, 2)), add(exp(x), exp(neg(neg(x)))), dead);
  const after = runPipeline(pipeline, computationOf({ y }), { verify: true });
  t.is(after.outputs[0]?.value, add(exp(x), exp(x)));
});

test("what a rule builds points at the source of what it replaced", (t) => {
  const x = input("x", "f32", [2]);
  const y = log(add(constantLike(x, 1), x));
  const computation = computationOf({ y });
  const span = { file: "a.graph", start: 10, end: 20 };
  computation.sources.add(y.node, span);
  const after = runPipeline(pipeline, computation);
  t.is(after.outputs[0]?.value, log1p(x));
  t.deepEqual(computation.sources.spansOf(log1p(x).node), [span]);
});

test("the trace tells what each pass did", (t) => {
  const x = input("x", "f32", [2]);
  const events: string[] = [];
  runPipeline(pipeline, computationOf({ y: neg(neg(sqrt(mul(x, constantLike(x, 1))))) }), {
    trace: ({ pass, round, changed, rules }) =>
      events.push(`${round} ${pass} ${changed} ${[...rules.keys()].join(" ")}`.trim()),
  });
  t.deepEqual(events, [
    "1 regions false",
    "1 fold false",
    "1 simplify true mul-one neg-neg",
    "1 stabilise false",
    "1 scatter-into false",
    "2 regions false",
    "2 fold false",
    "2 simplify false",
    "2 stabilise false",
    "2 scatter-into false",
  ]);
});

test("a pass that breaks the form is named, with the node in its surroundings", (t) => {
  const x = input("x", "f32", [2]);
  const broken: Pass = {
    name: "broken",
    doc: "",
    run: (computation) => {
      const wrong = internNode("add", [x, x], {}, [], [{ dtype: "f32", shape: [3] }]).outputs[0] as Value;
      return { ...computation, outputs: [{ name: "y", value: wrong }] };
    },
  };
  const error = t.throws(() => runPipeline([broken], computationOf({ y: x }), { verify: true }), {
    instanceOf: InternalError,
  });
  t.regex(error?.message ?? "", /after the pass broken/);
  t.regex(error?.message ?? "", /> %1 = add\(%0, %0\) : f32\[3\]/);
});

test("rules that undo each other end", (t) => {
  const x = input("x", "f32", [2]);
  const seesaw: Pass = {
    name: "seesaw",
    doc: "",
    run: (computation) => {
      const [output] = computation.outputs;
      const value = output?.value.node.op === "neg" ? abs(x) : neg(x);
      return { ...computation, outputs: [{ name: "y", value }] };
    },
  };
  t.is(runPipeline([seesaw], computationOf({ y: x })).outputs[0]?.value.node.inputs[0], x);
});
