import { mul, neg } from "../../../compiler/ops/arithmetic.js";
import { constantLike, fill } from "../../../compiler/ops/build.js";
import { eq, ge, gt, le, lt, ne } from "../../../compiler/ops/comparison.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { and, not, or, select, xor } from "../../../compiler/ops/logic.js";
import { input } from "../ir/support.js";
import { declines, exact, type Row } from "./rows.js";

const x = input("x", "f32", [40]);
const y = input("y", "f32", [40]);
const z = input("z", "f32", [40]);
const n = input("n", "i32", [40]);
const m = input("m", "i32", [40]);
const p = input("p", "bool", [40]);
const q = input("q", "bool", [40]);
const yes = constantLike(p, 1);
const no = constantLike(p, 0);
const zero = constantLike(n, 0);
const chosen = select(p, constantLike(x, 0.25), constantLike(x, -0));
const bool = { dtype: "bool", shape: [40] } as const;

export const logicRows: readonly Row[] = [
  exact("select-constant", select(yes, x, y), x),
  exact("select-constant", select(no, x, y), y),
  exact("select-same", select(p, x, x), x),
  exact("select-not", select(not(p), x, y), select(p, y, x)),
  exact("select-select-left", select(p, select(p, x, z), y), select(p, x, y)),
  declines("select-select-left", select(p, select(q, x, z), y)),
  exact("select-select-right", select(p, x, select(p, z, y)), select(p, x, y)),
  exact("select-true-false", select(p, yes, no), p),
  declines("select-true-false", select(p, constantLike(x, 1), constantLike(x, 0))),
  exact("select-false-true", select(p, no, yes), not(p)),

  exact("elementwise-of-constant-select", neg(chosen)),
  exact("elementwise-of-constant-select", mul(constantLike(x, 3), chosen)),
  exact("elementwise-of-constant-select", cast(select(p, yes, no), { to: "f32" })),
  exact("elementwise-of-constant-select", cast(chosen, { to: "i32" })),
  declines("elementwise-of-constant-select", neg(select(p, x, constantLike(x, 1)))),
  declines("elementwise-of-constant-select", mul(chosen, x)),

  exact("not-not", not(not(p)), p),
  exact("not-not", not(not(n)), n),
  exact("not-eq", not(eq(x, y)), ne(x, y)),
  exact("not-ne", not(ne(x, y)), eq(x, y)),
  exact("not-lt", not(lt(n, m)), ge(n, m)),
  declines("not-lt", not(lt(x, y))),
  exact("not-ge", not(ge(n, m)), lt(n, m)),
  exact("not-gt", not(gt(n, m)), le(n, m)),
  exact("not-le", not(le(n, m)), gt(n, m)),
  declines("not-le", not(le(x, y))),

  exact("and-self", and(p, p), p),
  exact("and-self", and(n, n), n),
  exact("or-self", or(p, p), p),
  exact("xor-self", xor(n, n), zero),
  exact("xor-self", xor(p, p), no),
  exact("and-true", and(p, yes), p),
  declines("and-true", and(n, constantLike(n, 1))),
  exact("or-true", or(yes, p), yes),
  declines("or-true", or(n, constantLike(n, 1))),
  exact("xor-true", xor(p, yes), not(p)),
  declines("xor-true", xor(n, constantLike(n, 1))),
  exact("and-zero", and(n, zero), zero),
  exact("and-zero", and(no, p), no),
  exact("or-zero", or(n, zero), n),
  exact("xor-zero", xor(p, no), p),

  exact("eq-self", eq(n, n), fill(bool, 1)),
  declines("eq-self", eq(x, x)),
  exact("le-self", le(n, n), fill(bool, 1)),
  exact("ge-self", ge(n, n), fill(bool, 1)),
  exact("ne-self", ne(n, n), fill(bool, 0)),
  declines("ne-self", ne(x, x)),
  exact("lt-self", lt(n, n), fill(bool, 0)),
  exact("gt-self", gt(n, n), fill(bool, 0)),
];
