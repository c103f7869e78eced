/**
 * `node BUILD/test/backends/guarded.js [graphs] [seed]`: random graphs whose native blocks stand between pages that may not be touched. They
 * run in a child, which an overrun ends; the graph that it ran is shrunk to a `.graph` file of which `graphc run` ends so, too.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { fileFault } from "../fuzz/compare.js";
import { shrunkToFile } from "../fuzz/search.js";
import { sourceOf } from "../fuzz/source.js";
import { generator } from "../support/samples.js";
import { disagreement } from "./fuzz.js";
import { randomGraph } from "./graphs.js";
import { columnsOf, requestFor, trainingStep } from "./loops.js";
import { bindBoth } from "./support.js";

const guarded = { ...process.env, GRAPHC_DEBUG_GUARD: "1" };
const binary = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

function graphOf(seed: number) {
  const random = generator(seed, 5);
  return randomGraph(
    Array.from({ length: 60 + Math.floor(random(0) * 200) }, (_, i) => Math.floor(random(i + 1) * 5040)),
  );
}

/** In the child: says which graph it is about to run, as it may not come back. */
async function batch(graphs: number, first: number): Promise<void> {
  const target = hostTarget();
  for (let seed = first; seed < first + graphs; seed++) {
    writeSync(1, `graph ${seed}\n`);
    const graph = graphOf(seed);
    const found =
      seed % 3 === 2
        ? await fileFault(sourceOf(graph), target)
        : await disagreement(graph, seed % 3 === 0 ? graph.optimised : graph.computation, target);
    if (found !== undefined) throw new Error(`graph ${seed}: ${found.problems.join("\n")}`);
  }
  writeSync(1, "training loops\n");
  await loops();
}

/** Shuffled rows are copied, those in order are read in place: up to the very end of the columns. */
async function loops(): Promise<void> {
  const both = await bindBoth(trainingStep(3));
  for (const rows of [3, 4, 64, 1000]) {
    const columns = columnsOf(both.native, rows);
    for (const shuffle of [false, true]) {
      const outcome = await both.native.executable.loop(requestFor(columns, { batch: 3, steps: 2 * rows, shuffle }));
      if (outcome.steps !== 2 * rows) throw new Error(`${outcome.steps} steps of ${2 * rows}`);
    }
    for (const block of columns.values()) block.free();
  }
  both.close();
}

async function main(graphs: number, first: number): Promise<number> {
  const own = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, [own, "batch", String(graphs), String(first)], {
    encoding: "utf8",
    env: guarded,
  });
  if (child.status === 0) {
    console.log(`${graphs} graphs kept to their buffers`);
    return 0;
  }
  const [last = ""] = child.stdout.trim().split("\n").slice(-1);
  const said = String(child.signal ?? child.stderr.trim().split("\n").slice(0, 20).join("\n"));
  console.log(`${last}: ${said}`);
  const seed = /^graph (\d+)$/.exec(last)?.[1];
  if (seed === undefined) return 1;
  const folder = mkdtempSync(join(tmpdir(), "graphc-guard-"));
  const faultOf = (text: string): string | undefined => {
    const path = join(folder, "shrunk.graph");
    writeFileSync(path, text);
    const { signal } = spawnSync(process.execPath, [binary, "run", path, "all", "--target", "cpu"], { env: guarded });
    return signal ?? undefined;
  };
  const { report } = await shrunkToFile(graphOf(Number(seed)), said, faultOf, (path) => [
    `GRAPHC_DEBUG_GUARD=1 graphc run ${path} all --target cpu`,
  ]);
  rmSync(folder, { recursive: true, force: true });
  console.log(report);
  return 1;
}

const [head = "10", second = "0", third = "0"] = process.argv.slice(2);
if (head === "batch") await batch(Number(second), Number(third));
else process.exitCode = await main(Number(head), Number(second));
