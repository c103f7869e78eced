import test from "ava";
import { targets } from "../runtime/programs.js";
import { numbers, type Vector } from "./matrices.js";
import { fetch, near, open, variable } from "./support.js";

const imports =
  'import { conv1d_transpose, conv2d_transpose, conv3d_transpose, separable_conv2d } from "std/convolution"\n';

/** Row-major places of a shape. */
function placesOf(shape: readonly number[]): readonly (readonly number[])[] {
  return shape.reduce<readonly (readonly number[])[]>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
}

function offset(shape: readonly number[], place: readonly number[]): number {
  return shape.reduce((at, size, axis) => at * size + (place[axis] ?? Number.NaN), 0);
}

/** What each element of x spreads over its window, added up: y[i * stride + k, u] += x[i, c] * w[k, c, u]. */
function spread(x: Vector, sizes: readonly number[], w: Vector, window: number, stride: number, units: number): Vector {
  const channels = sizes[sizes.length - 1] ?? Number.NaN;
  const space = sizes.slice(0, -1);
  const out = [...space.map((size) => (size - 1) * stride + window), units];
  const y = Array.from({ length: out.reduce((a, b) => a * b) }, () => 0);
  for (const place of placesOf(space)) {
    for (const k of placesOf(space.map(() => window))) {
      for (const [c, u] of placesOf([channels, units]) as readonly (readonly [number, number])[]) {
        const to = offset(out, [...place.map((i, axis) => i * stride + (k[axis] ?? Number.NaN)), u]);
        const weight = w[offset([...space.map(() => window), channels, units], [...k, c, u])] ?? Number.NaN;
        y[to] = (y[to] ?? 0) + (x[offset(sizes, [...place, c])] ?? Number.NaN) * weight;
      }
    }
  }
  return y;
}

/** Layers with a weight and a bias; `pads` are those that TensorFlow documents for "same": the odd one behind. */
const layers: readonly {
  readonly call: string;
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly (readonly [number, number])[];
  readonly groups: number;
  readonly units: number;
}[] = [
  { call: "conv1d(x, units=4, strides=2)", sizes: [6, 2], strides: [2], pads: [[0, 1]], groups: 1, units: 4 },
  {
    call: "conv2d(x, units=6, groups=2)",
    sizes: [4, 3, 4],
    strides: [1, 1],
    pads: [
      [1, 1],
      [1, 1],
    ],
    groups: 2,
    units: 6,
  },
  {
    call: 'conv3d(x, units=2, window=2, padding="valid")',
    sizes: [3, 2, 4, 3],
    strides: [1, 1, 1],
    pads: [],
    groups: 1,
    units: 2,
  },
  {
    call: "depthwise_conv2d(x, window=2, multiplier=2)",
    sizes: [3, 3, 3],
    strides: [1, 1],
    pads: [
      [0, 1],
      [0, 1],
    ],
    groups: 3,
    units: 6,
  },
];

for (const target of targets) {
  test(`${target}: transposed convolutions over one, two and three axes spread each element over its window`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder a: f64[1, 4, 2]
  placeholder b: f64[1, 2, 3, 2]
  placeholder c: f64[1, 2, 1, 2, 2]
  x = conv1d_transpose(a, units=3, strides=2, padding="valid")
  y = conv2d_transpose(b, units=2, window=2, padding="valid")
  z = conv3d_transpose(c, units=1, window=2, strides=3, padding="valid")
}
`,
    );
    const shape = (name: string, values: Vector) => ({ [name]: Float64Array.from(values) });
    const [a, b, c] = [numbers(8), numbers(12, 1), numbers(8, 2)];
    const values = await fetch(session, ["x", "y", "z"], { ...shape("a", a), ...shape("b", b), ...shape("c", c) });
    near(t, values.get("x"), spread(a, [4, 2], variable(session, "x/conv1d_transpose/w"), 3, 2, 3), 1e-14);
    near(t, values.get("y"), spread(b, [2, 3, 2], variable(session, "y/conv2d_transpose/w"), 2, 1, 2), 1e-14);
    near(t, values.get("z"), spread(c, [2, 1, 2, 2], variable(session, "z/conv3d_transpose/w"), 2, 3, 1), 1e-14);
  });

  test(`${target}: a separable convolution is a window for each channel, then a mixture of channels`, async (t) => {
    const session = await open(
      t,
      target,
      `${imports}graph g {
  placeholder x: f64[1, 4, 3, 2]
  y = separable_conv2d(x, units=3, window=2, multiplier=2, padding="valid")
}
`,
    );
    const x = numbers(24);
    const depthwise = variable(session, "y/separable_conv2d/depthwise");
    const pointwise = variable(session, "y/separable_conv2d/pointwise");
    const y = placesOf([3, 2, 3]).map(([i = 0, j = 0, u = 0]) => {
      let sum = 0;
      // Output m of channel c is channel 2 c + m of the depthwise part.
      for (const [k = 0, l = 0, c = 0, m = 0] of placesOf([2, 2, 2, 2])) {
        const own = depthwise[offset([2, 2, 4], [k, l, 2 * c + m])] ?? Number.NaN;
        const mixed = pointwise[offset([4, 3], [2 * c + m, u])] ?? Number.NaN;
        sum += (x[offset([4, 3, 2], [i + k, j + l, c])] ?? Number.NaN) * own * mixed;
      }
      return sum;
    });
    near(t, (await fetch(session, ["y"], { x: Float64Array.from(x) })).get("y"), y, 1e-14);
  });

  test(`${target}: transposed and separable convolutions without a bias differ by it alone`, async (t) => {
    for (const [call, sizes] of [
      ["conv1d_transpose(x, units=3)", [4, 2]],
      ["conv2d_transpose(x, units=3)", [3, 2, 2]],
      ["conv3d_transpose(x, units=3)", [2, 1, 2, 2]],
      ["separable_conv2d(x, units=3)", [3, 2, 2]],
    ] as const) {
      const name = call.split("(")[0] ?? "";
      const session = await open(
        t,
        target,
        `${imports}graph g {
  placeholder x: f64[1, ${sizes.join(", ")}]
  y = ${call}
  z = ${call.replace(")", ", bias=false)")}
}
`,
      );
      const paths = session.program.graph.variables.map(({ path }) => path);
      const weights = paths.filter((path) => path.startsWith("z/"));
      t.false(weights.includes(`z/${name}/b`));
      for (const path of weights) session.set(path, session.get(path.replace("z/", "y/")));
      const bias = [0.5, -1, 2];
      session.set(`y/${name}/b`, { dtype: "f64", shape: [3], data: Float64Array.from(bias) });
      const x = Float64Array.from(numbers(sizes.reduce((a: number, b: number) => a * b, 1)));
      const { y = [], z = [] } = Object.fromEntries(await fetch(session, ["y", "z"], { x }));
      t.true(z.some((value) => value !== 0));
      near(
        t,
        y,
        z.map((value, i) => value + (bias[i % 3] ?? Number.NaN)),
        1e-14,
        name,
      );
    }
  });

  for (const { call, sizes, strides, pads, groups, units } of layers) {
    const name = call.split("(")[0] ?? "";
    test(`${target}: ${name} is the sum over window and channels, and a bias unless it is left out`, async (t) => {
      const session = await open(
        t,
        target,
        `import { ${name} } from "std/convolution"
graph g {
  placeholder x: f64[2, ${sizes.join(", ")}]
  y = ${call}
  z = ${call.replace(/\)$/, ", bias=false)")}
}
`,
      );
      const { shape, data } = session.get(`y/${name}/w`);
      const bias = numbers(units, 3);
      session.set(`y/${name}/b`, { dtype: "f64", shape: [units], data: Float64Array.from(bias) });
      session.set(`z/${name}/w`, session.get(`y/${name}/w`));
      t.deepEqual([...session.program.graph.variables].map(({ path }) => path).sort(), [
        `y/${name}/b`,
        `y/${name}/w`,
        `z/${name}/w`,
      ]);
      const x = numbers(2 * sizes.reduce((a, b) => a * b));
      const plain = [0, 1].flatMap((n) => {
        const one = x.slice((n * x.length) / 2, ((n + 1) * x.length) / 2);
        return gathered(one, sizes, Array.from(data, Number), shape.map(Number), { strides, pads, groups });
      });
      const { y, z } = Object.fromEntries(await fetch(session, ["y", "z"], { x: Float64Array.from(x) }));
      near(t, z, plain, 1e-13);
      near(
        t,
        y,
        plain.map((sum, i) => sum + (bias[i % units] ?? Number.NaN)),
        1e-13,
      );
    });
  }
}

/** A convolution of one example in its words: y[i, u] = sum over k, c of x[i * stride + k - pad, group of u, c] * w[k, c, u]. */
function gathered(
  x: Vector,
  sizes: readonly number[],
  w: Vector,
  shape: readonly number[],
  {
    strides,
    pads,
    groups,
  }: { strides: readonly number[]; pads: readonly (readonly [number, number])[]; groups: number },
): Vector {
  const [space, channels] = [sizes.slice(0, -1), sizes.at(-1) ?? Number.NaN];
  const [window, units] = [shape.slice(0, -2), shape.at(-1) ?? Number.NaN];
  const out = space.map((size, axis) => {
    const [before, after] = pads[axis] ?? [0, 0];
    return Math.floor((size + before + after - (window[axis] ?? 0)) / (strides[axis] ?? 1)) + 1;
  });
  return placesOf([...out, units]).map((place) => {
    const u = place.at(-1) ?? Number.NaN;
    const group = Math.floor(u / (units / groups));
    let sum = 0;
    for (const part of placesOf([...window, channels / groups])) {
      const c = group * (channels / groups) + (part.at(-1) ?? Number.NaN);
      const at = window.map(
        (_, axis) => (place[axis] ?? 0) * (strides[axis] ?? 1) + (part[axis] ?? 0) - (pads[axis]?.[0] ?? 0),
      );
      if (at.some((i, axis) => i < 0 || i >= (space[axis] ?? 0))) continue;
      sum += (x[offset(sizes, [...at, c])] ?? Number.NaN) * (w[offset(shape, [...part, u])] ?? Number.NaN);
    }
    return sum;
  });
}
