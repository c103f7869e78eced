import test from "ava";
import fc from "fast-check";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

for (const target of targets) {
  test(`${target}: norms, triangles, products and ranges are their formulas`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  x: f64[2, 3] = [[3, -4, 0], [1, 2, -2]]
  l1 = l1_norm(x)
  l1_rows = l1_norm(x, axis=1, keepdims=true)
  l2_rows = l2_norm(x, axis=-1)
  l2 = l2_norm(x, axis=[0, 1])
  most = max_norm(x, axis=0)
  third = lp_norm(x, p=3, axis=1)
  spread = standard_deviation(x, axis=0)
  wide: f64[2] = [3e300, 4e300]
  large = l2_norm(wide)
  odd = l2_norm([1, inf, 2])
  wrong = l2_norm([1, nan, 2])
  zero: f64[2] = [0, 0]
  of_zero = gradients(l2_norm(zero), [zero])
  slope = gradients(l2_norm(x), [x])
  best, where = top_k(x, 2)
  low = tril(x)
  high = triu(x, offset=1)
  square: f64[2, 2] = [[1, 2], [3, 4]]
  diagonal = trace(square)
  table = outer(x[0], x[1, :2])
  kronecker = kron(square, x[:, :1])
  steps = arange(4, start=1, step=0.5, dtype=f64)
  ends = linspace(-1, 1, 5, dtype=f64)
}
`,
    );
    const names =
      "l1 l1_rows l2_rows l2 most third spread large odd wrong of_zero slope best where low high diagonal table kronecker steps ends";
    const found = await fetch(session, names.split(" "));
    const expect = (name: string, ...expected: readonly number[]): void =>
      near(t, found.get(name), expected, 1e-15, name);
    const total = Math.sqrt(34);
    expect("l1", 12);
    expect("l1_rows", 7, 5);
    expect("l2_rows", 5, 3);
    expect("l2", total);
    expect("most", 3, 4, 2);
    expect("third", 91 ** (1 / 3), 17 ** (1 / 3));
    expect("spread", 1, 3, 1);
    expect("large", 5e300);
    expect("odd", inf);
    expect("wrong", nan);
    expect("of_zero", 0, 0);
    expect("slope", 3 / total, -4 / total, 0, 1 / total, 2 / total, -2 / total);
    expect("best", 3, 0, 2, 1);
    expect("where", 0, 2, 1, 0);
    expect("low", 3, 0, 0, 1, 2, 0);
    expect("high", 0, -4, 0, 0, 0, -2);
    expect("diagonal", 5);
    expect("table", 3, 6, -4, -8, 0, 0);
    expect("kronecker", 3, 6, 1, 2, 9, 12, 3, 4);
    expect("steps", 1, 1.5, 2, 2.5);
    expect("ends", -1, -0.5, 0, 0.5, 1);
  });

  test(`${target}: 16 million times 0.1 in f32 is right to 1e-6, whether summed, averaged, normed or cumulated`, async (t) => {
    // The reference needs seconds for what native code does in milliseconds.
    const count = target === "reference" ? 2 ** 16 : 2 ** 24;
    const session = await open(
      t,
      target,
      `graph g {
  placeholder tenth: f32
  x = broadcast_to(reshape(tenth, [1]), [${count}])
  total = sum(x)
  average = mean(x)
  absolute = l1_norm(x)
  euclidean = l2_norm(x)
  last = cumsum(x)[-1]
  first = cumsum(x, reverse=true)[0]
}
`,
    );
    const tenth = Math.fround(0.1);
    const found = await fetch(session, "total average absolute euclidean last first".split(" "), { tenth: 0.1 });
    const wanted = {
      total: tenth * count,
      average: tenth,
      absolute: tenth * count,
      euclidean: tenth * Math.sqrt(count),
    };
    for (const [name, value] of Object.entries({ ...wanted, last: tenth * count, first: tenth * count })) {
      const got = found.get(name)?.[0] ?? 0;
      t.true(Math.abs(got / value - 1) < 1e-6, `${name} is ${got}, not ${value}`);
    }
  });

  test(`${target}: argsort is the stable order of any numbers, on every axis`, async (t) => {
    const session = await open(
      t,
      target,
      `graph g {
  dim N <= 64
  placeholder x: f64[N, 3]
  rows = argsort(x)
  columns = argsort(x, axis=0, descending=true)
}
`,
    );
    const element = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(nan, inf, -inf, 0, -0), fc.double());
    const order = (list: readonly number[], sign: number): readonly number[] =>
      list
        .map((x, i) => ({ x, i }))
        .sort((a, b) => {
          if (Number.isNaN(a.x) || Number.isNaN(b.x))
            return Number(Number.isNaN(a.x)) - Number(Number.isNaN(b.x)) || a.i - b.i;
          return a.x === b.x ? a.i - b.i : sign * (a.x < b.x ? -1 : 1);
        })
        .map(({ i }) => i);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(element, element, element), { maxLength: 40 }), async (rows) => {
        // Subnormals count as zeros.
        const table = rows.map((row) => row.map((x) => (Math.abs(x) < 2 ** -1022 ? 0 : x)));
        const x = { dtype: "f64", shape: [rows.length, 3], data: Float64Array.from(table.flat()) } as const;
        const found = await fetch(session, ["rows", "columns"], { x });
        near(
          t,
          found.get("rows"),
          table.flatMap((row) => order(row, 1)),
          0,
        );
        const columns = [0, 1, 2].map((c) =>
          order(
            table.map((row) => row[c] ?? 0),
            -1,
          ),
        );
        near(
          t,
          found.get("columns"),
          table.flatMap((_, r) => columns.map((column) => column[r] ?? -1)),
          0,
        );
      }),
      { numRuns: 12 },
    );
  });
}
