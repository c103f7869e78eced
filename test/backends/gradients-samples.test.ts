import test from "ava";
import fc from "fast-check";
import { differentiate } from "../../compiler/autodiff/differentiate.js";
import { isFloat } from "../../compiler/ir/dtype.js";
import type { Value } from "../../compiler/ir/node.js";
import { elementCount, type TensorData } from "../../compiler/ir/tensor.js";
import { staticShape } from "../../compiler/ir/type.js";
import { add, mul } from "../../compiler/ops/arithmetic.js";
import { fill, literal } from "../../compiler/ops/build.js";
import type { Op } from "../../compiler/ops/define.js";
import { gradients } from "../../compiler/ops/pseudo.js";
import { sum } from "../../compiler/ops/reduction.js";
import { placeholder } from "../../compiler/ops/sources.js";
import { beforeGradients, pipeline, runPipeline } from "../../compiler/passes/pipeline.js";
import { computationOf } from "../kernels/support.js";
import { choices, differentiableOps, drawnSample, draws, sampleText } from "../support/draws.js";
import { generator, materialise } from "../support/samples.js";
import { outputsOf, startState } from "./bound.js";
import { findFault } from "./shrinking.js";
import { bindBoth, nativeIsAvailable } from "./support.js";
import { firstDifference } from "./tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

type Drawn = readonly [numbers: readonly number[], seed: number];

for (const op of differentiableOps) {
  native(
    `${op.opName}: native code after all passes gives the gradients that the reference gives without them`,
    async (t) => {
      const options = draws(2);
      const kinds = fc.tuple(choices, fc.nat());
      await findFault(fc.sample(kinds, options), kinds, options, (some) => differences(op, some));
      t.pass();
    },
  );
}

/** First and second gradients of weighted sums of the op's results, natively and in the reference. */
async function differences(op: Op, drawn: readonly Drawn[]): Promise<readonly string[]> {
  const feeds = new Map<string, TensorData>();
  const roots: Record<string, Value> = {};
  const texts = new Map<string, string>();
  for (const [number, [numbers, seed]] of drawn.entries()) {
    const sample = drawnSample(op, numbers);
    if (sample.differentiable === false) continue;
    const tensors = materialise(sample, "f64", seed);
    const inputs = tensors.map(({ dtype, shape, data }, i) => {
      const name = `${number}.${i}`;
      feeds.set(name, data);
      return placeholder({ name, dtype, shape });
    });
    for (const [name, value] of Object.entries(
      gradientsOf(op.apply(inputs, sample.attributes ?? {}, sample.regions?.(inputs)), inputs, seed),
    )) {
      roots[`${number} ${name}`] = value;
      texts.set(`${number} ${name}`, sampleText(op, sample, "f64"));
    }
  }
  if (texts.size === 0) return [];
  const written = computationOf(roots);
  const read = new Set(written.placeholders.map(({ name }) => name));
  const plain = differentiate(written).computation;
  const passed = runPipeline(beforeGradients, written, { verify: true });
  const optimised = runPipeline(pipeline, differentiate(passed).computation, { verify: true });
  const both = await bindBoth(plain, new Map(), undefined, { checkNumerics: false }, optimised);
  try {
    const given = new Map([...feeds].filter(([name]) => read.has(name)));
    const expected = outputsOf(both.reference.executable.run(given, startState));
    const actual = outputsOf(both.native.executable.run(given, startState));
    return plain.outputs.flatMap(({ name }, i) => {
      const [found, wanted] = [actual[i], expected[i]];
      if (found === undefined || wanted === undefined) return [`${name} is missing`];
      const most = Math.max(1, ...[...wanted].map((x) => Math.abs(Number(x))));
      const tolerance = { ulps: 0, relative: 1e-9, absolute: 1e-11 * most, zeroSigns: false };
      const difference = firstDifference("f64", found, wanted, tolerance);
      return difference === undefined ? [] : [`${name} ${difference} of ${texts.get(name)}`];
    });
  } finally {
    both.close();
  }
}

function gradientsOf(
  results: readonly Value[],
  inputs: readonly Value[],
  seed: number,
): Readonly<Record<string, Value>> {
  const xs = inputs.filter(({ type }) => isFloat(type.dtype));
  const total = (values: readonly Value[], stream: number): Value =>
    values
      .filter(({ type }) => isFloat(type.dtype))
      .map((value, i) => {
        const shape = staticShape(value.type);
        const random = generator(seed, stream + i);
        const weights = Float64Array.from({ length: elementCount(shape) }, (_, at) => 2 * random(at) - 1);
        return sum(mul(value, literal("f64", shape, weights)), { axes: shape.map((_, axis) => axis) });
      })
      .reduce((left, right) => add(left, right), fill({ dtype: "f64", shape: [] }, 0));
  const first = gradients.apply([total(results, 100), ...xs], {});
  const second = gradients.apply([total(first, 200), ...xs], {});
  return Object.fromEntries([
    ...first.map((value, i) => [`first ${i}`, value] as const),
    ...second.map((value, i) => [`second ${i}`, value] as const),
  ]);
}
