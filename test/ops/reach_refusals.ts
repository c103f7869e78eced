import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import { OpError } from "../../compiler/ops/define.js";
import { opNamed } from "../../compiler/ops/table.js";
import { failureProblems } from "../language/harness/check.js";
import { testFiles } from "../language/harness/folder.js";
import { directivesOf, loadTest } from "../language/harness/load.js";
import { refusals } from "./refusals.js";

/** Does all over which a test compares what ops refuse; whether the texts are right is for those tests. */
export async function reachRefusals(): Promise<void> {
  for (const name of testFiles()) {
    const file = loadTest(name);
    if (file.graph !== undefined && directivesOf(file, "fails").length > 0)
      await failureProblems(file, file.graph, referenceBackend());
  }
  for (const [name, types, attributes, , regions] of refusals) {
    try {
      opNamed(name).infer(types, attributes, regions);
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
    }
  }
}
