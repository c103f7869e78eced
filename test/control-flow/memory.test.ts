import test from "ava";
import { differentiate } from "../../compiler/autodiff/differentiate.js";
import { selectRequest } from "../../compiler/ir/select.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { specialise } from "../../compiler/passes/specialise.js";
import { graphOf } from "../dsl/elaborate/support.js";
import { build } from "../kernels/support.js";

/** A recurrent network of 64 units over `length` steps, and the gradient of its weights. */
function arenaBytes(length: number, settings: string): number {
  const graph = graphOf(`graph g {
  placeholder xs: f32[${length}, 8, 64]
  variable w: f32[64, 64] = ones()
  last = scan${settings} x in xs with h = zeros([8, 64]) {
    a = tanh(x + h @ w)
    b = sigmoid(a * h)
    next h = tanh(a + b * x)
  }
  dw = gradients(sum(last), [w])
}
`);
  const selected = runPipeline(beforeGradients, selectRequest(graph, { fetches: ["dw"], updates: [] }), {});
  const { computation } = differentiate(selected);
  return build(runPipeline(pipeline, specialise(graph, computation, new Map()), {})).memory.arenaBytes;
}

test("the gradient of a scan that recomputes keeps the carry of each step, and nothing else", (t) => {
  const carry = 8 * 64 * 4;
  const perStep = (settings: string): number => (arenaBytes(200, settings) - arenaBytes(100, settings)) / 100;
  const [stored, recomputed] = [perStep(""), perStep("(checkpoint=true)")];
  t.log(`${stored / carry} and ${recomputed / carry} carries a step`);
  t.true(recomputed < 1.1 * carry, `${recomputed} bytes a step`);
  t.true(stored > 2 * recomputed, `${stored} bytes a step`);
});
