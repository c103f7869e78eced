import test from "ava";
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { opNamed } from "../../compiler/ops/table.js";
import { nativeIsAvailable } from "../backends/support.js";
import { at, graphcHere, onlyObject } from "../cli/support.js";
import { fileFault, nativeFault } from "./compare.js";
import { randomGraphs } from "./random_graphs.js";
import { search } from "./search.js";

const native = nativeIsAvailable ? test.serial : test.serial.skip;

/** Faults of the reference, in this process alone: what an evaluator gives is changed. The seeds are those of a fault that is found soon. */
const faults: readonly {
  readonly op: string;
  readonly seed: number;
  readonly wrong: (element: number, operand: number) => number;
}[] = [
  { op: "sign", seed: 0, wrong: (element, operand) => (operand < 0 ? 1 : element) },
  { op: "sum", seed: 6, wrong: (element) => (element === 0 ? element : element + 1) },
];

for (const { op, seed, wrong } of faults) {
  native(
    `a fault of ${op} is shrunk to a file of a few statements, which the CLI checks, and runs to show it`,
    async (t) => {
      const planted = opNamed(op);
      const { evaluate } = planted;
      Object.assign(planted, {
        evaluate: (call: Parameters<typeof evaluate>[0]) => {
          const results = evaluate(call);
          const operand = call.inputs[0]?.data;
          if (!Array.isArray(results)) return results;
          return results.map((data: Float64Array | BigInt64Array) =>
            data instanceof BigInt64Array
              ? data.map((element, i) => BigInt(wrong(Number(element), Number(operand?.[i]))))
              : data.map((element, i) => wrong(element, Number(operand?.[i]))),
          );
        },
      });
      try {
        const target = hostTarget();
        const found = await search({
          runs: 100,
          seed,
          graphs: randomGraphs(),
          check: (drawn) => nativeFault(drawn, target),
          checkFile: (text) => fileFault(text, target),
          commands: (path) => [`graphc run ${path} all`],
        });
        if (found === undefined) return t.fail("it is not found");
        t.log(found.report);
        // What it says: the fault, that the file shows it, and how.
        t.regex(found.report, /is .*, not .*\n# This file shows it:\n# graphc run/);
        const statements = found.text.split("\n").filter((line) => /^ {2}\w/.test(line));
        // The seed, a placeholder, the op, an output and the signature.
        t.true(statements.length <= 5, found.text);
        t.regex(found.text, new RegExp(`${op}\\(`));
        t.is((await graphcHere(["check", found.path])).code, 0);
        const valuesOn = async (name: string): Promise<unknown> =>
          at(onlyObject(await graphcHere(["run", found.path, "all", "--target", name, "--json"])), "y0", "data");
        t.notDeepEqual(await valuesOn("reference"), await valuesOn("cpu"));
      } finally {
        Object.assign(planted, { evaluate });
      }
      return undefined;
    },
  );
}
