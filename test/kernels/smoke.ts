import "../../compiler/ops/table.js";
import { printKernels } from "../../compiler/kernels/printer.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { build, computationOf, disagreements } from "./support.js";
import * as models from "./models.js";

const ln = { outputs: { y: models.layerNorm(models.input("x", [4096, 1024]), models.weight("g", [1024]), models.weight("b", [1024])) }, assignments: {} };
const which: Record<string, models.Step> = { linear: models.linearRegression(), softmax: models.softmaxRegression(100), dnn: models.network(32), ln };
const small: Record<string, models.Step> = { softmax: models.softmaxRegression(6, 56, 5), dnn: models.network(8, 40, 24, 5) };
for (const name of process.argv.slice(2)) {
  const { outputs, assignments } = which[name]!;
  const computation = computationOf(outputs, assignments, name);
  const program = build(computation);
  console.log(printKernels(program));
  console.log(verifyKernels(program).map((d) => d.message));
  const s = small[name];
  if (s) { const c = computationOf(s.outputs, s.assignments); const p = build(c); console.log(verifyKernels(p).map((d) => d.message), disagreements(c, p)); }
}
