import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { flushed, integerLike, polynomial } from "./common.js";

/** A quartic that takes a root of 5 bits to 23 (FreeBSD's msun, s_cbrt.c: |1/cbrt(x) - p(x)| < 2^-23.5). */
const coefficients = [
  1.87595182427177009643, -1.88497979543377169875, 1.62142972010535446614, -0.758397934778766047437,
  0.145996192886612446982,
] as const;
/** (1023 - 1023/3 - 0.03306235651) 2^20: what a third of the exponent lacks. */
const bias = 715094163n;

/** A third of the exponent, a quartic, and one step of Newton's; in f64 for either precision. */
export function cbrt(b: Builder, x: Value): Value {
  if (x.type.element === "f32") return b.resizeFloat(cbrt(b, b.resizeFloat(x, "f64")), "f32");
  const constant = (value: number): Value => b.constant(x.type, value);
  const whole = (value: number | bigint): Value => integerLike(b, x, value);
  const a = b.abs(x);
  const upper = b.shiftRight(b.bitsOf(a), whole(32));
  // A third of a number of 31 bits, by a product.
  const third = b.shiftRight(b.mul(upper, whole(1431655766)), whole(32));
  const guess = b.bitcast(b.shiftLeft(b.add(third, whole(bias)), whole(32)), "f64");
  const r = b.mul(b.mul(guess, guess), b.div(guess, a));
  const rough = b.mul(guess, polynomial(b, r, coefficients));
  // To 23 bits, so that its square is exact.
  const rounded = b.and(b.add(b.bitsOf(rough), whole(0x80000000)), whole(-0x40000000));
  const t = b.bitcast(rounded, "f64");
  const s = b.div(a, b.mul(t, t));
  const root = b.add(t, b.mul(t, b.div(b.sub(s, t), b.add(b.add(t, t), s))));
  const ordinary = b.and(b.compare("lt", a, constant(Number.POSITIVE_INFINITY)), b.compare("gt", a, constant(0)));
  return b.select(ordinary, b.copySign(root, x), flushed(b, x));
}
