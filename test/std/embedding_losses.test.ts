import test from "ava";
import { targets } from "../runtime/programs.js";
import { fetch, near, open, slope } from "./support.js";

/** Losses over a last axis, and the focal loss, by formulas of their own in float64. */

const inf = Number.POSITIVE_INFINITY;
type Vector = readonly number[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? Number.NaN), 0);
const norm = (a: Vector): number => Math.hypot(...a);
const minus = (a: Vector, b: Vector): Vector => a.map((x, i) => x - (b[i] ?? Number.NaN));
const cosine = (a: Vector, b: Vector): number => dot(a, b) / (norm(a) * norm(b));

const a = [
  [1, 2, -2],
  [0.5, -1, 3],
];
const b = [
  [2, 0, 1],
  [1, -2, 6],
];
const c = [
  [1, 1, 1],
  [-3, 0.25, 1],
];

/** The loss of the rows, summed, as a function of the one element that moves. */
function moved(f: (rows: readonly Vector[]) => number, i: number): number {
  const [row, column] = [Math.floor(i / 3), i % 3];
  return slope(
    (x) => f(a.map((one, k) => (k === row ? one.map((y, j) => (j === column ? x : y)) : one))),
    a[row]?.[column] ?? Number.NaN,
  );
}

for (const target of targets) {
  test(`${target}: cosine and triplet losses, and their gradients`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  placeholder a: f64[2, 3]
  placeholder b: f64[2, 3]
  placeholder c: f64[2, 3]
  similarity = cosine_similarity(a, b)
  distance = cosine_distance(a, b)
  d_distance = gradients(distance, [a])
  apart = triplet(a, b, c)
  wide = triplet(a, b, c, margin=10)
  d_wide = gradients(wide, [a])
}
`,
    );
    const names = ["similarity", "distance", "d_distance", "apart", "wide", "d_wide"];
    const values = await fetch(session, names, { a, b, c });
    const similarities = a.map((row, i) => cosine(row, b[i] ?? []));
    near(t, values.get("similarity"), similarities, 1e-14);
    near(
      t,
      values.get("distance"),
      similarities.map((x) => 1 - x),
      1e-14,
    );
    const places = Array.from({ length: 6 }, (_, i) => i);
    const distances = (rows: readonly Vector[]): number =>
      rows.reduce((sum, row, i) => sum + 1 - cosine(row, b[i] ?? []), 0);
    near(
      t,
      values.get("d_distance"),
      places.map((i) => moved(distances, i)),
      1e-6,
    );
    const margins = (rows: readonly Vector[], margin: number): Vector =>
      rows.map((row, i) => Math.max(0, norm(minus(row, b[i] ?? [])) - norm(minus(row, c[i] ?? [])) + margin));
    near(t, values.get("apart"), margins(a, 1), 1e-14);
    near(t, values.get("wide"), margins(a, 10), 1e-14);
    const wide = (rows: readonly Vector[]): number => margins(rows, 10).reduce((x, y) => x + y);
    near(
      t,
      values.get("d_wide"),
      places.map((i) => moved(wide, i)),
      1e-6,
    );
    // A vector of zeros is as far from all; its own positive is no distance away, and has no slope.
    const zero = [
      [0, 0, 0],
      [1, 1, 1],
    ];
    const edges = await fetch(session, ["similarity", "wide", "d_wide"], { a: zero, b: zero, c: zero });
    near(t, edges.get("similarity"), [0, 1], 1e-15);
    near(t, edges.get("wide"), [10, 10], 0);
    near(t, edges.get("d_wide"), [0, 0, 0, 0, 0, 0], 0);
  });

  test(`${target}: the Kullback-Leibler divergence, also of what cannot be`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  placeholder logits: f64[2, 3]
  placeholder target: f64[2, 3]
  loss = kl_divergence(log_softmax(logits), target)
  d = gradients(loss, [logits])
}
`,
    );
    const p = [
      [0.5, 0.25, 0.25],
      [0, 0.75, 0.25],
    ];
    const q = a.map((row) => {
      const e = row.map(Math.exp);
      return e.map((x) => x / e.reduce((u, v) => u + v));
    });
    const values = await fetch(session, ["loss", "d"], { logits: a, target: p });
    const divergence = p.map((row, i) =>
      row.reduce((sum, x, j) => (x === 0 ? sum : sum + x * Math.log(x / (q[i]?.[j] ?? Number.NaN))), 0),
    );
    near(t, values.get("loss"), divergence, 1e-14);
    near(
      t,
      values.get("d"),
      q.flatMap((row, i) => row.map((x, j) => x - (p[i]?.[j] ?? Number.NaN))),
      1e-14,
    );
    const itself = await fetch(session, ["loss"], { logits: q.map((row) => row.map(Math.log)), target: q });
    near(t, itself.get("loss"), [0, 0], 1e-15);
    const impossible = [
      [-inf, 0, 0],
      [-inf, 0, 0],
    ];
    near(
      t,
      (await fetch(session, ["loss"], { logits: impossible, target: p })).get("loss"),
      [inf, Math.LN2 + 0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)],
      1e-14,
    );
  });

  for (const [dtype, tolerance] of [
    ["f64", 1e-13],
    ["f32", 1e-6],
  ] as const) {
    test(`${target}: ${dtype} focal loss`, async (t) => {
      const session = await open(
        t,
        target,
        `graph g {
  placeholder x: ${dtype}[12]
  placeholder y: ${dtype}[12]
  loss = focal(x, y)
  other = focal(x, y, alpha=0.75, gamma=0.5)
  half = focal(x, y, alpha=0.5, gamma=0)
  d = gradients(loss, [x])
}
`,
      );
      const points = [-40, -2, -0.5, 0, 1, 30];
      const x = [...points, ...points];
      const y = [...points.map(() => 1), ...points.map(() => 0)];
      // Lin et al. (2017), equation 5: 1 - p of what is true is the sigmoid of its logit's opposite.
      const focal = (alpha: number, gamma: number, logit: number, yes: boolean): number => {
        const own = yes ? logit : -logit;
        const missed = 1 / (1 + Math.exp(own));
        const surprise = own > -30 ? Math.log1p(Math.exp(-own)) : -own;
        return (yes ? alpha : 1 - alpha) * missed ** gamma * surprise;
      };
      const all = (alpha: number, gamma: number): Vector => x.map((at, i) => focal(alpha, gamma, at, y[i] === 1));
      const values = await fetch(session, ["loss", "other", "half", "d"], { x, y });
      near(t, values.get("loss"), all(0.25, 2), tolerance);
      near(t, values.get("other"), all(0.75, 0.5), tolerance);
      near(t, values.get("half"), all(0.5, 0), tolerance);
      near(
        t,
        values.get("d"),
        x.map((at, i) => slope((moving) => focal(0.25, 2, moving, y[i] === 1), at)),
        1e-6,
      );
    });
  }
}
