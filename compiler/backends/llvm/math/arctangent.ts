import type { Builder } from "../builder.js";
import type { Value } from "../value.js";
import { polynomial } from "./common.js";

/** (atan r - r) / r^3 on |r| <= 0.66, as a quotient in r^2, lowest power first (Cephes, atan.c). */
const top = [
  -64.85021904942025371773, -122.886668449013617341, -75.0085579231470466734, -16.15753718733365076637,
  -0.8750608600031904122785,
] as const;
const bottom = [
  194.5506571482613964425, 485.3903996359136964868, 432.8810604912902668951, 165.0270098316988542046,
  24.85846490142306297962, 1,
] as const;
/** What pi/2 and pi, rounded, lack. */
const halfPiRest = 6.123233995736766e-17;
const piRest = 1.2246467991473532e-16;

/** The angle of (x, y), from the quotient of the lesser by the greater; in f64 for either precision. */
export function atan2(b: Builder, y: Value, x: Value): Value {
  if (x.type.element === "f32") {
    return b.resizeFloat(atan2(b, b.resizeFloat(y, "f64"), b.resizeFloat(x, "f64")), "f32");
  }
  const constant = (value: number): Value => b.constant(x.type, value);
  const [height, width] = [b.abs(y), b.abs(x)];
  const steep = b.compare("gt", height, width);
  const greater = b.max(height, width);
  const lesser = b.min(height, width);
  const quotient = b.div(lesser, greater);
  // 0 / 0 is the direction of the x axis, inf / inf the diagonal; a NaN is neither.
  const diagonal = b.select(b.compare("eq", lesser, constant(Number.POSITIVE_INFINITY)), constant(1), quotient);
  const t = b.select(b.compare("eq", greater, constant(0)), constant(0), diagonal);
  const first = arctangent(b, t);
  const second = b.sub(constant(Math.PI / 2), b.sub(first, constant(halfPiRest)));
  const acute = b.select(steep, second, first);
  // A zero has a side too.
  const left = b.compare("lt", b.copySign(constant(1), x), constant(0));
  const angle = b.select(left, b.sub(constant(Math.PI), b.sub(acute, constant(piRest))), acute);
  return b.copySign(angle, y);
}

/** atan of a number from 0 to 1: above 0.66 as pi/4 + atan((t - 1) / (t + 1)). */
function arctangent(b: Builder, t: Value): Value {
  const constant = (value: number): Value => b.constant(t.type, value);
  const turned = b.compare("gt", t, constant(0.66));
  const r = b.select(turned, b.div(b.sub(t, constant(1)), b.add(t, constant(1))), t);
  const square = b.mul(r, r);
  const rest = b.mul(r, b.mul(square, b.div(polynomial(b, square, top), polynomial(b, square, bottom))));
  const near = b.add(r, rest);
  return b.select(turned, b.add(constant(Math.PI / 4), b.add(near, constant(halfPiRest / 2))), near);
}
