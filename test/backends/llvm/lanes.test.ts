import test from "ava";
import { i64, withElement } from "../../../compiler/backends/llvm/types.js";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "../../../compiler/ir/half.js";
import {
  binary,
  compileLaneFunctions,
  type LaneFunction,
  nativeIsAvailable,
  type Pair,
  testTargets,
  unary,
} from "./harness.js";

const native = nativeIsAvailable ? test : test.skip;

/** Where two arrays differ first, -1 where nowhere; NaN equals NaN whatever its bits, as no language rule speaks of them. */
function firstDifference(got: ArrayLike<number | bigint>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Math.min(got.length, want.length);
  for (let i = 0; i < want.length; i++) if (!Object.is(got[i], want[i])) return i;
  return -1;
}

const integers = [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1, 2, -2, 3, -3, 7, -7, 100, -100, 65536, 12345, -54321];
const integerPairs = integers.flatMap((a) => integers.map((b) => [a, b] as const));

function wrap32(x: number): number {
  return x | 0;
}

native("integer arithmetic wraps, and division by anything is defined", async (t) => {
  const both = (emit: Pair, name: string): readonly LaneFunction[] => [
    binary(`${name}.1`, "i32", 1, emit),
    binary(`${name}.16`, "i32", 16, emit),
  ];
  const functions = [
    ...both((b, x, y) => b.add(x, y), "add"),
    ...both((b, x, y) => b.sub(x, y), "sub"),
    ...both((b, x, y) => b.mul(x, y), "mul"),
    ...both((b, x, y) => b.max(x, y), "max"),
    ...both((b, x, y) => b.min(x, y), "min"),
    ...both((b, x, y) => b.divTruncate(x, y).quotient, "quotient"),
    ...both((b, x, y) => b.divTruncate(x, y).remainder, "remainder"),
    ...both((b, x, y) => b.divFloor(x, y).quotient, "floor.quotient"),
    ...both((b, x, y) => b.divFloor(x, y).remainder, "floor.remainder"),
  ];
  const floor = (a: number, b: number): number => (b === 0 ? 0 : wrap32(Math.floor(a / b)));
  const meaning: Readonly<Record<string, (a: number, b: number) => number>> = {
    add: (a, b) => wrap32(a + b),
    sub: (a, b) => wrap32(a - b),
    mul: Math.imul,
    max: Math.max,
    min: Math.min,
    quotient: (a, b) => (b === 0 ? 0 : wrap32(Math.trunc(a / b))),
    remainder: (a, b) => (b === 0 ? a : wrap32(a % b)),
    "floor.quotient": floor,
    "floor.remainder": (a, b) => wrap32(a - Math.imul(floor(a, b), b)),
  };
  const x = Int32Array.from(integerPairs, ([a]) => a);
  const y = Int32Array.from(integerPairs, ([, b]) => b);
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    for (const [name, f] of Object.entries(meaning)) {
      const want = Int32Array.from(integerPairs, ([a, b]) => f(a, b));
      for (const lanes of [1, 16]) {
        t.deepEqual(applied.apply(`${name}.${lanes}`, [x, y]), want, `${target.level} ${name} ${lanes}`);
      }
    }
    applied.unload();
  }
});

native("bytes and 64-bit integers divide as their own widths", async (t) => {
  const functions = [
    binary("i8", "i8", 16, (b, x, y) => b.divFloor(x, y).quotient),
    binary("u8", "u8", 16, (b, x, y) => b.divUnsignedGuarded(x, y).quotient),
    binary("i64", "i64", 4, (b, x, y) => b.divFloor(x, y).quotient),
  ];
  const bytes = Array.from({ length: 65536 }, (_, i) => [i & 255, i >> 8] as const);
  const wide = [-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 1n, 10n, -10n, 3n].flatMap((a) =>
    [-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 1n, 3n, -3n, 7n].map((b) => [a, b] as const),
  );
  const floorWide = (a: bigint, b: bigint): bigint => {
    if (b === 0n) return 0n;
    const q = a / b;
    return BigInt.asIntN(64, a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q);
  };
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    const [x, y] = [Int8Array.from(bytes, ([a]) => a), Int8Array.from(bytes, ([, b]) => b)];
    const signed = Int8Array.from(x, (a, i) => (y[i] === 0 ? 0 : Math.floor(a / (y[i] ?? 1))));
    t.deepEqual(applied.apply("i8", [x, y]), signed, target.level);
    const unsigned = Uint8Array.from(bytes, ([a, b]) => (b === 0 ? 0 : Math.floor(a / b)));
    const operands = [Uint8Array.from(bytes, ([a]) => a), Uint8Array.from(bytes, ([, b]) => b)];
    t.deepEqual(applied.apply("u8", operands), unsigned, target.level);
    const got = applied.apply("i64", [BigInt64Array.from(wide, ([a]) => a), BigInt64Array.from(wide, ([, b]) => b)]);
    t.deepEqual(
      got,
      BigInt64Array.from(wide, ([a, b]) => floorWide(a, b)),
      target.level,
    );
    applied.unload();
  }
});

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const reals = [
  0,
  -0,
  0.5,
  -0.5,
  1.5,
  -1.5,
  2.5,
  -2.5,
  0.49999997,
  8388607.5,
  -8388607.5,
  8388608,
  16777216,
  1e20,
  -1e20,
  inf,
  -inf,
  nan,
  127.9,
  128,
  -128.9,
  -129,
  255.9,
  256,
  2147483520,
  2147483648,
  -2147483648,
  -2147483904,
  9.2e18,
  9.3e18,
  -9.3e18,
  0.9,
];

function saturate(x: number, low: number, high: number): number {
  return Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0;
}

function roundEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  const up = fraction > 0.5 || (fraction === 0.5 && floor % 2 !== 0);
  return Math.abs(x) >= 2 ** 52 || x === 0 ? x : Math.sign(x) < 0 && floor + Number(up) === 0 ? -0 : floor + Number(up);
}

native("roundings, extremes and conversions of floats", async (t) => {
  const functions = (["f32", "f64"] as const).flatMap((d) => [
    unary(`floor.${d}`, d, d, 16, (b, x) => b.floor(x)),
    unary(`ceil.${d}`, d, d, 16, (b, x) => b.ceil(x)),
    unary(`trunc.${d}`, d, d, 16, (b, x) => b.truncate(x)),
    unary(`round.${d}`, d, d, 16, (b, x) => b.roundEven(x)),
    unary(`relu.${d}`, d, d, 16, (b, x) => b.max(x, b.constant(x.type, 0))),
    unary(`i8.${d}`, d, "i8", 16, (b, x) => b.convert(x, d, "i8")),
    unary(`u8.${d}`, d, "u8", 16, (b, x) => b.convert(x, d, "u8")),
    unary(`i32.${d}`, d, "i32", 16, (b, x) => b.convert(x, d, "i32")),
    unary(`i64.${d}`, d, "i64", 16, (b, x) => b.convert(x, d, "i64")),
    unary(`bool.${d}`, d, "bool", 16, (b, x) => b.toStorage(b.convert(x, d, "bool"), "bool")),
    binary(`max.${d}`, d, 16, (b, x, y) => b.max(x, y)),
    binary(`min.${d}`, d, 16, (b, x, y) => b.min(x, y)),
  ]);
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    for (const d of ["f32", "f64"] as const) {
      const x = d === "f32" ? Float32Array.from(reals) : Float64Array.from(reals);
      const given = [...x];
      const same = (name: string, f: (v: number) => number): void => {
        t.deepEqual([...applied.apply(`${name}.${d}`, [x])], given.map(f), `${target.level} ${name} ${d}`);
      };
      same("floor", Math.floor);
      same("ceil", Math.ceil);
      same("trunc", Math.trunc);
      same("round", roundEven);
      same("relu", (v) => Math.max(v, 0));
      same("i8", (v) => saturate(v, -128, 127));
      same("u8", (v) => saturate(v, 0, 255));
      same("i32", (v) => saturate(v, -(2 ** 31), 2 ** 31 - 1));
      same("bool", (v) => (v === 0 ? 0 : 1));
      const wide = applied.apply(`i64.${d}`, [x]);
      given.forEach((v, i) => {
        const limit = 2 ** 63;
        const want = Number.isNaN(v)
          ? 0n
          : v >= limit
            ? 2n ** 63n - 1n
            : v < -limit
              ? -(2n ** 63n)
              : BigInt(Math.trunc(v));
        t.is(wide[i], want, `${target.level} i64 of ${v}`);
      });
      const pairs = given.flatMap((a) => given.map((b) => [a, b] as const));
      const make = (which: 0 | 1) =>
        d === "f32" ? Float32Array.from(pairs, (p) => p[which]) : Float64Array.from(pairs, (p) => p[which]);
      for (const [name, f] of [
        ["max", Math.max],
        ["min", Math.min],
      ] as const) {
        const got = applied.apply(`${name}.${d}`, [make(0), make(1)]);
        // `+ 0` makes the sign of a zero result irrelevant, as the builder documents.
        const wrong = pairs.findIndex(([a, b], i) => !Object.is(Number(got[i]) + 0, f(a, b) + 0));
        t.is(wrong, -1, `${target.level} ${name} of ${pairs[wrong]}`);
      }
    }
    applied.unload();
  }
});

native("half precision converts as the interpreter's own conversion does", async (t) => {
  const functions = [
    unary("f16.in", "f16", "f32", 16, (b, x) => b.fromStorage(x, "f16")),
    unary("f16.in.scalar", "f16", "f32", 1, (b, x) => b.fromStorage(x, "f16")),
    unary("f16.out", "f32", "f16", 16, (b, x) => b.toStorage(x, "f16")),
    unary("f64.f16", "f64", "f16", 8, (b, x) => b.toStorage(b.convert(x, "f64", "f16"), "f16")),
    unary("f64.bf16", "f64", "bf16", 8, (b, x) => b.toStorage(b.convert(x, "f64", "bf16"), "bf16")),
    unary("bf16.in", "bf16", "f32", 16, (b, x) => b.fromStorage(x, "bf16")),
    unary("bf16.out", "f32", "bf16", 16, (b, x) => b.toStorage(x, "bf16")),
  ];
  const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const decoded = { f16: Float32Array.from(patterns, decodeF16), bf16: Float32Array.from(patterns, decodeBF16) };
  // Every half, the midpoints between neighbours, and a step to each side of them.
  const near = Float32Array.from({ length: 1 << 19 }, (_, i) => {
    const low = decodeF16(i >> 3);
    const high = decodeF16(Math.min(0xffff, (i >> 3) + 1));
    return (low + high) / 2 + ((i & 7) - 3) * Math.abs(high - low) * 1e-4;
  });
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    t.is(firstDifference(applied.apply("f16.in", [patterns]), decoded.f16), -1, target.level);
    t.is(firstDifference(applied.apply("f16.in.scalar", [patterns]), decoded.f16), -1, target.level);
    t.is(firstDifference(applied.apply("bf16.in", [patterns]), decoded.bf16), -1, target.level);
    const isNumber = (v: number): boolean => !Number.isNaN(v);
    const numbers = near.filter(isNumber).subarray(0, -(near.filter(isNumber).length % 16) || undefined);
    t.is(firstDifference(applied.apply("f16.out", [numbers]), Uint16Array.from(numbers, encodeF16)), -1, target.level);
    t.is(
      firstDifference(applied.apply("bf16.out", [numbers]), Uint16Array.from(numbers, encodeBF16)),
      -1,
      target.level,
    );
    // A hair beside the midpoint of two halves: by way of f32 it would be the midpoint itself.
    const hairs = Float64Array.from(
      { length: 4096 },
      (_, i) => (1 + (2 * (i >> 2) + 1) * 2 ** -11) * (1 + ((i & 3) - 1) * 2 ** -40),
    );
    t.is(firstDifference(applied.apply("f64.f16", [hairs]), Uint16Array.from(hairs, encodeF16)), -1, target.level);
    t.is(firstDifference(applied.apply("f64.bf16", [hairs]), Uint16Array.from(hairs, encodeBF16)), -1, target.level);
    const nans = new Float32Array(16).fill(nan);
    t.is(decodeF16(Number(applied.apply("f16.out", [nans])[0])), nan);
    t.is(decodeBF16(Number(applied.apply("bf16.out", [nans])[0])), nan);
    applied.unload();
  }
});

native("integer conversions wrap and widen by their sign", async (t) => {
  const functions = [
    unary("i64.i32", "i64", "i32", 8, (b, x) => b.convert(x, "i64", "i32")),
    unary("i32.u8", "i32", "u8", 16, (b, x) => b.convert(x, "i32", "u8")),
    unary("u8.i32", "u8", "i32", 16, (b, x) => b.convert(x, "u8", "i32")),
    unary("i8.f32", "i8", "f32", 16, (b, x) => b.convert(x, "i8", "f32")),
    unary("u8.f32", "u8", "f32", 16, (b, x) => b.convert(x, "u8", "f32")),
    unary("i64.f32", "i64", "f32", 8, (b, x) => b.convert(x, "i64", "f32")),
    unary("wide", "i32", "i64", 16, (b, x) => b.resizeInteger(x, withElement(i64, "i64").element)),
  ];
  const wide = BigInt64Array.of(
    -1n,
    2n ** 31n,
    -(2n ** 31n) - 1n,
    2n ** 32n + 5n,
    2n ** 63n - 1n,
    16777217n,
    16777219n,
    0n,
  );
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const target of testTargets()) {
    const applied = await compileLaneFunctions(target, functions);
    t.deepEqual(
      [...applied.apply("i64.i32", [wide])],
      [...wide].map((v) => Number(BigInt.asIntN(32, v))),
    );
    t.deepEqual(
      [...applied.apply("i64.f32", [wide])],
      [...wide].map((v) => Math.fround(Number(v))),
    );
    const words = Int32Array.from({ length: 256 }, (_, i) => i * 77777 - 9999999);
    t.deepEqual(applied.apply("i32.u8", [words]), Uint8Array.from(words));
    t.deepEqual(applied.apply("wide", [words]), BigInt64Array.from(words, BigInt));
    t.deepEqual(applied.apply("u8.i32", [bytes]), Int32Array.from(bytes));
    t.deepEqual(applied.apply("u8.f32", [bytes]), Float32Array.from(bytes));
    t.deepEqual(applied.apply("i8.f32", [new Int8Array(bytes.buffer)]), Float32Array.from(new Int8Array(bytes.buffer)));
    applied.unload();
  }
});
