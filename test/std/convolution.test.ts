import test from "ava";
import fc from "fast-check";
import { graph, problems, types } from "../dsl/elaborate/support.js";
import { targets } from "../runtime/programs.js";
import { fetch, near, open } from "./support.js";

/** The window's elements of one row, by position; padding is left out, `beyond` counts what lies outside the padding too. */
interface Pool {
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
  readonly high: number;
  readonly ceil: boolean;
}

interface Windowed {
  /** Elements of the row inside the window. */
  readonly inside: readonly number[];
  /** How many places of the window lie within the padded row. */
  readonly padded: number;
}

function rows(length: number, { window, stride, dilation, low, high, ceil }: Pool): readonly Windowed[] {
  const result: Windowed[] = [];
  const reach = (window - 1) * dilation;
  const end = length + high;
  for (let start = -low; ; start += stride) {
    // One more window may reach beyond the end: where the one before left something over.
    const left = end - (start - stride + reach + 1);
    const further = ceil && start > -low && left > 0 && start < length;
    if (start + reach >= end && !further) return result;
    const places = Array.from({ length: window }, (_, k) => start + k * dilation);
    result.push({
      inside: places.filter((place) => place >= 0 && place < length),
      padded: places.filter((place) => place >= -low && place < length + high).length,
    });
  }
}

const pools: fc.Arbitrary<{ readonly length: number; readonly pool: Pool }> = fc
  .record({
    window: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    low: fc.integer({ min: 0, max: 2 }),
    high: fc.integer({ min: 0, max: 2 }),
    ceil: fc.boolean(),
    further: fc.integer({ min: 0, max: 9 }),
  })
  // Padding stays smaller than the window, so that no window holds padding alone.
  .filter(({ window, dilation, low, high }) => Math.max(low, high) < window && (dilation === 1 || window > 1))
  .map(({ further, ...pool }) => ({ length: (pool.window - 1) * pool.dilation + 1 + further, pool }));

const numbers = (length: number): readonly number[] => Array.from({ length }, (_, i) => (((i * 7919) % 101) - 50) / 8);

for (const target of targets) {
  test(`pooling of any geometry is its definition, on ${target}`, async (t) => {
    const samples = fc.sample(pools, { numRuns: 40, seed: 11 });
    const statements = samples.flatMap(({ length, pool }, i) => {
      const { window, stride, dilation, low, high, ceil } = pool;
      const given = `window=${window}, strides=${stride}, dilation=${dilation}, padding=[[${low}, ${high}]], ceil_mode=${ceil}`;
      return [
        `x${i} = reshape(constant_row[0:${length}], [1, ${length}, 1])`,
        `m${i} = max_pool(x${i}, ${given})`,
        `a${i} = average_pool(x${i}, ${given})`,
        `p${i} = average_pool(x${i}, ${given}, count_include_pad=true)`,
        `l${i} = lp_pool(x${i}, ${given}, p=3)`,
        `g${i} = gradients(sum(m${i} * m${i}), [x${i}])`,
      ];
    });
    const session = await open(t, target, graph("placeholder constant_row: f32[40]", ...statements));
    const row = numbers(40);
    const names = samples.flatMap((_, i) => ["m", "a", "p", "l", "g"].map((name) => `${name}${i}`));
    const results = await fetch(session, names, { constant_row: Float32Array.from(row) });
    samples.forEach(({ length, pool }, i) => {
      const windows = rows(length, pool);
      const label = JSON.stringify({ length, pool });
      const of = (f: (values: readonly number[], padded: number) => number): readonly number[] =>
        windows.map(({ inside, padded }) =>
          f(
            inside.map((place) => row[place] as number),
            padded,
          ),
        );
      const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      near(
        t,
        results.get(`m${i}`),
        of((values) => Math.max(...values)),
        0,
        label,
      );
      near(
        t,
        results.get(`a${i}`),
        of((values) => total(values) / values.length),
        1e-5,
        label,
      );
      near(
        t,
        results.get(`p${i}`),
        of((values, padded) => total(values) / padded),
        1e-5,
        label,
      );
      near(
        t,
        results.get(`l${i}`),
        of((values) => total(values.map((v) => Math.abs(v) ** 3)) ** (1 / 3)),
        1e-5,
        label,
      );
      // d/dx of the sum of squared maxima: 2 max, at each window's first maximum.
      const gradient = new Array<number>(length).fill(0);
      for (const { inside } of windows) {
        const values = inside.map((place) => row[place] as number);
        const first = inside[values.indexOf(Math.max(...values))] as number;
        gradient[first] = (gradient[first] as number) + 2 * Math.max(...values);
      }
      near(t, results.get(`g${i}`), gradient, 1e-5, label);
    });
  });

  test(`the gradient of a maximum goes to the first of equal elements, and NaN is the largest, on ${target}`, async (t) => {
    const session = await open(
      t,
      target,
      graph(
        "placeholder x: f32[1, 4, 4, 1]",
        "y = max_pool(x, window=2)",
        "g = gradients(sum(y * [[[[1.0], [2.0]], [[3.0], [4.0]]]]), [x])",
        "z = max_pool(x, window=2, strides=1)",
        "h = gradients(sum(z), [x])",
      ),
    );
    // Ties in each window; the first in row-major order counts.
    const ties = [5, 5, 1, 2, 5, 5, 3, 3, 0, 0, 0, 7, 0, 0, 7, 7];
    const results = await fetch(session, ["y", "g", "z", "h"], { x: Float32Array.from(ties) });
    near(t, results.get("y"), [5, 3, 0, 7], 0);
    near(t, results.get("g"), [1, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 4, 0, 0, 0, 0], 0);
    near(t, results.get("z"), [5, 5, 3, 5, 5, 7, 0, 7, 7], 0);
    near(t, results.get("h"), [1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 2, 0, 0, 1, 0], 0);
    const missing = ties.map((value, i) => (i === 5 ? Number.NaN : value));
    const found = await fetch(session, ["y", "g"], { x: Float32Array.from(missing) });
    near(t, found.get("y"), [Number.NaN, 3, 0, 7], 0);
    near(t, found.get("g"), [0, 0, 0, 0, 0, 1, 2, 0, 3, 0, 0, 4, 0, 0, 0, 0], 0);
  });

  test(`resize is ONNX's, on ${target}`, async (t) => {
    const session = await open(
      t,
      target,
      graph(
        "x = reshape(cast(iota(4), to=f32) + 1, [1, 2, 2, 1])",
        "r = reshape(cast(iota(8), to=f32) + 1, [1, 2, 4, 1])",
        'a = resize(x, scale=2, mode="linear")',
        'b = resize(x, scale=2, mode="linear", coordinates="align_corners")',
        "c = resize(x, size=[4, 6])",
        'd = resize(r, scale=0.6, mode="linear")',
        "e = resize(r, scale=0.6)",
        "g = gradients(sum(a), [x])",
      ),
    );
    const results = await fetch(session, ["a", "b", "c", "d", "e", "g"]);
    // Expected outputs of the cases of the same names in ONNX's operator tests.
    const linear = [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4];
    near(t, results.get("a"), linear, 1e-6, "upsample_scales_linear");
    const third = (i: number): number => i / 3;
    const aligned = [3, 4, 5, 6, 5, 6, 7, 8, 7, 8, 9, 10, 9, 10, 11, 12].map(third);
    near(t, results.get("b"), aligned, 1e-6, "upsample_scales_linear_align_corners");
    const nearest = [
      [1, 1, 1, 2, 2, 2],
      [1, 1, 1, 2, 2, 2],
      [3, 3, 3, 4, 4, 4],
      [3, 3, 3, 4, 4, 4],
    ];
    near(t, results.get("c"), nearest.flat(), 0, "upsample_scales_nearest, 2 x 3");
    near(t, results.get("d"), [2.6666665, 4.3333331], 1e-6, "downsample_scales_linear");
    near(t, results.get("e"), [1, 3], 0, "downsample_scales_nearest");
    near(t, results.get("g"), [4, 4, 4, 4], 1e-6, "each element is spread over four");
  });

  test(`layers, global pools and local response normalisation, on ${target}`, async (t) => {
    const session = await open(
      t,
      target,
      `import { conv1d, conv2d, conv2d_transpose, conv3d, depthwise_conv2d, global_average_pool, global_lp_pool, global_max_pool, local_response_norm } from "std/convolution"
${graph(
  "placeholder x: f32[2, 4, 4, 3]",
  "plain = conv2d(x, units=5)",
  "strided = conv2d(x, units=5, strides=2, window=2)",
  "up = conv2d_transpose(x, units=2, strides=2)",
  "line = conv1d(reshape(x, [2, 16, 3]), units=4, window=5, padding=[[2, 0]])",
  "box = conv3d(reshape(x, [2, 2, 2, 4, 3]), units=7, window=2, strides=[1, 2, 2])",
  "deep = depthwise_conv2d(x, multiplier=2)",
  "average = global_average_pool(x)",
  "largest = global_max_pool(x)",
  "norm = global_lp_pool(x)",
  "local = local_response_norm(x, size=2, alpha=0.5, beta=0.75, bias=2)",
)}`,
    );
    const x = numbers(96);
    const at = (n: number, i: number, c: number): number => x[(n * 16 + i) * 3 + c] as number;
    const results = await session.run(
      ["plain", "strided", "up", "line", "box", "deep", "average", "largest", "norm", "local"],
      {
        x: Float32Array.from(x),
      },
    );
    const shapes = Object.fromEntries(Object.entries(results).map(([name, { shape }]) => [name, shape]));
    t.deepEqual(shapes["plain"], [2, 4, 4, 5]);
    t.deepEqual(shapes["strided"], [2, 2, 2, 5]);
    t.deepEqual(shapes["up"], [2, 8, 8, 2]);
    t.deepEqual(shapes["line"], [2, 14, 4]);
    t.deepEqual(shapes["box"], [2, 2, 1, 2, 7]);
    t.deepEqual(shapes["deep"], [2, 4, 4, 6]);
    const channels = [0, 1].flatMap((n) => [0, 1, 2].map((c) => Array.from({ length: 16 }, (_, i) => at(n, i, c))));
    const all = (name: string): readonly number[] => Array.from(results[name]?.data ?? [], Number);
    near(
      t,
      all("average"),
      channels.map((list) => list.reduce((a, b) => a + b) / 16),
      1e-5,
    );
    near(
      t,
      all("largest"),
      channels.map((list) => Math.max(...list)),
      0,
    );
    near(
      t,
      all("norm"),
      channels.map((list) => Math.hypot(...list)),
      1e-5,
    );
    // A window of two channels: this one and the next.
    const local = x.map((value, i) => {
      const next = i % 3 === 2 ? 0 : (x[i + 1] as number);
      return value / (2 + (0.5 / 2) * (value ** 2 + next ** 2)) ** 0.75;
    });
    near(t, all("local"), local, 1e-5);
  });
}

test("shapes of convolutions, by name and with sizes that are dims", (t) => {
  const text = graph(
    "dim N <= 8",
    "dim S <= 64",
    "placeholder x: f32[N, S, 32, 3]",
    "placeholder line: f32[N, 20, 4]",
    "placeholder box: f32[N, 5, 6, 7, 2]",
    "a = conv(x, zeros([3, 3, 3, 8]))",
    'b = conv(x, zeros([3, 5, 3, 8]), padding="same")',
    'c = conv(x, zeros([3, 3, 3, 8]), padding="same", strides=2)',
    "d = conv(line, zeros([4, 2, 6]), groups=2, dilation=3)",
    "e = conv(box, zeros([2, 2, 2, 2, 1]), strides=[1, 2, 3], padding=[0, 1, [2, 0]])",
    'f = conv_transpose(line, zeros([5, 4, 6]), strides=3, padding="same")',
    "g = conv_transpose(line, zeros([5, 4, 6]), strides=3, padding=1, output_padding=2)",
    "h = max_pool(x, window=2)",
  );
  t.deepEqual(types(text, "a", "b", "c", "d", "e", "f", "g", "h"), [
    "f32[N, S - 2, 30, 8]",
    "f32[N, S, 32, 8]",
    "f32[N, (S + 1) // 2, 16, 8]",
    "f32[N, 11, 6]",
    "f32[N, 4, 4, 3, 1]",
    "f32[N, 60, 6]",
    "f32[N, 62, 6]",
    "f32[N, (S - 2) // 2 + 1, 16, 3]",
  ]);
});

test("what does not fit names the operand and both sides", (t) => {
  const found = problems(
    graph(
      "placeholder x: f32[1, 4, 4, 3]",
      "placeholder w: f32[3, 3, 4, 16]",
      "placeholder v: f32[3, 3, 3, 16]",
      "a = max_pool(x, window=5)",
      "b = conv(x, w)",
      "c = conv(x, v, strides=0)",
      "d = conv(x, v, dilation=-1)",
      'e = conv(x, v, padding="some")',
      "f = conv(x, v, groups=5)",
      "g = conv(x, v, dilation=3)",
      "h = conv(x, v, padding=[1, 2, 3])",
      "i = conv([1.0, 2.0], v)",
      "j = conv(x, [[1.0]])",
      "k = conv(x, v, groups=0)",
      "l = conv(x, zeros([3, 3, 1, 16]), groups=3)",
      "m = resize(x, size=0)",
      "n = resize(x)",
      'o = resize(cast(x, to=i64), scale=2, mode="linear")',
      "p = lp_pool(x, window=2, p=0)",
      'q = reduce_window(x, window=2, axis=1, combiner="prod")',
      "r = conv(x, v, padding=-2)",
    ),
  );
  const codes = found.map((line) => line.slice(0, line.indexOf(" ", line.indexOf(" ") + 1)).replace(/:\d+$/, ""));
  t.deepEqual(codes, [
    "G130 5",
    "G131 6",
    "G130 7",
    "G130 8",
    "G031 9",
    "G131 10",
    "G130 11",
    "G025 12",
    "G025 13",
    "G025 14",
    "G131 15",
    "G131 16",
    "G130 17",
    "G030 18",
    "G024 19",
    "G130 20",
    "G031 21",
    "G130 22",
  ]);
  t.regex(found[0] ?? "", /window of `max_pool` is larger than what it slides over along axis 1: 5 in 4/);
  t.regex(
    found[1] ?? "",
    /the 3 channels of f32\[1, 4, 4, 3\] do not fit the weights f32\[3, 3, 4, 16\], which take 4/,
  );
  t.regex(found[6] ?? "", /7 \(3 elements 3 apart\) in 4/);
});
