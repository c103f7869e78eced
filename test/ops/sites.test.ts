import { readdirSync, readFileSync } from "node:fs";
import { type Profiler, Session } from "node:inspector/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";

/**
 * Every place in the compiler that refuses an op, and every place where the elaborator refuses what is written, is reached by a test that
 * compares the text: the files of test/language, whose diagnostics are all expected, and the table of `refusals.ts`. Which places were
 * reached is V8's own count of blocks.
 */

const root = join(import.meta.dirname, "..", "..");

/** Where ops refuse, and where the language refuses what they are written as. */
const places: readonly { readonly folder: string; readonly site: RegExp }[] = [
  { folder: "compiler", site: /\bnew OpError\(/g },
  { folder: join("dsl", "elaborate"), site: /\b(?:refusal|report|problem|call\.wrong)\(/g },
];

/** How often the innermost block around a place has run. */
function countAt(functions: readonly Profiler.FunctionCoverage[], at: number): number {
  const around = functions
    .flatMap(({ ranges }) => ranges)
    .filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)
    .sort((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset));
  return around[0]?.count ?? 0;
}

test("every refusal of an op, and of what it is written as, is given by some test", async (t) => {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  // Only what is loaded from now on is counted.
  const { reachRefusals } = await import("./reach_refusals.js");
  await reachRefusals();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  session.disconnect();
  const functionsOf = new Map(result.map(({ url, functions }) => [url, functions]));
  let sites = 0;
  const missed: string[] = [];
  for (const { folder, site } of places) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".js")) continue;
      const path = join(root, folder, name);
      const text = readFileSync(path, "utf8");
      for (const { index } of text.matchAll(site)) {
        sites++;
        if (countAt(functionsOf.get(pathToFileURL(path).href) ?? [], index) > 0) continue;
        const words = text.slice(index, index + 120).replace(/\s+/g, " ");
        missed.push(`${relative(root, path)}:${text.slice(0, index).split("\n").length}: ${words}`);
      }
    }
  }
  t.true(sites > 300, `${sites} places found`);
  t.deepEqual(missed, []);
});
