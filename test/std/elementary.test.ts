import test from "ava";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

type Points = readonly number[];
const everywhere: Points = [
  -1e300, -800, -30, -20.5, -3, -1, -0.3, -1e-9, 0, 1e-9, 0.3, 1, 3, 19.5, 20.5, 300, 705, 1e300,
];
const unit: Points = [-1, -0.999, -0.5, -1e-10, 0, 1e-10, 0.2, 0.7, 0.9999999, 1];
const positive: Points = [1e-300, 1e-9, 0.5, 1, 1.0000001, 2, 10, 199, 201, 1e9, 1e300];

/** A function of std, the formula that it must equal, where, how far off in units of the last place, and its slope where it has one. */
interface Row {
  readonly name: string;
  readonly formula: (x: number) => number;
  readonly points: Points;
  readonly units: number;
  readonly slope?: (x: number) => number;
  readonly slopeAt?: Points;
}

const middle: Points = [-2.5, -0.4, 0, 0.4, 2.5];
const rows: readonly Row[] = [
  { name: "trunc", formula: Math.trunc, points: [...everywhere, -2.5, 2.5, -0.5, 7.999], units: 0 },
  {
    name: "exp2",
    formula: (x) => 2 ** x,
    points: [-1000, -0.3, 0, 0.5, 10, 1000.25, 2000],
    units: 3,
    slope: (x) => Math.LN2 * 2 ** x,
  },
  {
    name: "log2",
    formula: Math.log2,
    points: [...positive, 0, -1],
    units: 5,
    slope: (x) => 1 / (x * Math.LN2),
    slopeAt: [0.5, 3],
  },
  {
    name: "log10",
    formula: Math.log10,
    points: [...positive, 0, -1],
    units: 5,
    slope: (x) => 1 / (x * Math.LN10),
    slopeAt: [0.5, 3],
  },
  {
    name: "tan",
    formula: Math.tan,
    points: [-3, -1.5, -0.3, 0, 0.7853981633974483, 1.5707963267948966, 100],
    units: 6,
    slope: (x) => 1 / Math.cos(x) ** 2,
  },
  { name: "atan", formula: Math.atan, points: everywhere, units: 3, slope: (x) => 1 / (1 + x * x) },
  {
    name: "asin",
    formula: Math.asin,
    points: [...unit, 1.5, -1.5],
    units: 5,
    slope: (x) => 1 / Math.sqrt(1 - x * x),
    slopeAt: [-0.9, 0, 0.4],
  },
  {
    name: "acos",
    formula: Math.acos,
    points: [...unit, 1.5, -1.5],
    units: 5,
    slope: (x) => -1 / Math.sqrt(1 - x * x),
    slopeAt: [-0.9, 0, 0.4],
  },
  {
    name: "sinh",
    formula: Math.sinh,
    points: [...everywhere, -25, 30, 709.9],
    units: 7,
    slope: Math.cosh,
    slopeAt: [...middle, 25, -25],
  },
  {
    name: "cosh",
    formula: Math.cosh,
    points: [...everywhere, -25, 30, 709.9],
    units: 7,
    slope: Math.sinh,
    slopeAt: [...middle, 25, -25],
  },
  {
    name: "asinh",
    formula: Math.asinh,
    points: [...everywhere, 199, 201, -201],
    units: 6,
    slope: (x) => 1 / Math.sqrt(1 + x * x),
    slopeAt: [...middle, 300, -300],
  },
  {
    name: "acosh",
    formula: Math.acosh,
    points: [1, 1.0000001, 1.5, 2, 10, 199, 201, 1e300, 0.5, -2],
    units: 6,
    slope: (x) => 1 / Math.sqrt(x * x - 1),
    slopeAt: [1.5, 3, 300],
  },
  {
    name: "atanh",
    formula: Math.atanh,
    points: [...unit, 1.5],
    units: 5,
    slope: (x) => 1 / (1 - x * x),
    slopeAt: [-0.9, 0, 0.4],
  },
  { name: "is_nan", formula: (x) => Number(Number.isNaN(x)), points: everywhere, units: 0 },
  { name: "is_inf", formula: (x) => Number(Math.abs(x) === inf), points: everywhere, units: 0 },
];

const specials: Points = [nan, inf, -inf];

for (const target of targets) {
  test(`${target}: elementary functions of std are their formulas, to the units that their comments state`, async (t) => {
    for (const { name, formula, points, units, slope, slopeAt = middle } of rows) {
      const all = [...points, ...specials];
      const session = await open(
        t,
        target,
        `graph g {
  placeholder x: f64[${all.length}]
  placeholder at: f64[${slopeAt.length}]
  y = ${name}(x)
  ${slope === undefined ? "" : `dy = gradients(${name}(at), [at])`}
}
`,
      );
      const x = { dtype: "f64", shape: [all.length], data: Float64Array.from(all) } as const;
      const at = { dtype: "f64", shape: [slopeAt.length], data: Float64Array.from(slopeAt) } as const;
      const found = (await fetch(session, ["y"], { x })).get("y") ?? [];
      all.forEach((point, i) => {
        const want = formula(point);
        const result = found[i] ?? 99;
        const good =
          Number.isFinite(want) && Number.isFinite(result)
            ? Math.abs(result - want) <= units * 2 ** -52 * Math.abs(want)
            : Object.is(result, want);
        t.true(good, `${name}(${point}) is ${result}, not ${want}`);
      });
      if (slope === undefined) continue;
      near(t, (await fetch(session, ["dy"], { at })).get("dy"), slopeAt.map(slope), 1e-13, `slope of ${name}`);
    }
  });

  test(`${target}: functions of two numbers, where they could overflow and where they have a corner`, async (t) => {
    const session = await open(
      t,
      target,
      `import { erf_inv } from "std/probability"
graph g {
  a: f64[8] = [3, 0, 1e300, -5, inf, nan, 1e-200, 0]
  b: f64[8] = [4, 0, 1e300, 12, nan, 1, 1e-200, -2]
  h = hypot(a, b)
  ha, hb = gradients(h, [a, b])
  c: f64[7] = [0, 1000, -inf, inf, -inf, nan, -1000]
  d: f64[7] = [0, 1001, -inf, inf, 3, 1, -1000]
  l = logaddexp(c, d)
  lc, ld = gradients(l, [c, d])
  p: f64[6] = [5.5, -5.5, 5.5, 1e20, 3, inf]
  q: f64[6] = [2, 2, -2, 3, 0, 2]
  f = fmod(p, q)
  fp, fq = gradients(f, [p, q])
  u: f64[5] = [0.5, -0.9, 1, -1, 2]
  v = erf_inv(u)
  back = erf(v)
}
`,
    );
    const found = await fetch(session, "h ha hb l lc ld f fp fq v back".split(" "));
    near(t, found.get("h"), [5, 0, Math.SQRT2 * 1e300, 13, nan, nan, Math.SQRT2 * 1e-200, 2], 1e-15, "hypot");
    near(t, found.get("ha")?.slice(0, 4), [0.6, 0, Math.SQRT1_2, -5 / 13], 1e-15);
    near(t, found.get("hb")?.slice(0, 4), [0.8, 0, Math.SQRT1_2, 12 / 13], 1e-15);
    const [e1] = [Math.E];
    near(
      t,
      found.get("l"),
      [Math.LN2, 1001 + Math.log1p(1 / e1), -inf, inf, 3, nan, -1000 + Math.LN2],
      1e-15,
      "logaddexp",
    );
    near(t, found.get("lc")?.slice(0, 2), [0.5, 1 / (1 + e1)], 1e-15);
    near(t, found.get("ld")?.slice(0, 2), [0.5, e1 / (1 + e1)], 1e-15);
    near(t, found.get("f"), [1.5, -1.5, 1.5, Number(10n ** 20n % 3n), nan, nan], 0, "fmod");
    near(t, found.get("fp")?.slice(0, 3), [1, 1, 1], 0);
    near(t, found.get("fq")?.slice(0, 3), [-2, 2, 2], 0);
    near(t, found.get("v")?.slice(2), [inf, -inf, nan], 0);
    near(t, found.get("back")?.slice(0, 4), [0.5, -0.9, 1, -1], 1e-15);
  });
}
