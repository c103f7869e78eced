import test from "ava";
import { graphOf, run } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

const text = `import { accuracy } from "std/metrics"
graph g {
  dim N <= 8
  placeholder x: f64[N, 3] = [[1, 2, 4], [-1, 0, 1]]
  squared = square(x)
  inverted = reciprocal(x)
  clamped = clamp(x, low=-0.5, high=1.5)
  mean_all = mean(x)
  mean_columns = mean(x, axis=0)
  mean_rows = mean(x, axis=-1, keepdims=true)
  mean_both = mean(x, axis=[0, 1])
  variance_all = variance(x)
  variance_rows = variance(x, axis=1)
  average, spread = moments(x, axis=0)
  norm = global_norm_of([x, square(x)])
  factor = global_norm([x], limit=2.0)
  loose = global_norm([x], limit=100)
  share = accuracy(x, argmax(x * 2, axis=-1))
  none = accuracy(x, cast(square(x)[:, 0], to=i64))
}
`;
const names =
  "squared inverted clamped mean_all mean_columns mean_rows mean_both variance_all variance_rows average spread norm factor loose share none";

for (const target of targets) {
  test(`${target}: means, variances, norms and clamps are their formulas`, async (t) => {
    const session = await open(t, target, text);
    const found = await fetch(session, names.split(" "));
    const expect = (name: string, ...expected: readonly number[]): void =>
      near(t, found.get(name), expected, 1e-15, name);
    expect("squared", 1, 4, 16, 1, 0, 1);
    expect("inverted", 1, 0.5, 0.25, -1, inf, 1);
    expect("clamped", 1, 1.5, 1.5, -0.5, 0, 1);
    expect("mean_all", 7 / 6);
    expect("mean_columns", 0, 1, 2.5);
    expect("mean_rows", 7 / 3, 0);
    expect("mean_both", 7 / 6);
    expect("variance_all", 23 / 6 - (7 / 6) ** 2);
    expect("variance_rows", 14 / 9, 2 / 3);
    expect("average", 0, 1, 2.5);
    expect("spread", 1, 1, 2.25);
    expect("norm", Math.sqrt(23 + 275));
    expect("factor", 2 / Math.sqrt(23));
    expect("loose", 1);
    expect("share", 1);
    // Labels 1 and 1, predictions 2 and 2.
    expect("none", 0);
  });

  test(`${target}: of nothing the mean is NaN and the norm 0; NaN and infinities pass through`, async (t) => {
    const session = await open(t, target, text);
    const nothing = { dtype: "f64", shape: [0, 3], data: new Float64Array(0) } as const;
    const empty = await fetch(session, ["mean_all", "mean_columns", "variance_all", "norm", "factor", "share"], {
      x: nothing,
    });
    t.deepEqual([...empty.values()], [[nan], [nan, nan, nan], [nan], [0], [1], [nan]]);
    const special = await fetch(session, ["clamped", "mean_columns", "factor"], { x: [[nan, inf, -inf]] });
    t.deepEqual([...special.values()], [[nan, 1.5, -0.5], [nan, inf, -inf], [nan]]);
  });
}

test("the variance of large numbers does not cancel", async (t) => {
  const session = await open(t, "reference", text);
  const values = await fetch(session, ["variance_rows"], { x: [[1e9 + 1, 1e9 + 2, 1e9 + 3]] });
  t.deepEqual([...values.values()], [[2 / 3]]);
});

test("the mean of a symbolic batch divides by its size", (t) => {
  const graph = graphOf(
    "graph g {\n  dim N <= 9\n  placeholder x: f32[N, 2]\n  y = mean(x)\n  z = mean(x, axis=0)\n}\n",
  );
  const found = run(graph, ["y", "z"], { dims: { N: 3 }, feeds: { x: [1, 2, 3, 4, 5, 6] } });
  t.deepEqual([...found.values()], [[3.5], [3, 4]]);
});
