import test from "ava";
import { differentiateValues } from "../../compiler/autodiff/differentiate.js";
import type { Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { staticShape } from "../../compiler/ir/type.js";
import { buildKernels } from "../../compiler/kernels/build.js";
import type { ContractKernel, KernelProgram } from "../../compiler/kernels/form.js";
import { printKernel } from "../../compiler/kernels/printer.js";
import type { TargetLimits } from "../../compiler/kernels/schedule.js";
import { verifyKernels } from "../../compiler/kernels/verifier.js";
import { add, mul } from "../../compiler/ops/arithmetic.js";
import { zerosLike } from "../../compiler/ops/build.js";
import { le } from "../../compiler/ops/comparison.js";
import { convolution } from "../../compiler/ops/convolution.js";
import { select } from "../../compiler/ops/logic.js";
import { gradients } from "../../compiler/ops/pseudo.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder } from "../../compiler/ops/sources.js";
import { broadcastInDim } from "../../compiler/ops/views.js";
import { avx2, avx512, computationOf, disagreements } from "./support.js";

const f32 = (name: string, shape: readonly number[]): Value => placeholder({ name, dtype: "f32", shape });
const plain = {
  strides: [1, 1],
  low: [0, 0],
  high: [0, 0],
  lhs_dilation: [1, 1],
  rhs_dilation: [1, 1],
  reversal: [],
  feature_groups: 1,
  batch_groups: 1,
};

/** relu(conv(x, w) + b), and what flows back to x, w and b where y' is a feed. */
function layer(
  padding: number,
  [n, size, taken, made]: readonly [number, number, number, number] = [4, 10, 8, 32],
): { readonly outputs: Record<string, Value>; readonly forward: Value } {
  const x = f32("x", [n, size, size, taken]);
  const w = f32("w", [3, 3, taken, made]);
  const b = f32("b", [made]);
  const y = convolution(x, w, { ...plain, low: [padding, padding], high: [padding, padding] });
  const shape = staticShape(y.type);
  const z = add(y, broadcastInDim(b, { shape, axes: [3] }));
  const r = select(le(z, zerosLike(z)), zerosLike(z), z);
  const loss = sum(mul(r, f32("s", shape)), { axes: [0, 1, 2, 3] });
  const nodes = gradients.apply([loss, x, w, b], {});
  const { rewritten } = differentiateValues([loss, ...nodes], new SourceTable());
  const [total, dx, dw, db] = [loss, ...nodes].map(rewritten) as [Value, Value, Value, Value];
  return { outputs: { total, dx, dw, db }, forward: r };
}

function built(outputs: Record<string, Value>, l2Bytes = avx512.l2Bytes): KernelProgram {
  return buildKernels(computationOf(outputs), { ...avx512, l2Bytes }, { checkNumerics: false });
}

const contractions = (program: KernelProgram): readonly ContractKernel[] =>
  [...program.compute, ...program.commit].filter((kernel) => kernel.kind === "contract");

test("a convolution reads its input where it lies, with bias and relu in the write-back, and writes one tensor", (t) => {
  const { forward } = layer(0);
  const program = built({ forward });
  t.is(program.compute.length, 1);
  const [kernel] = contractions(program);
  t.is(kernel?.epilogue.length, 1);
  t.false(kernel?.schedule.packScalarOperand);
  t.deepEqual(
    kernel?.k.map(({ extent }) => extent),
    [3, 24],
    "the window's last axis and the channels are one run through memory",
  );
  t.is(program.buffers.filter(({ label }) => label === "pad").length, 0);
});

test("the tile of windows of few channels leaves registers for the elements that its rows share", (t) => {
  const tileOf = (channels: number, target: TargetLimits) => {
    const [x, w] = [f32("x", [2, 28, 28, channels]), f32("w", [3, 3, channels, 32])];
    const [kernel] = contractions(
      buildKernels(computationOf({ y: convolution(x, w, plain) }), target, { checkNumerics: false }),
    );
    if (kernel === undefined) throw new Error("no contraction");
    return kernel.schedule;
  };
  for (const target of [avx512, avx2]) {
    // A row of a window of one channel begins with the last two elements of the one before.
    const { rows, vectors } = tileOf(1, target);
    t.true(rows * vectors + vectors + (rows + 2) <= target.registers, `${rows} x ${vectors} of ${target.registers}`);
    t.true(rows * vectors >= 8, "two multiply-adds a cycle, of a latency of four");
    const many = tileOf(8, target);
    t.true(many.rows * many.vectors >= target.registers - 6, `${many.rows} x ${many.vectors} share nothing`);
  }
});

test("all three directions are contractions; what relu lets through is asked of its result", (t) => {
  for (const padding of [0, 1]) {
    const { outputs } = layer(padding, [2, 6, 4, 18]);
    const computation = computationOf(outputs);
    const program = built(outputs);
    const text = program.compute.flatMap(printKernel).join("\n");
    t.is(contractions(program).length, 3, text);
    // The convolution's only result in memory is the relu's.
    const forward = contractions(program).find(({ m }) => m.length === 3);
    t.is(forward?.epilogue.length, 1, text);
    t.deepEqual(verifyKernels(program), []);
    const fill = (i: number): number => ((i * 7) % 5) - 2;
    const context = {
      seed: 1n,
      step: 0n,
      runsSinceStep: 0n,
      variables: new Map(),
      feeds: new Map(
        computation.placeholders.map(({ name, type }) => {
          const shape = staticShape(type);
          const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => fill(i + name.length));
          return [name, { dtype: "f32" as const, shape, data }];
        }),
      ),
    };
    t.deepEqual(disagreements(computation, program, context), []);
  }
});

test("the gradient of the weights sums over the batch in turns where dy does not fit the cache", (t) => {
  const { outputs } = layer(0);
  const dw = { dw: outputs["dw"] as Value };
  const turns = (program: KernelProgram): number | undefined =>
    contractions(program).find(({ k }) => k.length === 3 && k[0]?.extent === 4)?.schedule.outerDepth;
  t.is(turns(built(dw)), 0);
  const program = built(dw, 32_768);
  t.is(turns(program), 1, program.compute.flatMap(printKernel).join("\n"));
  t.deepEqual(verifyKernels(program), []);
});
