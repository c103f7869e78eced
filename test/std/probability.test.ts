import test from "ava";
import { value } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, normalCdf, open } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

/**
 * Quantiles to 16 digits. The first three are the test values of Wichura (1988), "Algorithm AS 241", which reach each of its three
 * rational functions; the others are those of tables and of the R project's qnorm.
 */
const published: readonly (readonly [number, number])[] = [
  [0.25, -0.6744897501960817],
  [0.001, -3.090232306167814],
  [1e-20, -9.262340089798408],
  [0.975, 1.959963984540054],
  [0.995, 2.5758293035489004],
  [0.9, 1.2815515655446004],
  [0.5, 0],
  [1e-5, -4.264890793922825],
  [1e-10, -6.361340902404056],
  [1e-300, -37.0471],
];

const program = (dtype: string): string =>
  `import { normal_quantile } from "std/probability"\ngraph g {\n  dim N <= 64\n  placeholder p: ${dtype}[N]\n  z = normal_quantile(p)\n}\n`;

for (const target of targets) {
  test(`${target}: normal_quantile gives published quantiles to 1e-15 in f64`, async (t) => {
    const session = await open(t, target, program("f64"));
    const found = (await fetch(session, ["z"], { p: published.map(([p]) => p) })).get("z") ?? [];
    published.forEach(([p, z], i) => {
      const tolerance = p === 1e-300 ? 2e-6 : 1e-15;
      t.true(Math.abs((found[i] ?? nan) - z) <= tolerance * Math.max(1, Math.abs(z)), `${p}: ${found[i]}, not ${z}`);
    });
  });

  test(`${target}: normal_quantile at and beyond the ends, in the middle, of nothing`, async (t) => {
    const session = await open(t, target, program("f32"));
    const special = await fetch(session, ["z"], { p: [0, 1, -0.1, 1.5, nan, inf, 0.25, 0.001, 1e-20] });
    near(t, special.get("z"), [-inf, inf, nan, nan, nan, nan, -0.67448975, -3.0902323, -9.26234], 5e-7);
    t.deepEqual((await fetch(session, ["z"], { p: new Float32Array(0) })).get("z"), []);
  });
}

test("normal_quantile inverts the normal distribution function", async (t) => {
  const session = await open(t, "reference", program("f64"));
  const p = Array.from({ length: 49 }, (_, i) => (i + 1) / 50);
  const z = (await fetch(session, ["z"], { p })).get("z") ?? [];
  near(t, z.map(normalCdf), p, 1e-12);
  near(
    t,
    z.toReversed().map((x) => -x),
    z,
    1e-15,
    "symmetric",
  );
});

test("narrow floats take the quantile through f32", (t) => {
  const text = (dtype: string): string =>
    program(dtype)
      .replace(/placeholder.*\n/, `placeholder p: ${dtype}[3] = [0.25, 0.5, 0.875]\n`)
      .replace("dim N <= 64", "");
  near(t, value(text("f16"), "z"), [-0.67448975, 0, 1.1503494], 1e-3);
  near(t, value(text("bf16"), "z"), [-0.67448975, 0, 1.1503494], 8e-3);
});

test("random_open never gives 0, and stands apart from random_uniform only there", (t) => {
  const text = (dtype: string): string =>
    `import { random_open } from "std/probability"\ngraph g {\n  x = random_open([2000], dtype=${dtype})\n}\n`;
  for (const dtype of ["f32", "f64"]) t.true(value(text(dtype), "x").every((u) => u > 0 && u < 1));
});
