import test from "ava";
import fc from "fast-check";
import { hostTarget, targetLevels } from "../../compiler/backends/llvm/target.js";
import { printComputation } from "../../compiler/ir/printer.js";
import { disagreements } from "./fuzz.js";
import { randomGraph } from "./graphs.js";
import { nativeIsAvailable } from "./support.js";

/** The graph that is at fault, in the form that `graphc inspect --stage graph` prints. */
function textOf(numbers: readonly number[]): string {
  return printComputation(randomGraph(numbers).computation, { elide: 16 });
}

const native = nativeIsAvailable ? test : test.skip;
const runs = Number(process.env["GRAPHC_FUZZ_RUNS"] ?? 24);

for (const level of targetLevels) {
  native(`random typed graphs give on ${level} what the reference gives`, async (t) => {
    const target = hostTarget(level);
    const numRuns = level === "avx512" ? runs : Math.ceil(runs / 2);
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 5039 }), { minLength: 30, maxLength: 260, size: "max" }),
        async (numbers) => {
          const found = await disagreements(numbers, target);
          if (found.length > 0) throw new Error(`${found.slice(0, 3).join("\n")}\n${textOf(numbers)}`);
          agreed += 1;
        },
      ),
      { includeErrorInReport: true, numRuns },
    );
    t.is(agreed, numRuns);
  });
}
