/** The op table as computations: every op with all its samples in every dtype that it takes, as the outputs of one module. */

import { isFloat, isInteger, type NumericDType } from "../../compiler/ir/dtype.js";
import type { Computation } from "../../compiler/ir/graph.js";
import type { Value } from "../../compiler/ir/node.js";
import type { Tensor, TensorData } from "../../compiler/ir/tensor.js";
import type { Op } from "../../compiler/ops/define.js";
import { numericDType } from "../../compiler/ops/precision.js";
import type { Fill, Sample } from "../../compiler/ops/samples.js";
import { placeholder, runState } from "../../compiler/ops/sources.js";
import { computationOf } from "../kernels/support.js";
import { attributesText, isMadeOf, materialise, sampleDTypes } from "../support/samples.js";
import { exact, firstDifference, type Tolerance, unit } from "./tolerance.js";

export interface OpModule {
  readonly op: Op;
  readonly computation: Computation;
  readonly feeds: ReadonlyMap<string, TensorData>;
  /** The operands behind each output, for messages. */
  readonly operands: ReadonlyMap<string, readonly Tensor[]>;
}

/**
 * Ops that no kernel of their own is made for: sources are the operands of all others; pseudo-ops are gone before; those with regions
 * have random samples only (matrix-samples.test.ts).
 */
export function hasKernel(op: Op): boolean {
  const sources = ["placeholder", "variable", "parameter"];
  return op.kernel.kind !== "pseudo" && op.kernel.kind !== "region" && !sources.includes(op.opName);
}

/** A sample in one of the dtypes that its op takes; the key begins the names of its outputs. */
export interface Case {
  readonly key: string;
  readonly sample: Sample;
  readonly dtype: NumericDType;
  readonly seed: number;
}

/** The fixed samples. `accepts`: only these dtypes, and of these samples. */
export function moduleOf(op: Op, accepts: (dtype: NumericDType, sample: Sample) => boolean = () => true): OpModule {
  const cases = sampleDTypes(op).flatMap((dtype) =>
    [...op.samples, ...furtherSamples(op, dtype), ...positionSamples(op)].flatMap((sample, number) =>
      isMadeOf(sample, dtype) && accepts(dtype, sample)
        ? [{ key: `${dtype}.${number}`, sample, dtype, seed: number + 1 }]
        : [],
    ),
  );
  return moduleOfCases(op, cases);
}

export function moduleOfCases(op: Op, cases: readonly Case[]): OpModule {
  const outputs: Record<string, Value> = {};
  const feeds = new Map<string, TensorData>();
  const operands = new Map<string, readonly Tensor[]>();
  for (const { key, sample, dtype, seed } of cases) {
    const tensors = materialise(sample, dtype, seed);
    const inputs = tensors.map((tensor, i) => {
      if (op.opName === "random_uniform" && i === 0) return runState();
      const name = `${key}.${i}`;
      feeds.set(name, tensor.data);
      return placeholder({ name, dtype: tensor.dtype, shape: tensor.shape });
    });
    for (const [i, output] of op.apply(inputs, sample.attributes ?? {}, sample.regions?.(inputs)).entries()) {
      const name = `${key}#${i}`;
      outputs[name] = output;
      operands.set(name, tensors);
    }
  }
  const computation = computationOf(outputs, {}, op.opName);
  const read = new Set(computation.placeholders.map(({ name }) => name));
  for (const name of feeds.keys()) if (!read.has(name)) feeds.delete(name);
  return { op, computation, feeds, operands };
}

/** How two results of an output differ, in words: the operands behind it say how near they have to be. */
type Compare = (
  dtype: NumericDType,
  found: TensorData,
  wanted: TensorData,
  operands: readonly Tensor[],
) => string | undefined;

/** Where two runs of a module differ. */
export function differencesOf(
  { op, computation, operands }: OpModule,
  actual: readonly TensorData[],
  expected: readonly TensorData[],
  compare: Compare = (dtype, found, wanted, inputs) =>
    firstDifference(dtype, found, wanted, toleranceOf(op, dtype, inputs)),
): readonly string[] {
  return computation.outputs.flatMap(({ name, value }, i) => {
    const inputs = operands.get(name) ?? [];
    const [found, wanted] = [actual[i], expected[i]];
    if (found === undefined || wanted === undefined) return [`${name} is missing`];
    const difference = compare(numericDType(value.type.dtype), found, wanted, inputs);
    if (difference === undefined) return [];
    const shapes = inputs.map((input) => `${input.dtype}[${input.shape.join(", ")}]`).join(", ");
    return [`${name} of ${shapes} with ${attributesText(value.node.attributes)}: ${difference}`];
  });
}

const pairs = (left: Fill, right: Fill, shape: readonly number[]): Sample => ({
  inputs: [left, right].map((fill) => ({ shape, fill })),
});

/** What the table's own samples leave out: long rows of lanes with a rest, and special divisors. */
function furtherSamples(op: Op, dtype: NumericDType): readonly Sample[] {
  if (op.kernel.kind === "elementwise" && op.operands.length === 1 && op.opName !== "cast") {
    const fill = op.samples[0]?.inputs[0]?.fill;
    return fill === undefined ? [] : [{ inputs: [{ shape: [5, 37], fill }] }];
  }
  if (op.opName !== "floor_div" && op.opName !== "mod") return [];
  const short: Fill = { kind: "values", values: [0.1, -0.1, 0.3, -3, 7, -0.7, 1e-3] };
  const whole: Fill = { kind: "integers", low: -50, high: 50 };
  if (!isFloat(dtype)) return [pairs({ kind: "specials" }, { kind: "values", values: [-1, 1, -3, 7, 127] }, [9, 10])];
  return [
    pairs(whole, short, [101]),
    pairs({ kind: "specials" }, { kind: "specials", transposed: true }, [40, 40]),
    pairs({ kind: "uniform", low: -1e4, high: 1e4 }, { kind: "uniform", low: 1e-3, high: 1 }, [301]),
  ];
}

/** Positions of every dtype that the op takes for them: each sample that has some, in those that its own samples leave out. */
function positionSamples(op: Op): readonly Sample[] {
  const at = op.operands.findIndex(({ group }) => group !== op.operands[0]?.group);
  const operand = op.operands[at];
  const sample = op.samples.find(({ inputs }) => inputs.length > at && inputs.every(({ shape }) => !shape.includes(0)));
  if (operand?.group === undefined || sample === undefined || !operand.dtypes.every(isInteger)) return [];
  return operand.dtypes.map((dtype) => ({
    ...sample,
    inputs: sample.inputs.map((input, i) => (i < at ? input : { ...input, dtype })),
  }));
}

/** How near the native result must come to the reference's, which computes in float64 and rounds once. */
export function toleranceOf(op: Op, dtype: NumericDType, operands: readonly Tensor[]): Tolerance {
  if (!isFloat(dtype)) return exact;
  const narrow = dtype === "f16" || dtype === "bf16";
  switch (op.kernel.kind) {
    case "elementwise":
      switch (op.kernel.scalar) {
        case "exp":
        case "expm1":
        case "log":
        case "log1p":
        case "sin":
        case "cos":
        case "tanh":
        case "sigmoid":
        case "erf":
        case "pow":
        case "atan2":
        case "cbrt":
        case "rsqrt":
          return { ...exact, ulps: narrow ? 1 : 4 };
        case "erfc":
          return { ...exact, ulps: narrow ? 1 : 12 };
        case "floor_div":
        case "mod":
          return { ...exact, ulps: 1 };
        case "max":
        case "min":
          return { ...exact, zeroSigns: false };
        default:
          return exact;
      }
    case "reduce":
      if (op.kernel.combiner === "product") return productTolerance(dtype, operands);
      return { ulps: 2, relative: 0, absolute: sumError(dtype, operands), zeroSigns: false };
    case "contract":
    case "composite":
      return { ulps: 2, relative: 0, absolute: sumError(dtype, operands), zeroSigns: false };
    case "region":
      // Their bodies stay below 1, and round each result once or are a few units off, turn after turn.
      return { ulps: 0, relative: 0, absolute: 16 * unit(dtype, 1), zeroSigns: false };
    case "routine":
      if (op.kernel.along === true) return runningTolerance(dtype, op.opName);
      // Determinants are products of pivots, each of which has an error of its own.
      return { ulps: 0, relative: 16 * unit(dtype, 1), absolute: dtype === "f32" ? 3e-4 : 1e-12, zeroSigns: false };
    default:
      return exact;
  }
}

/** Positions and extremes are exact; f64 is carried as the reference carries it, up to a fused operation. */
function runningTolerance(dtype: NumericDType, name: string): Tolerance {
  const exactly = { ulps: 0, relative: 0, absolute: 0, zeroSigns: false };
  if (!isFloat(dtype) || ["argsort", "cummax", "cummin"].includes(name)) return exactly;
  return { ...exactly, ulps: 1, absolute: dtype === "f64" ? 1e-13 : 0 };
}

/** Each factor adds half a unit to the relative error of a product; those of halves are rounded once. */
function productTolerance(dtype: NumericDType, [x]: readonly Tensor[]): Tolerance {
  const factors = dtype === "f16" || dtype === "bf16" ? 1 : (x?.data.length ?? 0);
  return { ulps: 2, relative: factors * 0.5 * unit(dtype, 1), absolute: 0, zeroSigns: false };
}

/** Rounding errors of a sum grow with its terms: an ulp of the greatest possible total. */
function sumError(dtype: NumericDType, operands: readonly Tensor[]): number {
  const count = operands[0]?.data.length ?? 0;
  const terms = operands.map(({ data }) => (data instanceof BigInt64Array ? 0 : finiteMaximum(data)));
  const total = Math.max(1, count) * terms.reduce((product, term) => product * Math.max(term, 1e-3), 1);
  return isFloat(dtype) && dtype !== "f16" && dtype !== "bf16" ? total * (dtype === "f32" ? 2 ** -23 : 2 ** -52) : 0;
}

function finiteMaximum(data: Exclude<TensorData, BigInt64Array>): number {
  let most = 0;
  for (const x of data) if (Number.isFinite(x) && Math.abs(x) < 1e6) most = Math.max(most, Math.abs(x));
  return most;
}
