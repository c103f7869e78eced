/** `make bless`: brings the diagnostics and the printed forms of the test files up to date. Names of files choose some. */
import { bless } from "./bless.js";
import { testFiles } from "./folder.js";
import { loadTest } from "./load.js";

const chosen = process.argv.slice(2);
for (const name of testFiles()) {
  if (chosen.length > 0 && !chosen.some((part) => name.includes(part))) continue;
  if (await bless(loadTest(name))) console.log(`test/language/${name}`);
}
