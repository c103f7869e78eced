import test from "ava";
import fc from "fast-check";
import type { Op } from "../../compiler/ops/define.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { choices, differentiableOps, drawnSample, draws, sampleText } from "../support/draws.js";
import { agree, slopes } from "../support/gradient-check.js";
import { materialise } from "../support/samples.js";

/** Throws where a gradient is not the central difference. */
function check(op: Op, sample: Sample, seed: number): void {
  const { first, second } = slopes(
    materialise(sample, "f64", seed),
    (values) => op.apply(values, sample.attributes ?? {}, sample.regions?.(values)),
    seed,
  );
  for (const [order, found] of [
    ["first", first],
    ["second", second],
  ] as const) {
    if (agree(found)) continue;
    throw new Error(`${order} order: ${found.analytic}, not ${found.numeric}, of ${sampleText(op, sample, "f64")}`);
  }
}

for (const op of differentiableOps) {
  const fixed = op.samples.filter((sample) => sample.differentiable !== false);

  if (fixed.length > 0) {
    test(`${op.opName}: first and second gradients equal central differences on every fixed sample`, (t) => {
      t.notThrows(() => {
        for (const [number, sample] of fixed.entries()) check(op, sample, number);
      });
    });
  }

  test(`${op.opName}: first and second gradients equal central differences on random samples`, (t) => {
    let checked = 0;
    fc.assert(
      fc.property(choices, fc.nat(), (numbers, seed) => {
        const sample = drawnSample(op, numbers);
        if (sample.differentiable === false) return;
        checked++;
        check(op, sample, seed);
      }),
      draws(20),
    );
    t.true(checked > 0);
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
  gather: 1,
  linear_recurrence: 1,
  qr: 2,
  scatter: 1,
  slogdet: 2,
  solve: 2,
  svd: 2,
  triangular_solve: 2,
};

test("what is differentiated has every rank up to 5, sizes 0 and 1 among them, for every op", (t) => {
  for (const op of differentiableOps) {
    const samples = fc.sample(choices, { numRuns: 300, seed: 3 }).map((numbers) => drawnSample(op, numbers));
    const shapes = samples
      .filter(({ differentiable }) => differentiable !== false)
      .flatMap(({ inputs }) => inputs.map(({ shape }) => shape));
    const ranks = new Set(shapes.map(({ length }) => length));
    for (let rank = leastRanks[op.opName] ?? 0; rank <= 5; rank++)
      t.true(ranks.has(rank), `${op.opName}: none of rank ${rank}`);
    for (const size of [0, 1]) t.true(shapes.flat().includes(size), `${op.opName}: no size ${size}`);
  }
});
