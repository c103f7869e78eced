import { join } from "node:path";
import { compile } from "../../index.js";
import { accuracyOf, crossValidate, readFlowers } from "./cross_validation.js";

const folder = import.meta.dirname;
const program = await compile(join(folder, "iris.graph"));
const flowers = await readFlowers(folder);

const folds = await crossValidate(program, flowers, { seed: 1936 });
for (const [i, { right, rows, loss }] of folds.entries()) {
  console.log(`fold ${i + 1}  ${right} of ${rows.length} right  loss ${loss.toFixed(4)}`);
}
console.log(`accuracy ${accuracyOf(folds).toFixed(4)}`);

console.log("\n             predicted\n             setosa  versicolor  virginica");
for (const [kind, name] of ["setosa", "versicolor", "virginica"].entries()) {
  const said = folds.flatMap(({ rows, predicted }) =>
    predicted.filter((_, i) => flowers.species[rows[i] ?? 0] === kind),
  );
  const counts = [0, 1, 2].map((other) => said.filter((value) => value === other).length);
  console.log(`${name.padEnd(11)} ${counts.map((count, i) => String(count).padStart([7, 12, 11][i] ?? 0)).join("")}`);
}

const accuracies: number[] = [];
for (let seed = 1; seed <= 10; seed++) accuracies.push(accuracyOf(await crossValidate(program, flowers, { seed })));
const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
console.log(
  `\nten other seeds  ${accuracies.map((accuracy) => accuracy.toFixed(3)).join(" ")}  mean ${mean.toFixed(4)}`,
);
