import test from "ava";
import fc from "fast-check";
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Op } from "../../compiler/ops/define.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { type Choices, choices, drawnSample, draws, sampledOps, sampleText } from "../support/draws.js";
import { isMadeOf, sampleDTypes } from "../support/samples.js";
import { type Case, moduleOfCases } from "./matrix.js";
import { findFault } from "./shrinking.js";
import { nativeDifferences, nativeIsAvailable } from "./support.js";

const native = nativeIsAvailable ? test : test.skip;

/** What a case is made of: choices of the sample, its dtype, what it is filled with. */
type Drawn = readonly [numbers: Choices, dtype: NumericDType, seed: number];

for (const op of sampledOps) {
  if (op.kernel.kind === "pseudo") continue;
  native(`${op.opName} gives natively what the reference gives on random samples of every dtype`, async (t) => {
    const options = draws(10);
    const dtypes = sampleDTypes(op);
    const drawn = fc
      .sample(fc.tuple(choices, fc.nat()), options)
      .map(([numbers, seed], i): Drawn => [numbers, dtypes[i % dtypes.length] as NumericDType, seed]);
    t.deepEqual(new Set(drawn.map(([, dtype]) => dtype)), new Set(dtypes));
    const kinds = fc.tuple(choices, fc.constantFrom(...dtypes), fc.nat());
    await findFault(drawn, kinds, options, async (some) => {
      const cases = some.flatMap((one, number) => caseOf(op, one, number));
      const found = await nativeDifferences(moduleOfCases(op, cases));
      return found.length === 0 || cases.length > 1
        ? found
        : [...found, ...cases.map(({ sample, dtype }) => sampleText(op, sample, dtype))];
    });
  });
}

/** One case; none where the sample is not made of the dtype. A quarter of what takes special values gets them. */
function caseOf(op: Op, [numbers, dtype, seed]: Drawn, number: number): readonly Case[] {
  const drawn = drawnSample(op, numbers);
  if (!isMadeOf(drawn, dtype)) return [];
  const sample = seed % 4 === 0 && takesSpecials(op, drawn, dtype) ? withSpecials(drawn, seed) : drawn;
  return [{ key: `${dtype}.${number}`, sample, dtype, seed }];
}

const movers: ReadonlySet<string> = new Set(["view", "concatenate", "pad", "dynamic_view", "arg_reduce"]);
const choosers: ReadonlySet<string> = new Set(["max", "min", "cummax", "cummin", "argsort", "select_and_gather"]);

/** Where special values have one meaning each: sums of them depend on the order, and integers are not divided by 0. */
function takesSpecials({ opName, kernel }: Op, { attributes }: Sample, dtype: NumericDType): boolean {
  if (kernel.kind === "elementwise") return isFloat(dtype) || (opName !== "floor_div" && opName !== "mod");
  const combiner = attributes?.["combiner"];
  return movers.has(kernel.kind) || choosers.has(opName) || ["set", "max", "min"].includes(String(combiner));
}

/** Special values in place of any: positions and conditions are as the sample has them. */
function withSpecials(sample: Sample, seed: number): Sample {
  return {
    ...sample,
    inputs: sample.inputs.map((input, i) =>
      input.fill.kind === "uniform" || input.fill.kind === "apart"
        ? { ...input, fill: { kind: "specials", first: (seed >> 2) + 7 * i } }
        : input,
    ),
  };
}
