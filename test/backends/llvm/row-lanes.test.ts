import test from "ava";
import "../../../compiler/ops/table.js";
import { hostTarget, targetLevels } from "../../../compiler/backends/llvm/target.js";
import { buildKernels } from "../../../compiler/kernels/build.js";
import { lanesAlong } from "../../../compiler/kernels/lanes.js";
import { loopsIn } from "../../../compiler/kernels/rewrite.js";
import { matmul, matrixTranspose } from "../../../compiler/ops/build.js";
import { numericDType } from "../../../compiler/ops/precision.js";
import { argmax } from "../../../compiler/ops/reduction.js";
import { crossEntropy, input, weight } from "../../kernels/models.js";
import { computationOf } from "../../kernels/support.js";
import { outputsOf, startState } from "../bound.js";
import { bindBoth, nativeIsAvailable } from "../support.js";
import { firstDifference } from "../tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

/** Logits that a contraction makes, their loss, and the gradient of its weight: nothing but the loss is row-major. */
function step(rows: number, classes: number) {
  const x = input("x", [rows, 6]);
  const logits = matmul(x, weight("w", [6, classes]));
  const { loss, accuracy, dlogits } = crossEntropy(logits, input("label", [rows], "u8"));
  return computationOf({
    loss,
    accuracy,
    chosen: argmax(logits, { axis: 1 }),
    gradient: matmul(matrixTranspose(x), dlogits),
  });
}

for (const level of targetLevels) {
  native(`short rows are reduced in lanes of their own as in the reference: ${level}`, async (t) => {
    const target = hostTarget(level);
    for (const [rows, classes] of [
      [16, 2],
      [33, 3],
      [100, 10],
      [39, 16],
      [8, 4],
    ] as const) {
      const computation = step(rows, classes);
      const program = buildKernels(computation, target, { checkNumerics: false });
      const nests = program.compute.flatMap((kernel) => (kernel.kind === "nest" ? loopsIn(kernel.body) : []));
      const wide = lanesAlong(rows, target.vectorBytes / 4) === target.vectorBytes / 4;
      t.true(
        !wide || classes * 4 > target.vectorBytes || nests.some((loop) => loop.schedule.rows.length > 0),
        `${rows} x ${classes} keeps a line of exponentials for each lane`,
      );
      const both = await bindBoth(
        computation,
        new Map([["w", Float32Array.from({ length: 6 * classes }, (_, i) => Math.sin(i * 7))]]),
        target,
      );
      const feeds = new Map<string, Float32Array | Uint8Array>([
        ["x", Float32Array.from({ length: rows * 6 }, (_, i) => (i % 11 === 5 ? 0 : Math.cos(i * 3)))],
        ["label", Uint8Array.from({ length: rows }, (_, i) => i % classes)],
      ]);
      const actual = outputsOf(both.native.executable.run(feeds, startState));
      const expected = outputsOf(both.reference.executable.run(feeds, startState));
      computation.outputs.forEach(({ name, value }, i) => {
        const tolerance = { ulps: 64, absolute: 1e-6, relative: 0, zeroSigns: false };
        const [x, y] = [actual[i], expected[i]];
        if (x === undefined || y === undefined) throw new Error(`no ${name}`);
        t.is(
          firstDifference(numericDType(value.type.dtype), x, y, tolerance),
          undefined,
          `${name} ${rows} x ${classes}`,
        );
      });
      both.close();
    }
  });
}
