import { InternalError } from "../../../ir/diagnostic.js";
import type { Builder } from "../builder.js";
import type { FunctionSignature } from "../prelude.js";
import { intrinsicSuffix, isFloatElement } from "../types.js";
import { requireSame, type Value } from "../value.js";
import { atan2 } from "./arctangent.js";
import { cbrt } from "./cube-root.js";
import { erf, erfc } from "./error-function.js";
import { exp, expm1, sigmoid, tanh } from "./exponential.js";
import { log, log1p } from "./logarithm.js";
import { pow } from "./power.js";
import { cos, sin } from "./trigonometry.js";

/**
 * Elementary functions for f32 and f64 of any number of lanes, within 2 units in the last place over the whole range (erfc: 8 in f64). NaN
 * and infinities are right, zeros keep their sign, subnormal operands count as zeros and subnormal results become zeros
 * (the caller has switched the processor so, see `withFlushToZero`).
 */
const functions = {
  exp: (b: Builder, x: Value): Value => exp(b, x),
  expm1: (b: Builder, x: Value): Value => expm1(b, x),
  log: (b: Builder, x: Value): Value => log(b, x),
  log1p: (b: Builder, x: Value): Value => log1p(b, x),
  sin: (b: Builder, x: Value): Value => sin(b, x),
  cos: (b: Builder, x: Value): Value => cos(b, x),
  tanh: (b: Builder, x: Value): Value => tanh(b, x),
  sigmoid: (b: Builder, x: Value): Value => sigmoid(b, x),
  erf: (b: Builder, x: Value): Value => erf(b, x),
  erfc: (b: Builder, x: Value): Value => erfc(b, x),
  cbrt: (b: Builder, x: Value): Value => cbrt(b, x),
  sqrt: (b: Builder, x: Value): Value => b.sqrt(x),
  rsqrt: (b: Builder, x: Value): Value => b.div(b.constant(x.type, 1), b.sqrt(x)),
  pow: (b: Builder, x: Value, y: Value): Value => pow(b, x, y),
  atan2: (b: Builder, y: Value, x: Value): Value => atan2(b, y, x),
} as const;

export type MathName = keyof typeof functions;

/** Calls the function of a name, which is added to the module (and always inlined) on its first use for a type. */
export function emitMath(b: Builder, name: MathName, operands: readonly Value[]): Value {
  const [x, y] = operands;
  const arity = name === "pow" || name === "atan2" ? 2 : 1;
  if (x === undefined || operands.length !== arity) throw new InternalError(`${name} takes ${arity} operands`);
  if (!isFloatElement(x.type.element)) throw new InternalError(`${name} of ${x.type.text}`);
  if (y !== undefined) requireSame(name, x, y);
  const signature: FunctionSignature = {
    name: `math.${name}.${intrinsicSuffix(x.type)}`,
    parameters: operands.map(({ type }) => ({ type })),
    result: x.type,
    linkage: "internal",
    inline: "always",
  };
  const callee = b.module.defineOnce(signature, (body, [first, second]) => {
    if (first === undefined) throw new InternalError(`${name} lost its operand`);
    body.return(functions[name](body, first, second ?? first));
  });
  return b.callValue(callee, operands);
}
