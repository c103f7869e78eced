import test from "ava";
import fc from "fast-check";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Op, Sample } from "../../compiler/ops/define.js";
import { ops } from "../../compiler/ops/table.js";
import { agree, slopes } from "../support/gradient-check.js";
import { materialise, sampleDTypes } from "../support/samples.js";

for (const op of ops.values()) {
  const takesFloats = op.operands.some((operand) => operand.dtypes.some(isFloat));
  // Ops with regions have their gradients checked in control-flow.test.ts.
  if (!op.differentiable || !takesFloats || op.kernel.kind === "region") continue;

  test(`${op.opName}: first and second gradients equal central differences on every sample`, (t) => {
    const checked = op.samples.filter((sample) => sample.differentiable !== false);
    checked.forEach((sample, number) => {
      t.true(sampleDTypes(op).includes("f64"));
      const inputs = materialise(sample, "f64", number);
      const { first, second } = slopes(inputs, (values) => op.apply(values, sample.attributes ?? {}), number);
      t.true(agree(first), `sample ${number}, first order: ${JSON.stringify(first)} ${JSON.stringify(sample)}`);
      t.true(agree(second), `sample ${number}, second order: ${JSON.stringify(second)} ${JSON.stringify(sample)}`);
    });
    t.true(checked.length > 0);
  });
}

const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 });

/** The op on operands of this shape, with contents as its samples have them; undefined where its rule asks for more than a shape. */
function sampleOf(op: Op, shape: readonly number[], choose: number): Sample | undefined {
  const own = op.samples.find((sample) => sample.differentiable !== false);
  if (own === undefined || (op.kernel.kind !== "elementwise" && op.kernel.kind !== "reduce")) return undefined;
  const inputs = own.inputs.map((input) => ({ ...input, shape }));
  if (op.kernel.kind === "elementwise") return { ...own, inputs };
  // Each bit chooses an axis. Only sums and products have a value of nothing that differences can tell.
  const axes = shape.map((_, axis) => axis).filter((axis) => (choose >> axis) % 2 === 1);
  return shape.includes(0) && op.opName !== "sum" && op.opName !== "prod"
    ? undefined
    : { inputs, attributes: { axes } };
}

for (const op of ops.values()) {
  const takesFloats = op.operands.some((operand) => operand.dtypes.some(isFloat));
  if (!op.differentiable || !takesFloats || sampleOf(op, [2], 1) === undefined) continue;

  test(`${op.opName}: first and second gradients equal central differences on random shapes`, (t) => {
    fc.assert(
      fc.property(shapes, fc.nat({ max: 31 }), fc.nat(), (shape, choose, seed) => {
        const sample = sampleOf(op, shape, choose);
        if (sample === undefined) return;
        const inputs = materialise(sample, "f64", seed);
        const { first, second } = slopes(inputs, (values) => op.apply(values, sample.attributes ?? {}), seed);
        t.true(agree(first), `first order: ${JSON.stringify(first)}`);
        t.true(agree(second), `second order: ${JSON.stringify(second)}`);
      }),
      { seed: 1, numRuns: 12, includeErrorInReport: true },
    );
  });
}

/** The least rank of the operand that decides, where an op takes no scalars; the ops that go along an axis need that axis. */
const leastRanks: Readonly<Record<string, number>> = {
  concatenate: 1,
  convolution: 2,
  cholesky: 2,
  cummax: 1,
  cummin: 1,
  cumprod: 1,
  cumsum: 1,
  det: 2,
  eigh: 2,
  linear_recurrence: 1,
  qr: 2,
  slogdet: 2,
  solve: 2,
  svd: 2,
  triangular_solve: 2,
};

test("what is differentiated has every rank up to 5, sizes 0 and 1 among them, for every op", (t) => {
  for (const op of ops.values()) {
    const takesFloats = op.operands.some((operand) => operand.dtypes.some(isFloat));
    if (!op.differentiable || !takesFloats || op.samples.length === 0) continue;
    const shapes = op.samples
      .filter((sample) => sample.differentiable !== false)
      .flatMap((sample) => sample.inputs.map((input) => input.shape));
    const ranks = new Set(shapes.map((shape) => shape.length));
    for (let rank = leastRanks[op.opName] ?? 0; rank <= 5; rank++)
      t.true(ranks.has(rank), `${op.opName}: none of rank ${rank}`);
    for (const size of [0, 1]) t.true(shapes.flat().includes(size), `${op.opName}: no size ${size}`);
  }
});
