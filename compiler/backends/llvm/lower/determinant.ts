import { InternalError } from "../../../ir/diagnostic.js";
import { emitMath } from "../math/emit.js";
import type { Value } from "../value.js";
import { eliminate } from "./factorise.js";
import type { Matrix, RoutineScope } from "./routine_scope.js";
import { must } from "./rows.js";

/** The determinant: the product of the pivots, with the sign of the exchanges. */
export function emitDet(scope: RoutineScope): void {
  const { b } = scope;
  const [determinant] = scope.results;
  if (determinant === undefined) throw new InternalError("det");
  const { n, sign, lu } = factors(scope);
  const [product] = b.loop(0, n, 1, (i, [so]) => [b.mul(must(so), lu.get(i, n, i))], [sign]);
  determinant.set(b.index(0), 0, b.index(0), must(product));
}

/** The determinant's sign, and the logarithm of its magnitude as the sum of those of the pivots. */
export function emitSlogdet(scope: RoutineScope): void {
  const { b } = scope;
  const [signed, logarithm] = scope.results;
  if (signed === undefined || logarithm === undefined) throw new InternalError("slogdet");
  const { n, sign, lu } = factors(scope);
  const [side, sum] = b.loop(
    0,
    n,
    1,
    (i, [so, total]) => {
      const pivot = lu.get(i, n, i);
      const one = b.copySign(lu.number(1), pivot);
      // A NaN is its own sign.
      const factor = b.select(
        b.compare("eq", b.abs(pivot), lu.number(0)),
        lu.number(0),
        b.select(b.isNaN(pivot), pivot, one),
      );
      return [b.mul(must(so), factor), b.add(must(total), emitMath(b, "log", [b.abs(pivot)]))];
    },
    [sign, lu.number(0)],
  );
  signed.set(b.index(0), 0, b.index(0), must(side));
  logarithm.set(b.index(0), 0, b.index(0), must(sum));
}

function factors(scope: RoutineScope): { readonly n: number; readonly sign: Value; readonly lu: Matrix } {
  const { size, scratch: lu } = scope;
  const [a] = scope.operands;
  if (a === undefined) throw new InternalError("a determinant of nothing");
  const n = size("rows");
  lu.copyFrom(a, n * n);
  return { n, lu, sign: eliminate(scope, lu, n, undefined) };
}
