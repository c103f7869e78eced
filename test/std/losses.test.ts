import test from "ava";
import { refusal, targets } from "../runtime/programs.js";
import { fetch, near, open, slope } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

/** Elementwise losses: the formula of the prediction and the target. */
const losses: readonly {
  readonly name: string;
  readonly call: string;
  readonly f: (p: number, y: number) => number;
}[] = [
  { name: "squared", call: "squared_error(p, y)", f: (p, y) => (p - y) ** 2 },
  { name: "absolute", call: "absolute_error(p, y)", f: (p, y) => Math.abs(p - y) },
  {
    name: "huber",
    call: "huber(p, y)",
    f: (p, y) => (Math.abs(p - y) <= 1 ? 0.5 * (p - y) ** 2 : Math.abs(p - y) - 0.5),
  },
  {
    name: "wide",
    call: "huber(p, y, delta=2.5)",
    f: (p, y) => (Math.abs(p - y) <= 2.5 ? 0.5 * (p - y) ** 2 : 2.5 * (Math.abs(p - y) - 1.25)),
  },
  {
    name: "log_cosh",
    call: "log_cosh(p, y)",
    f: (p, y) => (Math.abs(p - y) < 300 ? Math.log(Math.cosh(p - y)) : Math.abs(p - y) - Math.LN2),
  },
  { name: "squared_hinge", call: "squared_hinge(p, y)", f: (p, y) => Math.max(0, 1 - y * p) ** 2 },
  { name: "hinge", call: "hinge(p, y)", f: (p, y) => Math.max(0, 1 - y * p) },
  { name: "logistic", call: "sigmoid_cross_entropy(p, y)", f: (p, y) => y * softplus(-p) + (1 - y) * softplus(p) },
];

const predictions = [-1e4, -30, -2, -0.25, 0, 0.25, 2, 30, 1e4];

function program(dtype: string): string {
  const statements = losses.flatMap(({ name, call }) => [`${name} = ${call}`, `d_${name} = gradients(${name}, [p])`]);
  return `graph g {\n  dim N <= 64\n  placeholder p: ${dtype}[N]\n  placeholder y: ${dtype}[N]\n  ${statements.join("\n  ")}\n}\n`;
}

for (const target of targets) {
  for (const [dtype, tolerance] of [
    ["f64", 1e-14],
    ["f32", 1e-6],
  ] as const) {
    test(`${target}: ${dtype} elementwise losses and their gradients are those of the formulas`, async (t) => {
      const session = await open(t, target, program(dtype));
      // 0 and 1 for the cross entropy, -1 and 1 for the hinge, and something between.
      const targetsOf = [0, 1, -1, 0.3];
      const p = targetsOf.flatMap(() => predictions);
      const y = targetsOf.flatMap((value) => predictions.map(() => value));
      const names = losses.flatMap(({ name }) => [name, `d_${name}`]);
      const values = await fetch(session, names, { p, y });
      for (const { name, f } of losses) {
        const expected = p.map((at, i) => f(at, y[i] ?? nan));
        near(t, values.get(name), expected, tolerance, name);
        const kinks = (i: number): boolean =>
          (name === "absolute" && p[i] === y[i]) || (name === "hinge" && (y[i] ?? 0) * (p[i] ?? 0) === 1);
        const slopes = p.map((at, i) => (kinks(i) ? 0 : slope((moved) => f(moved, y[i] ?? nan), at)));
        near(t, values.get(`d_${name}`), slopes, 1e-4, `gradient of ${name}`);
      }
    });
  }

  test(`${target}: a small cross entropy beside a large logit keeps its digits`, async (t) => {
    const session = await open(t, target, program("f32"));
    const values = await fetch(session, ["logistic"], { p: [20, -20, 60], y: [1, 0, 1] });
    const expected = [20, 20, 60].map((x) => Math.log1p(Math.exp(-x)));
    values.get("logistic")?.forEach((found, i) => {
      t.true(Math.abs(found / (expected[i] ?? nan) - 1) < 1e-6, `${found}`);
    });
  });

  test(`${target}: losses of infinities and NaN`, async (t) => {
    const session = await open(t, target, program("f32"));
    const p = [inf, -inf, nan, 0];
    const y = [0, 0, 0, nan];
    const values = await fetch(session, ["squared", "absolute", "huber", "hinge", "logistic"], { p, y });
    near(t, values.get("squared"), [inf, inf, nan, nan], 0);
    near(t, values.get("absolute"), [inf, inf, nan, nan], 0);
    near(t, values.get("huber"), [inf, inf, nan, nan], 0);
    near(t, values.get("hinge"), [nan, nan, nan, nan], 0);
    near(t, values.get("logistic"), [nan, nan, nan, nan], 0);
  });
}

const entropies = `graph g {
  dim N <= 16
  dim C <= 16
  placeholder logits: DTYPE[N, C]
  placeholder target: DTYPE[N, C] = [[0.0]]
  placeholder label: LABEL[N] = [0]
  dense = softmax_cross_entropy(logits, target)
  sparse = sparse_softmax_cross_entropy(logits, label)
  d_dense = gradients(dense, [logits])
  d_sparse = gradients(sparse, [logits])
  hot = one_hot(label, C)
}
`;
const graphFor = (dtype: string, label: string): string => entropies.replaceAll("DTYPE", dtype).replace("LABEL", label);

const logits = [
  [1, 2, 3],
  [1e4, -1e4, 0],
  [0, 0, 0],
  [-1e4, 5, -5],
];
const labels = [2, 1, 0, 1];
const softmax = (row: readonly number[]): readonly number[] => {
  const shifted = row.map((x) => Math.exp(x - Math.max(...row)));
  const total = shifted.reduce((a, b) => a + b, 0);
  return shifted.map((x) => x / total);
};
const logSoftmax = (row: readonly number[]): readonly number[] => {
  const top = Math.max(...row);
  const rest = Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
  return row.map((x) => x - top - rest);
};

for (const target of targets) {
  for (const [dtype, label, tolerance] of [
    ["f64", "i64", 1e-14],
    ["f32", "u8", 2e-7],
  ] as const) {
    test(`${target}: ${dtype} softmax cross entropies, dense and by ${label} labels, and their gradients`, async (t) => {
      const session = await open(t, target, graphFor(dtype, label));
      const soft = [
        [0.2, 0.3, 0.5],
        [0, 1, 0],
        [1, 0, 0],
        [0.5, 0.25, 0.25],
      ];
      const feeds = { logits, target: soft, label: labels };
      const values = await fetch(session, ["dense", "sparse", "d_dense", "d_sparse", "hot"], feeds);
      const hot = labels.map((one) => [0, 1, 2].map((column) => (column === one ? 1 : 0)));
      const loss = (row: readonly number[], weights: readonly number[] | undefined): number =>
        -logSoftmax(row).reduce((sum, x, i) => sum + x * (weights?.[i] ?? nan), 0);
      near(
        t,
        values.get("dense"),
        logits.map((row, i) => loss(row, soft[i])),
        tolerance,
      );
      near(
        t,
        values.get("sparse"),
        logits.map((row, i) => loss(row, hot[i])),
        tolerance,
      );
      const gradient = (weights: readonly (readonly number[])[]): readonly number[] =>
        logits.flatMap((row, i) => softmax(row).map((p, j) => p - (weights[i]?.[j] ?? nan)));
      near(t, values.get("d_dense"), gradient(soft), tolerance);
      near(t, values.get("d_sparse"), gradient(hot), tolerance);
      t.deepEqual(values.get("hot"), hot.flat());
    });
  }

  test(`${target}: a masked class (-inf) has no part in the loss of the others`, async (t) => {
    const session = await open(t, target, graphFor("f32", "i64"));
    const rows = [
      [0, 0, -inf],
      [0, 0, -inf],
    ];
    const { sparse, d_sparse } = Object.fromEntries(
      await fetch(session, ["sparse", "d_sparse"], { logits: rows, label: [0, 2] }),
    );
    near(t, sparse, [Math.LN2, inf], 1e-7);
    near(t, d_sparse?.slice(0, 3), [-0.5, 0.5, 0], 1e-7);
  });

  test(`${target}: one class, no example`, async (t) => {
    const session = await open(t, target, graphFor("f32", "i64"));
    const one = await fetch(session, ["sparse", "d_sparse"], { logits: [[3]], label: [0] });
    near(t, one.get("sparse"), [0], 0);
    near(t, one.get("d_sparse"), [0], 0);
    const nothing = { dtype: "f32", shape: [0, 3], data: new Float32Array(0) } as const;
    const none = { dtype: "i64", shape: [0], data: new BigInt64Array(0) } as const;
    const empty = await fetch(session, ["sparse", "d_sparse", "hot"], { logits: nothing, label: none });
    t.deepEqual([...empty.values()], [[], [], []]);
  });

  test(`${target}: a label outside the classes fails the run`, async (t) => {
    const session = await open(t, target, graphFor("f32", "i64"));
    t.deepEqual(await refusal(t, () => session.run(["sparse"], { logits: [[1, 2, 3]], label: [3] })), ["G086"]);
    t.deepEqual(await refusal(t, () => session.run(["hot"], { logits: [[1, 2, 3]], label: [-1] })), ["G086"]);
  });
}
