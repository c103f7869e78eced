/**
 * How near a back end's f32 comes to the exact result, measured: what docs/gpu.md has beside its tolerances. Exact is what the reference
 * evaluates in f64 of the same operands. Nothing here needs Node.
 */

import type { Backend } from "../../../compiler/backends/backend.js";
import type { AccuracyFamily } from "../../../compiler/backends/gpu/documented.js";
import { referenceBackend } from "../../../compiler/backends/reference/backend.js";
import type { NumericDType } from "../../../compiler/ir/dtype.js";
import type { Attributes, Value } from "../../../compiler/ir/node.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";
import { placeholder } from "../../../compiler/ops/sources.js";
import { opNamed } from "../../../compiler/ops/table.js";
import { computationOf } from "../../kernels/support.js";
import { generator } from "../../support/samples.js";
import { bindOn, outputsOf, startState } from "../bound.js";

/** Operands of one distribution: evenly spread, or their magnitudes' logarithms are. */
type Spread =
  | { readonly kind: "even"; readonly low: number; readonly high: number }
  | { readonly kind: "magnitudes"; readonly low: number; readonly high: number; readonly signs: boolean };

interface Measured {
  readonly family: AccuracyFamily;
  readonly op: string;
  /** One for each operand. */
  readonly operands: readonly Spread[];
  readonly attributes?: Attributes;
  /** Else all operands are vectors. */
  readonly shapes?: readonly (readonly number[])[];
}

const even = (low: number, high: number): Spread => ({ kind: "even", low, high });
const magnitudes = (low: number, high: number, signs = true): Spread => ({ kind: "magnitudes", low, high, signs });
const wide = magnitudes(1e-12, 1e12);
const positive = magnitudes(1e-30, 1e30, false);

const one = (family: AccuracyFamily, op: string, ...operands: readonly Spread[]): Measured => ({
  family,
  op,
  operands,
});

const convolved = {
  strides: [1, 1],
  low: [1, 1],
  high: [1, 1],
  lhs_dilation: [1, 1],
  rhs_dilation: [1, 1],
  reversal: [],
  feature_groups: 1,
  batch_groups: 1,
};

const measured: readonly Measured[] = [
  one("add, sub, mul", "add", wide, wide),
  one("add, sub, mul", "sub", wide, wide),
  one("add, sub, mul", "mul", wide, wide),
  one("div", "div", wide, wide),
  one("sqrt, rsqrt, cbrt", "sqrt", positive),
  one("sqrt, rsqrt, cbrt", "rsqrt", positive),
  one("sqrt, rsqrt, cbrt", "cbrt", magnitudes(1e-30, 1e30)),
  one("exp, expm1", "exp", even(-87, 88)),
  one("exp, expm1", "exp", magnitudes(1e-9, 1)),
  one("exp, expm1", "expm1", even(-20, 88)),
  one("exp, expm1", "expm1", magnitudes(1e-9, 1)),
  one("log, log1p", "log", positive),
  one("log, log1p", "log", even(0.5, 2)),
  one("log, log1p", "log1p", magnitudes(1e-9, 1e9, false)),
  one("log, log1p", "log1p", even(-0.99, 1)),
  one("sin, cos", "sin", even(-10, 10)),
  one("sin, cos", "cos", even(-10, 10)),
  one("sin, cos", "sin", even(-8000, 8000)),
  one("sin, cos", "cos", even(-8000, 8000)),
  one("atan2", "atan2", wide, wide),
  one("atan2", "atan2", even(-1, 1), even(-1, 1)),
  one("tanh, sigmoid", "tanh", even(-12, 12)),
  one("tanh, sigmoid", "tanh", magnitudes(1e-9, 1)),
  one("tanh, sigmoid", "sigmoid", even(-80, 80)),
  one("erf, erfc", "erf", even(-4, 4)),
  one("erf, erfc", "erf", magnitudes(1e-9, 1)),
  one("erf, erfc", "erfc", even(-4, 9)),
  one("pow", "pow", magnitudes(1e-3, 1e3, false), even(-8, 8)),
  one("floor_div, mod", "floor_div", even(-1e4, 1e4), magnitudes(1e-2, 1e2)),
  one("floor_div, mod", "mod", even(-1e4, 1e4), magnitudes(1e-2, 1e2)),
  { family: "sum", op: "sum", operands: [even(-1, 1)], shapes: [[100_003]], attributes: { axes: [0] } },
  { family: "sum", op: "sum", operands: [even(-1, 1)], shapes: [[300, 501]], attributes: { axes: [1] } },
  {
    family: "dot_general, convolution",
    op: "dot_general",
    operands: [even(-1, 1), even(-1, 1)],
    shapes: [
      [65, 777],
      [777, 43],
    ],
    attributes: { lhs_batch: [], rhs_batch: [], lhs_contract: [1], rhs_contract: [0] },
  },
  {
    family: "dot_general, convolution",
    op: "convolution",
    operands: [even(-1, 1), even(-1, 1)],
    shapes: [
      [2, 17, 16, 9],
      [3, 3, 9, 8],
    ],
    attributes: convolved,
  },
];

/** The largest error of each family, in units of the last place of f32: of the result, or for sums of that of the terms' magnitudes. */
export async function largestErrors(backend: Backend, count: number): Promise<ReadonlyMap<AccuracyFamily, number>> {
  const largest = new Map<AccuracyFamily, number>();
  for (const [seed, one] of measured.entries()) {
    const error = await errorOf(backend, one, count, seed + 1);
    largest.set(one.family, Math.max(largest.get(one.family) ?? 0, error));
  }
  return largest;
}

async function errorOf(backend: Backend, one: Measured, count: number, seed: number): Promise<number> {
  const operands = one.operands.map((spread, i) => {
    const random = generator(seed, i);
    const shape = one.shapes?.[i] ?? [count];
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, data: Float32Array.from({ length }, (_, at) => drawn(spread, random(2 * at), random(2 * at + 1))) };
  });
  const run = async (on: Backend, dtype: NumericDType, magnitude: boolean): Promise<TensorData> => {
    const inputs = operands.map(({ shape }, i) => placeholder({ name: `x${i}`, dtype, shape }));
    const [y] = opNamed(one.op).apply(inputs, one.attributes ?? {});
    const bound = await bindOn(on, computationOf({ y: y as Value }));
    const feeds = operands.map(({ data }, i): readonly [string, TensorData] => {
      const given = magnitude ? data.map(Math.abs) : data;
      return [`x${i}`, dtype === "f64" ? Float64Array.from(given) : given];
    });
    try {
      const outcome = await bound.executable.runAside(new Map(feeds), startState, undefined);
      if (outcome.kind === "interrupted") throw new Error("the run was interrupted");
      return outputsOf(outcome)[0] as TensorData;
    } finally {
      bound.close();
    }
  };
  const found = await run(backend, "f32", false);
  const exact = await run(referenceBackend(), "f64", false);
  const scales = one.shapes === undefined ? exact : await run(referenceBackend(), "f64", true);
  let largest = 0;
  for (let i = 0; i < found.length; i++) {
    const wanted = Number(exact[i]);
    // Subnormals count as zeros or not, and what overflows is infinite.
    if (Math.abs(wanted) < 2 ** -126 || Math.abs(wanted) >= 2 ** 128) continue;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(Number(scales[i])))) - 23);
    largest = Math.max(largest, Math.abs(Number(found[i]) - wanted) / unit);
  }
  return largest;
}

function drawn(spread: Spread, u: number, v: number): number {
  if (spread.kind === "even") return spread.low + (spread.high - spread.low) * u;
  const logarithm = Math.log(spread.low) + (Math.log(spread.high) - Math.log(spread.low)) * u;
  return Math.exp(logarithm) * (spread.signs && v < 0.5 ? -1 : 1);
}
