import { join } from "node:path";
import { compile, Session } from "../../index.js";
import { drawColours, judgeColours, placeFlowers, type Quality, readFlowers, trainOn } from "./maps.js";

const folder = import.meta.dirname;
const program = await compile(join(folder, "som.graph"));

function show(when: string, { quantisation, topographic }: Quality): void {
  console.log(`${when}  quantisation error ${quantisation.toFixed(4)}  topographic error ${topographic.toFixed(4)}`);
}

console.log("150 flowers on a map of 10 x 10");
await using iris = new Session(program);
const { flower, species } = await readFlowers(folder);
show("before", await placeFlowers(iris, flower));
await trainOn(iris, "fit_iris", flower, 6000);
const placed = await placeFlowers(iris, flower);
show("after ", placed);

// A unit has the sign of the species that most of its flowers are of.
const signs = ["o", "+", "#"];
const counts = Array.from({ length: 100 }, () => [0, 0, 0]);
placed.units.forEach((unit, i) => {
  const count = counts[unit];
  const kind = species[i] ?? 0;
  if (count !== undefined) count[kind] = (count[kind] ?? 0) + 1;
});
const majority = counts.map((count) => {
  const most = Math.max(...count);
  return most === 0 ? undefined : count.indexOf(most);
});
const alone = placed.units.filter((unit, i) => majority[unit] === species[i]).length;
console.log(
  `\nspecies of each unit's flowers (o setosa, + versicolor, # virginica): ${alone} of 150 are as most of their unit`,
);
for (let row = 0; row < 10; row++) {
  const line = majority.slice(10 * row, 10 * row + 10);
  console.log(line.map((kind) => (kind === undefined ? "." : signs[kind])).join(" "));
}

console.log("\n2000 random colours on a map of 24 x 24");
await using colours = new Session(program);
const drawn = await drawColours(colours);
show("before", await judgeColours(colours, drawn));
await trainOn(colours, "fit_colours", drawn, 6000);
show("after ", await judgeColours(colours, drawn));
