import test, { type ExecutionContext } from "ava";
import { emitMath, type MathName } from "../../../compiler/backends/llvm/math/emit.js";
import { type Exact, exact, exactErfc, exponentOf, unitsOff } from "./exact.js";
import { type Applied, compileLaneFunctions, type LaneFunction, nativeIsAvailable, testTargets } from "./harness.js";

const native = nativeIsAvailable ? test : test.skip;

const unary = ["exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sigmoid", "erf", "cbrt"] as const;
const names: readonly MathName[] = [...unary, "sqrt", "rsqrt", "pow", "erfc", "atan2"];

/** f32 in the full register, f64 with as many lanes, as kernels of mixed types have it. */
const functions: readonly LaneFunction[] = (["f32", "f64"] as const).flatMap((dtype) =>
  names.map((name) => ({
    name: `${name}.${dtype}`,
    lanes: 16,
    inputs: name === "pow" || name === "atan2" ? [dtype, dtype] : [dtype],
    output: dtype,
    emit: (b, operands) => emitMath(b, name, operands),
  })),
);

async function onEachTarget(run: (applied: Applied, level: string) => void): Promise<void> {
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    run(applied, target.level);
    applied.unload();
  }
}

/** A small generator of 32 random bits (Mulberry32): the same sample in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** erf in double precision by its series of positive terms. */
function erfSeries(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 1e-9) return x * 1.1283791670955126;
  let term = a;
  let sum = a;
  for (let n = 1; n < 400 && term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return Math.sign(x) * sum * Math.exp(-a * a) * 1.1283791670955126;
}

const inDouble = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  erf: erfSeries,
  cbrt: Math.cbrt,
  rsqrt: (x: number) => 1 / Math.sqrt(x),
} as const;

const leastSingle = 2 ** -126;
const greatestSingle = Math.fround(3.4028234663852886e38);

/** Whether an f32 result is what it must be where that is no ordinary number; nothing where it is one. */
function isRightEdge(got: number, want: number): boolean | undefined {
  if (Number.isNaN(want)) return Number.isNaN(got);
  const size = Math.abs(want);
  // Just above the range, rounding goes to the greatest number or to infinity.
  if (size > greatestSingle) return Math.abs(got) >= greatestSingle && Math.sign(got) === Math.sign(want);
  if (want === 0) return Object.is(got, want);
  // Just below it, a result may be flushed or not.
  if (size < leastSingle) return got === 0 || Math.abs(got) === leastSingle;
  return undefined;
}

/** A subnormal as the zero of its sign. */
function flushSingle(x: number): number {
  return Math.abs(x) < leastSingle ? 0 * x : x;
}

function checkSingle(t: ExecutionContext, label: string, x: Float32Array, got: Float32Array, want: Float64Array): void {
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const exact = want[i] ?? 0;
    const result = got[i] ?? 0;
    const edge = isRightEdge(result, exact);
    if (edge === true) continue;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23);
    const off = Math.abs(result - exact) / unit;
    if (edge === false || !(off <= 2)) {
      t.fail(`${label}(${x[i]}) gave ${result}, not ${exact}`);
      return;
    }
    worst = Math.max(worst, off);
  }
  t.true(worst <= 2, label);
  t.log(`${label}: ${worst.toFixed(3)} units in the last place at most`);
}

const singleEdges = [
  0,
  -0,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  1,
  -1,
  leastSingle,
  -leastSingle,
  1e-40,
  -1e-40,
  88.72283,
  88.72284,
  -87.33654,
  -87.33655,
  greatestSingle,
  -greatestSingle,
  0.625,
  -0.625,
  0.93,
  4,
  10,
  1e-7,
  -1e-7,
  1048576,
  -1048576,
  1.5707964,
  3.1415927,
  6.2831855,
  0.70710677,
  2,
  16777216,
];

native("f32 functions are within 2 units over all exponents", async (t) => {
  const random = generator(1);
  const bits = Uint32Array.from({ length: 1 << 18 }, () => random());
  const anywhere = new Float32Array(bits.buffer);
  const near = Float32Array.from({ length: 1 << 18 }, (_, i) => (random() / 2 ** 32 - 0.5) * (i % 2 === 0 ? 4 : 180));
  const x = new Float32Array([...singleEdges, ...anywhere, ...near]);
  const operands = Float64Array.from(x, flushSingle);
  const samples = [...unary, "rsqrt" as const].map((name) => ({ name, want: operands.map(inDouble[name]) }));
  await onEachTarget((applied, level) => {
    for (const { name, want } of samples) {
      checkSingle(t, `${level} ${name}`, x, applied.apply(`${name}.f32`, [x]) as Float32Array, want);
    }
  });
});

/** C's pow: as JavaScript's, but 1 to any power and -1 to an infinite one are 1. */
function powerOf(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY)) return 1;
  return x ** y;
}

native("f32 pow has C's special values and is within 2 units", async (t) => {
  const random = generator(2);
  const pairs: (readonly [number, number])[] = [];
  const exponents = [...singleEdges, 3, -3, 0.5, -0.5, 2.5, -2, 1e30];
  for (const a of singleEdges) for (const b of exponents) pairs.push([Math.fround(a), Math.fround(b)]);
  for (let i = 0; i < 40000; i++) {
    const base = (random() / 2 ** 32) * 30;
    const exponent = (random() / 2 ** 32 - 0.5) * 50;
    pairs.push(i % 4 === 0 ? [Math.fround(-base), Math.round(exponent)] : [Math.fround(base), Math.fround(exponent)]);
  }
  while (pairs.length % 16 !== 0) pairs.push([1, 1]);
  const x = Float32Array.from(pairs, ([a]) => a);
  const y = Float32Array.from(pairs, ([, b]) => b);
  const wrong: string[] = [];
  await onEachTarget((applied, level) => {
    const got = applied.apply("pow.f32", [x, y]) as Float32Array;
    t.is(got.length, pairs.length);
    pairs.forEach(([a, b], i) => {
      const want = powerOf(flushSingle(a), flushSingle(b));
      const result = got[i] ?? 0;
      const edge = isRightEdge(result, want);
      const unit = 2 ** (Math.floor(Math.log2(Math.abs(want))) - 23);
      if (edge === false || (edge === undefined && !(Math.abs(result - want) <= 2 * unit))) {
        wrong.push(`${level} pow(${a}, ${b}) gave ${result}, not ${want}`);
      }
    });
  });
  t.deepEqual(wrong.slice(0, 10), []);
});

/** Points where a function has something to do: its whole domain, and the ends of it. */
function doublePoints(name: (typeof unary)[number], random: () => number): readonly number[] {
  const unit = (): number => random() / 2 ** 32 + random() / 2 ** 64;
  const count = 200;
  const spread = (size: number): readonly number[] => Array.from({ length: count }, () => (2 * unit() - 1) * size);
  const scaled = (low: number, high: number): readonly number[] =>
    Array.from({ length: count }, () => (1 + unit()) * 2 ** Math.floor(low + unit() * (high - low)));
  switch (name) {
    case "exp":
      return [...spread(708), ...spread(2), 709.782712893384, -708.396418532264];
    case "expm1":
      return [...spread(40), ...spread(2), ...scaled(-50, -1), 709.782712893384];
    case "log":
      return [...scaled(-1022, 1023), ...scaled(-3, 3), Number.MAX_VALUE, 2 ** -1022];
    case "log1p":
      return [...scaled(-50, 200), ...spread(0.999), -0.9999999999999999];
    case "sin":
    case "cos":
      // The last is the double nearest to a multiple of pi/2.
      return [...spread(1000), ...scaled(-20, 1023), ...scaled(18, 22), 6381956970095103 * 2 ** 797];
    case "tanh":
    case "sigmoid":
      return [...spread(20), ...spread(1)];
    case "cbrt":
      return [...scaled(-1022, 1023), ...spread(2), 8, 27, 2 ** -1022, Number.MAX_VALUE];
    case "erf":
      return [...spread(6.5), ...spread(1.2), ...scaled(-60, -10)];
  }
}

function checkDouble(t: ExecutionContext, label: string, got: Float64Array, want: readonly Exact[]): void {
  let worst = 0;
  want.forEach((value, i) => {
    const result = got[i] ?? 0;
    const exponent = exponentOf(value);
    if (exponent < -1022) {
      t.true(Math.abs(result) <= 2 ** -1022, `${label} number ${i} gave ${result} below the range`);
      return;
    }
    const off = unitsOff(result, value, 53);
    if (!(off <= 2)) t.fail(`${label} number ${i} gave ${result}, ${off} units off`);
    worst = Math.max(worst, off);
  });
  t.true(worst <= 2, label);
  t.log(`${label}: ${worst.toFixed(3)} units in the last place at most`);
}

native("f64 functions are within 2 units of exact values", async (t) => {
  const random = generator(3);
  const samples = unary.map((name) => {
    const points = doublePoints(name, random);
    return { name, points, want: points.map((x) => exact[name](x)) };
  });
  const powers = Array.from({ length: 400 }, () => {
    const base = (1 + random() / 2 ** 32) * 2 ** ((random() % 60) - 30);
    return [base, ((random() / 2 ** 32 - 0.5) * 1400) / Math.max(0.01, Math.abs(Math.log(base)))] as const;
  });
  const powerWant = powers.map(([x, y]) => exact.pow(x, y));
  await onEachTarget((applied, level) => {
    for (const { name, points, want } of samples) {
      const got = applied.apply(`${name}.f64`, [padded(points)]) as Float64Array;
      checkDouble(t, `${level} ${name} f64`, got, want);
    }
    const operands = [padded(powers.map(([x]) => x)), padded(powers.map(([, y]) => y))];
    checkDouble(t, `${level} pow f64`, applied.apply("pow.f64", operands) as Float64Array, powerWant);
  });
});

function padded(values: readonly number[]): Float64Array {
  const result = new Float64Array(Math.ceil(values.length / 16) * 16).fill(0.5);
  result.set(values);
  return result;
}

native("f64 functions treat NaN, infinities, zeros and subnormals as C does, with flushing", async (t) => {
  const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
  const operands = [nan, inf, -inf, 0, -0, 1e-310, -1e-310, -1, 1e308];
  const expected: Readonly<Record<(typeof unary)[number], readonly (number | undefined)[]>> = {
    exp: [nan, inf, 0, 1, 1, 1, 1, undefined, inf],
    expm1: [nan, inf, -1, 0, -0, 0, -0, undefined, inf],
    log: [nan, inf, nan, -inf, -inf, -inf, -inf, nan, undefined],
    log1p: [nan, inf, nan, 0, -0, 0, -0, -inf, undefined],
    sin: [nan, nan, nan, 0, -0, 0, -0, undefined, undefined],
    cos: [nan, nan, nan, 1, 1, 1, 1, undefined, undefined],
    tanh: [nan, 1, -1, 0, -0, 0, -0, undefined, 1],
    sigmoid: [nan, 1, 0, 0.5, 0.5, 0.5, 0.5, undefined, 1],
    erf: [nan, 1, -1, 0, -0, 0, -0, undefined, 1],
    cbrt: [nan, inf, -inf, 0, -0, 0, -0, -1, undefined],
  };
  await onEachTarget((applied, level) => {
    for (const name of unary) {
      const got = applied.apply(`${name}.f64`, [padded(operands)]);
      expected[name].forEach((want, i) => {
        if (want !== undefined) t.is(got[i], want, `${level} ${name}(${operands[i]})`);
      });
    }
    const pairs = [nan, inf, -inf, 0, -0, 1, -1, 2, -2, 0.5, 3, -3, 1e300, 1e-310].flatMap((x) =>
      [nan, inf, -inf, 0, -0, 1, -1, 2, 3, -3, 0.5, -0.5, 1e300].map((y) => [x, y] as const),
    );
    const got = applied.apply("pow.f64", [padded(pairs.map(([x]) => x)), padded(pairs.map(([, y]) => y))]);
    pairs.forEach(([x, y], i) => {
      const flushed = Math.abs(x) < 2 ** -1022 ? 0 * x : x;
      const want = powerOf(flushed, y);
      if (Math.abs(want) < 2 ** -1022 || !Number.isFinite(want) || Number.isInteger(want)) {
        t.is(got[i], Math.abs(want) < 2 ** -1022 ? 0 * want : want, `${level} pow(${x}, ${y})`);
      }
    });
  });
});

native("atan2 has C's special values and is within 2 units", async (t) => {
  const random = generator(5);
  const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
  const list = [nan, inf, -inf, 0, -0, 1, -1, 0.66, -0.66, 2 ** 90, 2 ** -90];
  const pairs: (readonly [number, number])[] = list.flatMap((y) => list.map((x) => [y, x] as const));
  const number = (): number =>
    Math.fround((1 + random() / 2 ** 32) * 2 ** ((random() % 80) - 40) * (random() % 2 === 0 ? 1 : -1));
  for (let i = 0; i < 20000; i++) pairs.push(i % 2 === 0 ? [number(), number()] : [number(), Math.fround(1)]);
  const columns = (dtype: "f32" | "f64"): readonly (Float32Array | Float64Array)[] =>
    [0, 1].map((which) => {
      const column = padded(pairs.map((pair) => pair[which] as number));
      return dtype === "f32" ? Float32Array.from(column) : column;
    });
  await onEachTarget((applied, level) => {
    for (const [dtype, fraction] of [
      ["f32", 23],
      ["f64", 52],
    ] as const) {
      const got = applied.apply(`atan2.${dtype}`, columns(dtype));
      const wrong = pairs.filter(([y, x], i) => {
        const want = Math.atan2(y, x);
        const result = Number(got[i]);
        if (Number.isNaN(want)) return !Number.isNaN(result);
        // What is below the range may be flushed, with its sign.
        if (Math.abs(want) <= (dtype === "f32" ? leastSingle : 2 ** -1022)) {
          return !(
            Math.abs(result) <= leastSingle &&
            Object.is(Math.sign(result) < 0 || Object.is(result, -0), want < 0 || Object.is(want, -0))
          );
        }
        const unit = 2 ** (Math.floor(Math.log2(Math.abs(want))) - fraction);
        // Half a unit is that of the library's own function.
        return !(Math.abs(result - want) <= 2.5 * unit);
      });
      t.deepEqual(wrong.slice(0, 5), [], `${level} ${dtype}`);
    }
  });
});

native("erfc is within 2 units in f64 and 1 in f32, down to where it vanishes", async (t) => {
  const random = generator(6);
  const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];
  const points = [
    ...Array.from({ length: 100 }, () => (random() / 2 ** 32) * 32 - 6),
    ...Array.from({ length: 100 }, () => random() / 2 ** 32 + 0.3),
    ...[0, -0, 0.5, 0.84375, 0.8437499999999999, 1.25, 1.2499999999999998, 1 / 0.35, 8, 26.5, -1, -8, 1e-300, -0.3],
  ];
  const known = new Map<number, ReturnType<typeof exactErfc>>();
  await onEachTarget((applied, level) => {
    const edges = applied.apply("erfc.f64", [padded([nan, inf, -inf, 0, 28, 40, -40])]);
    t.deepEqual([...edges].slice(0, 7), [nan, 0, 2, 1, 0, 0, 2], level);
    for (const [dtype, limit, precision, least] of [
      ["f64", 2, 53, -1022],
      ["f32", 1, 24, -126],
    ] as const) {
      const xs = points.map((x) => (dtype === "f32" ? Math.fround(x) : x));
      const column = padded(xs);
      const got = applied.apply(`erfc.${dtype}`, [dtype === "f32" ? Float32Array.from(column) : column]);
      let worst = 0;
      xs.forEach((x, i) => {
        const want = known.get(x) ?? exactErfc(x);
        known.set(x, want);
        if (exponentOf(want) < least) t.true(Number(got[i]) <= 2 ** least, `${level} erfc(${x})`);
        else worst = Math.max(worst, unitsOff(Number(got[i]), want, precision));
      });
      t.true(worst <= limit, `${level} ${dtype}: ${worst} units`);
      t.log(`${level} erfc ${dtype}: ${worst.toFixed(3)} units in the last place at most`);
    }
  });
});
