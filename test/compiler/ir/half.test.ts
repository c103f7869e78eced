import test from "ava";
import fc from "fast-check";
import {
  decodeBF16,
  decodeF16,
  encodeBF16,
  encodeF16,
  halvesToFloat32,
  numbersToHalves,
} from "../../../compiler/ir/half.js";

/** The value of a half by the definition of its format, written apart from the code under test. */
function byDefinition(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const text = bits.toString(2).padStart(16, "0");
  const sign = text.startsWith("1") ? -1 : 1;
  const exponent = Number.parseInt(text.slice(1, 1 + exponentBits), 2);
  const fraction = Number.parseInt(text.slice(1 + exponentBits), 2) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 * bias + 1) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const formats = [
  { name: "f16", exponentBits: 5, decode: decodeF16, encode: encodeF16, infinity: 0x7c00, quietNaN: 0x7e00 },
  { name: "bf16", exponentBits: 8, decode: decodeBF16, encode: encodeBF16, infinity: 0x7f80, quietNaN: 0x7fc0 },
] as const;

for (const { name, exponentBits, decode, encode, infinity, quietNaN } of formats) {
  test(`${name}: every one of the 65,536 patterns decodes by definition and encodes back`, (t) => {
    for (let bits = 0; bits <= 0xffff; bits++) {
      const value = decode(bits);
      if (!Object.is(value, byDefinition(bits, exponentBits))) {
        t.fail(`${bits.toString(16)} decodes to ${value}`);
      }
      const back = encode(value);
      if (back !== (Number.isNaN(value) ? quietNaN : bits)) {
        t.fail(`${bits.toString(16)} comes back as ${back.toString(16)}`);
      }
    }
    t.pass();
  });

  test(`${name}: between each two neighbours, the nearer is taken, and the even one in the middle`, (t) => {
    for (let bits = 0; bits < infinity; bits++) {
      const low = decode(bits);
      // The neighbour of the largest finite value, had the format one more exponent.
      const high = bits + 1 === infinity ? 2 * decode(bits) - decode(bits - 1) : decode(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const cases = [
        [middle, even],
        [middle * (1 - 2 ** -50), bits],
        [middle * (1 + 2 ** -50), bits + 1],
        [-middle, even | 0x8000],
      ] as const;
      for (const [value, expected] of cases) {
        if (encode(value) !== expected) {
          t.fail(`${value} encodes to ${encode(value).toString(16)}, expected ${expected.toString(16)}`);
        }
      }
    }
    t.pass();
  });

  test(`${name}: rounding is monotonic and symmetric for any number`, (t) => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        const [low, high] = a <= b ? [a, b] : [b, a];
        return decode(encode(low)) <= decode(encode(high)) && (encode(-a) ^ 0x8000) === encode(a);
      }),
    );
    t.pass();
  });
}

test("known values", (t) => {
  t.is(encodeF16(1), 0x3c00);
  t.is(encodeF16(65504), 0x7bff);
  t.is(encodeF16(65519.99), 0x7bff);
  t.is(encodeF16(65520), 0x7c00);
  t.is(encodeF16(5e-324), 0);
  t.is(encodeF16(-5e-324), 0x8000);
  t.is(encodeF16(1 / 3), 0x3555);
  t.is(encodeBF16(Math.PI), 0x4049);
  t.is(encodeBF16(Number.MAX_VALUE), 0x7f80);
  // f64 -> f32 -> f16 would round twice: to 1 + 2^-11 exactly, then down to 1.
  t.is(encodeF16(1 + 2 ** -11 + 2 ** -40), 0x3c01);
});

test("whole arrays convert both ways", (t) => {
  const values = Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, 2 ** -24, 3);
  for (const dtype of ["f16", "bf16"] as const) {
    t.deepEqual(halvesToFloat32(dtype, numbersToHalves(dtype, values)), values);
  }
});
