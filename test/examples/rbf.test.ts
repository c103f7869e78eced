import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { grid, halton, spirals, widthFor } from "../../examples/rbf/points.js";
import { compile, Session, type TargetName } from "../../index.js";

const file = join(import.meta.dirname, "..", "..", "examples", "rbf", "rbf.graph");
const native = probe().available;
const targets: readonly TargetName[] = native ? ["reference", "cpu"] : ["reference"];

type Point = readonly [number, number];

/** Franke's function as his report of 1979 has it. */
function franke([x, y]: Point): number {
  return (
    0.75 * Math.exp(-((9 * x - 2) ** 2 + (9 * y - 2) ** 2) / 4) +
    0.75 * Math.exp(-((9 * x + 1) ** 2) / 49 - (9 * y + 1) / 10) +
    0.5 * Math.exp(-((9 * x - 7) ** 2 + (9 * y - 3) ** 2) / 4) -
    0.2 * Math.exp(-((9 * x - 4) ** 2) - (9 * y - 7) ** 2)
  );
}

const bell = (a: Point, b: Point, width: number): number =>
  Math.exp(-((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / (2 * width ** 2));

/** The sum of bells through Franke's values at the centres, by conjugate gradients on the symmetric system, at each place. */
function interpolate(centres: readonly Point[], places: readonly Point[], width: number): readonly number[] {
  const times = (v: readonly number[]): number[] =>
    centres.map((a) => centres.reduce((sum, b, j) => sum + bell(a, b, width) * (v[j] ?? 0), 0));
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  let weights = centres.map(() => 0);
  let residual = centres.map(franke);
  let direction = residual;
  for (let i = 0; i < 200 && dot(residual, residual) > 1e-26; i++) {
    const image = times(direction);
    const before = dot(residual, residual);
    const length = before / dot(direction, image);
    weights = weights.map((w, j) => w + length * (direction[j] ?? 0));
    residual = residual.map((r, j) => r - length * (image[j] ?? 0));
    const turn = dot(residual, residual) / before;
    direction = residual.map((r, j) => r + turn * (direction[j] ?? 0));
  }
  return places.map((place) => centres.reduce((sum, c, j) => sum + bell(place, c, width) * (weights[j] ?? 0), 0));
}

test("the points of the Halton sequence are mirrored digits", (t) => {
  t.deepEqual(halton(4), [
    [1 / 2, 1 / 3],
    [1 / 4, 2 / 3],
    [3 / 4, 1 / 9],
    [1 / 8, 1 / 3 + 1 / 9],
  ]);
  t.deepEqual(halton(0), []);
});

for (const target of targets) {
  test(`${target}: bells go through the values of Franke's function, and between them where conjugate gradients have them`, async (t) => {
    await using session = new Session(await compile(file, { target }));
    const places = grid(5, 0, 1);
    for (const count of [1, 12]) {
      const centres = halton(count);
      const width = 0.12;
      const known = await session.run("interpolate", { centres, places: centres, width });
      const between = await session.run("interpolate", { centres, places, width });
      const expected = interpolate(centres, places, width);
      centres.forEach((centre, i) => {
        t.true(Math.abs(Number(known["interpolated"]?.data[i]) - franke(centre)) < 1e-12);
      });
      places.forEach((place, i) => {
        t.true(Math.abs(Number(between["exact"]?.data[i]) - franke(place)) < 1e-14);
        t.true(Math.abs(Number(between["interpolated"]?.data[i]) - (expected[i] ?? Number.NaN)) < 1e-10);
      });
      const errors = places.map((place, i) => (expected[i] ?? 0) - franke(place));
      const rms = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
      t.true(Math.abs(Number(between["rms_error"]?.data[0]) - rms) < 1e-10);
    }
  });
}

(native ? test : test.skip)("more points are nearer to the function, and the spirals are told apart", async (t) => {
  await using session = new Session(await compile(file, { target: "cpu" }));
  const rms: number[] = [];
  for (const count of [50, 200, 800]) {
    const feeds = { centres: halton(count), places: grid(40, 0, 1), width: widthFor(count) };
    const { rms_error } = await session.run("interpolate", feeds);
    rms.push(Number(rms_error?.data[0]));
  }
  t.true((rms[0] ?? 0) < 0.05 && (rms[1] ?? 1) < 0.2 * (rms[0] ?? 0) && (rms[2] ?? 1) < 0.5 * (rms[1] ?? 0), `${rms}`);

  const { point, label } = spirals();
  const data = { point: Float32Array.from(point.flat()), label: Float32Array.from(label) };
  const report = await session.train({ run: "fit", data, batch: label.length, steps: 3000 });
  t.is(report.metrics["right"], 1);
  const between = spirals(0.5);
  const { right } = await session.run("evaluate", { point: between.point, label: between.label });
  t.true(Number(right?.data[0]) >= 0.85, `${right?.data[0]} of the points in between are right`);
});
