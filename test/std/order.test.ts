import test from "ava";
import fc from "fast-check";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

const numbers = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });

/** Definition 7 of Hyndman and Fan (1996), for one row. */
function quantile(row: readonly number[], q: number): number {
  const sorted = [...row].sort((a, b) => a - b);
  const position = q * (row.length - 1);
  const [low, high] = [sorted[Math.floor(position)] ?? Number.NaN, sorted[Math.ceil(position)] ?? Number.NaN];
  return low + (position - Math.floor(position)) * (high - low);
}

/** The logarithm of the sum of exponentials of each prefix, by itself. */
function logcumsumexp(row: readonly number[]): readonly number[] {
  return row.map((_, i) => {
    const prefix = row.slice(0, i + 1);
    const most = Math.max(...prefix);
    return most + Math.log(prefix.reduce((total, x) => total + Math.exp(x - most), 0));
  });
}

for (const target of targets) {
  test(`${target}: quantiles and running sums of exponentials of random rows are their definitions`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  dim N <= 40
  placeholder x: f64[2, N]
  some = quantile(x, 0.37, axis=1)
  all = quantile(x, 0.9)
  middle = median(x, axis=-1)
  running = logcumsumexp(x)
  backward = logcumsumexp(x, reverse=true)
  columns = logcumsumexp(x, axis=0)
}
`,
    );
    await fc.assert(
      fc.asyncProperty(numbers, async (row) => {
        const other = row.map((x, i) => (i % 3) - x / 2);
        const found = await fetch(session, ["some", "all", "middle", "running", "backward", "columns"], {
          x: [row, other],
        });
        const rows = [row, other];
        near(
          t,
          found.get("some"),
          rows.map((r) => quantile(r, 0.37)),
          1e-14,
          "some",
        );
        near(t, found.get("all"), [quantile([...row, ...other], 0.9)], 1e-14, "all");
        near(
          t,
          found.get("middle"),
          rows.map((r) => quantile(r, 0.5)),
          1e-14,
          "middle",
        );
        near(t, found.get("running"), rows.flatMap(logcumsumexp), 1e-14, "running");
        near(
          t,
          found.get("backward"),
          rows.flatMap((r) => [...logcumsumexp([...r].reverse())].reverse()),
          1e-14,
          "backward",
        );
        const pairs = row.map((x, i) => logcumsumexp([x, other[i] ?? Number.NaN]));
        near(t, found.get("columns"), [...row, ...pairs.map(([, both]) => both ?? Number.NaN)], 1e-14, "columns");
      }),
      { numRuns: 40 },
    );
    const error = await t.throwsAsync(session.run(["middle"], { x: [[], []] }));
    t.regex(error?.message ?? "", /`median`: x must have at least one element \(with N = 0\)/);
  });
}
