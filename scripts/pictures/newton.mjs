// Draws examples/newton/newton.svg: how many steps Newton's method takes to each root, from 1e-9 to 1e9. Needs a build; takes a second.
import { join } from "node:path";
import { compile, Session } from "../../dist/index.js";
import { drawChart } from "./chart.mjs";

const root = join(import.meta.dirname, "..", "..");
const session = new Session(await compile(join(root, "examples", "newton", "newton.graph")));
const decades = 9;
const count = 721;
const values = Array.from({ length: count }, (_, i) => 10 ** (-decades + (2 * decades * i) / (count - 1)));
const found = await session.run("roots", { values });
await session.close();

const kinds = [
  ["square root", found.square_steps],
  ["cube root", found.cube_steps],
];
const points = kinds.flatMap(([kind, steps]) => values.map((a, i) => ({ a, steps: Number(steps.data[i]), kind })));
await drawChart("examples/newton/newton.svg", {
  title: {
    text: "Steps of Newton's method from max(a, 1) to the root",
    subtitle: "Far away a step leaves 1/2 or 2/3 of x; near the root it doubles the right digits",
  },
  width: 560,
  height: 300,
  data: { values: points },
  mark: { type: "line", interpolate: "step", strokeWidth: 2 },
  encoding: {
    x: { field: "a", type: "quantitative", title: "a", scale: { type: "log" }, axis: { format: "~e", tickCount: 7 } },
    y: { field: "steps", type: "quantitative", title: "steps" },
    color: {
      field: "kind",
      title: null,
      legend: { orient: "top-left" },
      scale: { domain: ["square root", "cube root"] },
    },
  },
});
