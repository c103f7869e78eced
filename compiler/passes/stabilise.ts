/**
 * Numerically safe forms. Each rule replaces an expression by one that is equal for real numbers and does not overflow, cancel or
 * underflow on the way. They run before gradients are expanded, so that gradients are made of the safe forms, and again after.
 */
import type { Value } from "../ir/node.js";
import { shapeEquals } from "../ir/type.js";
import { abs, add, div, neg, sub } from "../ops/arithmetic.js";
import { broadcastAlong, zerosLike } from "../ops/build.js";
import { ge, gt, isFinite as isFiniteOp, le, lt } from "../ops/comparison.js";
import { exp, expm1, log, log1p, sigmoid, tanh } from "../ops/exponential.js";
import { select } from "../ops/logic.js";
import { stopGradient } from "../ops/pseudo.js";
import { max, sum } from "../ops/reduction.js";
import { broadcastInDim } from "../ops/views.js";
import { as, either, is, number, some } from "./pattern.js";
import { type Pass, type Rule, rule, rules } from "./rule.js";
import { inputOf, intsOf, otherAxes, splatOf } from "./values.js";

const x = some("x");
const one = number(1);

/** `hold` marks the shift, which cancels out of the result: its gradient is 0 and is not worth computing. */
export function stableRules(hold: (shift: Value) => Value): readonly Rule[] {
  /** x minus its largest element along the axes: at most 0, so that its exponential never overflows. */
  const shifted = (value: Value, axes: readonly number[]): Value => {
    const largest = hold(max(value, { axes }));
    return sub(value, broadcastAlong(largest, value.type.shape, axes));
  };
  const total = (shift: Value, axes: readonly number[]): Value => sum(exp(shift), { axes });
  return [
    // log(e^x / sum e^x) = x - log(sum e^x): the quotient may underflow, its logarithm need not.
    rule(
      "log-softmax",
      is(log, is(div, is(exp, x), as("repeated", is(broadcastInDim, as("total", is(sum, is(exp, x))))))),
      (b) => {
        const axes = intsOf(b.total, "axes");
        const shift = isShifted(b.x) ? b.x : shifted(b.x, axes);
        return sub(shift, broadcastAlong(log(total(shift, axes)), b.x.type.shape, axes));
      },
      repeatsReduced,
    ),
    // e^x / sum e^x = e^(x - m) / sum e^(x - m).
    rule(
      "softmax",
      is(div, is(exp, x), as("repeated", is(broadcastInDim, as("total", is(sum, is(exp, x)))))),
      (b) => {
        const axes = intsOf(b.total, "axes");
        const shift = shifted(b.x, axes);
        return div(exp(shift), broadcastAlong(total(shift, axes), b.x.type.shape, axes));
      },
      (b) => repeatsReduced(b) && !isShifted(b.x),
    ),
    // log(sum e^x) = m + log(sum e^(x - m)), with m = 0 where the largest element is infinite: inf - inf would be NaN.
    rule(
      "logsumexp",
      is(log, as("total", is(sum, is(exp, x)))),
      (b) => {
        const axes = intsOf(b.total, "axes");
        const largest = max(b.x, { axes });
        const shift = hold(select(isFiniteOp(largest), largest, zerosLike(largest)));
        const rest = sub(b.x, broadcastAlong(shift, b.x.type.shape, axes));
        return add(log(total(rest, axes)), shift);
      },
      (b) => !isShifted(b.x) && intsOf(b.total, "axes").length > 0,
    ),
    ...sigmoids,
    ...smallDifferences,
  ];
}

/** Whether x has had a maximum subtracted already. */
function isShifted(value: Value): boolean {
  if (value.node.op !== sub.opName) return false;
  let shift = inputOf(value, 1);
  while (shiftWrappers.has(shift.node.op)) shift = inputOf(shift, shift.node.op === select.opName ? 1 : 0);
  return shift.node.op === max.opName;
}

const shiftWrappers: ReadonlySet<string> = new Set([
  "broadcast_in_dim",
  "reshape",
  "transpose",
  "stop_gradient",
  "select",
]);

/** Whether a reduced tensor is repeated exactly along the axes that it lost. */
function repeatsReduced({
  x: operand,
  repeated,
  total,
}: {
  readonly x: Value;
  readonly repeated: Value;
  readonly total: Value;
}): boolean {
  const kept = otherAxes(operand.type.shape.length, intsOf(total, "axes"));
  const axes = intsOf(repeated, "axes");
  return (
    axes.length === kept.length &&
    axes.every((axis, i) => axis === kept[i]) &&
    shapeEquals(repeated.type.shape, operand.type.shape)
  );
}

/** log(1 / (1 + e^-x)) = min(x, 0) - log1p(e^-|x|). */
function logSigmoid(value: Value): Value {
  const zero = zerosLike(value);
  const negative = lt(value, zero);
  return sub(select(negative, value, zero), log1p(exp(select(negative, value, neg(value)))));
}

/**
 * log(1 + e^x) = max(x, 0) + log1p(e^-|x|). Both parts take the same side at 0, so that derivatives of every order are those of the
 * smooth function there; max and abs have a kink, whose second derivative would be 0 instead of 1/4.
 */
function softplus(value: Value): Value {
  const zero = zerosLike(value);
  const positive = gt(value, zero);
  return add(select(positive, value, zero), log1p(exp(select(positive, neg(value), value))));
}

function negative(value: Value): Value {
  return value.node.op === neg.opName ? inputOf(value) : neg(value);
}

const sigmoids: readonly Rule[] = [
  rule("log-sigmoid", is(log, is(sigmoid, x)), (b) => logSigmoid(b.x)),
  // 1 - sigmoid(x) = sigmoid(-x), which is 0 to working precision where its logarithm is -x.
  rule("log-one-minus-sigmoid", is(log, is(sub, one, is(sigmoid, x))), (b) => logSigmoid(negative(b.x))),
  rule("log1p-neg-sigmoid", is(log1p, is(neg, is(sigmoid, x))), (b) => logSigmoid(negative(b.x))),
  // 1 / (1 + e^z) = sigmoid(-z).
  rule("sigmoid", is(div, one, either(add, one, is(exp, x))), (b) => sigmoid(negative(b.x))),
  // e^x / (1 + e^x), which is inf / inf for large x.
  rule("sigmoid-exp", is(div, is(exp, x), either(add, one, is(exp, x))), (b) => sigmoid(b.x)),
  rule("tanh", is(div, is(sub, is(exp, x), is(exp, is(neg, x))), either(add, is(exp, x), is(exp, is(neg, x)))), (b) =>
    tanh(b.x),
  ),
];

const smallDifferences: readonly Rule[] = [
  rule("log-one-plus", is(log, either(add, x, one)), (b) => log1p(b.x)),
  rule("log-one-minus", is(log, is(sub, one, x)), (b) => log1p(negative(b.x))),
  rule("exp-minus-one", is(sub, is(exp, x), one), (b) => expm1(b.x)),
  rule("exp-plus-minus-one", either(add, is(exp, x), number(-1)), (b) => expm1(b.x)),
  rule("one-minus-exp", is(sub, one, is(exp, x)), (b) => neg(expm1(b.x))),
  // log(1 + e^x) = max(x, 0) + log1p(e^-|x|): e^x overflows where the result is x.
  rule(
    "softplus",
    is(log1p, is(exp, x)),
    (b) => softplus(b.x),
    (b) => !isNegativeMagnitude(b.x),
  ),
];

/** Whether an edge is -|x|, also as a choice between x and -x. */
function isNegativeMagnitude(value: Value): boolean {
  if (value.node.op === neg.opName) return inputOf(value).node.op === abs.opName;
  if (value.node.op !== select.opName) return false;
  const condition = inputOf(value);
  const compared = comparedWithZero(condition);
  if (compared === undefined) return false;
  const [whenPositive, otherwise] = compared.positive
    ? [inputOf(value, 1), inputOf(value, 2)]
    : [inputOf(value, 2), inputOf(value, 1)];
  return otherwise === compared.value && isNegationOf(whenPositive, otherwise);
}

/** What a comparison tells the sign of, and whether it holds for positive numbers or for negative ones. */
function comparedWithZero(condition: Value): { readonly value: Value; readonly positive: boolean } | undefined {
  const { op } = condition.node;
  const greater = op === gt.opName || op === ge.opName;
  if (!greater && op !== lt.opName && op !== le.opName) return undefined;
  const [left, right] = [inputOf(condition, 0), inputOf(condition, 1)];
  if (splatOf(right) === 0) return { value: left, positive: greater };
  return splatOf(left) === 0 ? { value: right, positive: !greater } : undefined;
}

function isNegationOf(a: Value, b: Value): boolean {
  return (a.node.op === neg.opName && inputOf(a) === b) || (b.node.op === neg.opName && inputOf(b) === a);
}

const doc =
  "Safe forms of softmax, log-softmax, logsumexp, sigmoid and its logarithm, softplus, and of differences that cancel.";

export const stabilise: Pass = rules(
  "stabilise",
  doc,
  stableRules((shift) => shift),
);

/** The same before gradients are expanded. */
export const stabiliseForward: Pass = rules(
  "stabilise_forward",
  doc,
  stableRules((shift) => stopGradient(shift)),
);
