import test from "ava";
import fc from "fast-check";
import type { Session } from "../../index.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

type Matrix = readonly (readonly number[])[];

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] ?? 0), 0)));
const transposed = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));

/** Integers in -3 to 3, [rows, columns]: their products are exact, so that a product of thin matrices has their rank exactly. */
const integers = (rows: number, columns: number): fc.Arbitrary<Matrix> =>
  fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });

/** The rank by elimination in whole numbers (Bareiss, 1968). */
function exactRank(a: Matrix): number {
  const rows = a.map((row) => row.map(BigInt));
  let rank = 0;
  for (let column = 0; column < (a[0]?.length ?? 0); column++) {
    const at = rows.findIndex((row, i) => i >= rank && row[column] !== 0n);
    if (at < 0) continue;
    const pivot = rows[at] ?? [];
    rows.splice(at, 1);
    rows.splice(rank, 0, pivot);
    for (let i = rank + 1; i < rows.length; i++) {
      const factor = rows[i]?.[column] ?? 0n;
      rows[i] = (rows[i] ?? []).map((x, j) => x * (pivot[column] ?? 0n) - factor * (pivot[j] ?? 0n));
    }
    rank++;
  }
  return rank;
}

const shapes = [
  [4, 3, 2],
  [3, 4, 2],
  [3, 3, 3],
  [5, 2, 2],
] as const;

for (const target of targets) {
  for (const [m, n, inner] of shapes) {
    test(`${target}: Moore and Penrose's four conditions, ranks, and least norms for products [${m}, ${inner}] @ [${inner}, ${n}]`, async (t) => {
      const text = `graph g {
  placeholder a: f64[${m}, ${n}]
  placeholder b: f64[${m}, 1]
  p = pinv(a)
  p32 = pinv(cast(a, to=f32))
  rank = matrix_rank(a)
  x = lstsq(a, b)
  wide = lstsq(reshape(concatenate([a, a * 2]), [2, ${m}, ${n}]), reshape(concatenate([b, b]), [2, ${m}, 1]))
}
`;
      const session: Session = await open(t, target, text);
      const matrix = (data: readonly number[], rows: number): Matrix =>
        Array.from({ length: rows }, (_, i) => data.slice((i * data.length) / rows, ((i + 1) * data.length) / rows));
      await fc.assert(
        fc.asyncProperty(integers(m, inner), integers(inner, n), integers(m, 1), async (left, right, b) => {
          const a = times(left, right);
          const found = await fetch(session, ["p", "p32", "rank", "x", "wide"], { a, b });
          const p = matrix(found.get("p") ?? [], n);
          const [ap, pa] = [times(a, p), times(p, a)];
          near(t, times(ap, a).flat(), a.flat(), 1e-9, "a p a = a");
          near(t, times(pa, p).flat(), p.flat(), 1e-9, "p a p = p");
          near(t, transposed(ap).flat(), ap.flat(), 1e-9, "a p is symmetric");
          near(t, transposed(pa).flat(), pa.flat(), 1e-9, "p a is symmetric");
          t.deepEqual(found.get("rank"), [exactRank(a)]);
          // In f32, the smallest kept value of such a matrix may be a hundredth of the largest.
          near(t, found.get("p32"), p.flat(), 2e-2);
          const shortest = times(p, b).flat();
          near(t, found.get("x"), shortest, 1e-9, "lstsq is p b");
          near(t, found.get("wide"), [...shortest, ...shortest.map((x) => x / 2)], 1e-9, "each of a stack");
        }),
        { numRuns: 20, seed: 7 },
      );
    });
  }

  test(`${target}: a stack of a full and a deficient matrix, sizes 0, and condition numbers`, async (t) => {
    const text = `graph g {
  x = lstsq([[[3.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]], [[[3.0], [4.0]], [[1.0], [3.0]]])
  none = lstsq(zeros([0, 2]), zeros([0, 1]))
  thin = pinv(zeros([0, 3]))
  ranks = matrix_rank(zeros([2, 0, 3]))
  conds = cond([[[3.0, 0.0], [0.0, -0.5]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
  cut = pinv([[4.0, 0.0], [0.0, 1.0]], rcond=0.5)
  counted = matrix_rank([[4.0, 0.0], [0.0, 1.0]], rcond=0.5)
}
`;
    const session = await open(t, target, text);
    const found = await fetch(session, ["x", "none", "thin", "ranks", "conds", "cut", "counted"]);
    near(t, found.get("x"), [1, 2, 1, 1], 1e-6);
    t.deepEqual(found.get("none"), [0, 0]);
    t.deepEqual(found.get("thin"), []);
    t.deepEqual(found.get("ranks"), [0, 0]);
    t.deepEqual(found.get("conds"), [6, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    near(t, found.get("cut"), [0.25, 0, 0, 0], 1e-7);
    t.deepEqual(found.get("counted"), [1]);
  });
}

test("the gradients of pinv and lstsq along matrices of one rank, by differences", async (t) => {
  const text = `graph g {
  placeholder s: f64
  left: f64[3, 1] = [[1], [2], [-1]]
  a = (left + s) @ transpose(left * s - 1)
  p = sum(pinv(a) ** 2 * [[1, 2, 3]])
  x = sum(lstsq(a, left * [[1], [0], [3]]) ** 3)
  w = sum(lstsq(a[0:2], left[0:2] * s) ** 3)
  dp = gradients(p, [s])
  dx = gradients(x, [s])
  dw = gradients(w, [s])
}
`;
  const session = await open(t, "reference", text);
  const at = async (s: number) => fetch(session, ["p", "x", "w", "dp", "dx", "dw"], { s });
  const [here, more, less] = [await at(0.7), await at(0.7 + 1e-5), await at(0.7 - 1e-5)];
  for (const name of ["p", "x", "w"]) {
    const slope = ((more.get(name)?.[0] ?? Number.NaN) - (less.get(name)?.[0] ?? Number.NaN)) / 2e-5;
    near(t, here.get(`d${name}`), [slope], 1e-6 * Math.max(1, Math.abs(slope)), name);
  }
});
