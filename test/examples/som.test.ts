import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { drawColours, judgeColours, placeFlowers, readFlowers, trainOn } from "../../examples/som/maps.js";
import { compile, Session, type TargetName } from "../../index.js";

const folder = join(import.meta.dirname, "..", "..", "examples", "som");
const file = join(folder, "som.graph");
const native = probe().available;
const targets: readonly TargetName[] = native ? ["reference", "cpu"] : ["reference"];

/** Places of units by distance from an example, the nearest first. */
function byDistance(x: Float32Array, map: readonly number[]): readonly (readonly [unit: number, distance: number])[] {
  const units = Array.from({ length: map.length / x.length }, (_, unit) => {
    const squares = Array.from(x, (value, i) => (value - (map[unit * x.length + i] ?? 0)) ** 2);
    return [unit, Math.sqrt(squares.reduce((sum, square) => sum + square))] as const;
  });
  return units.sort((a, b) => a[1] - b[1]);
}

const adjacent = (a: number, b: number): boolean =>
  Math.max(Math.abs(Math.floor(a / 10) - Math.floor(b / 10)), Math.abs((a % 10) - (b % 10))) <= 1;

for (const target of targets) {
  test(`${target}: units, errors and the U-matrix of the map of flowers are their definitions`, async (t) => {
    await using session = new Session(await compile(file, { target }));
    const { flower } = await readFlowers(folder);
    await trainOn(session, "fit_iris", flower, 20);
    const map = Array.from(session.get("iris.map").data, Number);
    const found = await placeFlowers(session, flower);
    const nearest = Array.from({ length: 150 }, (_, i) => byDistance(flower.subarray(4 * i, 4 * i + 4), map));
    t.deepEqual(
      found.units,
      nearest.map((units) => units[0]?.[0] ?? -1),
    );
    const quantisation = nearest.reduce((sum, units) => sum + (units[0]?.[1] ?? 0), 0) / 150;
    t.true(Math.abs(found.quantisation - quantisation) < 1e-5);
    const torn = nearest.filter((units) => !adjacent(units[0]?.[0] ?? 0, units[1]?.[0] ?? 0)).length;
    t.true(Math.abs(found.topographic - torn / 150) < 1e-6);

    const { "iris.heights": heights } = await session.run("landscape");
    for (const [place, beside] of [
      [0, [1, 10]],
      [5, [4, 6, 15]],
      [55, [45, 54, 56, 65]],
      [99, [89, 98]],
    ] as const) {
      const here = Float32Array.from(map.slice(4 * place, 4 * place + 4));
      const distances = beside.map((unit) => byDistance(here, map.slice(4 * unit, 4 * unit + 4))[0]?.[1] ?? 0);
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
      t.true(Math.abs(Number(heights?.data[place]) - mean) < 1e-5);
    }
  });

  test(`${target}: a step moves each unit by rate and neighbourhood towards the example`, async (t) => {
    await using session = new Session(await compile(file, { target }));
    const before = Array.from(session.get("iris.map").data, Number);
    const x = Float32Array.of(0.5, -1, 0.25, 2);
    await session.run("fit_iris", { "iris.flower": { dtype: "f32", shape: [1, 4], data: x } });
    const winner = byDistance(x, before)[0]?.[0] ?? 0;
    const after = Array.from(session.get("iris.map").data, Number);
    after.forEach((value, i) => {
      const unit = Math.floor(i / 4);
      const down = Math.floor(unit / 10) - Math.floor(winner / 10);
      const across = (unit % 10) - (winner % 10);
      const near = Math.exp(-(down ** 2 + across ** 2) / (2 * 5 ** 2));
      const old = before[i] ?? 0;
      t.true(Math.abs(value - (old + 0.5 * near * ((x[i % 4] ?? 0) - old))) < 1e-6);
    });
  });
}

(native ? test : test.skip)("both maps come nearer to their examples, and unfold", async (t) => {
  const program = await compile(file, { target: "cpu" });
  await using iris = new Session(program);
  const { flower, species } = await readFlowers(folder);
  const first = await placeFlowers(iris, flower);
  await trainOn(iris, "fit_iris", flower, 6000);
  const last = await placeFlowers(iris, flower);
  t.true(last.quantisation < 0.3 && last.quantisation < 0.4 * first.quantisation, `${last.quantisation}`);
  t.true(last.topographic < 0.1 && last.topographic < 0.2 * first.topographic, `${last.topographic}`);
  // Setosa lie apart from the others in their measures: no unit is of both.
  const setosa = new Set(last.units.filter((_, i) => species[i] === 0));
  t.false(last.units.some((unit, i) => species[i] !== 0 && setosa.has(unit)));

  await using colours = new Session(program);
  const drawn = await drawColours(colours);
  const grey = await judgeColours(colours, drawn);
  await trainOn(colours, "fit_colours", drawn, 6000);
  const painted = await judgeColours(colours, drawn);
  t.true(painted.quantisation < 0.4 * grey.quantisation, `${painted.quantisation}`);
  t.true(painted.topographic < 0.1, `${painted.topographic}`);
});
