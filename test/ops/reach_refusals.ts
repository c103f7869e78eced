import { referenceBackend } from "../../compiler/backends/reference/backend.js";
import { GraphError } from "../../compiler/ir/diagnostic.js";
import { floorDivideDims, symbol } from "../../compiler/ir/dim.js";
import { OpError } from "../../compiler/ops/op_error.js";
import { opNamed } from "../../compiler/ops/table.js";
import { reshape } from "../../compiler/ops/views.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { exampleGraph } from "../compiler/ir/example.js";
import { computationOf, input } from "../compiler/ir/support.js";
import { failureProblems } from "../language/harness/check.js";
import { testFiles } from "../language/harness/folder.js";
import { directivesOf, loadTest } from "../language/harness/load.js";
import { refusals } from "./refusals.js";

/** What only a graph of a printed form can ask for: the language has constrained its divisors. */
function divideByZero(): void {
  const y = reshape(input("x", "f32", [symbol("N")]), { shape: [floorDivideDims(8, symbol("N"))] });
  try {
    specialise(exampleGraph(), computationOf({ y }), new Map([["N", 0]]));
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
  }
}

/** Does all over which a test compares what ops refuse; whether the texts are right is for those tests. */
export async function reachRefusals(): Promise<void> {
  for (const name of testFiles()) {
    const file = loadTest(name);
    if (file.graph !== undefined && directivesOf(file, "fails").length > 0)
      await failureProblems(file, file.graph, referenceBackend());
  }
  divideByZero();
  for (const [name, types, attributes, , regions] of refusals) {
    try {
      opNamed(name).infer(types, attributes, regions);
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
    }
  }
}
