/** Random samples of the op table, drawn by fast-check, which shrinks one that is at fault to small shapes and plain attributes. */
import fc from "fast-check";
import { isFloat, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Op } from "../../compiler/ops/define.js";
import type { Draw } from "../../compiler/ops/draw.js";
import type { Sample } from "../../compiler/ops/samples.js";
import { ops } from "../../compiler/ops/table.js";
import { attributesText } from "./samples.js";

/** A row of choices, each of which the sample takes for a number in some range; those that are missing are the lowest. */
export type Choices = readonly number[];

// 5040 is a multiple of all ranges that samples ask for but those of attributes that are any number.
export const choices: fc.Arbitrary<Choices> = fc.array(fc.nat({ max: 5039 }), {
  minLength: 24,
  maxLength: 120,
  size: "max",
});

function drawFrom(numbers: Choices): Draw {
  let at = 0;
  return { integer: (low, high) => low + ((numbers[at++] ?? 0) % (high - low + 1)) };
}

/** The sample that the choices make; an op that has none is not to be asked. */
export function drawnSample({ opName, randomSample }: Op, numbers: Choices): Sample {
  if (randomSample === undefined) throw new TypeError(`no sample can be given to ${opName}`);
  return randomSample(drawFrom(numbers));
}

/** The ops that have samples. */
export const sampledOps: readonly Op[] = [...ops.values()].filter(({ randomSample }) => randomSample !== undefined);

/** The ops whose gradients can be told by differences. */
export const differentiableOps: readonly Op[] = sampledOps.filter(
  ({ differentiable, operands }) => differentiable && operands.some(({ dtypes }) => dtypes.some(isFloat)),
);

/**
 * How many random samples a test draws: few of a fixed seed, so that a suite that has passed goes on passing; as many as
 * GRAPHC_FUZZ_RUNS says of a seed of GRAPHC_FUZZ_SEED's or of its own (`make fuzz`), which a failure names.
 */
export function draws(few: number): {
  readonly numRuns: number;
  readonly seed?: number;
  readonly includeErrorInReport: true;
} {
  const [runs, seed] = [process.env["GRAPHC_FUZZ_RUNS"], process.env["GRAPHC_FUZZ_SEED"]];
  const chosen = seed ?? (runs === undefined ? "1" : undefined);
  return {
    numRuns: Number(runs ?? few),
    ...(chosen === undefined ? {} : { seed: Number(chosen) }),
    includeErrorInReport: true,
  };
}

/** What a sample is, for messages. */
export function sampleText({ opName }: Op, { inputs, attributes = {} }: Sample, dtype: NumericDType): string {
  const operands = inputs.map(
    (input) => `${input.dtype ?? dtype}[${input.shape.join(", ")}] ${JSON.stringify(input.fill)}`,
  );
  return `${opName}(${operands.join(", ")}) ${attributesText(attributes)}`;
}
