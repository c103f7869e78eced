// Writes what is made from the code: the pages docs/errors.md, docs/gpu.md, docs/ops.md and docs/std.md of the manual, tables of
// docs/language.md, and the grammar that editors colour with. Needs a build. With --check it writes nothing and fails where a page is not what it would write.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { errorsPage } from "./docs/errors.mjs";
import { functionsPage } from "./docs/functions.mjs";
import { gpuPage } from "./docs/gpu.mjs";
import { languagePage } from "./docs/language.mjs";
import { opsPage } from "./docs/ops.mjs";
import { textMateGrammar } from "./docs/textmate.mjs";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { check: { type: "boolean" }, dist: { type: "string", default: "dist" } } });
const dist = resolve(root, values.dist);

if (!existsSync(join(dist, "cli", "main.js"))) {
  console.error("docs: there is no build to ask: run `npm run build` first");
  process.exit(1);
}

const pages = new Map([
  ["docs/errors.md", await errorsPage(dist)],
  ["docs/gpu.md", await gpuPage(dist)],
  ["docs/language.md", await languagePage(dist, root)],
  ["docs/ops.md", await opsPage(dist)],
  ["docs/std.md", await functionsPage(dist, root)],
  ["editor/vscode/syntaxes/graph.tmLanguage.json", await textMateGrammar(dist)],
]);

const stale = [...pages].filter(([name, text]) => {
  const path = join(root, name);
  return !existsSync(path) || readFileSync(path, "utf8") !== text;
});

for (const [name, text] of stale) {
  if (values.check) console.error(`docs: ${name} is not what the code says: run \`npm run docs\``);
  else writeFileSync(join(root, name), text);
}
if (values.check && stale.length > 0) process.exit(1);
const made = stale.length === 0 ? "all as the code says" : `${stale.map(([name]) => name).join(", ")} written`;
console.log(`docs: ${pages.size} generated files, ${made}`);
