import { join } from "node:path";
import { compile, Session } from "../../index.js";
import { grid, halton, spirals, widthFor } from "./points.js";

const program = await compile(join(import.meta.dirname, "rbf.graph"));
await using session = new Session(program);

console.log("Franke's function from its values at some points");
console.log("points | width | largest error at them | largest between | rms between");
const places = grid(60, 0, 1);
for (const count of [50, 100, 200, 400, 800]) {
  const centres = halton(count);
  const width = widthFor(count);
  const known = await session.run("interpolate", { centres, places: centres, width });
  const between = await session.run("interpolate", { centres, places, width });
  const errors = [known["largest_error"], between["largest_error"], between["rms_error"]];
  const [at = "", largest = "", rms = ""] = errors.map((error) => Number(error?.data[0]).toExponential(1));
  console.log(
    `${String(count).padStart(6)} | ${width.toFixed(3)} | ${at.padStart(21)} | ${largest.padStart(15)} | ${rms.padStart(11)}`,
  );
}

console.log("\nTwo spirals, told apart");
const seen = spirals();
const unseen = spirals(0.5);
await session.train({
  run: "fit",
  data: { point: Float32Array.from(seen.point.flat()), label: Float32Array.from(seen.label) },
  batch: seen.label.length,
  steps: 3000,
  every: 500,
  onReport: ({ step, metrics }) => {
    console.log(
      `step ${String(step).padStart(4)}  loss ${metrics["loss"]?.toFixed(4)}  right ${metrics["right"]?.toFixed(4)}`,
    );
  },
});
const { right } = await session.run("evaluate", { point: unseen.point, label: unseen.label });
console.log(`of ${unseen.label.length} points in between, right: ${Number(right?.data[0]).toFixed(4)}`);
