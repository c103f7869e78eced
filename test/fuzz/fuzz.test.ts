import test from "ava";
import { hostTarget, targetLevels } from "../../compiler/backends/llvm/target.js";
import { nativeIsAvailable } from "../backends/support.js";
import { draws } from "../support/draws.js";
import { fileFault, nativeFault, programFault, textFault } from "./compare.js";
import { randomGraphs } from "./random_graphs.js";
import { randomPrograms } from "./random_programs.js";
import { search } from "./search.js";

const native = nativeIsAvailable ? test : test.skip;
// Few of a fixed seed, so that a suite that has passed goes on passing; `make fuzz` draws as many as it is asked for.
const { numRuns: runs, seed } = draws(12);

for (const level of targetLevels) {
  native(`random typed graphs give on ${level} what the reference gives`, async (t) => {
    const target = hostTarget(level);
    const found = await search({
      runs: level === "avx512" ? runs : Math.ceil(runs / 2),
      seed,
      graphs: randomGraphs(),
      check: (drawn) => nativeFault(drawn, target),
      checkFile: (text) => fileFault(text, target),
      commands: (path) => [
        `GRAPHC_CPU=${level} graphc run ${path} all --target cpu`,
        `graphc run ${path} all --target reference`,
      ],
    });
    t.is(found?.report, undefined);
  });
}

native(
  "random programs, with dims, broadcasting and calls of the library, give natively what the reference gives",
  async (t) => {
    const target = hostTarget();
    const found = await search({
      runs: Math.ceil(runs / 2),
      seed,
      graphs: randomPrograms(),
      check: (drawn) => programFault(drawn, target),
      checkFile: (text) => fileFault(text, target),
      commands: (path) => [`graphc run ${path} all --target cpu`, `graphc run ${path} all --target reference`],
    });
    t.is(found?.report, undefined);
  },
);

test("the text of a random graph means that graph, whatever way it is written", async (t) => {
  const found = await search({
    runs,
    seed,
    graphs: randomGraphs(),
    check: (drawn) => Promise.resolve(textFault(drawn)),
    commands: (path) => [`graphc inspect ${path} --stage graph`],
  });
  t.is(found?.report, undefined);
});
