// Draws examples/iris/iris.svg: each flower with its petal's measures, and what the network that had not seen it took it for.
// Needs a build; takes a second.
import { join } from "node:path";
import { accuracyOf, crossValidate, readFlowers } from "../../dist/examples/iris/cross_validation.js";
import { compile } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const folder = join(import.meta.dirname, "..", "..", "dist", "examples", "iris");
const flowers = await readFlowers(folder);
const folds = await crossValidate(await compile(join(folder, "iris.graph")), flowers, { seed: 1936 });
const species = ["setosa", "versicolor", "virginica"];
const cm = (row, column) => Math.round(10 * flowers.measurements[4 * row + column]) / 10;
const values = folds.flatMap(({ rows, predicted }) =>
  rows.map((row, i) => ({
    length: cm(row, 2),
    width: cm(row, 3),
    species: species[flowers.species[row]],
    taken: species[predicted[i]],
    wrong: predicted[i] !== flowers.species[row],
  })),
);
const wrong = values.filter((value) => value.wrong).length;

const place = {
  x: {
    field: "length",
    type: "quantitative",
    title: "length of the petal, cm",
    scale: { domain: [0.5, 7.5], nice: false },
  },
  y: {
    field: "width",
    type: "quantitative",
    title: "width of the petal, cm",
    scale: { domain: [0, 2.7], nice: false },
  },
};
await drawChart("examples/iris/iris.svg", {
  title: {
    text: `Each flower as a network said that had not seen it: ${(100 * accuracyOf(folds)).toFixed(1)} % right`,
    subtitle: `Rings: the ${wrong} that are wrong, in the colour of what each was taken for`,
  },
  width: 560,
  height: 360,
  data: { values },
  layer: [
    {
      mark: { type: "circle", size: 46, opacity: 0.75 },
      encoding: {
        ...place,
        color: { field: "species", scale: { domain: species }, title: null, legend: { orient: "bottom-right" } },
      },
    },
    {
      transform: [{ filter: "datum.wrong" }],
      mark: { type: "point", size: 210, strokeWidth: 2.5 },
      encoding: { ...place, color: { field: "taken", scale: { domain: species } } },
    },
  ],
});
