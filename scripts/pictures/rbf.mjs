// Draws examples/rbf/rbf.svg: a function from its values at 200 points, and two spirals told apart. Needs a build; takes seconds.
import { join } from "node:path";
import { grid, halton, spirals, widthFor } from "../../dist/examples/rbf/points.js";
import { compile, Session } from "../../dist/index.js";
import { colours, drawChart } from "./chart.mjs";
import { colourAt, pngAddress } from "./png.mjs";

const session = new Session(await compile(join(import.meta.dirname, "..", "..", "examples", "rbf", "rbf.graph")));
const pixels = 72;
const panel = 250;
const points = 200;

const centres = halton(points);
const places = grid(pixels, 0, 1);
const width = widthFor(points);
const { interpolated, exact } = await session.run("interpolate", { centres, places, width });
// The error is that of the table in the README, at the places of run.ts.
const { rms_error } = await session.run("interpolate", { centres, places: grid(60, 0, 1), width });

const { point, label } = spirals();
const data = { point: Float32Array.from(point.flat()), label: Float32Array.from(label) };
await session.train({ run: "fit", data, batch: label.length, steps: 3000 });
const { probability } = await session.run("classify", { point: grid(pixels, -1.1, 1.1) });
const between = spirals(0.5);
const { right } = await session.run("evaluate", { point: between.point, label: between.label });
await session.close();

const heights = [
  [10, 30, 84],
  [11, 92, 173],
  [158, 197, 240],
  [250, 246, 228],
  [238, 170, 84],
  [166, 74, 12],
];
const sides = [
  [250, 205, 155],
  [252, 252, 252],
  [160, 200, 242],
];
const picture = (values, colour) => pngAddress(pixels, pixels, Array.from(values, colour));

/** A field of colours from `low` to `high` on both axes, with points on it. */
function field({ title, low, high, url, values = [], mark }) {
  const scale = { domain: [low, high], nice: false };
  const axis = { tickCount: 5, grid: false };
  const place = {
    x: { field: "x", type: "quantitative", scale, axis, title: null },
    y: { field: "y", type: "quantitative", scale, axis, title: null },
  };
  // A number at the very top of the axis pushes the title up by half of its height.
  const offset = Number.isInteger(high) ? 14 : 19;
  return {
    title: { text: title, fontSize: 13, frame: "group", offset },
    width: panel,
    height: panel,
    layer: [
      {
        data: { values: [{ url }] },
        mark: { type: "image", aspect: false, width: panel, height: panel, x: panel / 2, y: panel / 2 },
        encoding: { url: { field: "url", type: "nominal" } },
      },
      { data: { values }, mark, encoding: { ...place, ...mark.encoding } },
    ],
  };
}

const height = (z) => colourAt(Number(z) / 1.25, heights);
await drawChart("examples/rbf/rbf.svg", {
  bounds: "flush",
  spacing: 46,
  hconcat: [
    field({
      title: "Franke's function",
      low: 0,
      high: 1,
      url: picture(exact.data, height),
      mark: { type: "point", opacity: 0 },
    }),
    field({
      title: `from ${points} points, rms error ${Number(rms_error.data[0]).toFixed(4)}`,
      low: 0,
      high: 1,
      url: picture(interpolated.data, height),
      values: centres.map(([x, y]) => ({ x, y })),
      mark: { type: "circle", aria: false, size: 9, color: "#fff", stroke: "#1b1f24", strokeWidth: 0.6, opacity: 1 },
    }),
    field({
      title: `two spirals, ${(100 * Number(right.data[0])).toFixed(1)} % right in between`,
      low: -1.1,
      high: 1.1,
      url: picture(probability.data, (p) => colourAt(Number(p), sides)),
      values: point.map(([x, y], i) => ({ x, y, side: label[i] })),
      mark: {
        type: "circle",
        aria: false,
        size: 16,
        opacity: 1,
        encoding: {
          color: { field: "side", type: "nominal", scale: { range: [colours[1], colours[0]] }, legend: null },
        },
      },
    }),
  ],
});
