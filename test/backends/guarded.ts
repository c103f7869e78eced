/** `node BUILD/test/backends/guarded.js [graphs] [seed]` with GRAPHC_DEBUG_GUARD=1: an overrun of a buffer ends this process. */
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { generator } from "../support/samples.js";
import { disagreement } from "./fuzz.js";
import { randomGraph } from "./graphs.js";
import { columnsOf, requestFor, trainingStep } from "./loops.js";
import { bindBoth } from "./support.js";

const target = hostTarget();
const graphs = Number(process.argv[2] ?? 10);
const first = Number(process.argv[3] ?? 0);
for (let seed = first; seed < first + graphs; seed++) {
  const random = generator(seed, 5);
  const numbers = Array.from({ length: 60 + Math.floor(random(0) * 200) }, (_, i) => Math.floor(random(i + 1) * 5040));
  const graph = randomGraph(numbers);
  const found = await disagreement(graph, seed % 2 === 0 ? graph.optimised : graph.computation, target);
  if (found !== undefined) throw new Error(`graph ${seed}: ${found.problems.join("\n")}`);
}

// Shuffled rows are copied, those in order are read in place: up to the very end of the columns.
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
console.log(`${graphs} graphs kept to their buffers`);
