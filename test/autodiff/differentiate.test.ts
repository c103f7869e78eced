import test from "ava";
import fc from "fast-check";
import { differentiateValues } from "../../compiler/autodiff/differentiate.js";
import { symbol } from "../../compiler/ir/dim.js";
import type { NumericDType } from "../../compiler/ir/dtype.js";
import { topologicalOrder, type Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { typeEquals, typeText } from "../../compiler/ir/type.js";
import { abs, add, div, maximum, mul, pow, sub } from "../../compiler/ops/arithmetic.js";
import { constantLike, fill, matmul } from "../../compiler/ops/build.js";
import { gt } from "../../compiler/ops/comparison.js";
import { cast } from "../../compiler/ops/conversion.js";
import { exp, sigmoid, tanh } from "../../compiler/ops/exponential.js";
import { qr } from "../../compiler/ops/linear_algebra.js";
import { select } from "../../compiler/ops/logic.js";
import { gradients, stopGradient } from "../../compiler/ops/pseudo.js";
import { cutsBetween, reachedByGradient } from "../../compiler/ops/reach.js";
import { argmax, max, prod, sum } from "../../compiler/ops/reduction.js";
import { floor } from "../../compiler/ops/rounding.js";
import { placeholder, variable } from "../../compiler/ops/sources.js";
import { pad } from "../../compiler/ops/structure.js";
import { ops } from "../../compiler/ops/table.js";
import { sin } from "../../compiler/ops/trigonometric.js";
import { broadcastInDim, reshape, slice } from "../../compiler/ops/views.js";
import { feeding, resultOf, tensor, vector } from "../support/evaluate.js";
import { agree, slopes } from "../support/gradient-check.js";

const scalar = (dtype: NumericDType = "f64") => placeholder({ name: "x0", dtype, shape: [] });
const gradient = (y: Value, x: Value): Value => gradients.apply([y, x], {})[0] as Value;
const expanded = (value: Value): Value => {
  const { rewritten, diagnostics } = differentiateValues([value], new SourceTable());
  if (diagnostics.length > 0) throw new Error(diagnostics.map((diagnostic) => diagnostic.message).join("; "));
  return rewritten(value);
};
const at = (value: Value, ...xs: readonly number[]): number =>
  Number(resultOf(expanded(value), feeding(xs.map((x) => tensor("f64", [], x)))).data[0]);

test("a polynomial, its slope and the slopes of that", (t) => {
  const x = scalar();
  const cube = pow(x, constantLike(x, 3));
  const first = gradient(cube, x);
  const second = gradient(first, x);
  const third = gradient(second, x);
  t.is(at(first, 2), 12);
  t.is(at(second, 2), 12);
  t.is(at(third, 2), 6);
  t.is(at(gradient(cube, x), 0), 0);
});

test("a diamond adds both ways", (t) => {
  const x = scalar();
  const y = mul(sin(x), exp(x));
  t.true(Math.abs(at(gradient(y, x), 0.7) - Math.exp(0.7) * (Math.sin(0.7) + Math.cos(0.7))) < 1e-14);
  t.is(at(gradient(add(x, x), x), 5), 2);
  t.is(at(gradient(mul(x, x), x), 5), 10);
  t.is(at(gradient(x, x), 5), 1);
});

test("a gradient in an intermediate edge, and in that and its source at once", (t) => {
  const x = scalar();
  const h = mul(x, x);
  const y = mul(h, h);
  const [dh, dx] = gradients.apply([y, h, x], {}) as readonly [Value, Value];
  t.is(at(dh, 3), 18);
  t.is(at(dx, 3), 4 * 27);
});

test("a value that is not a scalar is summed", (t) => {
  const x = placeholder({ name: "x0", dtype: "f64", shape: [3] });
  const dx = expanded(gradient(mul(x, x), x));
  t.deepEqual([...resultOf(dx, feeding([vector("f64", 1, 2, 3)])).data], [2, 4, 6]);
});

test("the published delta rule: a neuron's gradients by hand", (t) => {
  const [w, b, x, target] = ["w", "b", "x", "t"].map((name) => placeholder({ name, dtype: "f64", shape: [] })) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const y = sigmoid(add(mul(w, x), b));
  const error = sub(y, target);
  const [dw, db] = gradients.apply([mul(error, error), w, b], {}) as readonly [Value, Value];
  const feeds = new Map(
    Object.entries({ w: 0.4, b: -0.2, x: 1.5, t: 1 }).map(([name, value]) => [
      name,
      { dtype: "f64" as const, shape: [], data: Float64Array.of(value) },
    ]),
  );
  const context = { ...feeding([]), feeds };
  const output = 1 / (1 + Math.exp(-(0.4 * 1.5 - 0.2)));
  const delta = 2 * (output - 1) * output * (1 - output);
  t.true(Math.abs(Number(resultOf(expanded(dw), context).data[0]) - delta * 1.5) < 1e-15);
  t.true(Math.abs(Number(resultOf(expanded(db), context).data[0]) - delta) < 1e-15);
});

test("kinks: abs at 0, equal elements of maximum, of max, and zeros in a product", (t) => {
  const x = placeholder({ name: "x0", dtype: "f64", shape: [4] });
  const y = placeholder({ name: "x1", dtype: "f64", shape: [4] });
  const feeds = feeding([vector("f64", 0, 2, 2, -1), vector("f64", 0, 1, 2, 3)]);
  const value = (edge: Value) => [...resultOf(expanded(edge), feeds).data];
  t.deepEqual(value(gradient(abs(x), x)), [0, 1, 1, -1]);
  t.deepEqual(value(gradient(maximum(x, y), x)), [0.5, 1, 0.5, 0]);
  t.deepEqual(value(gradient(max(x, { axes: [0] }), x)), [0, 0.5, 0.5, 0]);
  t.deepEqual(value(gradient(prod(x, { axes: [0] }), x)), [-4, -0, -0, 0]);
});

test("stop_gradient cuts on purpose, and is gone afterwards", (t) => {
  const x = scalar();
  const y = mul(stopGradient(x), x);
  t.is(at(gradient(y, x), 3), 3);
  const whole = expanded(add(y, gradient(y, x)));
  t.false(topologicalOrder([whole]).some((node) => node.op === "stop_gradient" || node.op === "gradients"));
  t.is(Number(resultOf(whole, feeding([tensor("f64", [], 3)])).data[0]), 12);
});

test("a gradient through select does not see the other side", (t) => {
  const x = scalar();
  const y = select(gt(x, constantLike(x, 0)), mul(x, x), x);
  t.is(at(gradient(y, x), 3), 6);
  t.is(at(gradient(y, x), -3), 1);
});

test("an unused output of an op with several counts as zero", (t) => {
  const a = placeholder({ name: "x0", dtype: "f64", shape: [2, 2] });
  const [, r] = qr.apply([a], {}) as readonly [Value, Value];
  const dr = expanded(gradient(sum(mul(r, r), { axes: [0, 1] }), a));
  // |r| = |a|, so the gradient of its square is 2 a.
  const result = [...resultOf(dr, feeding([tensor("f64", [2, 2], 3, 1, 2, 5)])).data].map(Number);
  [6, 2, 4, 10].forEach((expected, i) => {
    t.true(Math.abs((result[i] as number) - expected) < 1e-12);
  });
});

test("100,000 ops in a chain do not overflow the stack", (t) => {
  const x = scalar();
  let y = x;
  for (let i = 0; i < 100_000; i++) y = i % 2 === 0 ? add(y, x) : sub(y, x);
  t.is(at(gradient(y, x), 2), 1);
});

test("f32 and f16 gradients stay in the dtype of x, also through a cast", (t) => {
  const x = placeholder({ name: "x0", dtype: "f16", shape: [2] });
  const y = sum(mul(cast(x, { to: "f32" }), cast(x, { to: "f32" })), { axes: [0] });
  const dx = expanded(gradient(y, x));
  t.is(typeText(dx.type), "f16[2]");
  t.deepEqual([...resultOf(dx, feeding([vector("f16", 1, 3)])).data], [2, 6]);
});

test("shapes may be symbolic: each op that takes them has a gradient of the operand's type", (t) => {
  const n = symbol("N");
  const x = placeholder({ name: "x", dtype: "f32", shape: [n, 4] });
  const w = placeholder({ name: "w", dtype: "f32", shape: [4, 3] });
  const b = placeholder({ name: "b", dtype: "f32", shape: [3] });
  const h = tanh(add(matmul(x, w), broadcastInDim(b, { shape: [n, 3], axes: [1] })));
  const strided = slice(h, { start: [1, 0], limit: [n, 3], strides: [2, 1] });
  const padded = pad(strided, fill({ dtype: "f32", shape: [] }, 0), { low: [n, 0], high: [1, 0], interior: [1, 0] });
  const flat = reshape(h, { shape: [n, 1, 3] });
  const y = add(
    add(sum(padded, { axes: [0, 1] }), sum(max(flat, { axes: [0] }), { axes: [0, 1] })),
    sum(prod(h, { axes: [0] }), { axes: [0] }),
  );
  const inputs = [x, w, b];
  const first = gradients.apply([y, ...inputs], {});
  const second = gradients.apply([sum(mul(first[0] as Value, first[0] as Value), { axes: [0, 1] }), ...inputs], {});
  const { rewritten, diagnostics } = differentiateValues([...first, ...second], new SourceTable());
  t.deepEqual(diagnostics, []);
  for (const results of [first, second]) {
    results.forEach((result, i) => {
      t.true(typeEquals(rewritten(result).type, (inputs[i] as Value).type));
    });
  }
});

test("property: random expressions of smooth ops, first and second order", (t) => {
  const unary = ["tanh", "sigmoid", "sin", "cos", "erf", "exp", "neg"] as const;
  const binary = ["add", "sub", "mul"] as const;
  const step = fc.record({ op: fc.constantFrom(...unary, ...binary), left: fc.nat(), right: fc.nat() });
  const shape = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
  fc.assert(
    fc.property(shape, fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(1000), (size, steps, seed) => {
      const count = size.reduce((product, length) => product * length, 1);
      const inputs = [0.3, -0.8].map((start) =>
        tensor("f64", size, ...Array.from({ length: count }, (_, i) => start + ((i * 0.17) % 0.9))),
      );
      const { first, second } = slopes(
        inputs,
        (values) => {
          const edges = [...values];
          for (const { op, left, right } of steps) {
            const pick = (n: number) => edges[n % edges.length] as Value;
            const operands = (ops.get(op)?.operands.length === 2 ? [pick(left), pick(right)] : [pick(left)]) as Value[];
            const result = ops.get(op)?.apply(operands, {})[0] as Value;
            // tanh keeps nested exponentials from growing beyond what differences can tell.
            edges.push(op === "exp" || op === "mul" ? (ops.get("tanh")?.apply([result], {})[0] as Value) : result);
          }
          return [edges.at(-1) as Value];
        },
        seed,
      );
      t.true(agree(first), JSON.stringify({ first, steps }));
      t.true(agree(second), JSON.stringify({ second, steps }));
    }),
    { numRuns: 40 },
  );
});

const span = (start: number) => ({ file: "g.graph", start, end: start + 1 });

test("no path is left: the cutting ops are named, with their places", (t) => {
  const sources = new SourceTable();
  const w = variable({ path: "w", dtype: "f32", shape: [3] });
  const position = argmax(w, { axis: 0 });
  const rounded = floor(w);
  const y = add(cast(position, { to: "f32" }), sum(rounded, { axes: [0] }));
  const request = gradients.apply([y, w], {})[0] as Value;
  [w, position, rounded, y, request].forEach((value, i) => {
    sources.add(value.node, span(10 * i));
  });
  const { rewritten, diagnostics } = differentiateValues([request], sources);
  t.is(diagnostics.length, 1);
  const [diagnostic] = diagnostics;
  t.is(diagnostic?.code, "G050");
  t.deepEqual(diagnostic?.span, span(40));
  t.regex(
    diagnostic?.message ?? "",
    /no gradient path leads to the variable `w`: `(argmax|floor)`, `(argmax|floor)` cut it/,
  );
  const notes = diagnostic?.notes.map((note) => `${note.span?.start} ${note.message}`).sort();
  t.deepEqual(notes, [
    "0 the variable `w` is here",
    "10 `argmax` cuts the gradient here: argmax is piecewise constant",
    "20 `floor` cuts the gradient here: floor is piecewise constant",
  ]);
  t.is(typeText(rewritten(request).type), "f32[3]");
});

test("each x without a path is reported; the others have their gradients", (t) => {
  const x = scalar();
  const other = placeholder({ name: "other", dtype: "f64", shape: [] });
  const integer = cast(x, { to: "i64" });
  const [dx, dother] = gradients.apply([add(mul(x, x), cast(integer, { to: "f64" })), x, other], {}) as readonly [
    Value,
    Value,
  ];
  const { rewritten, diagnostics } = differentiateValues([dx, dother], new SourceTable());
  t.deepEqual(
    diagnostics.map((diagnostic) => diagnostic.message),
    ["the value that is differentiated does not depend on the placeholder `other`"],
  );
  t.is(Number(resultOf(rewritten(dx), feeding([tensor("f64", [], 3)])).data[0]), 6);
  const [cut] = cutsBetween(cast(integer, { to: "f64" }), x);
  t.is(cut?.node, integer.node);
  t.is(cut?.reason, "its result is i64, and only floats have gradients");
});

test("what a loss reaches, also through a gradient that is not expanded yet", (t) => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((path) => variable({ path, dtype: "f32", shape: [] })) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const slope = gradient(mul(mul(a, a), b), a);
  const condition = gt(c, a);
  const loss = add(select(condition, slope, b), stopGradient(d));
  const reached = reachedByGradient(loss);
  t.deepEqual(
    [a, b, c, d].map((value) => reached.has(value)),
    [true, true, false, false],
  );
  t.is(reachedByGradient(condition).size, 0);
});

test("what is built carries the place of the op that it is the gradient of", (t) => {
  const sources = new SourceTable();
  const x = scalar();
  const inner = sin(x);
  const outer = div(inner, add(inner, constantLike(x, 2)));
  [x, inner, outer].forEach((value, i) => {
    sources.add(value.node, span(i));
  });
  const request = gradient(outer, x);
  sources.add(request.node, span(9));
  const { rewritten } = differentiateValues([request], sources);
  const built = topologicalOrder([rewritten(request)]);
  for (const node of built) t.true(sources.spansOf(node).length > 0, node.op);
  t.deepEqual(sources.spansOf(built.find((node) => node.op === "cos") as (typeof built)[number]), [span(1)]);
});
