import test from "ava";
import fc from "fast-check";
import type { Op } from "../../../compiler/ops/define.js";
import { type Choices, choices, drawnSample, draws, sampledOps, sampleText } from "../../support/draws.js";
import { isMadeOf, sampleDTypes } from "../../support/samples.js";
import { type Case, moduleOfCases } from "../matrix.js";
import { findFault } from "../shrinking.js";
import { differences, dtypes } from "./differences.js";
import { backendOf } from "./support.js";

for (const op of sampledOps) {
  const taken = sampleDTypes(op).filter((dtype) => dtypes.includes(dtype));
  if (op.kernel.kind === "pseudo" || taken.length === 0) continue;
  test.serial(`${op.opName} gives what the reference gives on random samples`, async (t) => {
    const options = draws(2);
    const kinds = fc.tuple(choices, fc.constantFrom(...taken), fc.nat());
    await findFault(fc.sample(kinds, options), kinds, options, async (some) => {
      const cases = some.flatMap((one, number) => caseOf(op, one, number));
      const found = await differences(moduleOfCases(op, cases), "webasm", await backendOf("webasm"));
      return found.length === 0 ? [] : [...found, ...cases.map(({ sample, dtype }) => sampleText(op, sample, dtype))];
    });
    t.pass();
  });
}

function caseOf(
  op: Op,
  [numbers, dtype, seed]: readonly [Choices, Case["dtype"], number],
  number: number,
): readonly Case[] {
  const sample = drawnSample(op, numbers);
  // A draw has the indices of its loops, which only a loop's own body can have: a device does not read others.
  if (op.opName === "random_uniform" && sample.inputs.length > 1) return [];
  return isMadeOf(sample, dtype) ? [{ key: `${dtype}.${number}`, sample, dtype, seed }] : [];
}
