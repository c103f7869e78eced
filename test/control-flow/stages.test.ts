import test from "ava";
import { differentiate } from "../../compiler/autodiff/differentiate.js";
import { moduleOf } from "../../compiler/ir/module.js";
import { parseModule } from "../../compiler/ir/parser.js";
import { printModule } from "../../compiler/ir/printer.js";
import { selectRequest } from "../../compiler/ir/select.js";
import { verify } from "../../compiler/ir/verifier.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { ops } from "../../compiler/ops/table.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { graphOf } from "../dsl/elaborate/support.js";
import { avx2, avx512, build, contextOf, disagreements } from "../kernels/support.js";
import { type LoopProgram, programs } from "./programs.js";

function textOf({ text, fetches, inputs }: LoopProgram): { readonly text: string; readonly names: readonly string[] } {
  const gradients = (inputs ?? []).map((input) => `  d_${input} = gradients(${fetches[0]}, [${input}])`);
  const imports = text.includes("dense(") ? 'import { dense } from "std/layers"\n' : "";
  const whole = `${imports}${text.slice(0, text.lastIndexOf("}"))}${gradients.join("\n")}\n}\n`;
  return { text: whole, names: [...fetches, ...(inputs ?? []).map((input) => `d_${input}`)] };
}

for (const program of programs) {
  test(`${program.name}: prints, comes back, and lowers to kernels that give what the reference gives`, (t) => {
    const { text, names } = textOf(program);
    const graph = graphOf(text);
    const selected = selectRequest(graph, { fetches: names, updates: [] });
    t.deepEqual(verify(selected, ops), []);
    const printed = printModule(moduleOf(graph, [selected]));
    t.is(printModule(parseModule(printed, { ops })), printed);
    const before = runPipeline(beforeGradients, selected, { verify: true });
    const { computation, diagnostics } = differentiate(before);
    t.deepEqual(diagnostics, []);
    t.deepEqual(verify(computation, ops, { differentiated: true }), []);
    const optimised = runPipeline(pipeline, specialise(graph, computation, new Map()), { verify: true });
    t.deepEqual(verify(optimised, ops, { differentiated: true, specialised: true }), []);
    for (const target of [avx512, avx2]) {
      for (const fuse of [true, false]) {
        const kernels = build(optimised, { fuseNests: fuse, fuseEpilogues: fuse }, target);
        t.deepEqual(verifyKernels(kernels), []);
        t.deepEqual(disagreements(optimised, kernels, contextOf(optimised)), []);
      }
    }
  });
}
