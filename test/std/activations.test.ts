import test from "ava";
import { graphOf, run } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, normalCdf, open, slope } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

interface Activation {
  readonly call: string;
  readonly f: (x: number) => number;
  /** At -inf and inf. */
  readonly ends: readonly [number, number];
  /** The slope at 0. */
  readonly middle: number;
  /** What a NaN gives; NaN itself where left out. */
  readonly missing?: number;
}

/** Each activation with its textbook formula, written again. */
const activations: readonly Activation[] = [
  { call: "sigmoid(x)", f: logistic, ends: [0, 1], middle: 0.25 },
  { call: "tanh(x)", f: Math.tanh, ends: [-1, 1], middle: 1 },
  { call: "relu(x)", f: (x) => Math.max(0, x), ends: [0, inf], middle: 0 },
  { call: "leaky_relu(x)", f: (x) => (x > 0 ? x : 0.01 * x), ends: [-inf, inf], middle: 0.01 },
  { call: "leaky_relu(x, slope=0.2)", f: (x) => (x > 0 ? x : 0.2 * x), ends: [-inf, inf], middle: 0.2 },
  { call: "elu(x)", f: (x) => (x > 0 ? x : Math.expm1(x)), ends: [-1, inf], middle: 1 },
  { call: "elu(x, alpha=2)", f: (x) => (x > 0 ? x : 2 * Math.expm1(x)), ends: [-2, inf], middle: 2 },
  {
    call: "selu(x)",
    // Klambauer et al. (2017), section 2.
    f: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    ends: [-1.7580993408473766, inf],
    middle: 1.7580993408473766,
  },
  { call: "softplus(x)", f: softplus, ends: [0, inf], middle: 0.5 },
  { call: "softsign(x)", f: (x) => x / (1 + Math.abs(x)), ends: [nan, nan], middle: 1 },
  { call: "gelu(x)", f: (x) => x * normalCdf(x), ends: [nan, inf], middle: 0.5 },
  {
    call: "gelu_tanh(x)",
    f: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ends: [nan, inf],
    middle: 0.5,
  },
  { call: "swish(x)", f: (x) => x * logistic(x), ends: [nan, inf], middle: 0.5 },
  { call: "swish(x, beta=1.5)", f: (x) => x * logistic(1.5 * x), ends: [nan, inf], middle: 0.5 },
  { call: "mish(x)", f: (x) => x * Math.tanh(softplus(x)), ends: [nan, inf], middle: 0.6 },
  { call: "step(x)", f: (x) => (x >= 0 ? 1 : 0), ends: [0, 1], middle: 0, missing: 0 },
  { call: "threshold(x, limit=0.5, value=2)", f: (x) => (x > 0.5 ? x : 2), ends: [2, inf], middle: 0 },
  { call: "relu6(x)", f: (x) => Math.min(6, Math.max(0, x)), ends: [0, 6], middle: 0 },
  { call: "celu(x, alpha=2)", f: (x) => (x > 0 ? x : 2 * Math.expm1(x / 2)), ends: [-2, inf], middle: 1 },
  { call: "silu(x)", f: (x) => x * logistic(x), ends: [nan, inf], middle: 0.5 },
  { call: "hard_tanh(x)", f: (x) => Math.max(-1, Math.min(1, x)), ends: [-1, 1], middle: 1 },
  { call: "hard_sigmoid(x)", f: (x) => Math.max(0, Math.min(6, x + 3)) / 6, ends: [0, 1], middle: 1 / 6 },
  { call: "hard_swish(x)", f: (x) => (x * Math.max(0, Math.min(6, x + 3))) / 6, ends: [nan, inf], middle: 0.5 },
  {
    call: "soft_shrink(x)",
    f: (x) => (x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0),
    ends: [-inf, inf],
    middle: 0,
  },
  { call: "hard_shrink(x, limit=2)", f: (x) => (Math.abs(x) > 2 ? x : 0), ends: [-inf, inf], middle: 0 },
  { call: "tanh_shrink(x)", f: (x) => x - Math.tanh(x), ends: [-inf, inf], middle: 0 },
  { call: "log_sigmoid(x)", f: (x) => -softplus(-x), ends: [-inf, 0], middle: 0.5 },
];

const points = [-1e4, -300, -50, -12, -5, -1, -0.3, 0.3, 1, 5, 12, 50, 300, 1e4];

function program(dtype: string): string {
  const statements = activations.flatMap(({ call }, i) => [
    `y${i} = ${call}`,
    // Some have no gradient at all, which is an error for a lone one: a term that counts as 1 keeps the sum differentiable.
    `d${i} = gradients(y${i} + x, [x])`,
    `s${i} = gradients(d${i} + x, [x])`,
  ]);
  return `graph g {\n  dim N <= 64\n  placeholder x: ${dtype}[N]\n  ${statements.join("\n  ")}\n}\n`;
}

const names = (letter: string): readonly string[] => activations.map((_, i) => `${letter}${i}`);

for (const target of targets) {
  for (const [dtype, tolerance] of [
    ["f64", 2e-14],
    ["f32", 1e-6],
  ] as const) {
    test(`${target}: ${dtype} activations and their slopes are those of the formulas: far out, at 0, at infinities and at NaN`, async (t) => {
      const session = await open(t, target, program(dtype));
      // One run of all points: one compilation.
      const x = [...points, 0, -0, -inf, inf, nan];
      const values = await fetch(session, [...names("y"), ...names("d")], { x });
      activations.forEach(({ call, f, ends, middle, missing }, i) => {
        near(t, values.get(`y${i}`), [...points.map(f), f(0), f(0), ...ends, missing ?? nan], tolerance, call);
        const slopes = values.get(`d${i}`) ?? [];
        const expected = points.map((at) => slope(f, at) + 1);
        near(t, slopes.slice(0, points.length), expected, 2e-6, `the slope of ${call}`);
        near(t, slopes.slice(points.length, -3), [middle + 1, middle + 1], tolerance, `the slope of ${call} at 0`);
      });
    });
  }
}

test("activations of nothing are nothing", async (t) => {
  const session = await open(t, "reference", program("f64"));
  t.deepEqual([...(await fetch(session, names("y"), { x: new Float64Array(0) })).values()].flat(), []);
});

test("smooth activations have the second derivatives of their formulas, at 0 too", async (t) => {
  const session = await open(t, "reference", program("f64"));
  const x = [-3, -0.5, 0, 0.5, 3];
  const smooth = ["sigmoid", "tanh", "softplus", "gelu", "gelu_tanh", "swish", "mish", "log_sigmoid"].map(
    (name) => `${name}(x)`,
  );
  const values = await fetch(session, names("s"), { x });
  activations.forEach(({ call, f }, i) => {
    if (!smooth.includes(call)) return;
    const bends = x.map((at) => (f(at + 1e-3) - 2 * f(at) + f(at - 1e-3)) / 1e-6 + 1);
    near(t, values.get(`s${i}`), bends, 1e-5, call);
  });
});

test("activations of narrow floats are finite where their results are, with finite slopes", (t) => {
  for (const dtype of ["f16", "bf16"]) {
    const graph = graphOf(program(dtype));
    const x = [-1e4, -300, -1, 0, 1, 300, 1e4];
    const values = run(graph, [...names("y"), ...names("d")], { dims: { N: x.length }, feeds: { x } });
    activations.forEach(({ call, f }, i) => {
      near(t, values.get(`y${i}`), x.map(f), 0.02, `${dtype} ${call}`);
      t.true(values.get(`d${i}`)?.every(Number.isFinite), `the slope of ${dtype} ${call}: ${values.get(`d${i}`)}`);
    });
  }
});

const rows = [
  [1, 2, 3],
  [1e4, -1e4, 0],
  [1e4, 1e4, 1e4],
  [-inf, 0, 1],
];
const peak = (row: readonly number[]): number => Math.max(...row);
const total = (row: readonly number[]): number => row.reduce((sum, x) => sum + Math.exp(x - peak(row)), 0);
const logTotal = (row: readonly number[]): number => peak(row) + Math.log(total(row));

const family = `graph g {
  dim N <= 8
  dim K <= 8
  placeholder x: DTYPE[N, K]
  p = softmax(x)
  l = log_softmax(x)
  s = logsumexp(x)
  first = softmax(x, axis=0)
  whole = softmax(x, axis=[0, 1])
  columns = logsumexp(x, axis=0, keepdims=true)
  everything = logsumexp(x, axis=[0, 1])
  dp = gradients(p * p, [x])
  dl = gradients(l * p, [x])
  ds = gradients(s, [x])
}
`;

for (const target of targets) {
  for (const [dtype, tolerance] of [
    ["f64", 1e-14],
    ["f32", 2e-7],
  ] as const) {
    test(`${target}: ${dtype} softmax, log_softmax and logsumexp are their formulas where exp overflows`, async (t) => {
      const session = await open(t, target, family.replace("DTYPE", dtype));
      const values = await fetch(session, ["p", "l", "s", "ds"], { x: rows });
      const p = rows.flatMap((row) => row.map((x) => Math.exp(x - peak(row)) / total(row)));
      near(t, values.get("p"), p, tolerance);
      near(
        t,
        values.get("l"),
        rows.flatMap((row) => row.map((x) => x - peak(row) - Math.log(total(row)))),
        tolerance,
      );
      near(t, values.get("s"), rows.map(logTotal), tolerance);
      near(t, values.get("ds"), p, tolerance, "the gradient of logsumexp is softmax");
    });

    test(`${target}: ${dtype} softmax over other axes`, async (t) => {
      const session = await open(t, target, family.replace("DTYPE", dtype));
      const values = await fetch(session, ["first", "whole", "columns", "everything"], {
        x: [
          [1, 2],
          [3, 5],
        ],
      });
      const e = (x: number): number => Math.exp(x);
      near(
        t,
        values.get("first"),
        [e(-2) / (1 + e(-2)), e(-3) / (1 + e(-3)), 1 / (1 + e(-2)), 1 / (1 + e(-3))],
        tolerance,
      );
      const all = e(1) + e(2) + e(3) + e(5);
      near(
        t,
        values.get("whole"),
        [1, 2, 3, 5].map((x) => e(x) / all),
        tolerance,
      );
      near(t, values.get("columns"), [Math.log(e(1) + e(3)), Math.log(e(2) + e(5))], tolerance);
      near(t, values.get("everything"), [Math.log(all)], tolerance);
    });
  }

  test(`${target}: softmax and logsumexp of infinities, NaN, one class and no class`, async (t) => {
    const session = await open(t, target, family.replace("DTYPE", "f32"));
    const special = await fetch(session, ["p", "l", "s"], {
      x: [
        [inf, 0],
        [-inf, -inf],
        [nan, 0],
        [inf, -inf],
      ],
    });
    near(t, special.get("s"), [inf, -inf, nan, inf], 0);
    t.true([...(special.get("p") ?? []), ...(special.get("l") ?? [])].every(Number.isNaN));
    const one = await fetch(session, ["p", "l", "s", "ds"], { x: [[7], [-1e4]] });
    t.deepEqual(
      [...one.values()],
      [
        [1, 1],
        [0, 0],
        [7, -1e4],
        [1, 1],
      ],
    );
    const none = { dtype: "f32", shape: [2, 0], data: new Float32Array(0) } as const;
    const empty = await fetch(session, ["p", "l", "s"], { x: none });
    t.deepEqual([...empty.values()], [[], [], [-inf, -inf]]);
  });

  test(`${target}: gradients of softmax and log_softmax are those of the formulas`, async (t) => {
    const session = await open(t, target, family.replace("DTYPE", "f64"));
    const x = [0.5, -1, 2];
    const p = (v: readonly number[]): readonly number[] => v.map((a) => Math.exp(a - peak(v)) / total(v));
    const square = (v: readonly number[]): number => p(v).reduce((sum, a) => sum + a * a, 0);
    const entropy = (v: readonly number[]): number => p(v).reduce((sum, a) => sum + a * Math.log(a), 0);
    const along = (f: (v: readonly number[]) => number): readonly number[] =>
      x.map((at, i) => slope((moved) => f(x.map((a, j) => (i === j ? moved : a))), at));
    const values = await fetch(session, ["dp", "dl"], { x: [x] });
    near(t, values.get("dp"), along(square), 1e-7);
    near(t, values.get("dl"), along(entropy), 1e-7);
  });
}

for (const target of targets) {
  test(`${target}: the gated linear unit and softmin`, async (t) => {
    const session = await open(
      t,
      target,
      "graph g {\n  placeholder x: f64[2, 4]\n  y = glu(x)\n  z = softmin(x)\n  d = gradients(y, [x])\n}\n",
    );
    const x = [
      [1, -2, 0.5, 3],
      [0, 4, -1, 2],
    ];
    const values = await fetch(session, ["y", "z", "d"], { x });
    const gated = x.flatMap(([a = 0, b = 0, c = 0, d = 0]) => [a * logistic(c), b * logistic(d)]);
    near(t, values.get("y"), gated, 1e-14);
    const shares = x.flatMap((row) => {
      const total = row.reduce((sum, v) => sum + Math.exp(-v), 0);
      return row.map((v) => Math.exp(-v) / total);
    });
    near(t, values.get("z"), shares, 1e-14);
    const bend = (v: number): number => logistic(v) * (1 - logistic(v));
    const slopes = x.flatMap(([a = 0, b = 0, c = 0, d = 0]) => [logistic(c), logistic(d), a * bend(c), b * bend(d)]);
    near(t, values.get("d"), slopes, 1e-14);
  });
}
