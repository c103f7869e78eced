import test from "ava";
import { longFiles } from "../../bench/long_files.js";
import { hostTarget } from "../../compiler/backends/llvm/target.js";
import { rootsOf } from "../../compiler/ir/graph.js";
import { nodesBelow } from "../../compiler/ir/node.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import { optimise, prepareComputation } from "../../compiler/prepare.js";
import { loadGraphFromText } from "../../dsl/load.js";

/** How much there is of a deep net with its gradients: before the passes, behind them, and in kernels. */
function sizes(name: string, lines: number): readonly number[] {
  const text = longFiles(lines).find((one) => one.name === name)?.text ?? "";
  const { graph, diagnostics } = loadGraphFromText(text, "/nowhere/deep.graph");
  if (graph === undefined) throw new Error(JSON.stringify(diagnostics));
  const prepared = prepareComputation(graph, { kind: "signature", name: "fit" });
  const optimised = optimise(graph, prepared, new Map([["N", 32]]));
  const { compute, commit } = buildKernels(optimised, hostTarget(), { checkNumerics: false });
  return [nodesBelow(rootsOf(prepared)).length, nodesBelow(rootsOf(optimised)).length, compute.length + commit.length];
}

test("every layer of a deep net adds as much to its gradients and kernels as the one before", (t) => {
  for (const name of ["normalised", "residual"]) {
    const [few, some, many] = [22, 28, 34].map((lines) => sizes(name, lines));
    const growth = (less: readonly number[] = [], more: readonly number[] = []): readonly number[] =>
      more.map((count, i) => count - (less[i] ?? 0));
    const [before, after] = [growth(few, some), growth(some, many)];
    t.deepEqual(after.slice(0, 2), before.slice(0, 2), name);
    // Steps of small tensors may share a kernel, so that one more or less depends on where a group of them ends.
    t.true(Math.abs((after[2] ?? Number.NaN) - (before[2] ?? Number.NaN)) <= 1, name);
    t.true(
      before.every((added) => added >= 6),
      name,
    );
  }
});
