import test from "ava";
import { problems } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { dot, type Matrix, rowsOf } from "./matrices.js";
import { near, open, variable } from "./support.js";

const columns = (m: Matrix): Matrix => (m[0] ?? []).map((_, j) => m.map((row) => row[j] ?? Number.NaN));

for (const target of targets) {
  test(`${target}: orthogonal matrices have columns, or rows where these are fewer, at right angles`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  variable square: f64[5, 5] = orthogonal()
  variable tall: f64[7, 3] = orthogonal(gain=2.0)
  variable wide: f32[3, 7] = orthogonal()
  variable window: f64[2, 2, 3, 4] = orthogonal()
  variable one: f64[1, 1] = orthogonal()
}
`,
    );
    const products = (vectors: Matrix): readonly number[] => vectors.flatMap((a) => vectors.map((b) => dot(a, b)));
    const unit = (n: number, on: number): readonly number[] =>
      Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? on : 0));
    near(t, products(rowsOf(variable(session, "square"), 5)), unit(5, 1), 1e-14);
    near(t, products(columns(rowsOf(variable(session, "tall"), 3))), unit(3, 4), 1e-14);
    near(t, products(rowsOf(variable(session, "wide"), 7)), unit(3, 1), 1e-6);
    near(t, products(columns(rowsOf(variable(session, "window"), 4))), unit(4, 1), 1e-14);
    near(t, [Math.abs(variable(session, "one")[0] ?? 0)], [1], 1e-15);
  });
}

test("a vector cannot be orthogonal to itself", (t) => {
  t.is(problems("graph g {\n  variable v: f32[3] = orthogonal()\n}\n")[0]?.slice(0, 4), "G038");
});
