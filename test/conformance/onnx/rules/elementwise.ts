/** Arithmetic, comparisons, logic and activations. */
import { isFloat } from "../../../../compiler/ir/dtype.js";
import { Unsupported } from "../format.js";
import { list, type Rule, type Rules, type View } from "../view.js";

const call =
  (name: string): Rule =>
  (n) =>
    `${name}(${n.in(0)})`;

const operator =
  (sign: string): Rule =>
  (n) =>
    `${n.in(0)} ${sign} ${n.in(1)}`;

/** Folds two or more operands from the left; one alone is the result. */
const variadic =
  (join: (left: string, right: string) => string): Rule =>
  (n) =>
    n.all().reduce(join);

/** `min` is applied first, so that a `min` above `max` gives `max`. */
function clip(n: View): string {
  const low = n.has(1) ? `maximum(${n.in(0)}, ${n.in(1)})` : n.in(0);
  return n.has(2) ? `minimum(${low}, ${n.in(2)})` : low;
}

function modulo(n: View): string {
  const [x, y] = [n.in(0), n.in(1)];
  if (!n.flag("fmod")) return `${x} % ${y}`;
  return isFloat(n.dtype()) ? `fmod(${x}, ${y})` : `truncated_remainder(${x}, ${y})`;
}

/** The result has the dtype of the base. */
function power(n: View): string {
  const [base, exponent] = [n.dtype(0), n.dtype(1)];
  if (base === exponent) return `${n.in(0)} ** ${n.in(1)}`;
  const wide = isFloat(base) || isFloat(exponent) ? "f64" : "i64";
  return `cast(cast(${n.in(0)}, to=${wide}) ** cast(${n.in(1)}, to=${wide}), to=${base})`;
}

function infinite(n: View): string {
  const [low, high] = [n.flag("detect_negative", 1), n.flag("detect_positive", 1)];
  if (low && high) return `is_inf(${n.in(0)})`;
  return `is_inf(${n.in(0)}) and ${low || high ? `${n.in(0)} ${low ? "<" : ">"} 0` : "false"}`;
}

function dropout(n: View): readonly string[] {
  const training = n.has(2) && n.numbers(2)[0] === 1;
  const ratio = n.has(1) ? n.value(1).constant : undefined;
  if (training && !(ratio?.data.every((x) => Number(x) === 0) ?? false)) throw new Unsupported("its result is random");
  return [n.in(0), `full(${list(n.shape())}, true, dtype=bool)`];
}

export const elementwise: Rules = {
  Abs: call("abs"),
  Acos: call("acos"),
  Acosh: call("acosh"),
  Asin: call("asin"),
  Asinh: call("asinh"),
  Atan: call("atan"),
  Atanh: call("atanh"),
  Ceil: call("ceil"),
  Cos: call("cos"),
  Cosh: call("cosh"),
  Erf: call("erf"),
  Exp: call("exp"),
  Floor: call("floor"),
  IsNaN: call("is_nan"),
  Log: call("log"),
  Mish: call("mish"),
  Reciprocal: call("reciprocal"),
  Relu: call("relu"),
  Round: call("round"),
  Sigmoid: call("sigmoid"),
  Sign: call("sign"),
  Sin: call("sin"),
  Sinh: call("sinh"),
  Softplus: call("softplus"),
  Softsign: call("softsign"),
  Sqrt: call("sqrt"),
  Tan: call("tan"),
  Tanh: call("tanh"),
  HardSwish: call("hard_swish"),
  Identity: (n) => n.in(0),
  Neg: (n) => `-${n.in(0)}`,
  Not: (n) => `not ${n.in(0)}`,
  IsInf: infinite,

  Add: operator("+"),
  Sub: operator("-"),
  Mul: operator("*"),
  Div: (n) => (isFloat(n.dtype()) ? `${n.in(0)} / ${n.in(1)}` : `truncated_quotient(${n.in(0)}, ${n.in(1)})`),
  Mod: modulo,
  Pow: power,
  And: operator("and"),
  Or: operator("or"),
  Xor: (n) => `xor(${n.in(0)}, ${n.in(1)})`,
  Equal: operator("=="),
  Greater: operator(">"),
  GreaterOrEqual: operator(">="),
  Less: operator("<"),
  LessOrEqual: operator("<="),
  Where: (n) => `select(${n.in(0)}, ${n.in(1)}, ${n.in(2)})`,

  Max: variadic((x, y) => `maximum(${x}, ${y})`),
  Min: variadic((x, y) => `minimum(${x}, ${y})`),
  Sum: variadic((x, y) => `${x} + ${y}`),
  Mean: (n) => `(${n.all().join(" + ")}) / ${n.count}`,
  Clip: clip,

  Cast: (n) => `cast(${n.in(0)}, to=${n.dtypeAttribute("to")})`,
  CastLike: (n) => `cast(${n.in(0)}, to=${n.dtype(1)})`,

  Celu: (n) => `celu(${n.in(0)}, ${n.real("alpha", 1)})`,
  Elu: (n) => `elu(${n.in(0)}, alpha=${n.real("alpha", 1)})`,
  Gelu: (n) => `${n.text("approximate", "none") === "tanh" ? "gelu_tanh" : "gelu"}(${n.in(0)})`,
  HardSigmoid: (n) => `clamp(${n.real("alpha", 0.2)} * ${n.in(0)} + ${n.real("beta", 0.5)}, 0, 1)`,
  LeakyRelu: (n) => `leaky_relu(${n.in(0)}, slope=${n.real("alpha", 0.01)})`,
  PRelu: (n) => `select(${n.in(0)} < 0, ${n.in(1)} * ${n.in(0)}, ${n.in(0)})`,
  Selu: (n) => `scaled_elu(${n.in(0)}, ${n.real("alpha", 1.6732632423543772)}, ${n.real("gamma", 1.0507009873554805)})`,
  Shrink: (n) => `shrink(${n.in(0)}, ${n.real("bias", 0)}, ${n.real("lambd", 0.5)})`,
  Swish: (n) => `swish(${n.in(0)}, beta=${n.real("alpha", 1)})`,
  SwiGLU: (n) => `swish(${n.in(0)}, beta=${n.real("alpha", 1)}) * ${n.in(1)}`,
  ThresholdedRelu: (n) => `select(${n.in(0)} > ${n.real("alpha", 1)}, ${n.in(0)}, 0)`,
  Dropout: dropout,
};
