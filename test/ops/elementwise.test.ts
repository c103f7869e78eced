import test from "ava";
import fc from "fast-check";
import { abs, add, floorDiv, maximum, minimum, mod, mul, neg, pow, sign, sub } from "../../compiler/ops/arithmetic.js";
import { eq, isFinite, lt, ne } from "../../compiler/ops/comparison.js";
import { cast } from "../../compiler/ops/conversion.js";
import { ReferenceFailure } from "../../compiler/ops/define.js";
import { erf, expm1, log1p, sigmoid } from "../../compiler/ops/exponential.js";
import { and, not, or, select, xor } from "../../compiler/ops/logic.js";
import { round } from "../../compiler/ops/rounding.js";
import { elementsOf, vector } from "../support/evaluate.js";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

// From mpmath with 40 digits.
const erfValues = [
  [1e-10, 1.128379167095512615e-10],
  [0.1, 0.1124629160182848984],
  [0.5, 0.52049987781304653768],
  [0.84, 0.76514271145499451734],
  [0.85, 0.77066805760835252021],
  [1, 0.84270079294971486934],
  [1.2, 0.91031397822963536837],
  [1.25, 0.92290012825645823014],
  [2, 0.99532226501895273416],
  [2.8, 0.9999249868053345409],
  [2.9, 0.99995890212190054114],
  [4.5, 0.99999999980338395585],
  [5.9, 0.9999999999999999281],
] as const;

test("erf is right to the last place or so, odd, and 1 at infinity", (t) => {
  for (const [x, expected] of erfValues) {
    const [value, mirrored] = elementsOf(erf, [vector("f64", x, -x)]);
    t.true(Math.abs(Number(value) - expected) <= 2 ** -52 * expected, `erf(${x})`);
    t.is(mirrored, -Number(value));
  }
  t.deepEqual(elementsOf(erf, [vector("f64", infinity, -infinity, nan, 0, -0)]), [1, -1, nan, 0, -0]);
});

test("sigmoid, expm1 and log1p keep their precision at the ends", (t) => {
  t.deepEqual(elementsOf(sigmoid, [vector("f64", -1000, 1000, 0, nan, -700)]), [0, 1, 0.5, nan, Math.exp(-700)]);
  t.deepEqual(elementsOf(expm1, [vector("f64", 1e-18, -infinity)]), [1e-18, -1]);
  t.deepEqual(elementsOf(log1p, [vector("f64", 1e-18, -1, -2)]), [1e-18, -infinity, nan]);
});

test("round goes to the even one of two equally near numbers and keeps the sign of zero", (t) => {
  const x = vector("f64", -2.5, -1.5, -0.5, -0.3, 0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370497, nan, infinity);
  t.deepEqual(elementsOf(round, [x]), [-2, -2, -0, -0, 0, 2, 2, 0, 4503599627370497, nan, infinity]);
});

test("integers wrap", (t) => {
  const greatest = 2 ** 31 - 1;
  const least = -(2 ** 31);
  t.deepEqual(elementsOf(add, [vector("i32", greatest, 1), vector("i32", 1, 2)]), [least, 3]);
  t.deepEqual(elementsOf(sub, [vector("u8", 0, 5), vector("u8", 1, 3)]), [255, 2]);
  t.deepEqual(
    elementsOf(mul, [vector("i32", greatest, 123456789), vector("i32", greatest, 987654321)]),
    [1, -67153019],
  );
  t.deepEqual(elementsOf(mul, [vector("i8", 127, -128), vector("i8", 2, -1)]), [-2, -128]);
  t.deepEqual(elementsOf(neg, [vector("i8", -128, 5)]), [-128, -5]);
  t.deepEqual(elementsOf(neg, [vector("u8", 1, 0)]), [255, 0]);
  t.deepEqual(elementsOf(abs, [vector("i32", least, -3)]), [least, 3]);
  t.deepEqual(elementsOf(mul, [vector("i64", 2n ** 62n, 3n), vector("i64", 2n, -5n)]), [-(2n ** 63n), -15n]);
  t.deepEqual(elementsOf(add, [vector("i64", 2n ** 63n - 1n), vector("i64", 1n)]), [-(2n ** 63n)]);
});

test("i64 is exact beyond 2^53", (t) => {
  t.deepEqual(elementsOf(add, [vector("i64", 2n ** 53n), vector("i64", 1n)]), [2n ** 53n + 1n]);
  t.deepEqual(elementsOf(lt, [vector("i64", 2n ** 53n), vector("i64", 2n ** 53n + 1n)]), [1]);
});

// Python 3.11: [divmod(a, b) for ...].
test("floor_div and mod floor, as Python's // and %", (t) => {
  for (const dtype of ["i32", "i64", "f64", "f32"] as const) {
    const wide = (list: readonly number[]) => (dtype === "i64" ? list.map(BigInt) : list);
    const operands = [vector(dtype, ...wide([7, -7, 7, -7, 6, -6])), vector(dtype, ...wide([3, 3, -3, -3, 3, 3]))];
    t.deepEqual(elementsOf(floorDiv, operands), wide([2, -3, -3, 2, 2, -2]));
    t.deepEqual(
      elementsOf(mod, operands).map((x) => (x === 0 ? 0 : x)),
      wide([1, 2, -2, -1, 0, 0]).map((x) => (x === 0n ? 0n : x)),
    );
  }
  t.deepEqual(elementsOf(floorDiv, [vector("f64", 1, 1, -1, 0), vector("f64", 0.1, 0, 0, 0)]), [
    9,
    infinity,
    -infinity,
    nan,
  ]);
  t.deepEqual(elementsOf(mod, [vector("f64", 5, -1, 5), vector("f64", infinity, infinity, 0)]), [5, infinity, nan]);
  t.deepEqual(elementsOf(floorDiv, [vector("i32", -(2 ** 31)), vector("i32", -1)]), [-(2 ** 31)]);
});

test("an integer divided by zero fails the run", (t) => {
  for (const op of [floorDiv, mod]) {
    for (const dtype of ["i64", "i32", "u8"] as const) {
      const failure = t.throws(() => elementsOf(op, [vector(dtype, 1), vector(dtype, 0)]), {
        instanceOf: ReferenceFailure,
      });
      t.is(failure?.code, "G089");
      t.is(failure?.node?.op, op.opName);
    }
  }
});

test("property: x = y * floor_div(x, y) + mod(x, y) for integers", (t) => {
  const number = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(
      number,
      number.filter((y) => y !== 0),
      (x, y) => {
        const [q] = elementsOf(floorDiv, [vector("i64", x), vector("i64", y)]) as readonly bigint[];
        const [r] = elementsOf(mod, [vector("i64", x), vector("i64", y)]) as readonly bigint[];
        t.is(BigInt(y) * (q as bigint) + (r as bigint), BigInt(x));
        t.true(
          y > 0 ? (r as bigint) >= 0n && (r as bigint) < BigInt(y) : (r as bigint) <= 0n && (r as bigint) > BigInt(y),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("pow is IEEE 754's, and wraps on integers", (t) => {
  const x = vector("f64", nan, 1, -1, -8, 0, 0, 2, -2);
  const y = vector("f64", 0, nan, infinity, 1 / 3, 0, -1, 0.5, 3);
  t.deepEqual(elementsOf(pow, [x, y]), [1, 1, 1, nan, 1, infinity, Math.SQRT2, -8]);
  t.deepEqual(elementsOf(pow, [vector("i32", 3, 2, -2, 2, 0, 1, -1, -1), vector("i32", 4, 31, 3, -1, 0, -5, -3, -2)]), [
    81,
    -(2 ** 31),
    -8,
    0,
    1,
    1,
    -1,
    1,
  ]);
  t.deepEqual(elementsOf(pow, [vector("i64", 3n, 2n, 7n), vector("i64", 39n, 64n, -1n)]), [
    4052555153018976267n,
    0n,
    0n,
  ]);
});

test("maximum and minimum give NaN for NaN; sign keeps NaN and the sign of zero", (t) => {
  const x = vector("f32", nan, 1, -3, infinity);
  const y = vector("f32", 1, nan, 2, 0);
  t.deepEqual(elementsOf(maximum, [x, y]), [nan, nan, 2, infinity]);
  t.deepEqual(elementsOf(minimum, [x, y]), [nan, nan, -3, 0]);
  t.deepEqual(elementsOf(sign, [vector("f32", nan, -0, 0, -2, infinity)]), [nan, -0, 0, -1, 1]);
});

test("NaN is unequal to everything", (t) => {
  t.deepEqual(elementsOf(eq, [vector("f64", nan, 0, 1), vector("f64", nan, -0, 2)]), [0, 1, 0]);
  t.deepEqual(elementsOf(ne, [vector("f64", nan, 0), vector("f64", nan, -0)]), [1, 0]);
  t.deepEqual(elementsOf(isFinite, [vector("f64", nan, infinity, -infinity, 0)]), [0, 0, 0, 1]);
});

test("logic on bools and on bits", (t) => {
  const bits = [vector("u8", 0b1100), vector("u8", 0b1010)];
  t.deepEqual(elementsOf(and, bits), [0b1000]);
  t.deepEqual(elementsOf(or, bits), [0b1110]);
  t.deepEqual(elementsOf(xor, bits), [0b0110]);
  t.deepEqual(elementsOf(not, [vector("u8", 0b1100)]), [0b11110011]);
  t.deepEqual(elementsOf(not, [vector("i64", 0n, -1n)]), [-1n, 0n]);
  t.deepEqual(elementsOf(not, [vector("bool", 0, 1)]), [1, 0]);
  t.deepEqual(elementsOf(and, [vector("i64", -1n), vector("i64", 2n ** 40n)]), [2n ** 40n]);
});

test("select takes no notice of the other side", (t) => {
  t.deepEqual(elementsOf(select, [vector("bool", 1, 0), vector("f32", 1, nan), vector("f32", nan, 2)]), [1, 2]);
});

test("float to integer truncates, saturates, and NaN gives 0", (t) => {
  const x = vector("f64", 2.9, -2.9, nan, infinity, -infinity, 1e10, 300.5, -0.5);
  t.deepEqual(elementsOf(cast, [x], { to: "i32" }), [2, -2, 0, 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, 300, 0]);
  t.deepEqual(elementsOf(cast, [x], { to: "u8" }), [2, 0, 0, 255, 0, 255, 255, 0]);
  t.deepEqual(elementsOf(cast, [x], { to: "i64" }), [
    2n,
    -2n,
    0n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    10_000_000_000n,
    300n,
    0n,
  ]);
  t.deepEqual(elementsOf(cast, [vector("f64", 0, -0, nan, 0.1)], { to: "bool" }), [0, 0, 1, 1]);
});

test("integer to integer wraps; integer to float rounds once", (t) => {
  t.deepEqual(elementsOf(cast, [vector("i32", 300, -1, 128)], { to: "i8" }), [44, -1, -128]);
  t.deepEqual(elementsOf(cast, [vector("i64", 2n ** 32n + 5n, -1n)], { to: "u8" }), [5, 255]);
  t.deepEqual(elementsOf(cast, [vector("i64", 2n ** 63n - 1n, 2n ** 53n + 1n)], { to: "f64" }), [2 ** 63, 2 ** 53]);
  // Between two f32: rounding to f64 first would make it a tie and go down.
  const [value] = elementsOf(cast, [vector("i64", 2n ** 60n + 2n ** 36n + 1n)], { to: "f32" });
  t.is(value, 2 ** 60 + 2 ** 37);
});

test("results are rounded to their dtype and subnormals become zeros of their sign", (t) => {
  t.deepEqual(elementsOf(add, [vector("f32", 1, 16_777_216), vector("f32", 1e-8, 1)]), [1, 16_777_216]);
  t.deepEqual(elementsOf(add, [vector("f16", 1, 65_504), vector("f16", 2 ** -12, 65_504)]), [1, infinity]);
  t.deepEqual(elementsOf(add, [vector("bf16", 256), vector("bf16", 1)]), [256]);
  t.deepEqual(elementsOf(mul, [vector("f32", 2 ** -100, -(2 ** -100)), vector("f32", 2 ** -40, 2 ** -40)]), [0, -0]);
  t.deepEqual(elementsOf(mul, [vector("f64", 2 ** -1000, 2 ** -500), vector("f64", 2 ** -40, 2 ** -500)]), [
    0,
    2 ** -1000,
  ]);
  t.deepEqual(elementsOf(abs, [vector("f32", 2 ** -140)]), [0]);
  t.deepEqual(elementsOf(abs, [vector("f16", 2 ** -20)]), [2 ** -20]);
});
