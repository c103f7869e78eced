import test from "ava";
import { hostTarget, targetLevels } from "../../../compiler/backends/llvm/target.js";
import type { Value } from "../../../compiler/ir/node.js";
import type { TensorData } from "../../../compiler/ir/tensor.js";
import { add, mul, pow, sub } from "../../../compiler/ops/arithmetic.js";
import { dotGeneral } from "../../../compiler/ops/contraction.js";
import { cast } from "../../../compiler/ops/conversion.js";
import { argmax, max, sum } from "../../../compiler/ops/reduction.js";
import { placeholder } from "../../../compiler/ops/sources.js";
import { concatenate } from "../../../compiler/ops/structure.js";
import { cos, sin } from "../../../compiler/ops/trigonometric.js";
import { broadcastInDim, reverse, slice, transpose } from "../../../compiler/ops/views.js";
import { computationOf } from "../../kernels/support.js";
import { outputsOf, startState } from "../bound.js";
import { bindBoth, nativeIsAvailable } from "../support.js";
import { exact, firstDifference } from "../tolerance.js";

const native = nativeIsAvailable ? test : test.skip;

/** Whole numbers, of which every sum is exact. */
function whole(count: number, spread = 9): number[] {
  return Array.from({ length: count }, (_, i) => ((i * 7919) % spread) - Math.floor(spread / 2));
}

/** Both back ends on each level that the machine has; all results must be equal. */
async function agreesOnEachLevel(
  outputs: Readonly<Record<string, Value>>,
  feeds: ReadonlyMap<string, TensorData>,
): Promise<readonly string[]> {
  const computation = computationOf(outputs);
  const found: string[] = [];
  for (const level of targetLevels) {
    const both = await bindBoth(computation, new Map(), hostTarget(level));
    const expected = outputsOf(both.reference.executable.run(feeds, startState));
    const actual = outputsOf(both.native.executable.run(feeds, startState));
    computation.outputs.forEach(({ name, value }, i) => {
      const [x, y] = [actual[i], expected[i]];
      const dtype = value.type.dtype;
      if (x === undefined || y === undefined || dtype === "string") throw new Error(`${name} is missing`);
      const difference = firstDifference(dtype, x, y, { ...exact, zeroSigns: false });
      if (difference !== undefined) found.push(`${level} ${name} ${difference}`);
    });
    both.close();
  }
  return found;
}

native("a sum within an unrolled loop of lanes is its own copy's, not an earlier one's", async (t) => {
  const v = placeholder({ name: "v", dtype: "i32", shape: [3, 67] });
  const gram = dotGeneral(v, v, { lhs_batch: [], rhs_batch: [], lhs_contract: [0], rhs_contract: [0] });
  const power = pow(gram, gram);
  const outputs = {
    all: sum(power, { axes: [0, 1] }),
    rows: sum(power, { axes: [1] }),
    columns: sum(power, { axes: [0] }),
    plain: sum(gram, { axes: [0, 1] }),
  };
  t.deepEqual(await agreesOnEachLevel(outputs, new Map([["v", Int32Array.from(whole(201))]])), []);
});

native("an elementary function of a scalar and of odd rests of lanes", async (t) => {
  // Beyond 2^17 the exact reduction of the argument runs lane by lane.
  for (const shape of [[], [1], [3], [33]]) {
    const x = placeholder({ name: "x", dtype: "f64", shape });
    const count = shape[0] ?? 1;
    const feeds = new Map([
      ["x", Float64Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 1e22 : 0.5) * (i + 1))],
    ]);
    const computation = computationOf({ sin: sin(x), cos: cos(x) });
    const both = await bindBoth(computation);
    const expected = outputsOf(both.reference.executable.run(feeds, startState));
    const actual = outputsOf(both.native.executable.run(feeds, startState));
    for (const i of [0, 1]) {
      const [a, e] = [actual[i], expected[i]];
      if (a === undefined || e === undefined) throw new Error("an output is missing");
      t.is(firstDifference("f64", a, e, { ...exact, ulps: 2 }), undefined);
    }
    both.close();
  }
});

native("an output without elements needs no kernel", async (t) => {
  const x = placeholder({ name: "x", dtype: "f32", shape: [0, 3] });
  const y = concatenate([x, x], { axis: 0 });
  t.deepEqual(await agreesOnEachLevel({ y, z: sum(y, { axes: [0] }) }, new Map([["x", new Float32Array(0)]])), []);
});

native("rows of every length around the number of lanes and their multiples", async (t) => {
  const outputs: Record<string, Value> = {};
  const feeds = new Map<string, TensorData>();
  for (const width of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 129]) {
    const x = placeholder({ name: `x${width}`, dtype: "f32", shape: [3, width] });
    feeds.set(`x${width}`, Float32Array.from(whole(3 * width, 41)));
    const row = sum(x, { axes: [1] });
    const spread = broadcastInDim(row, { shape: [3, width], axes: [0] });
    outputs[`centred${width}`] = sub(x, spread);
    outputs[`scaled${width}`] = sum(mul(x, spread), { axes: [0] });
    outputs[`max${width}`] = max(x, { axes: [1] });
    outputs[`argmax${width}`] = argmax(x, { axis: 1 });
    outputs[`turned${width}`] = add(
      transpose(reverse(x, { axes: [1] }), { permutation: [1, 0] }),
      transpose(x, { permutation: [1, 0] }),
    );
    outputs[`every${width}`] = slice(x, { start: [0, 0], limit: [3, width], strides: [2, 3] });
    outputs[`bytes${width}`] = sum(cast(cast(x, { to: "i8" }), { to: "i64" }), { axes: [1] });
  }
  t.deepEqual(await agreesOnEachLevel(outputs, feeds), []);
});
