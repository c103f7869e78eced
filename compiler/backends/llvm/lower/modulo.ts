import type { Builder } from "../builder.js";
import { twoProduct } from "../math/common.js";
import { intrinsicSuffix } from "../types.js";
import type { Value } from "../value.js";

/**
 * x mod y of floats, with the sign of y (Python's `%`): the exact remainder, as C's fmod has it, plus y where the signs differ.
 * By zero, of an infinity and of NaN it is NaN; x mod an infinity is x, or that infinity where the signs differ.
 */
export function emitFloatModulo(b: Builder, x: Value, y: Value): Value {
  const signature = {
    name: `float.modulo.${intrinsicSuffix(x.type)}`,
    parameters: [{ type: x.type }, { type: x.type }],
    result: x.type,
    linkage: "internal",
    inline: "always",
  } as const;
  const callee = b.module.defineOnce(signature, (body, [dividend, divisor]) => {
    if (dividend !== undefined && divisor !== undefined) body.return(modulo(body, dividend, divisor));
  });
  return b.callValue(callee, [x, y]);
}

function modulo(b: Builder, x: Value, y: Value): Value {
  const zero = b.constant(x.type, 0);
  const size = b.abs(y);
  const [found] = b.loopWhile(
    [x],
    ([rest]) => b.anyLane(b.compare("ge", b.abs(rest ?? x), size)),
    ([rest]) => [reduceOnce(b, rest ?? x, y)],
  );
  const rest = found ?? x;
  const nonzero = b.compare("ne", rest, zero);
  const differ = b.xor(b.compare("lt", rest, zero), b.compare("lt", y, zero));
  const floored = b.select(b.and(nonzero, differ), b.add(rest, y), rest);
  // A zero takes the sign of y as well; a NaN of y is not yet in the result where x is finite.
  return b.select(b.isNaN(y), y, b.copySign(b.abs(floored), y));
}

/**
 * rest - q y for the quotient as it is rounded and truncated, without an error: at most one place of q is wrong, so that the
 * difference has no more bits than y. What is left may have either sign. Most remainders are complete after the first time;
 * each removes all the bits that q has. (A quotient too large for a float is reached in steps of a multiple of y.)
 */
function reduceOnce(b: Builder, rest: Value, y: Value): Value {
  const infinity = b.constant(y.type, Number.POSITIVE_INFINITY);
  const plain = b.div(rest, y);
  const isTooLarge = b.compare("eq", b.abs(plain), infinity);
  const raised = b.mul(y, b.constant(y.type, y.type.element === "f32" ? 2 ** 127 : 2 ** 1023));
  const divisor = b.select(isTooLarge, raised, y);
  const quotient = b.truncate(b.select(isTooLarge, b.div(rest, raised), plain));
  const next = b.target.fma ? b.fma(b.neg(quotient), divisor, rest) : difference(b, rest, quotient, divisor);
  // Lanes that are done keep what they have: with an infinite y the product would be NaN.
  return b.select(b.compare("lt", b.abs(rest), b.abs(y)), rest, next);
}

/** rest - q y rounded once, where no instruction does that: in f64 for f32, by an exact product for f64. */
function difference(b: Builder, rest: Value, quotient: Value, divisor: Value): Value {
  if (rest.type.element === "f32") {
    const [r, q, d] = [rest, quotient, divisor].map((value) => b.resizeFloat(value, "f64")) as [Value, Value, Value];
    return b.resizeFloat(b.sub(r, b.mul(q, d)), "f32");
  }
  // Powers of two keep the halves of the factors, and the product, within range.
  const constant = (value: number): Value => b.constant(rest.type, value);
  const beyond = (value: Value, exponent: number): Value => b.compare("gt", b.abs(value), constant(2 ** exponent));
  const choose = (condition: Value, yes: number, no: Value): Value => b.select(condition, constant(yes), no);
  const [largeQuotient, largeDivisor, large] = [beyond(quotient, 500), beyond(divisor, 500), beyond(rest, 1000)];
  const down = choose(large, 2 ** -8, constant(1));
  const forQuotient = choose(largeQuotient, 2 ** -500, choose(largeDivisor, 2 ** 500, constant(1)));
  const forDivisor = choose(largeQuotient, 2 ** 500, choose(largeDivisor, 2 ** -500, constant(1)));
  const product = twoProduct(b, b.mul(b.mul(quotient, forQuotient), down), b.mul(divisor, forDivisor));
  const left = b.sub(b.sub(b.mul(rest, down), product.high), product.low);
  return b.mul(left, choose(large, 2 ** 8, constant(1)));
}

/**
 * The floor of the exact x / y (Python's `//`): a rounded quotient that is whole may lie above it, which the exact remainder
 * tells. By zero it is an infinity or NaN, as the quotient.
 */
export function emitFloatFloorDivision(b: Builder, x: Value, y: Value): Value {
  const ratio = b.div(x, y);
  const whole = b.floor(ratio);
  const rest = b.abs(emitFloatModulo(b, x, y));
  const size = b.abs(y);
  // Of a finite number by an infinity of the other sign the remainder is that infinity, and the quotient -1.
  const isNearNext = b.or(b.compare("le", b.sub(size, rest), rest), b.compare("eq", rest, size));
  const isAbove = b.and(b.compare("eq", whole, ratio), isNearNext);
  return b.select(isAbove, b.sub(whole, b.constant(x.type, 1)), whole);
}
