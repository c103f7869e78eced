import test from "ava";
import "../../compiler/ops/table.js";
import type { Kernel, KernelProgram } from "../../compiler/kernels/form.js";
import { printKernel } from "../../compiler/kernels/printer.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, mul, neg, sub } from "../../compiler/ops/arithmetic.js";
import { broadcastScalar, matmul, matrixTranspose } from "../../compiler/ops/build.js";
import { exp, tanh } from "../../compiler/ops/exponential.js";
import { max, sum } from "../../compiler/ops/reduction.js";
import { reshape, transpose } from "../../compiler/ops/views.js";
import {
  adam,
  columns,
  crossEntropy,
  f32,
  input,
  layerNorm,
  linearRegression,
  network,
  rows,
  type Step,
  softmaxRegression,
  weight,
} from "./models.js";
import { build, computationOf, disagreements } from "./support.js";

const all = (program: KernelProgram): readonly Kernel[] => [...program.compute, ...program.commit];
const printed = (program: KernelProgram): string => all(program).flatMap(printKernel).join("\n");

function built(step: Step): { readonly program: KernelProgram; readonly wrong: readonly string[] } {
  const computation = computationOf(step.outputs, step.assignments);
  const program = build(computation);
  return { program, wrong: [...verifyKernels(program).map((d) => d.message), ...disagreements(computation, program)] };
}

test("a step of linear regression is one kernel: three sums in one loop, then the updates", (t) => {
  const { program, wrong } = built(linearRegression());
  t.deepEqual(wrong, []);
  t.is(
    printed(program),
    `nest w_update {
  for i0 < 8 lanes with a0: sum f32, a1: sum f32, a2: sum f32 {
    %0 = (((b0[0] * b1[i0]) + b2[0]) - b3[i0])
    a0 <- (%0 * %0)
    a1 <- (%0 * b1[i0])
    a2 <- %0
  }
  b4[0] = (a0 / 16)
  b0[0] = (b0[0] - (0.000009999999747378752 * (a1 / 8)))
  b2[0] = (b2[0] - (0.000009999999747378752 * (a2 / 8)))
}`,
  );
});

test("softmax keeps a row in cache: one loop over rows, one buffer of one row", (t) => {
  const x = input("x", [64, 100]);
  const e = exp(sub(x, rows(max(x, { axes: [1] }), [64, 100])));
  const { program, wrong } = built({ outputs: { y: mul(e, rows(sum(e, { axes: [1] }), [64, 100])) }, assignments: {} });
  t.deepEqual(wrong, []);
  t.is(
    printed(program),
    `nest softmax_y {
  for i0 < 64 {
    for i1 < 100 lanes x4 with a0: max f32 {
      a0 <- b0[100*i0 + i1]
    }
    for i2 < 100 lanes with a1: sum f32 {
      %0 = exp((b0[100*i0 + i2] - a0))
      b1[i2] = %0
      a1 <- %0
    }
    for i3 < 100 lanes {
      b2[100*i0 + i3] = (b1[i3] * a1)
    }
  }
}`,
  );
});

test("a cross entropy with its gradient, its mean and the accuracy is one kernel", (t) => {
  const { loss, accuracy, dlogits } = crossEntropy(input("logits", [32, 10]), input("label", [32], "u8"));
  const { program, wrong } = built({ outputs: { loss, accuracy, dlogits }, assignments: {} });
  t.deepEqual(wrong, []);
  t.is(all(program).length, 1, printed(program));
});

test("layer norm is one kernel that reads a row three times and stores it once", (t) => {
  const y = layerNorm(input("x", [48, 256]), weight("gamma", [256]), weight("beta", [256]));
  const { program, wrong } = built({ outputs: { y }, assignments: {} });
  t.deepEqual(wrong, []);
  t.is(all(program).length, 1);
  t.is(
    program.buffers.filter((buffer) => buffer.storage.kind === "temporary").length,
    1,
    "no temporary but the output",
  );
});

test("an optimizer's update is the epilogue of the contraction that gives its gradient", (t) => {
  const w = weight("w", [48, 32]);
  const gradient = matmul(matrixTranspose(input("x", [40, 48])), input("d", [40, 32]));
  const computation = computationOf({}, adam({ w: { parameter: w, gradient } }));
  const program = build(computation);
  t.deepEqual(verifyKernels(program), []);
  t.deepEqual(disagreements(computation, program), []);
  t.deepEqual(
    all(program).map(({ kind, name }) => `${kind} ${name}`),
    ["nest adam_t_update", "contract w_update"],
  );
  const contraction = all(program)[1];
  t.is(contraction?.kind === "contract" ? contraction.epilogue.length : 0, 3);
  t.false(
    program.buffers.some((buffer) => buffer.storage.kind === "temporary" && buffer.length === 48 * 32),
    "the gradient is in no memory",
  );

  const apart = build(computation, { fuseEpilogues: false });
  t.deepEqual(disagreements(computation, apart), []);
  t.true(apart.buffers.some((buffer) => buffer.storage.kind === "temporary" && buffer.length === 48 * 32));
});

test("bias, activation and residual are the epilogue of a dense layer", (t) => {
  const x = input("x", [24, 40]);
  const hidden = tanh(add(matmul(x, weight("w", [40, 40])), columns(weight("b", [40]), [24, 40])));
  const { program, wrong } = built({ outputs: { y: add(hidden, x) }, assignments: {} });
  t.deepEqual(wrong, []);
  t.deepEqual(
    all(program).map((kernel) => kernel.kind),
    ["contract"],
  );
});

test("views cost nothing: a transpose and a reshape are read through strides", (t) => {
  const x = input("x", [6, 10, 4]);
  const y = reshape(neg(transpose(x, { permutation: [2, 0, 1] })), { shape: [4, 60] });
  const { program, wrong } = built({ outputs: { y: mul(y, broadcastScalar(f32(2), [4, 60])) }, assignments: {} });
  t.deepEqual(wrong, []);
  t.true(program.buffers.filter((buffer) => buffer.storage.kind === "temporary").length <= 2);
});

test("a batch of rows of vectors is one axis of a contraction's tile", (t) => {
  const y = reshape(matmul(reshape(input("x", [4, 6, 32]), { shape: [24, 32] }), weight("w", [32, 48])), {
    shape: [4, 6, 48],
  });
  const { program, wrong } = built({ outputs: { y }, assignments: {} });
  t.deepEqual(wrong, []);
  const [kernel] = all(program);
  t.is(kernel?.kind === "contract" ? kernel.m.length : 0, 1);
});

for (const [name, step, kernels] of [
  ["softmax regression", softmaxRegression(6, 56, 5), 5],
  ["a network with dropout and Adam", network(8, 40, 24, 5), 11],
] as const) {
  test(`a whole training step is right and takes few kernels: ${name}`, (t) => {
    const { program, wrong } = built(step);
    t.deepEqual(wrong, []);
    t.true(all(program).length <= kernels, printed(program));
  });
}

test("rows shorter than a register are reduced in lanes of their own", (t) => {
  const logits = add(matmul(input("x", [50, 12]), weight("w", [12, 10])), columns(weight("b", [10]), [50, 10]));
  const { loss } = crossEntropy(logits, input("label", [50], "u8"));
  const { program, wrong } = built({ outputs: { loss }, assignments: {} });
  t.deepEqual(wrong, []);
  const contraction = all(program).find((kernel) => kernel.kind === "contract");
  const [stored] = contraction?.kind === "contract" ? contraction.epilogue : [];
  const [m] = contraction?.kind === "contract" ? contraction.m : [];
  t.is(stored?.target.index.terms.find((term) => term.loop === m?.id)?.stride, 1, "the logits lie column by column");
  const nests = all(program).filter((kernel) => kernel.kind === "nest");
  t.true(
    nests.some((nest) => nest.body.some((loop) => loop.kind === "loop" && loop.extent === 50 && loop.schedule.vector)),
    printed(program),
  );
});
