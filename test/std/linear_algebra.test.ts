import test from "ava";
import { problems, types, value } from "../dsl/elaborate/support.js";
import { refusal, targets } from "../runtime/programs.js";
import { fetch, near, open, slope } from "./support.js";

const program = (statements: string): string => `graph g {\n  ${statements.trim().replaceAll("\n", "\n  ")}\n}\n`;

/**
 * Longley (1967): six regressors that are nearly dependent. Data and certified coefficients of the NIST Statistical Reference
 * Datasets, https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
 */
const longley = {
  y: [60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761, 66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551],
  x: [
    [83.0, 88.5, 88.2, 89.5, 96.2, 98.1, 99.0, 100.0, 101.2, 104.6, 108.4, 110.8, 112.6, 114.2, 115.7, 116.9],
    [
      234289, 259426, 258054, 284599, 328975, 346999, 365385, 363112, 397469, 419180, 442769, 444546, 482704, 502601,
      518173, 554894,
    ],
    [2356, 2325, 3682, 3351, 2099, 1932, 1870, 3578, 2904, 2822, 2936, 4681, 3813, 3931, 4806, 4007],
    [1590, 1456, 1616, 1650, 3099, 3594, 3547, 3350, 3048, 2857, 2798, 2637, 2552, 2514, 2572, 2827],
    [
      107608, 108632, 109773, 110929, 112075, 113270, 115094, 116219, 117388, 118734, 120445, 121950, 123366, 125368,
      127852, 130081,
    ],
    Array.from({ length: 16 }, (_, i) => 1947 + i),
  ],
  certified: [
    -3482258.63459582, 15.0618722713733, -0.035819179292591, -2.02022980381683, -1.03322686717359, -0.0511041056535807,
    1829.15146461355,
  ],
};

const relative = (found: readonly number[], wanted: readonly number[]): number =>
  Math.max(...wanted.map((w, i) => Math.abs((found[i] ?? Number.NaN) - w) / Math.abs(w)));

for (const target of targets) {
  test(`${target}: lstsq gives the certified coefficients of the Longley data`, async (t) => {
    const session = await open(
      t,
      target,
      program("placeholder a: f64[16, 7]\nplaceholder b: f64[16, 1]\nx = lstsq(a, b)"),
    );
    const a = longley.y.map((_, i) => [1, ...longley.x.map((column) => column[i] ?? Number.NaN)]);
    const x = (await fetch(session, ["x"], { a, b: longley.y.map((y) => [y]) })).get("x") ?? [];
    t.true(relative(x, longley.certified) < 1e-8, `${x}`);
  });

  test(`${target}: polyfit gives the certified ones of Wampler 1 and the line of a textbook`, async (t) => {
    // NIST StRD Wampler1: y = 1 + x + ... + x ** 5 at x = 0 to 20; all certified coefficients are 1.
    const text = program(`
placeholder x: f64[21]
placeholder y: f64[21]
wampler = polyfit(x, y, degree=5)
constant u: f64[8] = [32, 64, 96, 118, 126, 144, 152.5, 158]
constant v: f64[8] = [18, 24, 61.5, 49, 52, 105, 130.3, 125]
line = polyfit(u, v, degree=1)
level = polyfit(u, v, degree=0)
rough = polyfit(cast(u, to=f32), cast(v, to=f32), degree=1)`);
    const session = await open(t, target, text);
    const x = Array.from({ length: 21 }, (_, i) => i);
    const y = x.map((at) => [0, 1, 2, 3, 4, 5].reduce((sum, power) => sum + at ** power, 0));
    const values = await fetch(session, ["wampler", "line", "level", "rough"], { x, y });
    near(t, values.get("wampler"), [1, 1, 1, 1, 1, 1], 1e-7);
    near(t, values.get("line"), [0.87493126, -26.79078617], 5e-9);
    near(t, values.get("level"), [564.8 / 8], 1e-14);
    near(t, values.get("rough"), [0.87493126, -26.79078617], 1e-5);
  });

  test(`${target}: inverse gives exact inverses, of stacks too, and the identity back`, async (t) => {
    // Pivots of 0 need an exchange of rows; the inverse of the 3 x 3 Hilbert matrix is of integers (Choi, 1983).
    const text = program(`
constant a: f64[2, 2, 2] = [[[0, 2], [4, 0]], [[2, 1], [7, 4]]]
x = inverse(a)
constant h: f64[3, 3] = [[1, 0.5, 0.3333333333333333], [0.5, 0.3333333333333333, 0.25], [0.3333333333333333, 0.25, 0.2]]
y = inverse(h)
one = inverse(h[0:1, 0:1] * 4)
back = inverse(y)`);
    const values = await fetch(await open(t, target, text), ["x", "y", "one", "back"]);
    near(t, values.get("x"), [0, 0.25, 0.5, 0, 4, -1, -7, 2], 1e-13);
    near(t, values.get("y"), [9, -36, 30, -36, 192, -180, 30, -180, 180], 1e-13);
    t.deepEqual(values.get("one"), [0.25]);
    near(t, values.get("back"), [1, 1 / 2, 1 / 3, 1 / 2, 1 / 3, 1 / 4, 1 / 3, 1 / 4, 1 / 5], 1e-13);
  });

  test(`${target}: a singular matrix has no inverse, but a shortest least-squares solution`, async (t) => {
    const session = await open(
      t,
      target,
      program("placeholder a: f64[2, 2]\nx = inverse(a)\ny = lstsq(a, ones([2, 1], dtype=f64))"),
    );
    const singular = {
      a: [
        [1, 0],
        [2, 0],
      ],
    };
    t.deepEqual(await refusal(t, () => session.run(["x"], singular)), ["G087"]);
    // (1 + 2) / (1 + 4) in the first column, nothing in that of zeros.
    near(t, (await fetch(session, ["y"], singular)).get("y"), [0.6, 0], 1e-15);
    const broken = [Number.NaN, Number.POSITIVE_INFINITY].map((x) => ({
      a: [
        [1, 0],
        [x, 1],
      ],
    }));
    for (const feed of broken) t.deepEqual(await refusal(t, () => session.run(["y"], feed)), ["G087"]);
  });
}

test("gradients through inverse, lstsq and polyfit", async (t) => {
  const text = program(`
placeholder s: f64
constant a: f64[2, 2] = [[2, 1], [1, 3]]
i = sum(inverse(a * s) ** 2)
constant m: f64[3, 2] = [[1, 0], [1, 1], [1, 3]]
l = sum(lstsq(m + s, [[1], [2], [4]] * s) ** 2)
p = sum(polyfit([1.0, 2.0, 4.0] + s, [1.0, 3.0, s], degree=1) ** 2)
di = gradients(i, [s])
dl = gradients(l, [s])
dp = gradients(p, [s])`);
  const session = await open(t, "reference", text);
  const at = async (s: number): Promise<ReadonlyMap<string, readonly number[]>> =>
    fetch(session, ["i", "l", "p", "di", "dl", "dp"], { s });
  const [here, more, less] = await Promise.all([at(0.7), at(0.7 + 1e-4), at(0.7 - 1e-4)]);
  for (const name of ["i", "l", "p"]) {
    const values = new Map([more, less].map((one, k) => [k, one?.get(name)?.[0] ?? Number.NaN]));
    const numeric = slope((k) => values.get(k > 0 ? 0 : 1) ?? Number.NaN, 0);
    near(t, here?.get(`d${name}`), [numeric], 1e-5, name);
  }
});

test("identity_matrix of size 0 and 1, of any dtype", (t) => {
  t.deepEqual(value(program("x = identity_matrix(2)"), "x"), [1, 0, 0, 1]);
  t.deepEqual(value(program("x = identity_matrix(1, dtype=i64)"), "x"), [1]);
  t.deepEqual(value(program("x = identity_matrix(0)"), "x"), []);
  t.deepEqual(types(program("x = identity_matrix(3)\ny = identity_matrix(2, dtype=bool)"), "x", "y"), [
    "f32[3, 3]",
    "bool[2, 2]",
  ]);
});

test("matrices of the wrong shape are refused when the graph is typed", (t) => {
  const problem = (statements: string): string | undefined => problems(program(statements))[0];
  t.is(
    problem("placeholder a: f64[2, 3]\nx = inverse(a)"),
    "G020 3:15 `a` of `inverse` is f64[2, 3]: 3 stands where N = 2 is needed",
  );
  t.is(problem("placeholder a: f64[3]\nx = inverse(a)")?.slice(0, 9), "G025 3:15");
  t.is(problem("placeholder a: f64[3, 2]\nx = lstsq(a, a[:, 0])")?.slice(0, 4), "G025");
  t.is(problem("placeholder a: f64[3, 2]\nx = lstsq(a, a[0:2, :])")?.slice(0, 4), "G020");
  t.truthy(problem("placeholder a: f64[2]\nx = polyfit(a, a, degree=-2)"));
  t.is(problem("placeholder a: i64[2]\nx = polyfit(a, a, degree=1)")?.slice(0, 9), "G024 3:15");
});
