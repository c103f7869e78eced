// Draws examples/som/som.svg: the map of colours before and after, and the flowers on the U-matrix of theirs. Needs a build; takes
// seconds.
import { join } from "node:path";
import { drawColours, placeFlowers, readFlowers, trainOn } from "../../dist/examples/som/maps.js";
import { compile, Session } from "../../dist/index.js";
import { colours as categories, drawChart } from "./chart.mjs";
import { colourAt, pngAddress } from "./png.mjs";

const folder = join(import.meta.dirname, "..", "..", "dist", "examples", "som");
const program = await compile(join(folder, "som.graph"));
const panel = 264;

/** The cells of a square grid as an image whose cells are `scale` pixels wide. */
function cells(count, colour) {
  const scale = Math.floor(panel / count);
  const pixel = (_, i) => {
    const row = Math.floor(Math.floor(i / (count * scale)) / scale);
    return colour(row * count + Math.floor((i % (count * scale)) / scale));
  };
  return pngAddress(count * scale, count * scale, Array.from({ length: (count * scale) ** 2 }, pixel));
}

function image(url) {
  return {
    data: { values: [{ url }] },
    mark: { type: "image", aspect: false, width: panel, height: panel, x: panel / 2, y: panel / 2, aria: false },
    encoding: { url: { field: "url", type: "nominal" } },
  };
}

const plain = (text, layer) => ({ title: { text, fontSize: 13 }, width: panel, height: panel, layer });
const byte = (share) => Math.round(255 * Math.min(1, Math.max(0, share)));
const shades = (session) => {
  const { data } = session.get("colours.map");
  return cells(24, (unit) => [0, 1, 2].map((channel) => byte(data[3 * unit + channel])));
};

const colours = new Session(program);
const before = shades(colours);
await trainOn(colours, "fit_colours", await drawColours(colours), 6000);
const after = shades(colours);
await colours.close();

const iris = new Session(program);
const { flower, species } = await readFlowers(folder);
await trainOn(iris, "fit_iris", flower, 6000);
const { units } = await placeFlowers(iris, flower);
const { "iris.heights": heights } = await iris.run("landscape");
await iris.close();
const highest = Math.max(...heights.data);
const greys = [
  [255, 255, 255],
  [216, 222, 230],
  [110, 122, 138],
];

/** Flowers of one unit in a spiral around its middle, as seeds stand in a sunflower. */
const seen = new Map();
const values = units.map((unit, i) => {
  const before = seen.get(unit) ?? 0;
  seen.set(unit, before + 1);
  const radius = 0.13 * Math.sqrt(before);
  const angle = before * 2.39996;
  return {
    x: (unit % 10) + 0.5 + radius * Math.cos(angle),
    y: 9.5 - Math.floor(unit / 10) + radius * Math.sin(angle),
    species: ["setosa", "versicolor", "virginica"][species[i]],
  };
});
const place = { type: "quantitative", scale: { domain: [0, 10], nice: false }, axis: null };
const dots = {
  data: { values },
  mark: { type: "circle", size: 22, opacity: 1, aria: false },
  encoding: {
    x: { field: "x", ...place },
    y: { field: "y", ...place },
    color: {
      field: "species",
      type: "nominal",
      scale: { range: categories.slice(0, 3) },
      title: null,
      legend: { orient: "bottom" },
    },
  },
};
await drawChart("examples/som/som.svg", {
  bounds: "flush",
  spacing: 30,
  resolve: { scale: { color: "independent" }, legend: { color: "independent" } },
  hconcat: [
    plain("24 x 24 units before", [image(before)]),
    plain("after 6000 colours", [image(after)]),
    plain("150 flowers; the darker, the farther apart", [
      image(cells(10, (unit) => colourAt(heights.data[unit] / highest, greys))),
      dots,
    ]),
  ],
});
