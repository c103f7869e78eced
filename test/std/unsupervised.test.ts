import test from "ava";
import { targets } from "../runtime/programs.js";
import { type Matrix, numbers, rowsOf, type Vector } from "./matrices.js";
import { fetch, near, open, variable } from "./support.js";

const imports = `import { best_matching_unit, competitive_step, neighbourhood, quantisation_error, self_organising_map_step, topographic_error, u_matrix } from "std/unsupervised"
import { exponential_decay } from "std/schedules"
`;
const distance = (a: Vector, b: Vector): number => Math.hypot(...a.map((v, i) => v - (b[i] ?? Number.NaN)));

function nearest(x: Vector, weights: Matrix): number {
  const distances = weights.map((w) => distance(x, w));
  return distances.indexOf(Math.min(...distances));
}

/** Kohonen (1982), the mean over the examples: w + rate * h * (x - w). */
function pulled(weights: Matrix, x: Matrix, h: (n: number, unit: number) => number, rate: number): Matrix {
  return weights.map((w, unit) =>
    w.map((v, i) => v + (rate / x.length) * x.reduce((sum, row, n) => sum + h(n, unit) * ((row[i] ?? 0) - v), 0)),
  );
}

const x = rowsOf(numbers(10), 2);
const start = rowsOf(numbers(12, 3), 2);

for (const target of targets) {
  test(`${target}: how much a map is torn, and how far its units are from those beside them`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 8
  placeholder x: f64[N, 2]
  variable w: f64[6, 2] = [${start.map((row) => `[${row.join(", ")}]`).join(", ")}]
  torn = topographic_error(x, w, columns=3)
  line = topographic_error(x, w, columns=6)
  heights = u_matrix(w, rows=2, columns=3)
  row = u_matrix(w, rows=1, columns=6)
  alone = u_matrix(w[0:1], rows=1, columns=1)
}
`,
    );
    const values = await fetch(session, ["torn", "line", "heights", "row", "alone"], { x });
    const share = (columns: number): number => {
      const torn = x.filter((example) => {
        const byDistance = [...start.keys()].sort(
          (a, b) => distance(example, start[a] ?? []) - distance(example, start[b] ?? []),
        );
        const [first = 0, second = 0] = byDistance;
        const down = Math.floor(first / columns) - Math.floor(second / columns);
        return Math.max(Math.abs(down), Math.abs((first % columns) - (second % columns))) > 1;
      });
      return torn.length / x.length;
    };
    near(t, values.get("torn"), [share(3)], 1e-7);
    near(t, values.get("line"), [share(6)], 1e-7);
    const heights = (columns: number): Vector =>
      start.map((w, unit) => {
        const beside = [...start.keys()].filter((other) => {
          const down = Math.abs(Math.floor(unit / columns) - Math.floor(other / columns));
          return down + Math.abs((unit % columns) - (other % columns)) === 1;
        });
        return beside.reduce((sum, other) => sum + distance(w, start[other] ?? []), 0) / beside.length;
      });
    near(t, values.get("heights"), heights(3), 1e-14);
    near(t, values.get("row"), heights(6), 1e-14);
    t.deepEqual(values.get("alone"), [Number.NaN]);
  });

  test(`${target}: the winner takes all`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 8
  placeholder x: f64[N, 2]
  variable w: f64[6, 2] = [${start.map((row) => `[${row.join(", ")}]`).join(", ")}]
  unit = best_matching_unit(x, w)
  error = quantisation_error(x, w)
  update learn {
    w := competitive_step(w, x, rate=0.25)
  }
}
`,
    );
    const winners = x.map((row) => nearest(row, start));
    const values = await fetch(session, ["unit", "error"], { x });
    t.deepEqual(values.get("unit"), winners);
    const mean = x.reduce((sum, row, n) => sum + distance(row, start[winners[n] ?? 0] ?? []), 0) / x.length;
    near(t, values.get("error"), [mean], 1e-14);
    await session.run(["learn"], { x });
    const h = (n: number, unit: number): number => (winners[n] === unit ? 1 : 0);
    near(t, variable(session, "w"), pulled(start, x, h, 0.25).flat(), 1e-14);
  });

  test(`${target}: a self-organising map pulls the neighbours of the winner, less and less`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  dim N <= 8
  placeholder x: f64[N, 2]
  variable w: f64[6, 2] = [${start.map((row) => `[${row.join(", ")}]`).join(", ")}]
  rate = exponential_decay(0.5, every=2, factor=0.25)
  radius = exponential_decay(2.0, every=1, factor=0.5)
  near = neighbourhood([5, 0], rows=2, columns=3, radius=2.0)
  update learn {
    w := self_organising_map_step(w, x, rows=2, columns=3, rate=rate, radius=radius)
  }
  signature fit(x) does learn -> (rate)
}
`,
    );
    const gap = (a: number, b: number): number =>
      (Math.floor(a / 3) - Math.floor(b / 3)) ** 2 + ((a % 3) - (b % 3)) ** 2;
    const units = [0, 1, 2, 3, 4, 5];
    const expected = [5, 0].flatMap((winner) => units.map((unit) => Math.exp(-gap(winner, unit) / 8)));
    near(t, (await fetch(session, ["near"])).get("near"), expected, 1e-7);
    let weights = start;
    for (let step = 0; step < 3; step++) {
      const radius = 2 * 0.5 ** step;
      const winners = x.map((row) => nearest(row, weights));
      const h = (n: number, unit: number): number => Math.exp(-gap(winners[n] ?? 0, unit) / (2 * radius ** 2));
      weights = pulled(weights, x, h, 0.5 * 0.25 ** (step / 2));
      await session.run("fit", { x });
      near(t, variable(session, "w"), weights.flat(), 1e-6, `step ${step}`);
    }
  });
}
