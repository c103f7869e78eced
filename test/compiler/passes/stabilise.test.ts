import test, { type ExecutionContext } from "ava";
import { differentiate } from "../../../compiler/autodiff/differentiate.js";
import { evaluate } from "../../../compiler/backends/reference/evaluate.js";
import type { Computation } from "../../../compiler/ir/graph.js";
import type { Value } from "../../../compiler/ir/node.js";
import { add, div, mul, neg, sub } from "../../../compiler/ops/arithmetic.js";
import { broadcastAlong, onesLike } from "../../../compiler/ops/build.js";
import { exp, log, sigmoid } from "../../../compiler/ops/exponential.js";
import { gradients, stopGradient } from "../../../compiler/ops/pseudo.js";
import { max, sum } from "../../../compiler/ops/reduction.js";
import { broadcastInDim, reshape } from "../../../compiler/ops/views.js";
import { beforeGradients, pipeline, runPipeline } from "../../../compiler/passes/pipeline.js";
import { computationOf, input } from "../ir/support.js";

const x = input("x", "f32", [1, 4]);
const z = input("z", "f32", [4]);

/** As the Program does it: safe forms, gradients, then all passes, each verified. */
function compiled(computation: Computation): Computation {
  const forward = runPipeline(beforeGradients, computation, { verify: true });
  const { computation: differentiated, diagnostics } = differentiate(forward);
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join("; "));
  return runPipeline(pipeline, differentiated, { verify: true });
}

function run(outputs: Readonly<Record<string, Value>>, feed: readonly number[]): readonly (readonly number[])[] {
  const computation = compiled(computationOf(outputs));
  const feeds = new Map(
    computation.placeholders.map(({ name, type }) => [
      name,
      { dtype: "f32" as const, shape: type.shape.map(Number), data: Float64Array.from(feed) },
    ]),
  );
  const context = { seed: 0n, step: 0n, runsSinceStep: 0n, feeds, variables: new Map() };
  return evaluate(computation, context).outputs.map(({ data }) => Array.from(data, Number));
}

function near(t: ExecutionContext, actual: readonly number[] | undefined, expected: readonly number[]): void {
  t.is(actual?.length, expected.length);
  expected.forEach((wanted, i) => {
    const got = actual?.[i] ?? Number.NaN;
    const close = Object.is(got, wanted) || Math.abs(got - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted));
    t.true(close, `element ${i}: ${got} instead of ${wanted}`);
  });
}

function gradientOf(y: Value, of: Value): Value {
  return gradients.apply([y, of], {})[0] as Value;
}

const softmax = (value: Value): Value => div(exp(value), broadcastAlong(sum(exp(value), { axes: [1] }), [1, 4], [1]));

test("softmax without a shift survives large logits, and so does its gradient", (t) => {
  const [y, dy] = run(
    { y: softmax(x), dy: gradientOf(mul(softmax(x), input("x", "f32", [1, 4])), x) },
    [1000, 1000, 0, -1000],
  );
  near(t, y, [0.5, 0.5, 0, 0]);
  // d sum(p x) / dx_k = p_k (1 + x_k - sum p x).
  near(t, dy, [0.5, 0.5, 0, 0]);
});

test("the keepdims spelling of the language is recognised", (t) => {
  const largest = stopGradient(reshape(max(x, { axes: [1] }), { shape: [1, 1] }));
  const e = exp(sub(x, broadcastInDim(largest, { shape: [1, 4], axes: [0, 1] })));
  const total = reshape(sum(e, { axes: [1] }), { shape: [1, 1] });
  const probabilities = div(e, broadcastInDim(total, { shape: [1, 4], axes: [0, 1] }));
  const [y, dy] = run({ y: log(probabilities), dy: gradientOf(log(probabilities), x) }, [200, 0, -200, 0]);
  near(t, y, [0, -200, -400, -200]);
  // 1 - 4 p.
  near(t, dy, [-3, 1, 1, 1]);
});

test("cross entropy written with log(softmax(x)) has a finite loss and gradient", (t) => {
  const target = mul(onesLike(x), onesLike(x));
  const loss = neg(sum(mul(target, log(softmax(x))), { axes: [0, 1] }));
  const [y, dy] = run({ y: loss, dy: gradientOf(loss, x) }, [300, -300, 0, 100]);
  near(t, y, [1100]);
  near(t, dy, [3, -1, -1, -1]);
});

test("logsumexp with keepdims is recognised", (t) => {
  const total = reshape(sum(exp(x), { axes: [1] }), { shape: [1, 1] });
  near(t, run({ y: log(total) }, [1000, 1000, -1000, 0])[0], [1000 + Math.log(2)]);
});

test("logsumexp keeps infinities and gives -inf for a row of them", (t) => {
  const y = log(sum(exp(x), { axes: [1] }));
  near(t, run({ y }, [1000, 1000, -1000, 0])[0], [1000 + Math.log(2)]);
  near(t, run({ y }, [Number.POSITIVE_INFINITY, 0, 0, 0])[0], [Number.POSITIVE_INFINITY]);
  const none = new Array<number>(4).fill(Number.NEGATIVE_INFINITY);
  near(t, run({ y }, none)[0], [Number.NEGATIVE_INFINITY]);
  t.true(Number.isNaN(run({ y }, [Number.NaN, 0, 0, 0])[0]?.[0]));
  near(t, run({ dy: gradientOf(y, x) }, [1000, 1000, -1000, 0])[0], [0.5, 0.5, 0, 0]);
});

test("sigmoid cross entropy written with logarithms of sigmoids does not overflow", (t) => {
  const loss = neg(add(log(sigmoid(z)), log(sub(onesLike(z), sigmoid(z)))));
  const [y, dy] = run({ y: loss, dy: gradientOf(loss, z) }, [200, -200, 0, 1]);
  near(t, y, [200, 200, 2 * Math.LN2, 2 * Math.log(1 + Math.E) - 1]);
  // 2 sigmoid(z) - 1.
  near(t, dy, [1, -1, 0, (Math.E - 1) / (Math.E + 1)]);
});

test("softplus and small differences keep their digits", (t) => {
  const one = onesLike(z);
  const inputs = [1e-8, 300, -300, 0];
  const outputs = {
    softplus: log(add(one, exp(z))),
    expm1: sub(exp(z), one),
    log1p: log(add(one, z)),
    sigmoid: div(one, add(one, exp(neg(z)))),
  };
  const [softplus, expm1, , logistic] = run(outputs, inputs);
  near(t, softplus, [Math.LN2, 300, 0, Math.LN2]);
  t.true(Math.abs((expm1?.[0] ?? 0) / 1e-8 - 1) < 1e-6);
  near(t, logistic, [0.5, 1, 0, 0.5]);
  const [log1p] = run({ log1p: outputs.log1p }, [1e-8, 1, 0, 3]);
  t.true(Math.abs((log1p?.[0] ?? 0) / 1e-8 - 1) < 1e-6);
});

test("the safe forms of softplus and log(sigmoid) have the derivatives of the smooth functions at 0, too", (t) => {
  const softplus = log(add(onesLike(z), exp(z)));
  const logistic = log(sigmoid(z));
  const first = [gradientOf(softplus, z), gradientOf(logistic, z)] as const;
  const inputs = [0, -0, 2, -2];
  const [ds, dl, dds, ddl] = run(
    { ds: first[0], dl: first[1], dds: gradientOf(first[0], z), ddl: gradientOf(first[1], z) },
    inputs,
  );
  const slope = inputs.map((v) => 1 / (1 + Math.exp(-v)));
  near(t, ds, slope);
  near(
    t,
    dl,
    slope.map((p) => 1 - p),
  );
  near(
    t,
    dds,
    slope.map((p) => p * (1 - p)),
  );
  near(
    t,
    ddl,
    slope.map((p) => -p * (1 - p)),
  );
});

test("what gradients differentiate in stays in the graph", (t) => {
  // d log(p) / dp is 1 / p only as long as p is still what the logarithm reads.
  const p = softmax(x);
  const [dp] = run({ dp: gradientOf(log(p), p) }, [0, 0, 0, 0]);
  near(t, dp, [4, 4, 4, 4]);
  const s = sigmoid(z);
  const [ds] = run({ ds: gradientOf(log(s), s) }, [0, 0, 0, 0]);
  near(t, ds, [2, 2, 2, 2]);
});

test("a forward pass that is safe already stays as it is", (t) => {
  const shifted = sub(x, broadcastAlong(stopGradient(max(x, { axes: [1] })), [1, 4], [1]));
  const y = sub(shifted, broadcastAlong(log(sum(exp(shifted), { axes: [1] })), [1, 4], [1]));
  const computation = computationOf({ y });
  t.is(runPipeline(beforeGradients, computation).outputs[0]?.value, y);
});
