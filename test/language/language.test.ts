import test from "ava";
import { cpuBackend } from "../../compiler/backends/llvm/backend.js";
import { nativeIsAvailable } from "../backends/support.js";
import { nativeValues } from "./harness/batch.js";
import { failureProblems, problemsOf } from "./harness/check.js";
import { checksOf, wrongValues } from "./harness/expected.js";
import { testFiles } from "./harness/folder.js";
import { directivesOf, loadTest } from "./harness/load.js";

/** Every .graph file of this folder is a test: README.md says what its comments mean. */

const files = new Map(testFiles().map((name) => [name, loadTest(name)]));
const native = nativeIsAvailable ? nativeValues(files) : undefined;

for (const [name, file] of files) {
  test(name, async (t) => {
    t.deepEqual(await problemsOf(file), []);
    if (native === undefined || file.graph === undefined) return;
    const checks = checksOf(file);
    if (checks.length > 0) {
      const values = (await native).get(name);
      if (!(values instanceof Map)) return t.fail(`it does not run natively: ${String(values)}`);
      t.deepEqual(wrongValues(checks, values), [], "natively");
    }
    if (directivesOf(file, "fails").length > 0)
      t.deepEqual(await failureProblems(file, file.graph, cpuBackend()), [], "natively");
    return undefined;
  });
}
