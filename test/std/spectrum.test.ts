import test from "ava";
import { refusal, targets } from "../runtime/programs.js";
import { fetch, open } from "./support.js";

type Rows = readonly (readonly number[])[];

const text = (dtype: "f64" | "f32", m: number, n: number): string => `graph g {
  placeholder a: ${dtype}[${m}, ${n}]
  u, s, vt = svd(a)
  w, v = eigh(a[0:${Math.min(m, n)}, 0:${Math.min(m, n)}])
  q, r = qr(a)
}
`;

/** Deterministic numbers in [-1, 1). */
const noise = (m: number, n: number): Rows => {
  let state = 12345;
  return Array.from({ length: m }, () =>
    Array.from({ length: n }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    }),
  );
};
const outer = (m: number, n: number): Rows =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (__, j) => (i + 1) * (j - 1.5)));
const identity = (m: number, n: number): Rows =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (__, j) => (i === j ? 1 : 0)));
const hilbert = (m: number, n: number): Rows =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (__, j) => 1 / (i + j + 1)));
const zeros = (m: number, n: number): Rows => Array.from({ length: m }, () => Array.from({ length: n }, () => 0));
const times = (rows: Rows, factor: number): Rows => rows.map((row) => row.map((x) => x * factor));

/** max |x y - z| where x and y are given by their elements. */
const difference = (
  [m, inner, n]: readonly [number, number, number],
  x: (i: number, l: number) => number,
  y: (l: number, j: number) => number,
  z: (i: number, j: number) => number,
): number => {
  let most = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < inner; l++) sum += x(i, l) * y(l, j);
      // A NaN must not pass for a small difference.
      if (!(Math.abs(sum - z(i, j)) <= most)) most = Math.abs(sum - z(i, j));
    }
  }
  return most;
};

const unit = (i: number, j: number): number => (i === j ? 1 : 0);

for (const target of targets) {
  for (const dtype of ["f64", "f32"] as const) {
    const [epsilon, huge] = dtype === "f64" ? [2 ** -52, 1e150] : [2 ** -23, 1e30];
    for (const [m, n] of [
      [1, 1],
      [9, 5],
      [5, 9],
      [20, 20],
    ] as const) {
      test(`${target}: svd, eigh and qr of ${dtype}[${m}, ${n}]: factors give the matrix back, vectors are orthonormal`, async (t) => {
        const session = await open(t, target, text(dtype, m, n));
        const [k, small] = [Math.min(m, n), Math.min(m, n)];
        const kinds = { noise, outer, identity, hilbert, zeros };
        for (const [name, make] of Object.entries(kinds)) {
          for (const scale of [1, huge, 1 / huge]) {
            const a = times(make(m, n), scale);
            const values = await fetch(session, ["u", "s", "vt", "w", "v", "q", "r"], { a });
            const at = (of: string, columns: number) => (i: number, j: number) =>
              values.get(of)?.[i * columns + j] ?? Number.NaN;
            const [u, vt, v, q, r] = [at("u", k), at("vt", n), at("v", small), at("q", k), at("r", n)];
            const s = (i: number): number => at("s", k)(0, i);
            const w = (i: number): number => at("w", small)(0, i);
            const entry = (i: number, j: number): number => a[i]?.[j] ?? Number.NaN;
            const lower = (i: number, j: number): number => entry(Math.max(i, j), Math.min(i, j));
            const size = Math.max(...a.flat().map(Math.abs)) * Math.max(m, n);
            const allowed = 20 * epsilon * Math.max(m, n);
            const check = (what: string, found: number, limit: number): void => {
              t.true(found <= limit, `${name} x ${scale}, ${what}: ${found} > ${limit}`);
            };
            check(
              "u s vt",
              difference([m, k, n], (i, l) => u(i, l) * s(l), vt, entry),
              allowed * size,
            );
            check(
              "u^T u",
              difference([k, m, k], (i, l) => u(l, i), u, unit),
              allowed,
            );
            check(
              "vt v",
              difference([k, n, k], vt, (l, j) => vt(j, l), unit),
              allowed,
            );
            for (let i = 0; i < k; i++) t.true(s(i) >= 0 && (i === 0 || s(i) <= s(i - 1)));
            check(
              "a v",
              difference([small, small, small], lower, v, (i, j) => v(i, j) * w(j)),
              allowed * size,
            );
            check(
              "v^T v",
              difference([small, small, small], (i, l) => v(l, i), v, unit),
              allowed,
            );
            for (let i = 1; i < small; i++) t.true(w(i) >= w(i - 1));
            check("q r", difference([m, k, n], q, r, entry), allowed * size);
            check(
              "q^T q",
              difference([k, m, k], (i, l) => q(l, i), q, unit),
              allowed,
            );
          }
        }
      });
    }
  }

  test(`${target}: a NaN or an infinity fails svd and eigh, and ends`, async (t) => {
    const session = await open(t, target, text("f64", 20, 20));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const a = noise(20, 20).map((row, i) => (i === 7 ? row.map((x, j) => (j === 3 ? bad : x)) : row));
      t.deepEqual(await refusal(t, () => session.run(["s"], { a })), ["G087"]);
      t.deepEqual(await refusal(t, () => session.run(["w"], { a })), ["G087"]);
    }
  });
}
