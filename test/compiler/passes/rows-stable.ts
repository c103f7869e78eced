import { abs, add, div, mul, neg, sub } from "../../../compiler/ops/arithmetic.js";
import { broadcastAlong, constantLike, onesLike, zerosLike } from "../../../compiler/ops/build.js";
import { gt, le, lt } from "../../../compiler/ops/comparison.js";
import { exp, expm1, log, log1p, sigmoid, tanh } from "../../../compiler/ops/exponential.js";
import { select } from "../../../compiler/ops/logic.js";
import { max, sum } from "../../../compiler/ops/reduction.js";
import { input } from "../ir/support.js";
import { close, declines, type Row } from "./rows.js";
import { type Filler, tame } from "./support.js";

const x = input("x", "f64", [5, 7]);
const one = onesLike(x);
const zero = zerosLike(x);
const negatives: Filler = (random) => -random() * 2 - 0.1;
const fractions: Filler = (random) => random() * 0.9;

const repeat = (value: Row["before"], axes: readonly number[]) => broadcastAlong(value, x.type.shape, axes);
const total = (value: Row["before"], axes: readonly number[]) => sum(exp(value), { axes });
const softmax = (value: Row["before"], axes: readonly number[]) => div(exp(value), repeat(total(value, axes), axes));
const shifted = (axes: readonly number[]) => sub(x, repeat(max(x, { axes }), axes));

export const stableRows: readonly Row[] = [
  close("log-softmax", log(softmax(x, [1])), tame),
  close("log-softmax", log(softmax(x, [0])), tame),
  close("log-softmax", log(softmax(x, [0, 1])), tame),
  close(
    "log-softmax",
    log(softmax(shifted([1]), [1])),
    tame,
    sub(shifted([1]), repeat(log(total(shifted([1]), [1])), [1])),
  ),
  declines("log-softmax", log(div(exp(x), exp(x)))),
  // Square, and the sum is of columns where it is used for rows.
  declines("log-softmax", log(div(exp(square()), broadcastAlong(sum(exp(square()), { axes: [0] }), [4, 4], [1])))),
  close("softmax", softmax(x, [1]), tame),
  close("softmax", softmax(x, [0, 1]), tame),
  declines("softmax", softmax(shifted([1]), [1])),
  close("logsumexp", log(total(x, [1])), tame),
  close("logsumexp", log(total(x, [0, 1])), tame),
  declines("logsumexp", log(total(shifted([1]), [1]))),

  close("log-sigmoid", log(sigmoid(x)), tame),
  close("log-one-minus-sigmoid", log(sub(one, sigmoid(x))), tame),
  close("log1p-neg-sigmoid", log1p(neg(sigmoid(x))), tame),
  close("sigmoid", div(one, add(one, exp(neg(x)))), tame, sigmoid(x)),
  close("sigmoid", div(one, add(exp(x), one)), tame, sigmoid(neg(x))),
  declines("sigmoid", div(constantLike(x, 2), add(one, exp(x)))),
  close("sigmoid-exp", div(exp(x), add(one, exp(x))), tame, sigmoid(x)),
  close("tanh", div(sub(exp(x), exp(neg(x))), add(exp(neg(x)), exp(x))), tame, tanh(x)),

  close("log-one-plus", log(add(one, x)), fractions, log1p(x)),
  close("log-one-plus", log(add(x, one)), fractions, log1p(x)),
  close("log-one-minus", log(sub(one, x)), fractions, log1p(neg(x))),
  close("log-one-minus", log(sub(one, neg(x))), fractions, log1p(x)),
  close("exp-minus-one", sub(exp(x), one), tame, expm1(x)),
  close("exp-plus-minus-one", add(exp(x), constantLike(x, -1)), tame, expm1(x)),
  close("one-minus-exp", sub(one, exp(x)), tame, neg(expm1(x))),
  close("softplus", log1p(exp(x)), tame),
  close("softplus", log1p(exp(mul(x, x))), negatives),
  declines("softplus", log1p(exp(neg(abs(x))))),
  declines("softplus", log1p(exp(select(gt(x, zero), neg(x), x)))),
  declines("softplus", log1p(exp(select(le(x, zero), x, neg(x))))),
  declines("softplus", log1p(exp(select(lt(zero, neg(x)), x, neg(x))))),
  // These are |x|, whose exponential overflows.
  close("softplus", log1p(exp(select(gt(x, zero), x, neg(x)))), tame),
  close("softplus", log1p(exp(select(lt(x, zero), neg(x), x))), tame),
  close("softplus", log1p(exp(select(gt(x, one), neg(x), x))), tame),
];

function square(): Row["before"] {
  return input("square", "f64", [4, 4]);
}
