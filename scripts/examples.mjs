// Runs the examples in full, writes what they print into their READMEs (scripts/readmes.mjs) and draws their pictures
// (scripts/pictures). Names of examples, such as `iris rbf`, do these only. One that fails leaves its page as it is, the others go on,
// and the end says which failed. Needs a build, native code and a quiet machine, since some outputs have times in them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const all = readdirSync(join(root, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`examples: there is no ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

/** Runs a script of this folder, its output below a line of its own; whether it ended well. */
function run(script, ...parameters) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...parameters], {
    cwd: root,
    stdio: "inherit",
  });
  return status === 0;
}

const names = chosen.length > 0 ? chosen : all;
console.log(
  `examples: ${names.length} to run in full; what each prints goes into its README, and its pictures are drawn again.`,
);
if (chosen.length === 0)
  console.log("On a quiet core of a server that takes about ten minutes; lstm and alexnet are the longest.");
const seconds = (start) => ((performance.now() - start) / 1000).toFixed(1);
const begin = performance.now();
const failed = [];
for (const [i, name] of names.entries()) {
  const start = performance.now();
  const picture = join("pictures", `${name}.mjs`);
  const parts = [
    ["README", () => run("readmes.mjs", name)],
    ...(existsSync(join(import.meta.dirname, picture)) ? [["picture", () => run(picture)]] : []),
  ];
  const broken = parts.filter(([, part]) => !part()).map(([what]) => what);
  if (broken.length > 0) failed.push(`${name} (${broken.join(", ")})`);
  console.log(`${i + 1}/${names.length} ${name}: ${broken.length > 0 ? "FAILED" : "done"} in ${seconds(start)} s`);
}
console.log(`examples: ${names.length - failed.length} of ${names.length} done in ${seconds(begin)} s`);
if (failed.length > 0) {
  console.error(`examples: failed: ${failed.join("; ")}`);
  process.exitCode = 1;
}
