/**
 * The numeric gradient check: along one random direction v, the central difference (f(x + h v) - f(x - h v)) / 2h in float64
 * equals the gradient times v (as JAX's check_grads does it).
 */
import { differentiateValues } from "../../compiler/autodiff/differentiate.js";
import { evaluateValues } from "../../compiler/backends/reference/evaluate.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { SourceTable } from "../../compiler/ir/sources.js";
import { elementCount, type Tensor } from "../../compiler/ir/tensor.js";
import { add, mul } from "../../compiler/ops/arithmetic.js";
import { fill, literal } from "../../compiler/ops/build.js";
import { gradients } from "../../compiler/ops/pseudo.js";
import { sum } from "../../compiler/ops/reduction.js";
import { feeding, placeholdersFor } from "./evaluate.js";
import { generator } from "./samples.js";

export interface Slopes {
  readonly numeric: number;
  readonly analytic: number;
}

const h = 1e-5;

/** The slopes of a weighted sum of the outputs (first order), and of its directional derivative (second order). */
export function slopes(
  inputs: readonly Tensor[],
  build: (values: readonly Value[]) => readonly Value[],
  seed: number,
): { readonly first: Slopes; readonly second: Slopes } {
  const xs = placeholdersFor(inputs);
  const floats = xs.filter((x) => isFloat(x.type.dtype));
  const directions = inputs.map((tensor, i) => randomLike(tensor, generator(seed, 100 + i)));
  const floatDirections = directions.filter((_, i) => isFloat(inputs[i]?.dtype ?? "bool"));
  const outputs = build(xs).filter((output) => isFloat(output.type.dtype));
  const f = total(outputs.map((output, i) => weighted(output, randomShape(output, generator(seed, 200 + i)))));
  const df = total(
    gradients.apply([f, ...floats], {}).map((gradient, i) => weighted(gradient, floatDirections[i] as Tensor)),
  );
  const ddf = total(
    gradients.apply([df, ...floats], {}).map((gradient, i) => weighted(gradient, floatDirections[i] as Tensor)),
  );
  // An op that is linear in an operand has no second gradient there, which is reported; zeros stand in.
  const { rewritten } = differentiateValues([f, df, ddf], new SourceTable());
  const at = (root: Value, t: number): number => {
    const moved = inputs.map((tensor, i) => shifted(tensor, directions[i] as Tensor, t));
    return Number(evaluateValues([rewritten(root)], feeding(moved))[0]?.data[0]);
  };
  const numeric = (root: Value) => (at(root, h) - at(root, -h)) / (2 * h);
  return {
    first: { numeric: numeric(f), analytic: at(df, 0) },
    second: { numeric: numeric(df), analytic: at(ddf, 0) },
  };
}

/** Whether two slopes agree to what central differences in float64 can tell. */
export function agree({ numeric, analytic }: Slopes): boolean {
  return Math.abs(numeric - analytic) <= 2e-6 * (1 + Math.abs(numeric) + Math.abs(analytic));
}

function weighted(value: Value, weights: Tensor): Value {
  const product = mul(value, literal("f64", weights.shape, weights.data as Float64Array));
  return sum(product, { axes: product.type.shape.map((_, axis) => axis) });
}

function total(values: readonly Value[]): Value {
  return values.reduce((left, right) => add(left, right), fill({ dtype: "f64", shape: [] }, 0));
}

function randomShape(value: Value, random: (position: number) => number): Tensor {
  return randomLike({ dtype: "f64", shape: value.type.shape.map(Number), data: new Float64Array() }, random);
}

function randomLike({ shape }: Tensor, random: (position: number) => number): Tensor {
  return { dtype: "f64", shape, data: new Float64Array(elementCount(shape)).map((_, i) => 2 * random(i) - 1) };
}

function shifted(tensor: Tensor, direction: Tensor, t: number): Tensor {
  if (!(tensor.data instanceof Float64Array)) return tensor;
  return { ...tensor, data: tensor.data.map((x, i) => x + t * (direction.data[i] as number)) };
}
