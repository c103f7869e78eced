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
}
